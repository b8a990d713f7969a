"""What a collector of traces is told of the site: where time went, and nothing that was typed."""

import json
import logging
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from directory.app import create_app
from directory.places import Places
from directory.search.elasticsearch import ElasticsearchEngine
from directory.services import Services
from directory.settings import InvalidSettings, Settings, settings
from directory.store.database import Database
from directory.store.watched import Watched
from directory.traces import Traces
from directory.web.log import JsonLines
from tests.builders import a_listing
from tests.contract.test_engines import fill
from tests.elasticsearch_node import ROOT, free_port
from tests.faults.site import DEADLINE_S, served, until
from tests.security.test_every_address import addresses, names
from tests.security.worlds import MODERATOR, World, world
from tests.store.test_store import put
from tests.web.application import filled
from tests.web.collector import Collector, attributes, collector

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACED, NOT_TRACED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"
UNSET, ERROR = Status.STATUS_CODE_UNSET, Status.STATUS_CODE_ERROR


@pytest.fixture
def came() -> Iterator[Collector]:
    with collector() as made:
        yield made


@contextmanager
def traced(parts: Services, url: str, **chosen: object) -> Iterator[FlaskClient]:
    """A client of an application that sends its spans there; all are sent once the block ends."""
    traces = Traces(url)
    store = parts.database._engine.url.render_as_string(hide_password=False)
    watched = replace(parts, database=Watched(store, traces.transaction))
    app = create_app(Settings.model_validate(chosen), watched, traces=traces)
    try:
        yield app.test_client()
    finally:
        traces.end()
        watched.database.close()


def children(came: Collector, of: Span) -> list[str]:
    return sorted(span.name for span in came.spans if span.parent_span_id == of.span_id)


def test_a_request_goes_on_with_the_caller_s_trace_and_holds_its_questions(
    parts: Services, came: Collector
) -> None:
    fill(parts.engine, [a_listing("ana")])
    with traced(parts, came.url) as client:
        answer = client.get("/api/v1/search?near=78701", headers={"traceparent": TRACED})
    request = came.span("GET /api/v1/search")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert request.kind == Span.SPAN_KIND_SERVER
    assert request.status.code == UNSET
    assert attributes(request) == {
        "http.request.method": "GET",
        "http.route": "/api/v1/search",
        "http.response.status_code": 200,
        "directory.request_id": answer.headers["X-Request-Id"],
    }
    asked = children(came, request)
    assert {"engine status", "engine search"} == set(asked)
    assert len(came.spans) == 1 + len(asked)
    for span in came.spans:
        assert span.trace_id == request.trace_id
        assert request.start_time_unix_nano <= span.start_time_unix_nano
        assert span.start_time_unix_nano < span.end_time_unix_nano <= request.end_time_unix_nano


def test_each_request_without_a_caller_s_trace_begins_one(parts: Services, came: Collector) -> None:
    put(parts.database, "ana")
    with traced(parts, came.url) as client:
        for _ in range(2):
            client.get("/listings/ana", headers={"traceparent": "00-nonsense"})
    one, other = (span for span in came.spans if span.name == "GET /listings/<id_>")
    assert not one.parent_span_id
    assert one.trace_id != other.trace_id
    assert "store reading" in children(came, one)


def test_every_kind_of_question_is_a_span(tmp_path: Path, places: Places, came: Collector) -> None:
    parts = filled(tmp_path, places)
    with traced(parts, came.url) as client:
        for path in (
            "/api/v1/search?near=TX&q=needling",
            "/api/v1/clusters?near=Texas&zoom=3",
            "/api/v1/suggest?q=mar&kind=what",
            "/npi-registry/api/?version=2.1&city=austin",
            "/dry-needling/tx/austin",
        ):
            assert client.get(path).status_code == 200, path
    parts.close()
    asked = {each for each in came.names if each.startswith("engine ")}
    assert {f"engine {each}" for each in ("search", "clusters", "names", "lookup")} <= asked
    city = came.span("GET /dry-needling/<state>/<city>")
    assert {"engine search", "store reading"} <= set(children(came, city))


def test_what_fails_is_an_error_that_says_no_word_of_it(parts: Services, came: Collector) -> None:
    gone = ElasticsearchEngine("http://127.0.0.1:9/nothing")
    with traced(replace(parts, engine=gone), came.url) as client:
        assert client.get("/api/v1/search?near=78701").status_code == 503
    request, question = came.span("GET /api/v1/search"), came.span("engine status")
    assert (request.status.code, question.status.code) == (ERROR, ERROR)
    assert attributes(question) == {"error.type": "NoAnswer"}
    assert len(came.spans) == 2, "the engine's client has spans of its own"
    assert not [span for span in came.spans if span.events or span.status.message]
    assert "answer:" not in came.said


