"""The store under fire: locked, restarted in the middle of a write, and its power cut."""

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from directory import sqlite_file
from directory.app import create_app
from directory.listing import Source
from directory.services import Services
from directory.settings import Settings
from directory.store import mails, owners, record, submissions
from directory.store.database import Database, StoreUnavailable
from directory.store.submissions import Asked, Kind, State
from tests import postgresql_server
from tests.conftest import not_here
from tests.elasticsearch_node import NodeUnavailable
from tests.indexer.test_sync import stored
from tests.store.test_store import MADE, feed, put, statement

COPIES = 3


def test_a_store_that_is_locked_for_a_moment_is_waited_for(parts: Services, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    freeing = threading.Timer(1, other.execute, ["ROLLBACK"])
    freeing.start()
    put(parts.database, "ana")
    freeing.join()
    other.close()
    assert stored(parts.database).keys() == {"ana"}


def test_threads_that_wait_together_wait_no_longer_than_one(
    parts: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("directory.store.database.BUSY_S", 1.0)

    def write(_: int) -> float:
        started = time.monotonic()
        with pytest.raises(StoreUnavailable), parts.database.writing():
            pass
        return time.monotonic() - started

    with sqlite3.connect(tmp_path / "store.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(5) as pool:
            waited = list(pool.map(write, range(5)))
        other.execute("ROLLBACK")
    other.close()
    assert max(waited) < 1.8, "one behind the other they would wait for five seconds"
    put(parts.database, "ana")


def test_a_store_that_needs_no_migration_is_not_waited_for(
    parts: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("directory.store.database.BUSY_S", 1.0)
    with sqlite3.connect(tmp_path / "store.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        parts.database.migrate()
        other.execute("ROLLBACK")
    other.close()


def test_what_no_waiting_mends_is_not_waited_for(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "store.db").execute("CREATE TABLE a (b)").connection.close()
    reader = sqlite3.connect(f"file:{tmp_path / 'store.db'}?mode=ro", uri=True)
    started = time.monotonic()
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        sqlite_file.use_write_ahead_log(reader)
    assert time.monotonic() - started < 1
    reader.close()


def test_one_submission_sent_twice_at_once_is_one(parts: Services, database: Database) -> None:
    app = create_app(Settings(), replace(parts, database=database))
    together = threading.Barrier(4)

    def send(number: int) -> tuple[int, str]:
        together.wait()
        said = {"email": "ana@example.org", "listing": _facts()}
        answer = app.test_client().post(
            "/api/v1/submissions", json=said, headers={"Idempotency-Key": f"key-{number % 2}"}
        )
        return answer.status_code, answer.get_json()["reference"]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))
    assert [status for status, _ in answers] == [202] * 4
    assert answers[0] == answers[2] != answers[1] == answers[3]


def test_of_two_moderators_who_decide_at_once_one_is_told(
    parts: Services, database: Database
) -> None:
    """Whatever each decides: the first decision stands, with one letter, and the second is a 409."""
    app = create_app(Settings(), replace(parts, database=database))
    deciders = [app.test_client() for _ in range(2)]
    for number, decider in enumerate(deciders):
        by = f"moderator-{number}@example.org"
        with database.writing() as session:
            owners.add_moderator(session, by, parts.clock())
        decider.set_cookie("session", str(parts.sessions.dumps(by)))
    for turn in range(10):
        with database.writing() as session:
            asked = Asked(Kind.NEW, "ana@example.org", "en", _facts())
            reference, _ = submissions.keep(session, asked, State.WAITING, parts.clock())
        together = threading.Barrier(2)
        decisions = [{"decision": "approve"}, {"decision": "reject", "reason": "No such clinic."}]

        def decide(
            decider: FlaskClient, said: dict[str, str], path: str = f"/moderation/submissions/{reference}",
            together: threading.Barrier = together,
        ) -> int:  # fmt: skip
            together.wait()
            return decider.post(path, data=said).status_code

        with ThreadPoolExecutor(2) as pool:
            statuses = list(pool.map(decide, deciders, decisions))
        assert sorted(statuses) == [303, 409]
        with database.reading() as session:
            decided = submissions.find(session, reference)
            assert mails.waiting(session) == turn + 1
        assert decided
        expected = State.APPROVED if statuses[0] == 303 else State.REJECTED
        assert decided.state is expected


def test_a_store_that_is_locked_for_too_long_is_told_and_nothing_is_doubled(
    parts: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("directory.store.database.BUSY_S", 2.0)
    put(parts.database, "ana")
    client = create_app(Settings(), parts).test_client()
    said = {"email": "ana@example.org", "listing": _facts()}
    with sqlite3.connect(tmp_path / "store.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        answer = client.post("/api/v1/submissions", json=said, headers={"Idempotency-Key": "k"})
        waited = time.monotonic() - started
        assert client.get("/listings/ana").status_code == 200
        other.execute("ROLLBACK")
    other.close()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert 1 < waited < sqlite_file.BUSY_S - 1
    again = client.post("/api/v1/submissions", json=said, headers={"Idempotency-Key": "k"})
    assert again.status_code == 202
    with parts.database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM submission")) == 1


def _facts() -> dict[str, object]:
    return statement(Source.FILE, "x").fields or {}  # type: ignore[return-value]


@pytest.fixture
def own_postgresql() -> Iterator[tuple[str, Path]]:
    """A server of one's own, for it does not stay up; and the folder of its files."""
    folder = Path(tempfile.mkdtemp(prefix="directory-test-"))
    folder.chmod(0o755)
    try:
        with postgresql_server.server(folder) as url:
            yield url, folder
    except NodeUnavailable as error:
        not_here(str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_postgresql_is_restarted_in_the_middle_of_a_transaction(
    own_postgresql: tuple[str, Path],
) -> None:
    url, folder = own_postgresql
    store = Database(url)
    store.migrate()
    put(store, "before")
    with pytest.raises(StoreUnavailable), store.writing() as session:
        record.record(session, "lost", statement(Source.FILE, "file-lost"), MADE)
        postgresql_server.restart(folder)
        record.record(session, "lost-2", statement(Source.FILE, "file-lost-2"), MADE)
    with pytest.raises(StoreUnavailable), store.writing() as session:
        record.record(session, "lost", statement(Source.FILE, "file-lost"), MADE)
        postgresql_server.restart(folder)
    postgresql_server.restart(folder)  # while nothing is under way: then nobody notices
    put(store, "after")
    assert [(number, id_) for number, id_, _ in feed(store)] == [(1, "before"), (2, "after")]
    store.close()


_WRITER = """
import sys
from directory.store.database import Database
from tests.store.test_store import put
store = Database(sys.argv[1])
for number in range(10_000):
    put(store, f"l{number:04}", about="long " * 50)
    print(number, flush=True)
"""


def test_the_power_is_cut_in_the_middle_of_writing(tmp_path: Path) -> None:
    """What is on the disk at one moment, the log copied first: it opens, and holds every reply."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    Database(url).migrate()
    told: list[int] = []
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, url], stdout=subprocess.PIPE)
    reading = threading.Thread(target=lambda: told.extend(map(int, writer.stdout or ())))
    reading.start()
    rng = random.Random(18)
    try:
        for copy in range(COPIES):
            seen = len(told)
            while len(told) < seen + 20:
                assert writer.poll() is None
                time.sleep(0.01)
            time.sleep(rng.random() / 20)
            acknowledged, folder = len(told), tmp_path / f"copy-{copy}"
            folder.mkdir()
            writer.send_signal(signal.SIGSTOP)  # all files of one moment, in the middle of anything
            for file in tmp_path.glob("store.db*"):
                if not file.name.endswith("-shm"):
                    shutil.copy(file, folder)
            writer.send_signal(signal.SIGCONT)
            _tear(folder / "store.db-wal", rng)
            reopened = Database(f"sqlite:///{folder / 'store.db'}")
            assert stored(reopened).keys() >= {f"l{number:04}" for number in range(acknowledged)}
            put(reopened, "after")
            reopened.close()
            with sqlite3.connect(folder / "store.db") as file_:
                assert file_.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            file_.close()
    finally:
        writer.kill()
        writer.wait()
        reading.join()
        assert writer.stdout
        writer.stdout.close()


def _tear(log: Path, rng: random.Random) -> None:
    """Half a page that the disk had not finished, at the end of the log."""
    with log.open("ab") as file:
        file.write(rng.randbytes(2_000))
