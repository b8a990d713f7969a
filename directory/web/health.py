"""Whether the process lives, and whether it can do its work."""

from flask import Blueprint, Response

from directory.search.engine import EngineUnavailable
from directory.store.database import StoreUnavailable
from directory.web.context import services
from directory.web.responses import json_response

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 as long as the process answers."""
    return json_response({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 while searches can be answered; the store may be down meanwhile, and is then named."""
    engine, store = _engine(), _store()
    ready = engine["status"] == "ok"
    status = "ready" if ready and store == "ok" else "degraded" if ready else "not ready"
    content = {"status": status, "engine": engine, "store": {"status": store}}
    return json_response(content, 200 if ready else 503)


def _engine() -> dict[str, object]:
    try:
        served = services().engine.status()
    except EngineUnavailable:
        return {"status": "unavailable"}
    if not served:
        return {"status": "no index"}
    answers = {"listings": served.documents, "position": served.position}
    return {"status": "ok", "outdated": not served.current, **answers}


def _store() -> str:
    try:
        services().database.ping()
    except StoreUnavailable:
        return "unavailable"
    return "ok"
