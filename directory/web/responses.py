"""What all responses share: one shape of errors, headers that protect, a log without secrets."""

import logging
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import orjson
from babel import negotiate_locale
from flask import Flask, Response, current_app, g, render_template, request
from werkzeug import Response as BaseResponse
from werkzeug.exceptions import (
    HTTPException,
    MethodNotAllowed,
    RequestEntityTooLarge,
    TooManyRequests,
)

from directory.fhir.outcome import outcome
from directory.language import LANGUAGES, gettext, marked, speak, spoken
from directory.places.place import PlaceNotFound, PlacesUnavailable
from directory.search.cursor import InvalidCursor
from directory.search.engine import EngineUnavailable
from directory.search.query import InvalidQuery, ParameterError
from directory.store.database import StoreUnavailable
from directory.web.compression import compress, vary_by
from directory.wordless import wordless

if TYPE_CHECKING:
    from directory.traces import Traces

Sent = TypeVar("Sent", bound=BaseResponse)

access = logging.getLogger("directory.access")

FHIR_JSON = "application/fhir+json"
RETRY_AFTER_S = 30
APIS = ("/api/", "/fhir/", "/npi-registry/")
"""How the addresses begin that software asks."""

_MOST_HEARD_OUT = 20_000_000
_OF_STATUS = {
    400: ("invalid-query", marked("This is not right")),
    401: ("not-signed-in", marked("Not signed in")),
    403: ("not-allowed", marked("Not allowed")),
    404: ("not-found", marked("Not found")),
    405: ("wrong-method", marked("This cannot be done here")),
    406: ("not-acceptable", marked("Not in that format")),
    409: ("done-already", marked("Done already")),
    410: ("gone", marked("Gone")),
    413: ("too-large", marked("Too large")),
    429: ("too-often", marked("Too often")),
}
PROBLEMS = {
    "invalid-query": "400 or 422: a parameter is not right, or there is none of that name. "
    "`errors` says which, and what to do; nothing was searched.",
    "unknown-place": "422: nobody knows the place. `suggestions` has places that it may mean.",
    "invalid-cursor": "400: a cursor belongs to the query that gave it. Begin again without one.",
    "not-signed-in": "401: the key is missing, unknown, or has ended.",
    "not-allowed": "403: a page of this origin may not ask with this key, or a page holds a secret "
    "key.",
    "not-found": "404: there is nothing there that this key may see.",
    "wrong-method": "405: `Allow` names the methods that there are.",
    "not-acceptable": "406: there is no such format.",
    "done-already": "409: somebody else has done it meanwhile.",
    "gone": "410: a listing that was withdrawn.",
    "too-large": "413: more was sent than is taken.",
    "too-often": "429: the allowance is used up; `Retry-After` says for how many seconds.",
    "our-fault": "500: it was noted, with the request's id.",
    "search-down": "503: the index does not answer; `Retry-After`.",
    "store-down": "503: the store does not answer; searches go on meanwhile.",
    "other": "Something rarer: `status` and `detail` say what.",
    "places-down": "503: the service that knows street addresses does not answer.",
}
"""Every kind of problem, for /api/docs."""

_DETAILS = {
    404: marked("There is nothing at this address."),
    405: marked("This address does not take that kind of request."),
}
"""What Werkzeug says of itself, in our words; what we say ourselves comes before it."""

_CONTENT = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src 'self'{tiles}; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)
_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True)
class Problem:
    """What went wrong, as page and as `application/problem+json` (RFC 9457).

    `kind` is one of PROBLEMS, which /api/docs explains.
    """

    kind: str
    status: int
    title: str
    detail: str
    errors: tuple[ParameterError, ...] = ()
    suggestions: tuple[str, ...] = field(default=())


def problem(error: Exception) -> Problem:
    """The problem that an error is to whoever made the request."""
    match error:
        case InvalidQuery():
            unknown = any(each.unknown for each in error.errors)
            status = HTTPStatus.UNPROCESSABLE_ENTITY if unknown else HTTPStatus.BAD_REQUEST
            title = gettext("This cannot be searched")
            return Problem("invalid-query", status, title, str(error), error.errors)
        case InvalidCursor():
            wrong = (ParameterError("cursor", str(error)),)
            title = gettext("This cursor cannot be used")
            return Problem("invalid-cursor", 400, title, str(error), wrong)
        case PlaceNotFound():
            wrong = (ParameterError("near", str(error)),)
            title = gettext("Unknown place")
            return Problem("unknown-place", 422, title, str(error), wrong, error.suggestions)
        case PlacesUnavailable():
            title = gettext("Addresses cannot be looked up")
            return Problem("places-down", 503, title, str(error))
        case EngineUnavailable():
            said = gettext(
                "The search does not answer at the moment. Nothing is lost; try again soon."
            )
            return Problem("search-down", 503, gettext("The search is down"), said)
        case StoreUnavailable():
            said = gettext("This page cannot be shown at the moment. Searching still works.")
            return Problem("store-down", 503, gettext("The directory is partly down"), said)
        case HTTPException():
            return _http_problem(error)
    said = gettext("It was our fault, and it has been noted.")
    return Problem("our-fault", 500, gettext("Something went wrong"), said)


def _http_problem(error: HTTPException) -> Problem:
    status = error.code or 500
    kind, title = _OF_STATUS.get(status, ("other", error.name))
    said = error.description if error.description != type(error).description else None
    return Problem(kind, status, gettext(title), said or gettext(_DETAILS.get(status, title)))


def json_response(
    content: Any,  # noqa: ANN401  # whatever JSON holds
    status: int = 200,
    media_type: str = "application/json",
    *,
    indented: bool = False,
) -> Response:
    """Content as JSON."""
    body = orjson.dumps(content, option=orjson.OPT_INDENT_2 if indented else None)
    return Response(body, status, content_type=media_type)