def test_a_store_that_is_down_is_an_error_and_what_is_refused_is_none(
    tmp_path: Path, places: Places, came: Collector
) -> None:
    """There is no such merge, which is found within the transaction."""
    here = world(tmp_path, places)
    with traced(here.parts, came.url) as client:
        client.set_cookie("session", str(here.parts.sessions.dumps(MODERATOR)))
        assert client.post("/moderation/merges/1/undo").status_code == 409
    here.parts.close()
    gone = replace(here.parts, database=Database("postgresql+psycopg://nobody@127.0.0.1:9/nothing"))
    with traced(gone, came.url) as client:
        assert client.get("/listings/ana").status_code == 503
    assert came.span("store writing").status.code == UNSET
    (failed,) = (span for span in came.spans if span.status.code == ERROR and "store" in span.name)
    assert attributes(failed) == {"error.type": "StoreUnavailable"}


def test_what_a_client_calls_its_method_and_address_is_not_told(
    parts: Services, came: Collector
) -> None:
    with traced(parts, came.url) as client:
        client.open("/healthz", method="QUILLFEATHER")
        client.get("/quillfeather")
    assert came.names == ["GET", "_OTHER"]
    assert "http.route" not in attributes(came.span("GET"))
    assert "quillfeather" not in came.said.lower()


TYPED = "zqtyped"
HEADERS = (
    "User-Agent", "Referer", "X-Request-Id", "Cookie", "Origin", "Authorization", "Accept-Language",
    "X-Directory-Key", "If-None-Match", "X-Forwarded-For", "baggage",
)  # fmt: skip


@pytest.mark.parametrize("fault", [False, True])
def test_no_byte_that_is_sent_was_typed(
    tmp_path: Path, places: Places, came: Collector, *, fault: bool
) -> None:
    """A sentinel in every path, parameter, field and header; with a fault of ours, too."""
    here = world(tmp_path, places)
    parts = replace(here.parts, places=_Broken()) if fault else here.parts  # type: ignore[arg-type]
    sent = dict.fromkeys(names(), TYPED) | {"near": TYPED, "q": f"{TYPED} pain"}
    headers = dict.fromkeys(HEADERS, TYPED) | {
        "traceparent": TRACED, "tracestate": f"{TYPED}={TYPED}",
    }  # fmt: skip
    with traced(parts, came.url, requests_a_minute=10**6, trusted_proxies=1) as client:
        ours: Flask = client.application
        for _, method, path in addresses(ours, lambda _: TYPED):
            more = {"query_string": sent} if method == "GET" else {"data": sent}
            client.open(path, method=method, **more)
            client.open(path, method=method, headers=headers, json=sent)
        _ask_as_people_do(client, here)
    here.parts.close()
    assert len(came.spans) > 200
    assert fault == any(span.status.code == ERROR for span in came.spans)
    said = came.said.lower()
    for secret in (
        TYPED, "quillfeather", "78701", "30.26", "97.74", "austin", "ana@example.org",
        here.key.lower(), here.secret_key.lower(), here.token.lower(), "bearer", "werkzeug",
    ):  # fmt: skip
        assert secret not in said, secret


def _ask_as_people_do(client: FlaskClient, here: World) -> None:
    secret = {"Authorization": f"Bearer {here.secret_key}"}
    for path, headers in (
        ("/search?near=78701&q=quillfeather", {}),
        ("/api/v1/search?near=30.2672,-97.7431", {"X-Directory-Key": here.key}),
        ("/api/v1/search?near=Austin,+TX&q=quillfeather", {}),
        ("/api/v1/snapshot", secret),
        ("/listings/ana", {}),
        (f"/links/{here.token}", {}),
    ):
        assert client.get(path, headers=headers).status_code in (200, 500), path
    client.post("/clinics/sign-in", data={"email": "ana@example.org"})
    client.post("/search/area", data={"lat": "30.2672", "lon": "-97.7431"})
    client.post("/api/v1/nearest", json={"lat": 30.2672, "lon": -97.7431})


class _Broken:
    """Places that fail with what was typed in the message, as many a library does."""

    def __getattr__(self, _: str) -> object:
        def breaks(text: str) -> object:
            raise RuntimeError(f"cannot read {text}")

        return breaks


def test_the_line_of_the_log_has_the_trace(
    parts: Services, came: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "directory.access"):
        with traced(parts, came.url) as client:
            client.get("/healthz")
        create_app(Settings(), parts).test_client().get("/healthz")
    on, off = (json.loads(JsonLines().format(record)) for record in caplog.records)
    assert on["trace_id"] == came.span("GET /healthz").trace_id.hex()
    assert "trace_id" not in off
    assert on["trace_id"] not in on["message"]


