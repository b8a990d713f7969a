"""What still works when a part is down."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from directory.app import create_app
from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.engine import Engine, EngineStatus
from directory.services import Services
from directory.settings import Settings
from directory.store.database import Database
from indexer.sync import sync
from tests.builders import a_delete, a_listing
from tests.contract.test_engines import fill
from tests.store.test_store import put


def client(parts: Services) -> FlaskClient:
    return create_app(Settings(), parts).test_client()


@pytest.fixture
def no_engine(parts: Services) -> Services:
    return replace(parts, engine=ElasticsearchEngine("http://127.0.0.1:9/nothing"))


def test_without_an_engine_the_search_says_so_and_listings_work(no_engine: Services) -> None:
    put(no_engine.database)
    site = client(no_engine)
    for path in ("/search?near=Austin", "/api/v1/search?near=Austin"):
        answer = site.get(path)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "does not answer" in answer.text
    assert site.get("/listings/ana").status_code == 200
    assert site.get("/readyz").status_code == 503
    (problem,) = site.get("/readyz").json["problems"]  # type: ignore[index]
    assert "search engine does not answer" in problem
    assert site.get("/healthz").status_code == 200


def test_without_a_store_the_search_still_works(parts: Services) -> None:
    fill(parts.engine, [a_listing("ana", dry_needling="yes")])
    gone = Database("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    site = client(replace(parts, database=gone))
    assert site.get("/api/v1/search?near=78701").json["total"] == 1  # type: ignore[index]
    assert "Ana Núñez" in site.get("/search?near=78701").text
    assert site.get("/listings/ana").status_code == 503
    ready = site.get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (200, "degraded")  # type: ignore[index]
    assert "store does not answer" in ready.json["problems"][0]  # type: ignore[index]


def test_an_index_that_is_not_there_yet(parts: Services) -> None:
    site = client(parts)
    assert site.get("/search?near=Austin").status_code == 503
    ready = site.get("/readyz").json
    assert ready["engine"] == {"status": "no index"}  # type: ignore[index]
    assert "`indexer sync`" in ready["problems"][0]  # type: ignore[index]


def test_a_store_without_the_tables_of_this_version(parts: Services, tmp_path: Path) -> None:
    fill(parts.engine, [a_listing("ana")])
    bare = Database(f"sqlite:///{tmp_path / 'bare.db'}")
    ready = client(replace(parts, database=bare)).get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (200, "degraded")  # type: ignore[index]
    assert "lacks tables" in ready.json["problems"][0]  # type: ignore[index]


def test_an_index_of_another_history(parts: Services) -> None:
    fill(parts.engine, [a_listing("ana"), a_listing("bob")])
    ready = client(parts).get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (200, "degraded")  # type: ignore[index]
    assert "another history" in ready.json["problems"][0]  # type: ignore[index]


class Counted:
    """An engine that counts how often its status is asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.asked = 0

    def status(self) -> EngineStatus | None:
        self.asked += 1
        return self._engine.status()


def test_one_look_at_the_index_says_how_it_is_and_whose(parts: Services) -> None:
    sync(parts.database, parts.engine)
    engine = Counted(parts.engine)
    ready = client(replace(parts, engine=engine)).get("/readyz")  # type: ignore[arg-type]
    assert ready.json["status"] == "ready"  # type: ignore[index]
    assert engine.asked == 1


def test_a_withdrawn_listing_is_gone_and_a_lapsed_one_carries_a_notice(parts: Services) -> None:
    old = {"on": "2026-01-01", "by": "Ana", "method": "form"}
    put(parts.database, "old", attestation=old, dry_needling="yes")
    put(parts.database, "not", dry_needling="no")
    site = client(parts)
    assert "no longer appears in search results" in site.get("/listings/old").text
    assert site.get("/api/v1/listings/old").json["status"] == "lapsed"  # type: ignore[index]
    assert site.get("/listings/not").status_code == 410


def test_an_index_file_that_is_replaced_is_noticed(parts: Services, tmp_path: Path) -> None:
    fill(parts.engine, [a_listing("one")])
    assert client(parts).get("/api/v1/search").json["total"] == 1  # type: ignore[index]
    for file in tmp_path.glob("search.db*"):
        file.unlink()
    fill(parts.engine, [a_listing("one"), a_listing("two")])
    assert client(parts).get("/api/v1/search").json["total"] == 2  # type: ignore[index]
    assert parts.engine.status()
    parts.engine.apply([a_delete(9, "one")], 9)
    assert client(parts).get("/api/v1/search").json["total"] == 1  # type: ignore[index]
