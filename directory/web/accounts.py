"""Who is signed in: an e-mail address that was proved, in a signed cookie, for half an hour.

What somebody may do is read from the store at every request, so that it ends where it is taken.
"""

from http import HTTPStatus

from flask import abort, current_app, g, request
from itsdangerous import BadData
from werkzeug import Response

from directory.language import gettext
from directory.mail.address import LONGEST, is_address
from directory.search.query import ParameterError
from directory.store import owners
from directory.store.database import Transaction
from directory.web.context import services
from directory.web.limits import sender, take
from directory.web.responses import APIS

SESSION_S = 30 * 60
POSTS_AN_HOUR, LETTERS_AN_HOUR = 40, 5
"""From one network address, and to one e-mail address."""

_HOUR_S = 3600


def signed_in() -> str | None:
    """The address that is signed in."""
    if "email" not in g:
        g.email = _of_cookie()
    email: str | None = g.email
    return email


def sign_in(response: Response, email: str) -> None:
    """Let whoever gets this response be signed in, from now for half an hour."""
    g.email = email
    response.set_cookie(
        _cookie(), str(services().sessions.dumps(email)), max_age=SESSION_S, httponly=True,
        samesite="Strict", secure=_is_secure(), path="/",
    )  # fmt: skip


def sign_out(response: Response) -> None:
    """Let nobody be signed in any more."""
    g.email = None
    response.delete_cookie(_cookie(), path="/", secure=_is_secure(), httponly=True)


def keep_signed_in(response: Response) -> Response:
    """Whoever is at work stays signed in; a page that caches share must carry nobody's cookie."""
    if response.cache_control.public:
        return response
    if g.get("email") and _cookie() not in response.headers.get("Set-Cookie", ""):
        sign_in(response, g.email)
    return response


def must_be_signed_in() -> str:
    """The address that is signed in; 401 where there is none."""
    email = signed_in()
    if not email:
        abort(HTTPStatus.UNAUTHORIZED, gettext("Sign in first: you may have been away for long."))
    return email


def must_be_owner(session: Transaction, listing_id: str) -> str:
    """The address that is signed in, if the listing belongs to it; 403 otherwise."""
    email = must_be_signed_in()
    if not owners.is_owner(session, listing_id, email):
        abort(HTTPStatus.FORBIDDEN, gettext("This listing belongs to somebody else."))
    return email


def must_be_moderator() -> str:
    """The address that is signed in, if it may decide; 403 otherwise."""
    email = must_be_signed_in()
    with services().database.reading() as session:
        if not owners.is_moderator(session, email):
            abort(HTTPStatus.FORBIDDEN, gettext("This page is for moderators."))
    return email


def refuse_other_sites() -> None:
    """A form that another site has sent is refused (403), whatever cookie comes with it.

    A browser says where a form is from (Sec-Fetch-Site); of one that does not, the Origin tells,
    unless it is hidden ("null", by our own Referrer-Policy): then the cookie's SameSite protects.
    """
    if request.method in ("GET", "HEAD", "OPTIONS") or request.path.startswith(APIS):
        return
    said = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin", "null")
    is_ours = origin == "null" or origin.partition("://")[2] == request.host
    if said not in ("same-origin", "none") if said else not is_ours:
        abort(HTTPStatus.FORBIDDEN, gettext("This form was sent by another site."))


def address_errors(typed: str) -> list[ParameterError]:
    """What is wrong with an e-mail address that was typed."""
    if is_address(typed) and len(typed) <= LONGEST:
        return []
    return [ParameterError("email", gettext("Give an e-mail address, like name@example.com."))]


def slow_down(what: str, most: int) -> None:
    """Count one more of these within the hour; 429 where there are too many."""
    said = gettext("That was too often within an hour. Please try again later.")
    take(what, most, _HOUR_S).enforce(said)


def slow_down_sender() -> None:
    """Count a form that this network address sends."""
    slow_down(f"from {sender()}", POSTS_AN_HOUR)


def _of_cookie() -> str | None:
    try:
        email = services().sessions.loads(request.cookies.get(_cookie(), ""), max_age=SESSION_S)
    except BadData:
        return None
    return str(email)


def _cookie() -> str:
    """By https a name that only this very host can set."""
    return "__Host-session" if _is_secure() else "session"


def _is_secure() -> bool:
    address: str = current_app.config["BASE_URL"]
    return address.startswith("https:")
