"""The embedded engine: one SQLite file, searched with numpy.

Of each quarter-degree cell the columns that filters, facets and order need are kept as packed
rows (columns.py); a search takes the cells that its circle touches, from the file or as they were
read before (kept.py), judges all rows at once (judge.py), puts one page in order (order.py), and
fetches the documents of that page only. Nothing is loaded at start, several processes share the
file, and a reader always sees one whole state of it (WAL).

Why no R*Tree and no FTS5: docs/decisions/003-embedded-engine.md has the measurements.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path

from directory.listing import Change
from directory.search.engine import (
    Ask,
    Cluster,
    EngineStatus,
    EngineUnavailable,
    Found,
    Generation,
    Hit,
    NamedAs,
)
from directory.search.entry import NAMES_EACH, SCHEMA_ID, distinct_names
from directory.search.lookup import LookedUp, Lookup
from directory.search.sqlite.fill import Filling
from directory.search.sqlite.judge import Judged, grid_of, judge
from directory.search.sqlite.kept import MOST_BYTES, KeptCells
from directory.search.sqlite.lookup_answer import look_up
from directory.search.sqlite.marks import MARKS, mark_of, set_mark
from directory.search.sqlite.order import page
from directory.search.sqlite.tables import WRITTEN, Tables
from directory.search.sqlite.tiles import by_tile
from directory.sqlite_file import BUSY_S, use_write_ahead_log
from directory.vocabulary.words import phrase

_BATCH = 20_000

_GENERATIONS = """
CREATE TABLE IF NOT EXISTS generation (
    number INTEGER PRIMARY KEY AUTOINCREMENT, schema TEXT NOT NULL, serving INTEGER NOT NULL,
    position INTEGER NOT NULL, documents INTEGER NOT NULL)
"""


class SqliteEngine:
    """Searches and keeps one index file; `path` is made, with its folder, when first written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._kept: KeptCells | None = None

    def search(self, ask: Ask) -> Found:
        """One page of what the ask matches; see engine.Engine."""
        with self._reading() as tables:
            return _search(tables, ask, self._cells(tables))

    def count(self, ask: Ask) -> int:
        """How many listings the ask matches."""
        with self._reading() as tables:
            return len(_judged(tables, ask, self._cells(tables)).found)

    def clusters(self, ask: Ask, zoom: int, most: int) -> tuple[Cluster, ...]:
        """What the ask matches, counted by the tiles of a zoom level."""
        with self._reading() as tables:
            judged = _judged(tables, ask, self._cells(tables))
        return by_tile(grid_of(judged.rows, judged.found), zoom)[:most]

    def names(self, text: str, most: int) -> tuple[NamedAs, ...]:
        """Names that begin with a text; see engine.Engine."""
        if not (typed := phrase(text)):
            return ()
        with self._reading() as tables:
            return distinct_names(tables.names(typed, most * NAMES_EACH), most)

    def lookup(self, wanted: Lookup) -> LookedUp:
        """One page of a lookup; see engine.Engine."""
        with self._reading() as tables:
            return look_up(tables, wanted, self._cells(tables))

    def status(self) -> EngineStatus | None:
        """What is served, or None where there is no index of this schema."""
        if not self._path.exists():
            return None
        with _as_unavailable():
            return _status(self._reader())

    def apply(self, changes: Iterable[Change], position: int, mark: str = "") -> None:
        """Bring the serving generation up to a position, in one transaction."""
        with self._writing() as db:
            tables = Tables(db, _serving(db))
            tables.apply(changes)
            db.execute(
                "UPDATE generation SET position = max(position, ?) WHERE number = ?",
                [position, tables.number],
            )
            set_mark(db, tables.number, mark)

    @contextmanager
    def new_generation(self) -> Iterator[Generation]:
        """A new index in the same file; left without `serve`, it is dropped."""
        with self._writing() as db:
            number = db.execute(
                "INSERT INTO generation (schema, serving, position, documents) VALUES (?, 0, 0, 0)",
                [SCHEMA_ID],
            ).lastrowid
            tables = Tables(db, number or 0)
            tables.create()
        try:
            yield _NewGeneration(self._writing, tables.number)
        finally:
            with self._writing() as db:
                _drop(db, "number = ? AND NOT serving", tables.number)

    def roll_back(self) -> EngineStatus | None:
        """Answer from the generation that was replaced; see engine.Engine."""
        with self._writing() as db:
            kept = db.execute(
                "SELECT number FROM generation WHERE NOT serving AND position > 0 AND schema = ? "
                "ORDER BY number DESC LIMIT 1",
                [SCHEMA_ID],
            ).fetchone()
            if not kept:
                return None
            db.execute("UPDATE generation SET serving = (number = ?)", kept)
            return _status(db)

    def version(self) -> str:
        """The version of the library."""
        return f"SQLite {sqlite3.sqlite_version}"

    def close(self) -> None:
        """Close this thread's connection; another thread's closes with the thread."""
        if connection := getattr(self._local, "connection", None):
            connection.close()
            del self._local.connection, self._local.identity

    @contextmanager
    def _reading(self) -> Iterator[Tables]:
        """The serving generation in one state of the file, whatever is written meanwhile."""
        with _as_unavailable():
            if not self._path.exists():
                raise EngineUnavailable(f"no search index at {self._path}: run `indexer sync`")
            db = self._reader()
            db.execute("BEGIN")
            try:
                yield Tables(db, _serving(db))
            finally:
                db.execute("ROLLBACK")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: all of it or nothing."""
        with _as_unavailable():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            db = _connect(self._path)
            try:
                use_write_ahead_log(db)
                db.execute(_GENERATIONS)
                db.execute(WRITTEN)
                db.execute(MARKS)
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            finally:
                db.close()

    def _cells(self, tables: Tables) -> KeptCells:
        """The cells that were read of this state of the index."""
        kept, state = self._kept, tables.state
        if not kept or kept.state != state or kept.bytes > MOST_BYTES:
            kept = self._kept = KeptCells(state)
        return kept

    def _reader(self) -> sqlite3.Connection:
        """This thread's connection; a new one where the file was replaced since."""
        found = self._path.stat()
        identity = (found.st_dev, found.st_ino)
        if getattr(self._local, "identity", None) != identity:
            self.close()
            self._local.connection = _connect(self._path)
            self._local.identity = identity
        connection: sqlite3.Connection = self._local.connection
        return connection


