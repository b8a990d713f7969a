"""Connections and transactions, on SQLite and PostgreSQL alike.

A write transaction takes the one lock that orders changes before it reads anything, and holds it
to the commit: change numbers become visible in order and without gaps, and nobody reads a state
that somebody else is about to replace. On SQLite that lock is the write lock of the file.
"""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from directory.sqlite_file import BUSY_S, use_write_ahead_log
from directory.store.models import ChangeCounterRow, ChangeMarkRow

_MIGRATION_LOCK = 7_208_155
"""PostgreSQL's name for the lock: any number that nobody else uses."""

_MIGRATING = threading.Lock()
"""Alembic speaks of *the* migration of a process: threads would run one another's, on the wrong
store (`tests/store/test_upgrade.py`)."""

_CACHE_KB, _CHECKPOINT_PAGES = 32_000, 8_000

_HOW: dict[str, Any] = {
    "json_serializer": lambda value: orjson.dumps(value).decode(),
    "json_deserializer": orjson.loads,
    "hide_parameters": True,  # an error of the database is logged, and what people typed is not
}

Transaction = Session
"""What a block of reading() or writing() works in; the functions of the store take it."""


class StoreUnavailable(Exception):
    """The store cannot be reached, or is locked by another writer for too long."""


class Database:
    """One database, by its SQLAlchemy URL; ValueError where that is none."""

    def __init__(self, url: str) -> None:
        is_file = url.startswith("sqlite")
        try:
            self._engine = _sqlite(url) if is_file else _server(url)
        except (ArgumentError, ImportError) as error:
            raise ValueError(f"{error} (the store's URL)") from error
        # SQLite's waiting writers poll, and the one that just wrote wins again and again: the
        # threads of one process queue here instead.
        self._turn = threading.Lock() if is_file else None

    def migrate(self) -> None:
        """Bring the tables up to this version of the code; does nothing where they are.

        Nor where a later version has brought them further: it only ever adds to them (a test holds
        it to that), so this one can go on, or start once more.
        """
        if self.is_migrated():
            return  # mostly so, and whoever writes just now is not waited for
        with _as_unavailable(), self._engine.connect() as connection:
            # One process migrates, the others wait and find it done.
            connection.execution_options(writing_within_s=BUSY_S)
            if self._engine.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            found = _revision(connection)
            if found is None or found in _revisions()[:-1]:
                _upgrade(connection)
            connection.commit()

    def is_migrated(self) -> bool:
        """Whether the tables are those of this version, or of a later one, which has them, too."""
        with _as_unavailable(), self._engine.connect() as connection:
            found = _revision(connection)
        return found is not None and found not in _revisions()[:-1]

    def version(self) -> str:
        """What the store runs on: `SQLite 3.40.1`, `PostgreSQL 15.3`."""
        with _as_unavailable(), self._engine.connect() as connection:
            numbers = connection.dialect.server_version_info or ()
        name = "SQLite" if self._engine.dialect.name == "sqlite" else "PostgreSQL"
        return f"{name} {'.'.join(map(str, numbers))}"

    def now(self) -> datetime:
        """The time by the store's own clock, UTC; SQLite's is that of this machine."""
        is_file = self._engine.dialect.name == "sqlite"
        asked = "SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00')" if is_file else "SELECT now()::text"
        with self.reading() as session:
            return datetime.fromisoformat(str(session.scalar(text(asked)))).astimezone(UTC)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that writes nothing."""
        with _as_unavailable(), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self, *, rehearsal: bool = False) -> Iterator[Session]:
        """A write transaction: durable once the block has ended; if it fails, nothing is kept.

        Nor is anything kept of a rehearsal. StoreUnavailable where others write for too long: on
        SQLite threads and processes together are waited for BUSY_S.
        """
        with self._in_turn() as left_s, _as_unavailable(), Session(self._engine) as session:
            session.connection(execution_options={"writing_within_s": left_s})
            before = session.scalars(select(ChangeCounterRow).with_for_update()).one().number
            yield session
            if not rehearsal:
                _mark(session, before)
                session.commit()

    @contextmanager
    def _in_turn(self) -> Iterator[float]:
        """A writer's turn among the threads; says how long (s) it may wait for other processes."""
        until = time.monotonic() + BUSY_S
        if self._turn and not self._turn.acquire(timeout=BUSY_S):
            raise StoreUnavailable("the store cannot be used: others write to it for too long")
        try:
            yield max(0.0, until - time.monotonic())
        finally:
            if self._turn:
                self._turn.release()

    def close(self) -> None:
        """Close all connections; the next transaction opens one."""
        self._engine.dispose()


def _upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, with what a start can mostly do without (0.1 s)."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "directory.store:migrations")
    with _MIGRATING:
        command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    """The last migration of these tables; None where there are none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


@cache
def _revisions() -> tuple[str, ...]:
    """The migrations that this version knows, in order: their files' names begin with them."""
    files = (Path(__file__).parent / "migrations" / "versions").glob("[0-9]*_*.py")
    return tuple(sorted(file.name.partition("_")[0] for file in files))


def _mark(session: Session, before: int) -> None:
    """Give the changes of a write, if it made any, a token of their own."""
    number = session.scalars(select(ChangeCounterRow.number)).one()
    if number > before:
        session.merge(ChangeMarkRow(number=number, token=secrets.token_urlsafe(12)))


def utc(at: datetime) -> datetime:
    """A time from the store: SQLite keeps no zone, and everything in the store is UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _server(url: str) -> Engine:
    limits = {
        "connect_timeout": round(BUSY_S),
        "options": f"-c lock_timeout={round(BUSY_S * 1000)}",
        # A server that is gone without a word, as with a network that is cut, is noticed, too.
        "tcp_user_timeout": round(BUSY_S * 1000),
        "keepalives_idle": 30,
        "keepalives_interval": round(BUSY_S),
        "keepalives_count": 3,
    }
    return create_engine(url, pool_pre_ping=True, connect_args=limits, **_HOW)


def _sqlite(url: str) -> Engine:
    """SQLite with its own transactions instead of the driver's, and every commit on disk."""
    engine = create_engine(url, connect_args={"timeout": BUSY_S}, **_HOW)
    if engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401  # DBAPI's
        connection.isolation_level = None
        use_write_ahead_log(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # A load writes as fast again with these (30 us a listing instead of 46).
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:  # noqa: ANN401  # SQLAlchemy's own signature
        wait_s = connection.get_execution_options().get("writing_within_s")
        milliseconds = round(1_000 * (BUSY_S if wait_s is None else wait_s))
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {milliseconds}")
        connection.exec_driver_sql("BEGIN" if wait_s is None else "BEGIN IMMEDIATE")

    return engine


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except (IntegrityError, DataError):
        raise
    except DBAPIError as error:
        raise StoreUnavailable(f"the store cannot be used: {error.orig}") from error
