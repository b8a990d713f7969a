"""Whether the process lives, whether it can do its work, and what to do where it cannot."""

from flask import Blueprint, Response

from directory.publishing import OTHER_HISTORY
from directory.search.engine import EngineStatus, EngineUnavailable
from directory.store import changefeed
from directory.store.database import StoreUnavailable
from directory.web.context import services
from directory.web.responses import json_response

blueprint = Blueprint("health", __name__)

NO_INDEX = "there is no search index that this version can read: run `indexer sync`"
OUTDATED = "another version has made the search index: run `indexer sync`"
MIGRATIONS = "the store lacks tables of this version: `directory serve` and `indexer` add them"


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 as long as the process answers."""
    return json_response({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 while searches can be answered; `problems` says what is wrong, and what to do about it.

    The store may be down meanwhile. No problem holds an address of a server or a password.
    """
    problems: list[str] = []
    engine, served = _engine(problems)
    store = _store(problems, served)
    ready = engine["status"] == "ok"
    status = "not ready" if not ready else "degraded" if problems else "ready"
    content = {"status": status, "problems": problems, "engine": engine, "store": store}
    return json_response(content, 200 if ready else 503)


def _engine(problems: list[str]) -> tuple[dict[str, object], EngineStatus | None]:
    try:
        served = services().engine.status()
    except EngineUnavailable:
        problems.append("the search engine does not answer: see `directory doctor`")
        return {"status": "unavailable"}, None
    if not served:
        problems.append(NO_INDEX)
        return {"status": "no index"}, None
    if not served.current:
        problems.append(OUTDATED)
    answers = {"listings": served.documents, "position": served.position}
    return {"status": "ok", "outdated": not served.current, **answers}, served


def _store(problems: list[str], served: EngineStatus | None) -> dict[str, str]:
    database = services().database
    try:
        if not database.is_migrated():
            problems.append(MIGRATIONS)
            return {"status": "outdated"}
        with database.reading() as session:
            if served and not changefeed.has_history(session, served.position, served.mark):
                problems.append(OTHER_HISTORY)
    except StoreUnavailable:
        problems.append("the store does not answer: see `directory doctor`")
        return {"status": "unavailable"}
    return {"status": "ok"}