def problem_json(found: Problem) -> Response:
    """A problem as `application/problem+json`."""
    content = {
        "type": f"{current_app.config['BASE_URL']}/api/docs#{found.kind}",
        "title": found.title,
        "status": found.status,
        "detail": found.detail,
        "instance": f"urn:uuid:{g.request_id}",
        "errors": [{"parameter": e.parameter, "detail": e.message} for e in found.errors],
    }
    if found.suggestions:
        content["suggestions"] = list(found.suggestions)
    return _may_be_retried(json_response(content, found.status, "application/problem+json"))


def problem_outcome(found: Problem) -> Response:
    """A problem as FHIR's OperationOutcome."""
    content = outcome(found.status, found.detail, found.errors)
    return _may_be_retried(json_response(content, found.status, FHIR_JSON))


def problem_page(found: Problem) -> Response:
    """A problem as a page of its own."""
    page = render_template("problem.html", problem=found)
    return _may_be_retried(Response(page, found.status, content_type="text/html; charset=utf-8"))


def register(app: Flask) -> None:
    """Give the application its error answers, headers and access log."""
    app.register_error_handler(Exception, _answer_error)
    app.before_request(_start)
    app.after_request(compress)
    app.url_defaults(_kept)
    app.after_request(_finish)


def _answer_error(error: Exception) -> Response:
    found = problem(error)
    if found.status >= 500 and not isinstance(error, HTTPException):
        logging.getLogger("directory").error("%s", wordless(error))
    if isinstance(error, RequestEntityTooLarge):
        _hear_out()
    answer = _shape(request.path)(found)
    if isinstance(error, TooManyRequests):
        answer.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, MethodNotAllowed):
        answer.allow.update(error.valid_methods or ())
    return answer


def _shape(path: str) -> Callable[[Problem], Response]:
    """How whoever asked at this address is told of a problem."""
    if path.startswith("/fhir/"):
        return problem_outcome
    return problem_json if path.startswith((*APIS, "/oembed")) else problem_page


def _hear_out() -> None:
    """Read what is too much, so that the connection does not break before the answer comes."""
    left = min(request.content_length or 0, _MOST_HEARD_OUT)
    stream = request.environ["wsgi.input"]
    while left > 0 and (heard := stream.read(min(left, 65_536))):
        left -= len(heard)


def _may_be_retried(response: Response) -> Response:
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        response.headers["Cache-Control"] = "no-store"
    return response


def _start() -> None:
    g.started, g.request_id = time.perf_counter(), uuid.uuid4()
    chosen = request.args.get("lang")
    g.chosen_language = chosen if chosen in LANGUAGES else None
    wanted = [code.lower() for code, quality in request.accept_languages if quality > 0]
    preferred = negotiate_locale(wanted, LANGUAGES, sep="-")
    speak(g.chosen_language or preferred or "en")


def _kept(endpoint: str, values: dict[str, Any]) -> None:
    """Whoever has chosen a language keeps it from page to page, in the address."""
    for_software = ("static", "api.", "fhir.", "npi_registry.", "health.")
    is_for_people = not endpoint.startswith(for_software)
    if g.get("chosen_language") and is_for_people:
        values.setdefault("lang", g.chosen_language)


def _finish(response: Response) -> Response:
    headers = response.headers
    # Nobody frames a page of ours, but a partner the search that was made for it.
    headers["Content-Security-Policy"] = _policy(
        current_app.config["MAP_TILES_URL"], g.get("frame_ancestors", "'none'")
    )
    for name, value in _HEADERS.items():
        headers[name] = value
    headers["X-Request-Id"] = str(g.request_id)
    if request.endpoint != "static":
        headers["Content-Language"] = spoken()
        vary_by(response, "Accept-Language")
    _tell(response.status_code)
    return response


def _tell(status: int) -> None:
    """Tell the log, the metrics and the trace of an answer.

    By the route, never the address: what somebody searches for is nobody's business.
    """
    template = request.url_rule.rule if request.url_rule else ""
    route, method, request_id = template or "no route", request.method, str(g.request_id)
    took_ms = (time.perf_counter() - g.started) * 1000
    event = {
        "method": method, "route": route, "status": status, "ms": round(took_ms, 1),
        "request_id": request_id,
    }  # fmt: skip
    traces: Traces | None = current_app.extensions["traces"]
    more = {}
    if traces:
        more["trace_id"] = traces.answered(method, template, status, request_id)
    access.info("%s %s %d %.1f ms %s", *event.values(), extra={"event": event | more})
    current_app.extensions["metrics"].request(method, route, status, took_ms / 1000)


@lru_cache(100)
def _policy(tiles_url: str, ancestors: str) -> str:
    tiles = urlsplit(tiles_url)
    from_tiles = f" {tiles.scheme}://{tiles.netloc}" if tiles.netloc else ""
    return _CONTENT.format(tiles=from_tiles, ancestors=ancestors)


def for_one(response: Response) -> Response:
    """Where somebody looks is for that person alone: no shared cache may keep it."""
    response.headers["Cache-Control"] = "private, max-age=60"
    return response


def private(response: Sent) -> Sent:
    """A page that is one person's: nothing between keeps it."""
    response.headers["Cache-Control"] = "private, no-store"
    return response


def wrong_form(errors: Iterable[ParameterError]) -> Problem:
    """What is wrong with a form, field by field."""
    title = gettext("There is a problem")
    return Problem("invalid-query", HTTPStatus.BAD_REQUEST, title, "", tuple(errors))


def typed(problem: Problem | None) -> dict[str, list[str]] | None:
    """What was typed, as it was typed, where something in it is wrong."""
    return request.form.to_dict(flat=False) if problem and request.form else None
