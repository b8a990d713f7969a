"""`/metrics`: what was counted, and where store and index stand, in Prometheus's own format.

It tells nothing of a person, but how busy the site is and what fails is the operator's business:
so it answers to whoever brings the token of the settings. Without one a program on the same machine
may look, as long as the site's own address is this machine: else a proxy asks for others, which
not every proxy says.
"""

from collections.abc import Iterator
from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, request

from directory.metrics import CONTENT_TYPE, Gauge, Metrics
from directory.search.engine import EngineUnavailable
from directory.services import Services
from directory.store import changefeed, listings, loads, mails
from directory.store.database import StoreUnavailable
from directory.store.listings import Status
from directory.web.context import services

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    """The counts of all serving processes, and where things stand."""
    if not _may_read():
        abort(404)
    counted: Metrics = current_app.extensions["metrics"]
    body = counted.page(_standing(services()))
    return Response(body, content_type=CONTENT_TYPE)


def _may_read() -> bool:
    token = current_app.config["METRICS_TOKEN"]
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and compare_digest(sent.encode(), token.encode()):
        return True
    is_passed_on = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "Via"))
    ours = urlsplit(current_app.config["BASE_URL"]).hostname or ""
    return not is_passed_on and all(map(_is_this_machine, (ours, request.remote_addr or "")))


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _standing(parts: Services) -> Iterator[Gauge]:
    """Where store and index stand now; what does not answer is 0 in `directory_up`."""
    up: dict[tuple[str, ...], float] = {}
    for name, asked in {"engine": _of_engine, "store": _of_store}.items():
        try:
            yield from asked(parts)
            up[name,] = 1
        except (EngineUnavailable, StoreUnavailable):
            up[name,] = 0
    yield Gauge("directory_up", "Whether a part answers.", ("part",), up)


def _of_engine(parts: Services) -> list[Gauge]:
    served = parts.engine.status()
    position, documents = (served.position, served.documents) if served else (0, 0)
    return [
        Gauge.of("directory_index_position", "The last change in the index.", position),
        Gauge.of("directory_index_listings", "Listings in the index.", documents),
    ]


def _of_store(parts: Services) -> list[Gauge]:
    with parts.database.reading() as session:
        position, waiting = changefeed.position(session), mails.waiting(session)
        counts, last = listings.counts(session), loads.last(session)
    loaded: dict[tuple[str, ...], float] = {
        (load.source, what): count for load in last for what, count in load.counts.items()
    }
    by_status: dict[tuple[str, ...], float] = {(status,): counts[status] for status in Status}
    return [
        Gauge.of("directory_store_position", "The last change in the store.", position),
        Gauge.of("directory_mails_waiting", "Letters to be sent.", waiting),
        Gauge("directory_listings", "Listings in the store.", ("status",), by_status),
        Gauge(
            "directory_last_load_records",
            "What became of the records of the last load of a source.",
            ("source", "result"),
            loaded,
        ),
    ]
