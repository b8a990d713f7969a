"""Indexes that are swapped, refused or missing: every answer is whole, or there is none."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.engine import Ask, Engine, EngineUnavailable
from directory.search.sqlite import SqliteEngine
from directory.store import changefeed
from directory.store.database import Database
from indexer import sync
from tests.builders import a_listing, a_put
from tests.conftest import closed, fresh_elastic
from tests.faults.test_refused import AtOnce
from tests.indexer.test_sync import indexed, stored
from tests.store.test_store import put

EVERYBODY = 40
QUERIES, QUERIES_SOAK = 200, 10_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'store.db'}")
    made.migrate()
    for number in range(EVERYBODY):
        put(made, f"l{number:02}")
    yield made
    made.close()


def swap_under_queries(engine: Engine, least: int) -> None:
    """Versions that differ in everything are swapped in while two threads ask."""
    answers: list[frozenset[str | None]] = []
    faults: list[Exception] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                found = engine.search(Ask(limit=EVERYBODY))
                clinics = frozenset(hit.listing.clinic for hit in found.hits)
                assert found.total == len(found.hits)
                answers.append(clinics)
            except Exception as error:  # noqa: BLE001  # told below, in the test's own thread
                faults.append(error)

    _swap_in(engine, 0)
    asking = [threading.Thread(target=ask) for _ in range(2)]
    for each in asking:
        each.start()
    try:
        for version in itertools.count(1):
            _swap_in(engine, version)
            if len(answers) >= least and version >= 5:
                break
    finally:
        done.set()
        for each in asking:
            each.join()
    assert faults == []
    assert {len(clinics) for clinics in answers} == {1}
    assert len(set(answers)) > 2


def _swap_in(engine: Engine, version: int) -> None:
    """A version has as many listings as none other near it, all with its own number."""
    many = EVERYBODY - version % 3
    with engine.new_generation() as generation:
        generation.apply(
            a_put(number, a_listing(f"l{number:02}", clinic=f"Version {version}"))
            for number in range(1, many + 1)
        )
        generation.serve(many)


def test_every_answer_is_wholly_of_one_version(engine: Engine) -> None:
    swap_under_queries(engine, QUERIES)


@pytest.mark.soak
def test_ten_thousand_answers_are_each_wholly_of_one_version(engine: Engine) -> None:
    swap_under_queries(engine, QUERIES_SOAK)


def test_of_two_rebuilds_at_once_the_newer_serves(store: Database, engine: Engine) -> None:
    sync.sync(store, engine)

    def meanwhile(_: int) -> None:
        put(store, "l00", clinic="Newer")
        sync.rebuild(store, engine)

    with pytest.raises(EngineUnavailable):
        sync.rebuild(store, engine, _once(meanwhile))
    assert indexed(engine) == stored(store)
    assert sync.status(store, engine).behind == 0


def _once(act: sync.Progress) -> sync.Progress:
    calls = itertools.count()
    return lambda many: act(many) if next(calls) == 0 else None


def test_rebuilds_in_two_threads_leave_one_whole_index(store: Database, engine: Engine) -> None:
    sync.sync(store, engine)
    ended: Counter[str] = Counter()

    def rebuild() -> None:
        try:
            sync.rebuild(store, engine)
            ended["served"] += 1
        except EngineUnavailable:
            ended["given up"] += 1

    threads = [threading.Thread(target=rebuild) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert ended["served"] >= 1
    assert indexed(engine) == stored(store)


@pytest.mark.parametrize(("left", "is_served"), [(6, False), (7, True)])
def test_an_index_that_lacks_two_fifths_is_refused(
    engine: Engine, tmp_path: Path, left: int, is_served: bool
) -> None:
    with engine.new_generation() as generation:
        generation.apply([a_put(n, a_listing(f"l{n:02}")) for n in range(1, 11)])
        generation.serve(10)
    store = Database(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    for number in range(left):
        put(store, f"l{number:02}")
    if is_served:
        assert sync.rebuild(store, engine) == left
    else:
        with pytest.raises(sync.Shrunk):
            sync.rebuild(store, engine)
        assert engine.search(Ask()).total == 10
        assert sync.rebuild(store, engine, accept_shrink=True) == left
    store.close()


def test_what_was_sent_and_not_noted_is_sent_again_and_applied_once(
    store: Database, engine: Engine
) -> None:
    """The process ends between the two, or the answer is lost on its way."""
    sync.sync(store, engine)
    put(store, "l00", clinic="Changed")
    put(store, "new")
    with store.reading() as session:
        batch = changefeed.changes(session, since=EVERYBODY, limit=10)
    engine.apply(batch, EVERYBODY)
    assert sync.status(store, engine).behind == 2
    sync.sync(store, engine)
    assert indexed(engine) == stored(store)
    assert sync.status(store, engine).indexed == EVERYBODY + 1


@pytest.fixture
def elastic(elasticsearch_url: str) -> Iterator[ElasticsearchEngine]:
    made = fresh_elastic(elasticsearch_url)
    yield made
    closed(made)


@pytest.mark.parametrize(
    "block", [pytest.param("read_only_allow_delete", marks=pytest.mark.soak), "write"]
)
def test_an_index_that_takes_no_writes_loses_nothing(
    store: Database, elastic: ElasticsearchEngine, block: str
) -> None:
    """As the server closes it when its disk is nearly full; and as a hand may do it."""
    sync.sync(store, elastic)
    before = indexed(elastic)
    for number in range(EVERYBODY):
        put(store, f"l{number:02}", clinic="Changed")
    settings, index = elastic._client.indices, elastic._serving()
    settings.put_settings(index=index, settings={f"index.blocks.{block}": True})
    with pytest.raises(EngineUnavailable):
        sync.sync(store, elastic, stop=AtOnce())
    assert indexed(elastic) == before
    assert sync.status(store, elastic).behind == EVERYBODY
    settings.put_settings(index=index, settings={f"index.blocks.{block}": None})
    sync.sync(store, elastic)
    assert indexed(elastic) == stored(store)


def test_an_alias_that_is_gone_is_no_empty_answer(
    store: Database, elastic: ElasticsearchEngine
) -> None:
    sync.sync(store, elastic)
    elastic._client.indices.delete_alias(index=elastic._serving(), name=elastic._alias)
    for ask in (elastic.search, elastic.count):
        with pytest.raises(EngineUnavailable):
            ask(Ask())
    with pytest.raises(EngineUnavailable):
        elastic.apply([a_put(99, a_listing("new"))], 99)
    assert elastic.status() is None
    sync.sync(store, elastic)
    assert indexed(elastic) == stored(store)


def test_an_index_of_another_version_is_made_anew(
    store: Database, elastic: ElasticsearchEngine
) -> None:
    sync.sync(store, elastic)
    elastic._client.indices.put_mapping(
        index=elastic._serving(), meta={"schema": "of old", "position": EVERYBODY}
    )
    served = elastic.status()
    assert served
    assert not served.current
    assert sync.status(store, elastic).behind is None
    sync.sync(store, elastic)
    served = elastic.status()
    assert served
    assert served.current


def test_an_embedded_index_of_another_version_answers_nothing(
    store: Database, tmp_path: Path
) -> None:
    made = SqliteEngine(tmp_path / "search.db")
    sync.sync(store, made)
    with made._writing() as db:
        db.execute("UPDATE generation SET schema = 'of old'")
    with pytest.raises(EngineUnavailable, match="of this version"):
        made.search(Ask())
    assert made.status() is None
    sync.sync(store, made)
    assert indexed(made) == stored(store)
    made.close()


def test_a_clock_that_goes_back_and_ahead_leaves_index_and_store_in_step(
    store: Database, engine: Engine
) -> None:
    """Order is by number and never by time: a store whose times run backwards is in step, too."""
    sync.sync(store, engine)
    with store.writing() as session:
        session.execute(text("UPDATE listing SET updated_at = '2031-01-01 00:00:00'"))
    put(store, "l00", clinic="After the clock was set back")
    assert sync.sync(store, engine) == 1
    assert indexed(engine) == stored(store)
    assert sync.status(store, engine).behind == 0
