"""The index keeps step with the store, whatever happens to it on the way."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from directory.errands import Errands
from directory.listing import Change, Listing, Source
from directory.publishing import publish
from directory.search.engine import Ask, Engine, EngineUnavailable
from directory.search.lookup import Lookup
from directory.search.sqlite import SqliteEngine
from directory.services import Services
from directory.services import engine as engine_of
from directory.settings import Settings
from directory.store import changefeed, record
from directory.store.database import Database
from directory.store.statement import Statement
from indexer import sync
from tests.builders import TODAY, a_delete, a_listing, a_put
from tests.conftest import clock
from tests.store.test_store import MADE, put, statement


@pytest.fixture
def store(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'store.db'}")
    made.migrate()
    return made


def indexed(engine: Engine) -> dict[str, str | None]:
    """Every listing in the index, by id, with its clinic."""
    found = engine.search(Ask(limit=5000))
    assert found.total == len(found.hits)
    return {hit.listing.id: hit.listing.clinic for hit in found.hits}


def stored(database: Database) -> dict[str, str | None]:
    with database.reading() as session:
        changes = changefeed.changes(session, since=0, limit=5000)
    return {change.id: change.listing.clinic for change in changes if change.listing}


def test_the_index_follows_the_store(store: Database, engine: Engine) -> None:
    put(store, "ana", clinic="One")
    put(store, "bob", clinic="Two")
    assert sync.status(store, engine).behind is None
    assert sync.sync(store, engine) == 2
    assert indexed(engine) == {"ana": "One", "bob": "Two"}
    put(store, "ana", clinic="Three")
    with store.writing() as session:
        record.withdraw(session, Source.FILE, "file-bob", MADE)
    assert sync.status(store, engine).behind == 2
    assert sync.sync(store, engine) == 2
    assert sync.sync(store, engine) == 0
    assert indexed(engine) == {"ana": "Three"}
    assert sync.status(store, engine).behind == 0


def test_when_a_listing_changed_reaches_the_index(store: Database, engine: Engine) -> None:
    put(store, "ana", clinic="One")
    put(store, "bob", clinic="Two")
    sync.sync(store, engine)
    later = MADE.at + timedelta(days=3, microseconds=7)
    with store.writing() as session:
        renamed = statement(Source.FILE, "file-ana", clinic="Three")
        record.record(session, "ana", renamed, replace(MADE, at=later))
    sync.sync(store, engine)
    changed = {hit.listing.id: hit.updated_at for hit in engine.lookup(Lookup()).hits}
    assert changed == {"ana": later, "bob": MADE.at}
    assert [hit.listing.id for hit in engine.lookup(Lookup(since=later)).hits] == ["ana"]


def test_changes_twice_and_out_of_order_end_the_same(engine: Engine) -> None:
    rng = random.Random(7)
    changes = [
        a_put(number, a_listing(f"id{number % 5}", clinic=f"v{number}"))
        if number % 4
        else a_delete(number, f"id{number % 5}")
        for number in range(1, 60)
    ]
    last = {change.id: change for change in changes}
    expected = {c.id: c.listing.clinic for c in last.values() if c.listing}
    with engine.new_generation() as generation:
        generation.serve(0)
    for _ in range(5):
        shuffled = changes * 2
        rng.shuffle(shuffled)
        for start in range(0, len(shuffled), 7):
            engine.apply(shuffled[start : start + 7], position=start)
        assert indexed(engine) == expected


def test_an_index_that_is_gone_is_made_anew(
    store: Database, engine: Engine, tmp_path: Path
) -> None:
    put(store, "ana")
    sync.sync(store, engine)
    _wipe(engine, tmp_path)
    with pytest.raises(EngineUnavailable):
        engine.search(Ask())
    sync.sync(store, engine)
    assert indexed(engine) == stored(store)


def _wipe(engine: Engine, folder: Path) -> None:
    client = getattr(engine, "_client", None)
    if client is None:
        for file in folder.glob("search.db*"):
            file.unlink()
    else:
        client.indices.delete(index=engine._serving())  # type: ignore[attr-defined]


def test_an_index_ahead_of_a_restored_store_is_made_anew(store: Database, engine: Engine) -> None:
    put(store, "ana")
    with engine.new_generation() as generation:
        generation.apply([a_put(99, a_listing("ghost"))])
        generation.serve(99)
    sync.sync(store, engine)
    assert indexed(engine) == stored(store)


def test_a_failed_rebuild_leaves_the_old_index_serving(store: Database, engine: Engine) -> None:
    put(store, "ana")
    sync.sync(store, engine)
    with pytest.raises(RuntimeError), engine.new_generation() as generation:
        generation.apply([a_put(5, a_listing("bob"))])
        raise RuntimeError("the power went")
    assert indexed(engine) == {"ana": None}
    assert sync.rebuild(store, engine) == 1
    assert indexed(engine) == {"ana": None}


def test_a_rebuild_takes_in_what_is_written_meanwhile(store: Database, engine: Engine) -> None:
    put(store, "ana")
    sync.sync(store, engine)

    def meanwhile(_: int) -> None:
        put(store, "late")
        put(store, "ana", clinic="Moved")
        sync.sync(store, engine)

    sync.rebuild(store, engine, meanwhile)
    assert indexed(engine) == {"ana": "Moved", "late": None}
    assert sync.status(store, engine).behind == 0


def test_going_back_answers_from_the_replaced_index_and_can_be_undone(
    store: Database, engine: Engine
) -> None:
    put(store, "ana", clinic="One")
    sync.sync(store, engine)
    assert engine.roll_back() is None
    assert sync.rebuild(store, engine) == 1
    put(store, "bob")
    sync.sync(store, engine)
    newest = engine.status()
    replaced = engine.roll_back()
    assert replaced == engine.status()
    assert replaced != newest
    assert indexed(engine) == {"ana": "One"}
    assert sync.status(store, engine).behind == 1
    assert engine.roll_back() == newest
    assert indexed(engine) == {"ana": "One", "bob": None}
    engine.roll_back()
    assert sync.sync(store, engine) == 1
    assert indexed(engine) == stored(store)


class Meanwhile:
    """An engine before whose `apply` or `serve` something happens, the first time."""

    def __init__(self, engine: Engine, step: str, happens: Callable[[], object]) -> None:
        self._engine = engine
        self._step = step
        self._happens: list[Callable[[], object]] = [happens]

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        return self._late(found) if name == self._step else found

    @contextmanager
    def new_generation(self) -> Iterator[Any]:
        with self._engine.new_generation() as made:
            if self._step == "serve":
                made.serve = self._late(made.serve)  # type: ignore[method-assign]
            yield made

    def _late(self, step: Callable[..., object]) -> Callable[..., object]:
        def late(*arguments: object) -> object:
            while self._happens:
                self._happens.pop()()
            return step(*arguments)

        return late


def test_a_rebuild_leaves_nothing_behind_that_was_published_while_it_was_checked(
    parts: Services, engine: Engine
) -> None:
    errands = Errands(replace(parts, engine=engine))
    put(parts.database, "ana")
    sync.sync(parts.database, engine)
    errands.publish()

    def serving() -> None:
        put(parts.database, "late")
        errands.publish()
        assert indexed(engine).keys() == {"ana", "late"}

    sync.rebuild(parts.database, Meanwhile(engine, "serve", serving))  # type: ignore[arg-type]
    assert indexed(engine) == stored(parts.database)
    assert sync.status(parts.database, engine).behind == 0
    put(parts.database, "after")
    errands.publish()
    assert indexed(engine) == stored(parts.database)


def test_the_serving_process_brings_an_index_up_to_date_that_was_gone_back_to(
    parts: Services, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    errands = Errands(replace(parts, engine=engine))
    put(parts.database, "ana")
    sync.sync(parts.database, engine)
    sync.rebuild(parts.database, engine)
    put(parts.database, "bob")
    errands.publish()
    engine.roll_back()
    errands.publish()
    assert indexed(engine).keys() == {"ana"}, "nothing is new in the store: it looks later"
    monkeypatch.setattr("directory.errands.LOOK_EVERY_S", 0)
    errands.publish()
    assert indexed(engine) == stored(parts.database)


def test_going_back_in_the_middle_of_publishing_leaves_nothing_behind(
    store: Database, engine: Engine
) -> None:
    """Who publishes goes on from where the other index was, before and after the one is filled."""
    put(store, "ana")
    sync.sync(store, engine)
    sync.rebuild(store, engine)
    put(store, "bob")
    sync.sync(store, engine)
    newest = engine.status()
    assert newest
    put(store, "cem")
    publishing = Meanwhile(engine, "apply", lambda: publish(store, engine, newest.position))
    assert sync.roll_back(store, publishing) == engine.status()  # type: ignore[arg-type]
    assert indexed(engine) == stored(store)
    put(store, "dan")
    going_back = Meanwhile(engine, "apply", lambda: sync.roll_back(store, engine))
    publish(store, going_back, newest.position + 1)  # type: ignore[arg-type]
    assert indexed(engine) == stored(store)
    assert sync.status(store, engine).behind == 0


@pytest.mark.parametrize("loses", ["every third listing", "the words", "the places"])
def test_an_index_that_does_not_hold_what_the_store_has_is_not_served(
    store: Database, engine: Engine, monkeypatch: pytest.MonkeyPatch, loses: str
) -> None:
    for number in range(9):
        put(store, f"l{number:02}")
    sync.sync(store, engine)
    served = engine.status()
    feed = changefeed.changes

    def damaged(*args: Any, limit: int, **options: Any) -> list[Change]:
        """What a rebuild is fed; the check reads single changes, as they are."""
        found = feed(*args, limit=limit, **options)
        return found if limit == 1 else [_damage(each, loses) for each in found]

    monkeypatch.setattr(changefeed, "changes", damaged)
    with pytest.raises(sync.Unfit, match="the old index stays"):
        sync.rebuild(store, engine)
    assert engine.status() == served


def _damage(change: Change, loses: str) -> Change:
    if loses == "every third listing":
        return change if change.number % 3 else replace(change, document=None)
    document = json.loads(change.document or b"")
    if loses == "the words":
        document["name"] = {"given": "No", "family": "Body"}
    else:
        document["location"] |= {"lat": 0.0, "lon": 0.0}
    return replace(change, document=json.dumps(document).encode())


def test_searches_are_answered_throughout_rebuilds(store: Database, engine: Engine) -> None:
    for number in range(60):
        put(store, f"l{number:02}")
    sync.sync(store, engine)
    done, totals, faults = threading.Event(), [], []

    def search() -> None:
        while not done.is_set():
            try:
                totals.append(engine.search(Ask(limit=3)).total)
            except EngineUnavailable as error:
                faults.append(error)

    searching = threading.Thread(target=search)
    searching.start()
    for _ in range(5):
        sync.rebuild(store, engine)
    done.set()
    searching.join()
    assert faults == []
    assert len(totals) > 10
    assert set(totals) == {60}


def test_an_area_only_listing_leaves_no_street(store: Database, engine: Engine) -> None:
    area = {"lat": 30.2713, "lon": -97.7426, "precision": "postal_code"}
    put(store, "hidden", area_only=True, location=area)
    sync.sync(store, engine)
    (hit,) = engine.search(Ask()).hits
    assert hit.listing.address.line1 is None
    assert "Main St" not in hit.listing.model_dump_json()


KILLS, CROWD = 12, 1500


def test_sync_killed_at_any_moment_ends_equal(
    store: Database, engine: Engine, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """kill -9 at random moments of syncing and rebuilding; one more run, and all is equal."""
    url = f"sqlite:///{tmp_path / 'search.db'}"
    if "elasticsearch" in request.node.name:
        url = f"{request.getfixturevalue('elasticsearch_url')}/{engine._alias}"  # type: ignore[attr-defined]
    environment = {
        **os.environ,
        "DIRECTORY_DATABASE_URL": f"sqlite:///{tmp_path / 'store.db'}",
        "DIRECTORY_SEARCH_URL": url,
        "DIRECTORY_SECRET_KEY": "a secret of the tests",
    }
    rng, program = random.Random(3), str(Path(sys.executable).parent / "indexer")
    for number in range(CROWD):
        put(store, f"l{number:04}")
    started = time.monotonic()
    subprocess.run(
        [program, "rebuild"], env=environment, cwd=tmp_path, check=True, capture_output=True
    )
    lasts, killed_at_work = time.monotonic() - started, 0
    for round_ in range(KILLS):
        _change_everybody(store, f"round {round_}")
        command = [program, rng.choice(["sync", "rebuild"])]
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=tmp_path,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        time.sleep(rng.uniform(0.4, 0.95) * lasts)
        killed_at_work += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert killed_at_work >= KILLS / 3
    subprocess.run(
        [program, "sync"], env=environment, cwd=tmp_path, check=True, capture_output=True
    )
    reopened = engine_of(Settings(search_url=url))
    assert indexed(reopened) == stored(store)
    assert sync.status(store, reopened).behind == 0
    reopened.close()


def _change_everybody(store: Database, clinic: str) -> None:
    """Every listing changes, in one statement: what matters here is the changefeed."""
    with store.writing() as session:
        session.execute(
            text(
                "UPDATE listing SET change_number = change_number + :many, "
                "document = json_set(document, '$.clinic', :clinic)"
            ),
            {"many": CROWD, "clinic": clinic},
        )
        session.execute(text("UPDATE change_counter SET number = number + :many"), {"many": CROWD})


def said_of(listing: Listing, key: str) -> Statement:
    fields = listing.model_dump(mode="json", exclude={"id", "provenance"}, exclude_unset=True)
    return Statement(Source.FILE, key, TODAY, fields)


def test_follow_keeps_step_and_waits_for_an_engine_that_is_down(
    store: Database, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    index.write_text("in the way of the index's folder")
    environment = {
        **os.environ,
        "DIRECTORY_DATABASE_URL": f"sqlite:///{tmp_path / 'store.db'}",
        "DIRECTORY_SEARCH_URL": f"sqlite:///{index / 'search.db'}",
        "DIRECTORY_SECRET_KEY": "a secret of the tests",
    }
    put(store, "ana")
    program = str(Path(sys.executable).parent / "indexer")
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [program, "sync", "--follow"], env=environment, cwd=tmp_path, stdout=log, stderr=log
        )
    try:
        _until(lambda: "trying again" in (tmp_path / "log").read_text())
        index.unlink()
        engine = engine_of(Settings(search_url=f"sqlite:///{index / 'search.db'}"))
        _until(lambda: engine.status() is not None and indexed(engine) == {"ana": None})
        put(store, "bob", clinic="New")
        _until(lambda: indexed(engine) == {"ana": None, "bob": "New"})
        engine.close()
    finally:
        process.terminate()
        process.wait()


class Hurried(threading.Event):
    """Waits no longer than it takes to note how long it was to be; `at` tells of each wait."""

    def __init__(self, at: Callable[[int], object]) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._at = at

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0)
        self._at(len(self.waits))
        return self.is_set()


def test_follow_says_an_error_once_and_asks_ever_more_seldom(
    store: Database, tmp_path: Path
) -> None:
    full = SqliteEngine(tmp_path / "search.db")
    with full.new_generation() as generation:
        generation.apply([a_put(n, a_listing(f"l{n:02}")) for n in range(1, 11)])
        generation.serve(99)

    def at(wait: int) -> None:
        if wait == 11:
            put(store, "ana")
        if wait == 13:
            sync.rebuild(store, full, accept_shrink=True)
        if wait == 15:
            stop.set()

    said: list[str] = []
    stop = Hurried(at)
    sync.follow(store, full, clock, said.append, stop)
    assert stop.waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, *[300] * 4, 1, 1]
    first, second, last = said
    assert "would hold 0 listings" in first
    assert "would hold 1 listings" in second
    assert last.startswith("stopped")
    full.close()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that within 20 seconds"
        time.sleep(0.1)
