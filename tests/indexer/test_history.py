"""An index and a store that was restored from a backup: no listing that only the lost past had."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from directory.errands import Errands
from directory.publishing import OTHER_HISTORY, publish
from directory.search.engine import Engine, EngineUnavailable
from directory.services import Services
from directory.store import changefeed
from directory.store.database import Database
from indexer import sync
from tests.indexer.test_sync import indexed, stored
from tests.store.test_store import put


@pytest.fixture(params=["sqlite", "postgresql"])
def histories(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Database]:
    """Makes stores that all have three listings of the same first write, as copies of one do."""

    def make() -> Database:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}"
        else:
            url = request.getfixturevalue("fresh_postgresql")()
        made = Database(url)
        request.addfinalizer(made.close)
        made.migrate()
        for id_ in ("ana", "amy", "abe"):
            put(made, id_)
        with made.writing() as session:
            session.execute(text("UPDATE change_mark SET token = 'the first'"))
        return made

    return make


@pytest.mark.parametrize("written_since", [0, 1, 2, 3])
def test_a_restored_store_leaves_no_ghost(
    histories: Callable[[], Database], engine: Engine, written_since: int
) -> None:
    lost, restored = histories(), histories()
    put(lost, "ghost")
    put(lost, "ana", clinic="Lost")
    sync.sync(lost, engine)
    for number in range(written_since):
        put(restored, f"new{number}")
    sync.sync(restored, engine)
    assert indexed(engine) == stored(restored)
    assert "ghost" not in indexed(engine)
    served = engine.status()
    put(restored, "later")
    assert sync.sync(restored, engine) == 1, "from here on it is kept up, not made anew"
    assert served
    assert replace(served, documents=0, position=0, mark="") == replace(
        engine.status() or served, documents=0, position=0, mark=""
    )


def test_the_index_of_the_same_history_is_kept(
    histories: Callable[[], Database], engine: Engine
) -> None:
    """Restored from a backup that is as new as the index, nothing needs to be made anew."""
    sync.sync(histories(), engine)
    served = engine.status()
    restored = histories()
    put(restored, "bob")
    assert sync.sync(restored, engine) == 1
    after = engine.status()
    assert served
    assert after
    assert served.generation == after.generation
    assert indexed(engine) == stored(restored)


def test_half_of_a_write_is_known_by_the_whole(
    histories: Callable[[], Database], engine: Engine
) -> None:
    """An index that stopped amid a load that the backup does not have is not of its history."""
    lost, restored = histories(), histories()
    with lost.writing() as session:
        session.execute(text("UPDATE change_counter SET number = 9"))
    with lost.reading() as session:
        batch = changefeed.changes(session, since=0, limit=1)
        amid = changefeed.mark(session, 6)
    with engine.new_generation() as generation:
        generation.apply(batch)
        generation.serve(6, amid)
    with restored.writing() as session:
        session.execute(text("UPDATE change_counter SET number = 12"))
    served = engine.status()
    assert served
    with restored.reading() as session:
        assert not changefeed.has_history(session, served.position, served.mark)
    with lost.reading() as session:
        assert changefeed.has_history(session, served.position, served.mark)


def test_what_was_written_without_a_mark_is_believed_by_its_number(
    histories: Callable[[], Database], engine: Engine
) -> None:
    """An older version still writes, and still publishes: no rebuild comes of it."""
    store = histories()
    put(store, "bob")
    with store.writing() as session:
        session.execute(text("DELETE FROM change_mark"))
    sync.sync(store, engine)
    served = engine.status()
    assert served
    assert served.mark == ""
    put(store, "eve")
    publish(store, engine, served.position)
    after = engine.status()
    assert after
    assert (after.generation, after.position) == (served.generation, 5)
    assert after.mark.startswith("5-")
    engine.apply([], 6)
    assert (engine.status() or after).mark == after.mark


def test_the_serving_process_publishes_nothing_into_the_index_of_another_history(
    parts: Services, histories: Callable[[], Database], caplog: pytest.LogCaptureFixture
) -> None:
    lost = histories()
    put(lost, "ghost")
    sync.sync(lost, parts.engine)
    for number in range(5):
        put(parts.database, f"new{number}")
    with pytest.raises(EngineUnavailable, match="another history"):
        Errands(parts).publish()
    running = Errands(parts)
    running.start()
    deadline = time.monotonic() + 60
    while OTHER_HISTORY not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.05)
    running.stop()
    assert caplog.text.count(OTHER_HISTORY) == 1
    assert indexed(parts.engine).keys() == {"ana", "amy", "abe", "ghost"}
