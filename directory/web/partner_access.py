"""Who asks the API, with which key, from which origin, and how often: looked at before it answers.

Everybody may ask without a key, from a server or an address bar. A page of another origin needs a
partner's public key (`pk_`), and its origin among the partner's; bulk access needs a secret one
(`sk_`), which no page may hold. /api/docs is the contract.
"""

from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, request

from directory.language import gettext
from directory.partner import Partner
from directory.store.partners import KeyKind, Use
from directory.web.compression import vary_by
from directory.web.context import services
from directory.web.limits import sender, take
from directory.web.responses import APIS

KEY_HEADER = "X-Directory-Key"

_PREFLIGHT_S = "600"
_MAY_SEND = (
    f"Accept, Accept-Language, Content-Type, Idempotency-Key, If-None-Match, Prefer, {KEY_HEADER}"
)
_FOR_ANY_ORIGIN = frozenset({"docs.document"})
"""Says of itself that anybody may read it."""
_MAY_READ = "ETag, Link, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"

_WINDOW_S = 60


def register(app: Flask) -> None:
    """Look at every request of an API before it is answered."""
    app.before_request(_look)
    app.after_request(_say)


def may_embed(key: str) -> Partner | None:
    """The partner whose public key stands in a page."""
    return services().keys.partner(key) if key.startswith(KeyKind.PUBLIC) else None


def must_have_secret() -> Partner:
    """The partner whose secret key comes with the request; 401 where none does."""
    partner: Partner | None = g.get("partner")
    if not partner or g.key_kind is not KeyKind.SECRET:
        said = gettext("This needs a partner's secret key: Authorization: Bearer sk_….")
        abort(HTTPStatus.UNAUTHORIZED, said)
    return partner


def count_visitor() -> None:
    """Count what this network address asks within a minute; 429 where it is too much."""
    _count(f"from {sender()}", current_app.config["REQUESTS_A_MINUTE"])


def count_partner(partner: Partner) -> None:
    """Count what a partner's key asks within a minute; 429 where it is too much.

    Everybody can read a public key: with one, each visitor has the allowance, so that nobody can
    use up what others may ask.
    """
    is_secret = g.get("key_kind") is KeyKind.SECRET
    _count(partner.id if is_secret else f"{partner.id} from {sender()}", partner.a_minute)


def _look() -> Response | None:
    if not request.path.startswith(APIS):
        return None
    origin = _other_origin()
    if origin and services().keys.may_ask(origin):
        g.shared_with = origin  # also for what is refused: its page reads what to do
    if request.method == "OPTIONS" and origin:
        return _preflight()
    if request.endpoint in _FOR_ANY_ORIGIN:
        return None
    partner = _of_key()
    if not partner or (origin and not partner.allows(origin)):
        count_visitor()
    if origin and g.get("key_kind") is KeyKind.SECRET:
        abort(HTTPStatus.FORBIDDEN, gettext("A secret key must not be used in a page: replace it."))
    if origin and not (partner and partner.allows(origin)):
        said = gettext(
            "This page's origin may not ask: send a partner's key, and have the origin added to it."
        )
        abort(HTTPStatus.FORBIDDEN, said)
    if partner:
        count_partner(partner)
    if partner and request.headers.get("Sec-Fetch-Site") != "same-origin":
        services().seen.used(partner.id, Use.API)
    return None


def _other_origin() -> str | None:
    """The origin of the page that asks, where it is not ours."""
    origin = request.headers.get("Origin")
    ours = (request.host, urlsplit(current_app.config["BASE_URL"]).netloc)
    return None if origin is None or origin.partition("://")[2] in ours else origin


def _of_key() -> Partner | None:
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    named = request.headers.get(KEY_HEADER) or request.args.get("key")
    key = bearer.strip() if kind.lower() == "bearer" else named
    if not key:
        return None
    if not services().keys.remembers(key):
        count_visitor()  # guesses are counted before the store is asked
    found = services().keys.partner(key)
    if not found or (key.startswith(KeyKind.SECRET) and key == named):
        said = gettext("This key is not known here, has ended, or is a secret one in an address.")
        abort(HTTPStatus.UNAUTHORIZED, said)
    g.partner, g.key_kind = found, KeyKind(key[:2])
    return found


def _preflight() -> Response:
    if "shared_with" not in g:
        abort(HTTPStatus.FORBIDDEN, gettext("No partner has this origin."))
    answer = Response(status=HTTPStatus.NO_CONTENT)
    answer.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST"
    answer.headers["Access-Control-Allow-Headers"] = _MAY_SEND
    answer.headers["Access-Control-Max-Age"] = _PREFLIGHT_S
    return answer


def _count(what: str, most: int) -> None:
    g.allowance = take(what, most, _WINDOW_S)
    g.allowance.enforce(gettext("More than %(most)s requests in a minute: slow down.", most=most))


def _say(response: Response) -> Response:
    """Tell the browser who may read the answer, and the client what is left of its allowance.

    Fields: draft-ietf-httpapi-ratelimit-headers-11 (2026-05).
    """
    if not request.path.startswith(APIS):
        return response
    vary_by(response, "Origin")
    if origin := g.get("shared_with"):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _MAY_READ
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if allowance := g.get("allowance"):
        response.headers["RateLimit-Policy"] = f'"minute";q={allowance.most};w={_WINDOW_S}'
        left = max(0, allowance.left)
        response.headers["RateLimit"] = f'"minute";r={left};t={allowance.resets_s}'
    return response