class _NewGeneration:
    """A generation being filled: batches commit by themselves, nobody reads them before `serve`."""

    def __init__(self, writing: "_Writing", number: int) -> None:
        self._writing = writing
        self._number = number
        self._filling: Filling | None = Filling(number)

    def apply(self, changes: Iterable[Change]) -> None:
        stream = iter(changes)
        for batch in iter(lambda: list(islice(stream, _BATCH)), []):
            if self._filling and self._is_filled(self._filling, batch):
                continue
            with self._writing() as db:
                Tables(db, self._number).apply(batch)

    def _is_filled(self, filling: Filling, batch: list[Change]) -> bool:
        """Whether the batch was taken; else the filling is finished, in a transaction of its own.

        If applying the batch fails then, what was filled stays.
        """
        with self._writing() as db:
            if filling.add(db, batch):
                return True
            filling.finish(db)
        self._filling = None
        return False

    def _finish(self, db: sqlite3.Connection) -> None:
        if self._filling:
            self._filling.finish(db)
            self._filling = None

    def search(self, ask: Ask) -> Found:
        with self._writing() as db:
            self._finish(db)
            tables = Tables(db, self._number)
            return _search(tables, ask, KeptCells(tables.state))

    def serve(self, position: int, mark: str = "") -> None:
        with self._writing() as db:
            if not db.execute(
                "SELECT 1 FROM generation WHERE number = ?", [self._number]
            ).fetchone():
                raise EngineUnavailable(
                    f"generation {self._number} was dropped while it was filled"
                )
            self._finish(db)
            _drop(db, "number < ? AND NOT serving", self._number)
            db.execute("UPDATE generation SET serving = (number = ?)", [self._number])
            db.execute(
                "UPDATE generation SET position = ? WHERE number = ?", [position, self._number]
            )
            set_mark(db, self._number, mark)


_Writing = Callable[[], AbstractContextManager[sqlite3.Connection]]


def _judged(tables: Tables, ask: Ask, kept: KeptCells) -> Judged:
    codes = tables.word_codes(ask)
    return judge(tables.chunks(ask, codes, kept), ask, codes)


def _search(tables: Tables, ask: Ask, kept: KeptCells) -> Found:
    judged = _judged(tables, ask, kept)
    keys = page(judged, ask)
    documents = tables.documents([key.id for key in keys])
    hits = tuple(Hit(documents[key.id], key) for key in keys)
    return Found(len(judged.found), hits, judged.counts)


def _status(db: sqlite3.Connection) -> EngineStatus | None:
    if not (row := _served(db)):
        return None
    number, documents, position = row
    return EngineStatus(str(number), documents, position, mark=mark_of(db, number))


def _serving(db: sqlite3.Connection) -> int:
    if not (row := _served(db)):
        raise EngineUnavailable("there is no search index of this version: run `indexer sync`")
    return row[0]


def _served(db: sqlite3.Connection) -> tuple[int, int, int] | None:
    """The number of the generation that serves, how many listings it holds, and its position."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'generation'").fetchone():
        return None
    row: tuple[int, int, int] | None = db.execute(
        "SELECT number, documents, position FROM generation WHERE serving AND schema = ?",
        [SCHEMA_ID],
    ).fetchone()
    return row


def _drop(db: sqlite3.Connection, where: str, number: int) -> None:
    for (stale,) in db.execute(f"SELECT number FROM generation WHERE {where}", [number]).fetchall():
        Tables(db, stale).drop()
        db.execute("DELETE FROM generation WHERE number = ?", [stale])


def _connect(path: Path) -> sqlite3.Connection:
    """A connection without implicit transactions that waits for a writer and keeps what commits."""
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    db.execute("PRAGMA synchronous = NORMAL")  # the store is the truth; the index can be rebuilt
    return db


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise EngineUnavailable(f"the search index cannot be used: {error}") from error