@pytest.mark.parametrize(
    ("sampler", "parent", "spans"),
    [("always_off", TRACED, 0), ("parentbased_always_on", NOT_TRACED, 0),
     ("parentbased_always_off", TRACED, 3), ("parentbased_always_off", "", 0)],
)  # fmt: skip
def test_which_requests_are_traced_is_set_by_opentelemetry_s_own_variables(
    parts: Services, came: Collector, monkeypatch: pytest.MonkeyPatch,
    sampler: str, parent: str, spans: int,
) -> None:  # fmt: skip
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    fill(parts.engine, [a_listing("ana")])
    with traced(parts, came.url) as client:
        headers = {"traceparent": parent}
        assert client.get("/api/v1/search?near=78701&radius=5", headers=headers).status_code == 200
    assert bool(came.spans) == bool(spans)


def test_nobody_waits_for_a_collector_that_says_nothing(
    parts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the connection and never answers: each batch takes four seconds."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "4")
    longest_s = 0.0
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"
        with traced(parts, url) as client:
            for _ in range(3_000):  # more than the queue holds
                began = time.monotonic()
                client.get("/healthz")
                longest_s = max(longest_s, time.monotonic() - began)
            ending = time.monotonic()
        ended_s = time.monotonic() - ending
    assert longest_s < 3
    assert ended_s < 10


def lines(log: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def test_the_spans_of_the_last_request_are_sent_before_a_process_ends(
    tmp_path: Path, came: Collector
) -> None:
    more = {"DIRECTORY_TRACES_URL": came.url, "DIRECTORY_LOG_FORMAT": "json"}
    with served(tmp_path, **more) as site:
        asking = urllib.request.Request(f"{site.url}/robots.txt", headers={"traceparent": TRACED})
        with urllib.request.urlopen(asking, timeout=10) as answer:
            request_id = answer.headers["X-Request-Id"]
        site.process.terminate()
        assert site.process.wait(DEADLINE_S) == 0
    last = came.span("GET /robots.txt")
    assert attributes(last)["directory.request_id"] == request_id
    assert last.trace_id.hex() == TRACE
    whose = came.requests[0].resource_spans[0].resource.attributes
    told = {each.key: each.value.string_value for each in whose}
    assert told["service.name"] == "directory"
    assert told["service.version"] == version("dry-needling-directory")
    (line,) = (
        each for each in lines(tmp_path / "site.log") if each.get("request_id") == request_id
    )
    assert line["trace_id"] == TRACE


def test_a_collector_that_is_down_holds_up_nothing_and_is_told_of_once_a_minute(
    tmp_path: Path,
) -> None:
    more = {
        "DIRECTORY_TRACES_URL": f"http://127.0.0.1:{free_port()}/v1/traces",
        "DIRECTORY_LOG_FORMAT": "json",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    }

    def told() -> list[dict[str, str]]:
        all_ = lines(tmp_path / "site.log")
        return [each for each in all_ if each["logger"].startswith("opentelemetry")]

    with served(tmp_path, **more) as site:
        until(lambda: bool(told()))
        end = time.monotonic() + 4  # a batch is given up soon: without the limit, 30 lines and more
        while time.monotonic() < end:
            assert site.status("/healthz", 10) == 200
            time.sleep(0.01)
        site.process.terminate()
        assert site.process.wait(DEADLINE_S) == 0
    assert len(told()) <= 4, told()


def test_without_the_setting_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    """The client of Elasticsearch loads OpenTelemetry's API wherever that is installed."""
    script = """
import sys
from directory.web.server import Server
from directory.settings import Settings
assert Server(Settings(), "127.0.0.1:0").load().test_client().get("/healthz").status_code == 200
print([m for m in sys.modules if m == "directory.traces" or m.startswith(
    ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto"))])
"""
    assert run(script, tmp_path) == "[]\n"


def test_the_client_of_elasticsearch_has_no_spans_of_its_own(tmp_path: Path) -> None:
    """Even where something has given the process a provider, as OpenTelemetry's launcher does."""
    script = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
kept, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(kept))
trace.set_tracer_provider(provider)
from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.engine import EngineUnavailable
try:
    ElasticsearchEngine("http://127.0.0.1:9/nothing").status()
except EngineUnavailable:
    print(len(kept.get_finished_spans()))
"""
    assert run(script, tmp_path) == "0\n"


def run(script: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env={"PYTHONPATH": str(ROOT)}, check=True,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("url", ["collector:4318", "grpc://collector:4317", "https://"])
def test_a_collector_is_an_address_of_the_web(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIRECTORY_TRACES_URL", url)
    with pytest.raises(InvalidSettings, match=r"DIRECTORY_TRACES_URL: begins with http\(s\)://"):
        settings()


def test_packages_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIRECTORY_TRACES_URL", "http://127.0.0.1:4318/v1/traces")
    assert settings().traces_url
    with monkeypatch.context() as bare:
        bare.setattr(sys, "path", [each for each in sys.path if "-packages" not in each])
        with pytest.raises(InvalidSettings, match=r"-r requirements/traces\.txt"):
            settings()
