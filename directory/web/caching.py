"""Answers that a client has already: of the index by its generation, before any search."""

import time
from hashlib import sha256
from importlib.metadata import version

from flask import Response, current_app, request

from directory.language import spoken
from directory.search.engine import EngineStatus
from directory.web.context import engine, scope, services
from directory.web.responses import for_one, json_response

_LOOKED_EVERY_S = 1.0
_VERSION = version("dry-needling-directory")


class _Served:
    """What the engine serves, as it was a second ago at most: asking costs a round trip.

    Whoever has an answer already and asks whether it is still good is told by what is served now.
    A tag that is a second old only makes such a question fail that need not have.
    """

    def __init__(self) -> None:
        self._at = -_LOOKED_EVERY_S
        self._status: EngineStatus | None = None

    def status(self, *, now: bool) -> EngineStatus | None:
        if not now and time.monotonic() < self._at + _LOOKED_EVERY_S:
            return self._status
        # Not read back: another thread may have put in what it has seen a little earlier.
        status = engine().status()
        self._status, self._at = status, time.monotonic()
        return status


def index_tag() -> str | None:
    """What the answer to this request depends on; None where nothing is served.

    The same address, asked by the same key, in the same language, on the same day, of the same
    state of the index, has the same answer.
    """
    status = _served().status(now=bool(request.if_none_match))
    if not status:
        return None
    depends = (
        _VERSION, status.generation, status.position, services().clock().date(), scope(), spoken(),
        request.full_path, request.accept_mimetypes,
    )  # fmt: skip
    return sha256(repr(depends).encode()).hexdigest()[:32]


def not_modified(tag: str | None) -> Response | None:
    """304 where the client has the answer with this tag."""
    known = request.if_none_match
    if tag is None or known.star_tag or not known.contains_weak(tag):
        return None
    return tagged(Response(status=304), tag)


def tagged(response: Response, tag: str | None) -> Response:
    """An answer of the index for whoever asked alone: where somebody looks is nobody else's."""
    if tag:
        response.set_etag(tag, weak=True)
    return for_one(response)


def known_by_content(content: object) -> Response:
    """An answer of the store that a client may have already: its tag is what it says."""
    answer = for_one(json_response(content))
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def _served() -> _Served:
    found: _Served = current_app.extensions.setdefault("served", _Served())
    return found
