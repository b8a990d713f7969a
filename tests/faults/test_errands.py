"""What a serving process does beside answering: nothing that fails keeps anything else from it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from directory.errands import Errands
from directory.mail import Letter
from directory.reminders import remind
from directory.services import Services
from directory.store import mails, owners, seen
from directory.store.age import age
from directory.store.database import Database
from directory.store.listings import Status
from directory.store.owners import Owner
from indexer import sync
from tests.faults.site import until
from tests.indexer.test_sync import Hurried, indexed, stored
from tests.store.test_store import MADE, found, put

BROKEN = "broken"


@contextmanager
def running(parts: Services) -> Iterator[Errands]:
    errands = Errands(parts)
    errands.start()
    try:
        yield errands
    finally:
        errands.stop()


def break_(database: Database, **values: str) -> None:
    """A document that no version of the code should ever write, of a listing that is in the index.

    Time is due to it by the values of its row.
    """
    with database.writing() as session:
        session.execute(
            text("UPDATE listing SET document = json_set(document, '$.name', json(:name))"
                 f"{''.join(f', {name} = :{name}' for name in values)} WHERE id = :id"),
            {"name": json.dumps({"given": "No"}), "id": BROKEN, **values},
        )  # fmt: skip


def test_a_mail_server_that_swallows_letters_keeps_no_change_back(parts: Services) -> None:
    let_go, begun = threading.Event(), threading.Event()

    def swallow(_: Letter) -> None:
        begun.set()
        let_go.wait(120)

    put(parts.database, "ana")
    sync.sync(parts.database, parts.engine)
    with parts.database.writing() as session:
        mails.keep(session, Letter("ana@example.net", "s", "t", "h"), parts.clock())
    with running(replace(parts, post=swallow)):
        assert begun.wait(60)
        put(parts.database, "new")
        until(lambda: indexed(parts.engine).keys() == {"ana", "new"})
        let_go.set()


def test_errands_that_fail_keep_no_change_back(
    parts: Services, caplog: pytest.LogCaptureFixture
) -> None:
    def clock() -> datetime:
        raise RuntimeError("whatever it is")

    put(parts.database, "ana")
    sync.sync(parts.database, parts.engine)
    put(parts.database, "new")
    with running(replace(parts, clock=clock)):
        until(lambda: indexed(parts.engine).keys() == {"ana", "new"})
        until(lambda: "send failed" in caplog.text and "let_time_pass failed" in caplog.text)


def test_a_listing_that_cannot_be_read_holds_up_no_other(
    parts: Services, caplog: pytest.LogCaptureFixture
) -> None:
    old = {"on": str(MADE.today - timedelta(days=179)), "by": "Ana", "method": "form"}
    for number in range(25):
        put(parts.database, f"l{number:02}", dry_needling="yes")
    put(parts.database, "old", dry_needling="yes", attestation=old)
    put(parts.database, BROKEN, dry_needling="yes")
    break_(parts.database, attested_on=old["on"])
    with parts.database.writing() as session:
        owners.add(session, BROKEN, Owner("a@example.net", "en"), MADE.at)
        owners.add(session, "old", Owner("b@example.net", "en"), MADE.at)
    assert remind(parts) == 1
    later = replace(parts, clock=lambda: MADE.at + timedelta(days=2))
    with parts.database.writing() as session:
        assert age(session, replace(MADE, at=later.clock()), accept=True) == 1
    assert found(parts.database, "old").status is Status.LAPSED
    assert caplog.text.count(f"nobody is reminded of {BROKEN}") == 1
    assert caplog.text.count(f"{BROKEN} does not grow old") == 1


def test_following_goes_on_past_a_listing_that_cannot_be_read(parts: Services) -> None:
    put(parts.database, BROKEN, dry_needling="yes")
    sync.sync(parts.database, parts.engine)
    break_(parts.database, true_until="2020-01-01")
    put(parts.database, "new")
    said: list[str] = []
    stop = Hurried(lambda _: stop.set())
    sync.follow(parts.database, parts.engine, parts.clock, said.append, stop)
    assert said[0] == "brought 1 listings up to date"
    assert sync.status(parts.database, parts.engine).behind == 0


def test_what_was_counted_is_written_down_at_the_end(parts: Services) -> None:
    put(parts.database, "ana")
    with running(parts):
        parts.seen.opened("ana")
    with parts.database.reading() as session:
        (month,) = seen.of_listing(session, "ana")
    assert month.opened == 1


def test_a_store_that_was_down_at_the_start_gets_its_tables_once_it_is_there(
    parts: Services, tmp_path: Path
) -> None:
    late = Database(f"sqlite:///{tmp_path / 'late.db'}")
    with running(replace(parts, database=late)):
        until(late.is_migrated)
    put(late, "ana")
    assert stored(late).keys() == {"ana"}
    late.close()
