"""A backup that is made under writes holds whole writes, and an index is made from it."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from directory.search.sqlite import SqliteEngine
from directory.sqlite_file import copy_whole
from directory.store.database import Database
from indexer import sync
from tests.indexer.test_sync import indexed, stored
from tests.store.test_store import feed, put

FIRST = 30


@contextmanager
def written_to(database: Database) -> Iterator[list[str]]:
    """While two writers add pairs of listings, each pair in order; says who was acknowledged."""
    acknowledged: list[str] = []
    stop, begun = threading.Event(), threading.Semaphore(0)

    def write(who: str) -> None:
        number = 0
        while not stop.is_set():
            put(database, f"{who}{number}")
            acknowledged.append(f"{who}{number}")
            number += 1
            begun.release()

    writers = [threading.Thread(target=write, args=(who,)) for who in ("one-", "two-")]
    for each in writers:
        each.start()
    for _ in range(FIRST):
        assert begun.acquire(timeout=60)
    yield acknowledged
    stop.set()
    for each in writers:
        each.join()


def holds_whole_writes(restored: Database, before: list[str], folder: Path) -> None:
    restored.migrate()
    numbers = [number for number, *_ in feed(restored)]
    assert numbers == list(range(1, len(numbers) + 1))
    with restored.reading() as session:
        assert session.scalar(text("SELECT number FROM change_counter")) == len(numbers)
        assert session.scalar(text("SELECT count(*) FROM revision")) == len(numbers)
    assert set(before) <= stored(restored).keys()
    engine = SqliteEngine(folder / "search.db")
    sync.sync(restored, engine)
    assert indexed(engine) == stored(restored)
    engine.close()
    put(restored, "later")
    restored.close()


def test_of_sqlite(tmp_path: Path) -> None:
    path, copy = tmp_path / "store.db", tmp_path / "copy.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    with written_to(database) as acknowledged:
        before = acknowledged.copy()
        copy_whole(path, copy)
    database.close()
    assert copy.stat().st_mode & 0o077 == 0, "it holds people's addresses"
    holds_whole_writes(Database(f"sqlite:///{copy}"), before, tmp_path)


def test_of_postgresql(fresh_postgresql: Any, tmp_path: Path) -> None:
    url, other = fresh_postgresql(), fresh_postgresql()
    plain, plain_other = (each.replace("+psycopg", "") for each in (url, other))
    database = Database(url)
    database.migrate()
    dump = tmp_path / "store.dump"
    with written_to(database) as acknowledged:
        before = acknowledged.copy()
        subprocess.run(["pg_dump", "--format=custom", f"--file={dump}", plain], check=True)
    database.close()
    subprocess.run(["pg_restore", "--no-owner", f"--dbname={plain_other}", dump], check=True)
    holds_whole_writes(Database(other), before, tmp_path)


def test_nothing_is_overwritten_and_half_a_copy_has_no_name(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'store.db'}")
    database.migrate()
    copy_whole(tmp_path / "store.db", tmp_path / "copy.db")
    with pytest.raises(FileExistsError):
        copy_whole(tmp_path / "store.db", tmp_path / "copy.db")
    with pytest.raises(OSError, match="cannot be copied"):
        copy_whole(tmp_path / "none.db", tmp_path / "other.db")
    (tmp_path / "no.db").write_text("no database, but a long text" * 100)
    with pytest.raises(OSError, match="cannot be copied"):
        copy_whole(tmp_path / "no.db", tmp_path / "other.db")
    assert not list(tmp_path.glob("other*"))
    database.close()
