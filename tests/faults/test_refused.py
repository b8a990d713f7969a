"""A change that an engine never takes: those behind it go on, and it is told."""

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from directory.publishing import Stopped
from directory.search.engine import Ask, Engine
from directory.search.sqlite import SqliteEngine
from directory.store.database import Database
from indexer import sync
from tests.faults.site import PROGRAMS, environment
from tests.indexer.test_sync import indexed
from tests.store.test_store import put

REFUSED, COUNT = "l07", 25


class AtOnce(threading.Event):
    """Nobody waits between two tries."""

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002  # nobody waits
        return self.is_set()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'store.db'}")
    made.migrate()
    for number in range(COUNT):
        put(made, f"l{number:02}", clinic="before")
    yield made
    made.close()


def spoil(store: Database, path: str, value: object) -> None:
    """What no version of the code should ever write; both engines refuse it."""
    with store.writing() as session:
        session.execute(
            text(
                "UPDATE listing SET document = json_set(document, :path, json(:value)), "
                "change_number = (SELECT number + 1 FROM change_counter) WHERE id = :id"
            ),
            {"path": path, "value": json.dumps(value), "id": REFUSED},
        )
        session.execute(text("UPDATE change_counter SET number = number + 1"))


SPOILT = {
    "$.name": {"given": "No"},
    "$.location.lat": "north",
    "$.first_visit_price": {"most": "a quoted price"},
}


@pytest.mark.parametrize("path", SPOILT)
def test_the_others_go_on_and_it_is_told(
    store: Database, engine: Engine, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    sync.sync(store, engine)
    put(store, "l05", clinic="after")
    spoil(store, path, SPOILT[path])
    put(store, "l09", clinic="after")
    sync.sync(store, engine, stop=AtOnce())
    found = indexed(engine)
    assert found.keys() == {f"l{n:02}" for n in range(COUNT)} - {REFUSED}
    assert (found["l05"], found["l09"]) == ("after", "after")
    assert [each for each in caplog.messages if REFUSED in each]
    assert "a quoted price" not in caplog.text, "an engine quotes what it refuses; the log does not"
    standing = sync.status(store, engine)
    assert (standing.behind, standing.left_out) == (0, 1)
    assert sync.sync(store, engine) == 0


def test_a_rebuild_is_not_held_up_and_takes_what_was_mended(
    store: Database, engine: Engine
) -> None:
    spoil(store, "$.name", {"given": "No"})
    put(store, "l09", clinic="after")
    assert sync.rebuild(store, engine, stop=AtOnce()) == COUNT - 1
    assert REFUSED not in indexed(engine)
    assert indexed(engine)["l09"] == "after"
    put(store, REFUSED, clinic="mended")
    sync.sync(store, engine)
    assert indexed(engine)[REFUSED] == "mended"
    assert sync.status(store, engine).left_out == 0


def test_what_an_engine_takes_and_nobody_can_read_stops_no_rebuild(
    store: Database, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """It has the name and the place of all the others, so it is found among them."""
    too_short = "ab"
    put(store, too_short)
    assert sync.rebuild(store, engine) == COUNT + 1
    assert engine.count(Ask()) == COUNT + 1
    assert f"{too_short} is not looked for" in caplog.text


def test_an_engine_that_refuses_everything_loses_nothing(store: Database, tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "search.db")
    sync.sync(store, engine)
    before = indexed(engine)
    for number in range(COUNT):
        put(store, f"l{number:02}", clinic="after")
    with store.writing() as session:
        session.execute(text("UPDATE listing SET document = json_remove(document, '$.name')"))
    with pytest.raises(KeyError):
        sync.sync(store, engine, stop=AtOnce())
    with pytest.raises(Stopped):
        stopped = threading.Event()
        stopped.set()
        sync.sync(store, engine, stop=stopped)
    assert indexed(engine) == before
    assert sync.status(store, engine).behind == COUNT
    engine.close()


def test_what_may_be_hidden_and_cannot_be_read_does_not_leave(
    store: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    area = {"lat": 30.2713, "lon": -97.7426, "precision": "postal_code"}
    put(store, REFUSED, area_only=True, location=area)
    engine = SqliteEngine(tmp_path / "search.db")
    sync.sync(store, engine)
    spoil(store, "$.address.line1", ["9 Secret St"])
    sync.sync(store, engine)
    assert REFUSED not in indexed(engine)
    assert REFUSED in caplog.text
    assert "Secret" not in caplog.text
    engine.close()


def test_the_command_tells_of_it(store: Database, tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "search.db")
    sync.sync(store, engine)
    spoil(store, "$.name", {"given": "No"})
    sync.sync(store, engine, stop=AtOnce())
    engine.close()
    told = subprocess.run(
        [PROGRAMS / "indexer", "status"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 4
    assert "refused them: 1 listings" in told.stdout
