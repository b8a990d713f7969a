"""What all responses share: one shape of errors, headers that protect, a log without secrets."""

import logging
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from babel import negotiate_locale
from flask import Flask, Response, g, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from directory.language import LANGUAGES, gettext, marked, speak, spoken
from directory.places.place import PlaceNotFound, PlacesUnavailable
from directory.search.cursor import InvalidCursor
from directory.search.engine import EngineUnavailable
from directory.search.query import InvalidQuery, ParameterError
from directory.store.database import StoreUnavailable
from directory.web.compression import compress

access = logging.getLogger("directory.access")

RETRY_AFTER_S = 30
_TITLES = {
    404: marked("Not found"),
    405: marked("This cannot be done here"),
    410: marked("Gone"),
}
_DETAILS = {
    404: marked("There is nothing at this address."),
    405: marked("This address does not take that kind of request."),
}
"""What Werkzeug says of itself, in our words; what we say ourselves comes before it."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True)
class Problem:
    """What went wrong, as page and as `application/problem+json` (RFC 9457)."""

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
            return Problem(status, gettext("This cannot be searched"), str(error), error.errors)
        case InvalidCursor():
            wrong = (ParameterError("cursor", str(error)),)
            return Problem(400, gettext("This cursor cannot be used"), str(error), wrong)
        case PlaceNotFound():
            wrong = (ParameterError("near", str(error)),)
            return Problem(422, gettext("Unknown place"), str(error), wrong, error.suggestions)
        case PlacesUnavailable():
            return Problem(503, gettext("Addresses cannot be looked up"), str(error))
        case EngineUnavailable():
            said = gettext(
                "The search does not answer at the moment. Nothing is lost; try again soon."
            )
            return Problem(503, gettext("The search is down"), said)
        case StoreUnavailable():
            said = gettext("This page cannot be shown at the moment. Searching still works.")
            return Problem(503, gettext("The directory is partly down"), said)
        case HTTPException():
            return _http_problem(error)
    return Problem(
        500, gettext("Something went wrong"), gettext("It was our fault, and it has been noted.")
    )


def _http_problem(error: HTTPException) -> Problem:
    status = error.code or 500
    title = gettext(_TITLES.get(status, error.name))
    said = error.description if error.description != type(error).description else None
    return Problem(status, title, said or gettext(_DETAILS.get(status, title)))


def json_response(
    content: Any,  # noqa: ANN401  # whatever JSON holds
    status: int = 200,
    media_type: str = "application/json",
) -> Response:
    """Content as JSON."""
    return Response(orjson.dumps(content), status, content_type=media_type)


def problem_json(found: Problem) -> Response:
    """A problem as `application/problem+json`."""
    content = {
        "type": "about:blank",
        "title": found.title,
        "status": found.status,
        "detail": found.detail,
        "errors": [{"parameter": e.parameter, "detail": e.message} for e in found.errors],
    }
    if found.suggestions:
        content["suggestions"] = list(found.suggestions)
    return _may_be_retried(json_response(content, found.status, "application/problem+json"))


def problem_page(found: Problem) -> Response:
    """A problem as a page of its own."""
    page = render_template("problem.html", problem=found)
    return _may_be_retried(Response(page, found.status, content_type="text/html; charset=utf-8"))


def register(app: Flask) -> None:
    """Give the application its error answers, headers and access log."""
    app.register_error_handler(Exception, _answer_error)
    app.before_request(_start)
    app.after_request(compress)
    app.url_defaults(_keep_language)
    app.after_request(_finish)


def _answer_error(error: Exception) -> Response:
    found = problem(error)
    if found.status >= 500 and not isinstance(error, HTTPException):
        logging.getLogger("directory").error("%s", type(error).__name__, exc_info=error)
    is_api = request.path.startswith("/api/")
    answer = problem_json(found) if is_api else problem_page(found)
    if isinstance(error, MethodNotAllowed):
        answer.allow.update(error.valid_methods or ())
    return answer


def _may_be_retried(response: Response) -> Response:
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        response.headers["Cache-Control"] = "no-store"
    return response


def _start() -> None:
    g.started = time.perf_counter()
    chosen = request.args.get("lang")
    g.chosen_language = chosen if chosen in LANGUAGES else None
    wanted = [code for code, quality in request.accept_languages if quality > 0]
    preferred = negotiate_locale(wanted, LANGUAGES, sep="-")
    speak(g.chosen_language or preferred or "en")


def _keep_language(endpoint: str, values: dict[str, Any]) -> None:
    """Whoever has chosen a language keeps it from page to page, in the address."""
    is_for_people = not endpoint.startswith(("static", "api.", "health."))
    if g.get("chosen_language") and is_for_people:
        values.setdefault("lang", g.chosen_language)


def _finish(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers["Content-Language"] = spoken()
        response.vary.add("Accept-Language")
    # The route, never the address: what somebody searches for is nobody's business.
    route = request.url_rule.rule if request.url_rule else "no route"
    took_ms = (time.perf_counter() - g.started) * 1000
    access.info("%s %s %d %.1f ms", request.method, route, response.status_code, took_ms)
    return response
