"""Claiming a listing that is there already."""

from http import HTTPStatus

from flask import (
    Blueprint,
    make_response,
    render_template,
    request,
    url_for,
)
from werkzeug import Response

from directory import language
from directory.language import gettext
from directory.listing import Listing
from directory.mail import letters
from directory.mail.address import domain_of, folded
from directory.mail.letters import To
from directory.search.query import ParameterError
from directory.store import links, mails, owners, submissions
from directory.store.links import Purpose
from directory.store.submissions import Asked, Kind, State
from directory.web import accounts
from directory.web.context import listing_or_abort, services
from directory.web.draft_pages import ask_for_proof
from directory.web.rendering import absolute
from directory.web.responses import Problem, private, wrong_form

blueprint = Blueprint("claims", __name__)


@blueprint.get("/listings/<id_>/claim")
def claim(id_: str) -> Response:
    """Whoever a listing is of may look after it."""
    _, shown = listing_or_abort(id_)
    return _claim_page(shown, {}, None)


@blueprint.post("/listings/<id_>/claim")
def ask_to_own(id_: str) -> Response:
    """By an address on the practice's own domain at once; else a moderator decides.

    So does a moderator where the listing belongs to somebody, who is told: nobody takes it over.
    """
    accounts.slow_down_sender()
    _, shown = listing_or_abort(id_)
    with services().database.reading() as session:
        is_free = not owners.owners(session, id_)
    typed, note = folded(request.form.get("email", "")), request.form.get("note", "").strip()
    errors = [*accounts.address_errors(typed)]
    is_own = is_free and is_own_domain(typed, shown)
    if not errors and not is_own and not note:
        errors.append(
            ParameterError(
                "note",
                gettext("Say how we can see that it is yours: your address does not show it."),
            )
        )
    if len(note) > _LONGEST_NOTE or any(not c.isprintable() for c in note.replace("\r\n", "")):
        errors.append(ParameterError("note", gettext("Write at most 1,000 letters of plain text.")))
    if errors:
        return _claim_page(shown, {"email": typed, "note": note}, wrong_form(errors))
    accounts.slow_down(f"to {typed}", accounts.LETTERS_AN_HOUR)
    parts, now, to = services(), services().clock(), To(typed, language.spoken())
    with parts.database.writing() as session:
        if is_own:
            token = links.make(session, Purpose.CLAIM, typed, id_, now)
            address = absolute(url_for("links.link", token=token))
            mails.keep(session, letters.claim(to, shown.title, address), now)
        else:
            asked = Asked(Kind.CLAIM, typed, to.language, {}, id_, note)
            reference, _ = submissions.keep(session, asked, State.UNPROVED, now)
            found = submissions.find(session, reference)
            if found:
                ask_for_proof(session, found)
    return private(make_response(render_template("mailed.html", email=typed)))


_LONGEST_NOTE = 1_000
_ANYBODYS = frozenset((
    "gmail.com", "yahoo.com", "outlook.com", "hotmail.com", "icloud.com", "aol.com", "proton.me",
    "protonmail.com", "live.com", "msn.com", "comcast.net", "facebook.com", "wordpress.com",
    "google.com", "wix.com", "weebly.com", "squarespace.com",
))  # fmt: skip
"""Domains under which anybody may have an address or a page."""


def is_own_domain(email: str, shown: Listing) -> bool:
    """Whether an address is on the domain of the website that a listing gives."""
    domain = domain_of(email)
    if not shown.website or domain in _ANYBODYS:
        return False
    host = shown.website.split("/")[2].lower().partition(":")[0].removeprefix("www.")
    return host == domain


def _claim_page(shown: Listing, values: dict[str, str], problem: Problem | None) -> Response:
    page = render_template("claim.html", listing=shown, values=values, problem=problem)
    return private(make_response(page, problem.status if problem else HTTPStatus.OK))
