"""What is turned away before anything else looks at a request, and how a browser is to come back.

A request names the host that it means. Nothing that we answer is made from that name, but a browser
takes a page under a foreign name for another site's (DNS rebinding), and caches keep pages by it.
"""

from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, request
from werkzeug.routing import IntegerConverter

from directory.language import gettext

_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})
_ASKED_BY_NUMBER = ("health.", "metrics.")
_HTTPS_ONLY = "max-age=31536000"
"""A year, for this host alone: others of the domain may not speak TLS."""


class Number(IntegerConverter):
    """A number in an address: what has more digits is in no table."""

    regex = "[0-9]{1,12}"


def register(app: Flask) -> None:
    """Stand before everything that answers."""
    app.before_request(_refuse_other_hosts)
    app.before_request(_refuse_nul)
    app.after_request(_stay_with_https)


def _refuse_other_hosts() -> None:
    """400 for a host that is neither ours nor this machine itself.

    Health and metrics are asked for by number. A site whose own address is this machine has not
    been told yet who it is, and answers to everybody.
    """
    own = _host_of(urlsplit(current_app.config["BASE_URL"]).netloc)
    if own in _THIS_MACHINE or (request.endpoint or "").startswith(_ASKED_BY_NUMBER):
        return
    if _host_of(request.host) not in {own, *_THIS_MACHINE}:
        abort(HTTPStatus.BAD_REQUEST, gettext("This site has another address."))


def _refuse_nul() -> None:
    """400 for a NUL byte in an address: PostgreSQL keeps none, and C code takes it for an end."""
    if "\0" in request.path or b"%00" in request.query_string or b"\0" in request.query_string:
        abort(HTTPStatus.BAD_REQUEST, gettext("The address has a NUL character."))


def _stay_with_https(response: Response) -> Response:
    if current_app.config["BASE_URL"].startswith("https:"):
        response.headers["Strict-Transport-Security"] = _HTTPS_ONLY
    return response


def _host_of(netloc: str) -> str | None:
    try:
        return urlsplit(f"//{netloc}").hostname
    except ValueError:
        return None
