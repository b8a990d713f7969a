"""What an operator sees of a running site: logs that nobody can forge, and metrics."""

import json
import logging
import re
import sys
import urllib.request
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from directory.app import create_app
from directory.search.elasticsearch import ElasticsearchEngine
from directory.services import Services
from directory.settings import Settings
from directory.store.database import Database
from directory.web.log import JsonLines, TextLines
from tests.builders import a_listing
from tests.contract.test_engines import fill
from tests.store.test_store import put
from tests.web.conftest import Site

HOSTILE = "\r\n\x1b[31mGET /forged 200\x85\u2028\x00"


def client(parts: Services, **chosen: str) -> FlaskClient:
    return create_app(Settings.model_validate(chosen), parts).test_client()


def value(page: str, sample: str) -> float:
    found = re.search(rf"^{re.escape(sample)} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


def record(message: str, **more: object) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": "directory.x", "msg": message, "levelname": "INFO", **more}
    )


def test_an_event_is_one_line_whatever_is_in_it() -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        failed = record(HOSTILE, exc_info=sys.exc_info())
    line = JsonLines().format(failed)
    assert len(line.splitlines()) == 1
    assert json.loads(line)["stack"].startswith("Traceback")
    assert "\x1b" not in line
    assert not set("\x1b\r\x85\u2028\x00") & set(TextLines().format(failed))
    assert len(TextLines().format(record(HOSTILE)).splitlines()) == 1


def test_a_request_is_an_object_without_what_was_asked(
    parts: Services, caplog: pytest.LogCaptureFixture
) -> None:
    fill(parts.engine, [a_listing("ana")])
    with caplog.at_level(logging.INFO, "directory.access"):
        answer = client(parts).get(
            "/api/v1/search?near=30.2713,-97.7426&q=quillfeather",
            headers={"User-Agent": "\x1b[31m", "Referer": "https://a.example/?q=secret-word"},
        )
    line = JsonLines().format(caplog.records[-1])
    said = json.loads(line)
    assert said["request_id"] == answer.headers["X-Request-Id"]
    assert (said["method"], said["route"]) == ("GET", "/api/v1/search")
    assert said["status"] == answer.status_code
    assert said["ms"] > 0
    for secret in ("30.27", "97.74", "quillfeather", "secret-word", "[31m"):
        assert secret not in line


def test_metrics_count_routes_and_questions_and_tell_where_things_stand(parts: Services) -> None:
    put(parts.database, "ana")
    put(parts.database, "bob")
    fill(parts.engine, [a_listing("ana")])
    site = client(parts)
    for text in ("quillfeather", "pelvic"):
        site.get(f"/api/v1/search?near=78701&q={text}")
    site.get("/nowhere/at/all")
    site.open("/healthz", method="QUILLFEATHER")
    page = site.get("/metrics").text
    labels = '{method="GET",route="/api/v1/search",status="200"}'
    assert value(page, f"directory_request_seconds_count{labels}") == 2
    assert 'route="no route",status="404"' in page
    assert 'method="other"' in page
    assert value(page, 'directory_engine_seconds_count{question="search"}') >= 2
    assert value(page, 'directory_listings{status="published"}') == 2
    assert value(page, "directory_store_position") == 2
    assert value(page, "directory_index_position") == 1
    assert "directory_mails_waiting 0.0" in page
    assert value(page, 'directory_up{part="store"}') == 1
    assert not re.search("quillfeather|pelvic|nowhere|78701", page, re.IGNORECASE)


def test_metrics_of_parts_that_are_down(parts: Services) -> None:
    engine = ElasticsearchEngine("http://127.0.0.1:9/nothing")
    gone = Database("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    site = client(replace(parts, engine=engine, database=gone))
    assert site.get("/api/v1/search?near=78701").status_code == 503
    page = site.get("/metrics").text
    assert value(page, 'directory_engine_failures_total{question="status"}') == 1
    assert 'directory_up{part="engine"} 0.0' in page
    assert 'directory_up{part="store"} 0.0' in page


HERE, ELSEWHERE = "http://localhost:8000", "https://dir.example.org"


@pytest.mark.parametrize(
    ("base_url", "headers", "peer", "token", "status"),
    [
        (HERE, {}, "127.0.0.1", "right", 200),
        (HERE, {}, "::1", "", 200),
        (HERE, {}, "203.0.113.7", "", 404),
        (HERE, {}, "", "", 404),
        (HERE, {"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", "right", 404),
        # A proxy on this machine that adds no header asks as a program on it would.
        (ELSEWHERE, {"Host": "127.0.0.1:8000"}, "127.0.0.1", "", 404),
        (ELSEWHERE, {}, "127.0.0.1", "right", 404),
        (ELSEWHERE, {"Authorization": "Bearer right"}, "127.0.0.1", "right", 200),
        (ELSEWHERE, {"Authorization": "Bearer right"}, "203.0.113.7", "right", 200),
        (HERE, {"Authorization": "Bearer wrong"}, "203.0.113.7", "right", 404),
        (HERE, {"Authorization": "Bearer "}, "203.0.113.7", "", 404),
    ],
)
def test_who_may_read_metrics(
    parts: Services, base_url: str, headers: dict[str, str], peer: str, token: str, status: int
) -> None:
    site = client(parts, metrics_token=token, base_url=base_url)
    headers = {"Host": urlsplit(base_url).netloc, **headers}
    answer = site.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": peer})
    assert answer.status_code == status


def test_all_serving_processes_count_together(site: Site) -> None:
    def count() -> float:
        with urllib.request.urlopen(f"{site.url}/metrics", timeout=10) as answer:
            page = answer.read().decode()
        return value(
            page, 'directory_request_seconds_count{method="GET",route="/healthz",status="200"}'
        )

    before = count()
    for _ in range(40):
        site.get("/healthz")
    assert [count() - before for _ in range(10)] == [40.0] * 10
