"""The tables of one generation of the embedded index: listings, chunks of rows, words, names.

A listing's row says its version (the number of its last change, kept after a delete, so that a
late replay changes nothing) and the chunk its packed row lies in.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

import numpy as np

from directory.listing import Change
from directory.search.document import Document
from directory.search.engine import Ask, EngineUnavailable
from directory.search.entry import Entry, entry
from directory.search.sqlite import lookup_rows
from directory.search.sqlite.cells import runs
from directory.search.sqlite.chunks import OpenChunks
from directory.search.sqlite.columns import ROW, Chunks, WordCodes, pack
from directory.search.sqlite.kept import KeptCells

_BATCH = 20_000

_LISTING = "row INTEGER PRIMARY KEY, id TEXT UNIQUE, version INTEGER, chunk INTEGER, document BLOB"
_SCHEMA = (
    f"CREATE TABLE listing_{{0}} ({_LISTING})",
    """CREATE TABLE chunk_{0} (
        id INTEGER PRIMARY KEY, states INTEGER NOT NULL, rows BLOB NOT NULL, words BLOB NOT NULL
    )""",
    "CREATE TABLE word_{0} (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE)",
    "CREATE TABLE name_{0} (name TEXT PRIMARY KEY, listings INTEGER NOT NULL) WITHOUT ROWID",
)

_PUT = (
    "INSERT INTO listing_{0} (id, version, chunk, document) VALUES (?, ?, ?, ?) ON CONFLICT (id) "
    "DO UPDATE SET version = excluded.version, chunk = excluded.chunk, document = excluded.document"
)
"""Never REPLACE: the number of the row stays, by which lookups know it."""

WRITTEN = (
    "CREATE TABLE IF NOT EXISTS written (generation INTEGER PRIMARY KEY, times INTEGER NOT NULL)"
)
"""How often a generation was written to, counted from some random number, so that no two states of
two files look alike: what was read of one is good until the next time."""

_TABLES = ("listing", "chunk", "word", "name", "aside", "aside_name")


class Tables:
    """One generation's tables, within the transaction of the connection."""

    def __init__(self, db: sqlite3.Connection, number: int) -> None:
        self.db = db
        self.number = number

    @property
    def state(self) -> tuple[int, int]:
        """The generation, and which state of it this is: every write makes another one."""
        found = self.db.execute("SELECT times FROM written WHERE generation = ?", [self.number])
        for (times,) in found.fetchall():
            return self.number, times
        raise EngineUnavailable(f"generation {self.number} was dropped meanwhile")

    def create(self) -> None:
        """Make the tables, empty."""
        for statement in _SCHEMA:
            self.db.execute(statement.format(self.number))
        self.db.execute("INSERT INTO written VALUES (?, abs(random() / 2))", [self.number])
        lookup_rows.create(self.db, self.number)

    def drop(self) -> None:
        """Drop the tables with all that is in them."""
        for name in (*_TABLES, *lookup_rows.TABLES):
            self.db.execute(f"DROP TABLE IF EXISTS {name}_{self.number}")
        self.db.execute("DELETE FROM written WHERE generation = ?", [self.number])

    def word_codes(self, ask: Ask) -> dict[str, int]:
        """The numbers of the words of an ask, as far as the index knows them."""
        return self._codes({word for clause in ask.clauses for word in clause.words})

    def chunks(self, ask: Ask, codes: WordCodes, kept: KeptCells) -> Iterator[Chunks]:
        """The rows of all cells that the ask touches, with the words, where any may be found."""
        words = any(codes.keys() >= set(clause.words) for clause in ask.clauses)
        states = [state for state in (ask.state, *ask.scope.states) if state]
        for rows, said in kept.read(self.db, list(runs(ask.circle)), states, words=words):
            with _damage_named():
                yield Chunks(np.frombuffer(rows, ROW), np.frombuffer(said, "<u4"))

    def names(self, typed: str, most: int) -> list[str]:
        """The names of entries that begin so, in order."""
        found = self.db.execute(
            f"SELECT name FROM name_{self.number} WHERE name >= ? AND name < ? "
            "ORDER BY name LIMIT ?",
            [typed, f"{typed}\U0010ffff", most],
        )
        return [name for (name,) in found]

    def select(self, statement: str, values: Sequence[str | int]) -> list[tuple[Any, ...]]:
        """The rows that a statement selects; `{0}` in it stands for the generation's number."""
        return self.db.execute(statement.format(self.number), values).fetchall()

    def documents(self, ids: Sequence[str]) -> dict[str, Document]:
        """What is kept of the listings with these ids."""
        documents = self.db.execute(
            f"SELECT id, document FROM listing_{self.number} "
            "WHERE id IN (SELECT value FROM json_each(?))",
            [json.dumps(ids)],
        )
        with _damage_named():
            return {id_: Document.unpacked(packed) for id_, packed in documents}

    def apply(self, changes: Iterable[Change]) -> None:
        """Put and delete listings; a change not newer than what is there is passed over."""
        stream = iter(changes)
        for batch in iter(lambda: list(islice(stream, _BATCH)), []):
            self._apply(batch)
        self.db.execute("UPDATE written SET times = times + 1 WHERE generation = ?", [self.number])

    def _apply(self, batch: Sequence[Change]) -> None:
        latest = {change.id: change for change in sorted(batch, key=lambda c: c.number)}
        known = self._versions(latest)
        newer = [c for c in latest.values() if c.number > known.get(c.id, (0, None))[0]]
        entries = {c.id: entry(c.document) for c in newer if c.document}
        codes = self._codes(words_of(entries.values()), add=True)
        packed = dict(zip(entries, pack(list(entries.values()), codes), strict=True))
        old = self._entries(known.keys() & {c.id for c in newer})
        self._count_names((name for each in old.values() for name in each.names), -1)
        self._count_names((name for each in entries.values() for name in each.names), 1)
        chunks, grown = OpenChunks(self.db, self.number), 0
        for change in newer:
            before = known.get(change.id, (0, None))[1]
            if before is not None:
                chunks.remove(before, change.id)
            chunk, document = None, None
            if new := entries.get(change.id):
                chunk = chunks.add(new, packed[change.id])
                document = new.document.packed
            grown += (chunk is not None) - (before is not None)
            self.db.execute(_PUT.format(self.number), [change.id, change.number, chunk, document])
        chunks.write()
        self.db.executemany(
            f"DELETE FROM name_{self.number} WHERE name = ? AND listings = 0",
            ((name,) for each in old.values() for name in each.names),
        )
        self._replace_lookups(old, entries, {change.id: change.updated_at for change in newer})
        self.db.execute(
            "UPDATE generation SET documents = documents + ? WHERE number = ?", [grown, self.number]
        )

    def _entries(self, ids: Iterable[str]) -> dict[str, Entry]:
        """The entries of the listings among these that are there."""
        documents = self.db.execute(
            f"SELECT id, document FROM listing_{self.number} WHERE document IS NOT NULL "
            "AND id IN (SELECT value FROM json_each(?))",
            [json.dumps(list(ids))],
        )
        return {id_: entry(Document.unpacked(packed).json) for id_, packed in documents}

    def _replace_lookups(
        self, old: Mapping[str, Entry], new: Mapping[str, Entry], at: Mapping[str, datetime]
    ) -> None:
        row_of = dict(
            self.db.execute(
                f"SELECT id, row FROM listing_{self.number} "
                "WHERE id IN (SELECT value FROM json_each(?))",
                [json.dumps([*old, *new])],
            ).fetchall()
        )
        gone = [(row_of[id_], each) for id_, each in old.items()]
        placed = [lookup_rows.Placed(row_of[id_], each, at[id_]) for id_, each in new.items()]
        lookup_rows.replace(self.db, self.number, gone, placed)

    def _count_names(self, names: Iterable[str], by: int) -> None:
        self.db.executemany(
            f"INSERT INTO name_{self.number} VALUES (?, ?) "
            "ON CONFLICT DO UPDATE SET listings = listings + excluded.listings",
            ((name, by) for name in names),
        )

    def _versions(self, ids: Iterable[str]) -> dict[str, tuple[int, int | None]]:
        rows = self.db.execute(
            f"SELECT id, version, chunk FROM listing_{self.number} "
            "WHERE id IN (SELECT value FROM json_each(?))",
            [json.dumps(list(ids))],
        )
        return {id_: (version, chunk) for id_, version, chunk in rows}

    def _codes(self, words: set[str], *, add: bool = False) -> dict[str, int]:
        if add:
            self.db.executemany(
                f"INSERT OR IGNORE INTO word_{self.number} (word) VALUES (?)",
                ([word] for word in sorted(words)),
            )
        rows = self.db.execute(
            f"SELECT word, id FROM word_{self.number} "
            "WHERE word IN (SELECT value FROM json_each(?))",
            [json.dumps(list(words))],
        )
        return dict(rows.fetchall())


def words_of(entries: Iterable[Entry]) -> set[str]:
    """All words of some entries."""
    return {word for each in entries for _, found in each.words for word in found}


@contextmanager
def _damage_named() -> Iterator[None]:
    """What cannot be decoded was not written so: the file is damaged."""
    try:
        yield
    except ValueError as error:
        said = "the search index is damaged: run `indexer rebuild`"
        raise EngineUnavailable(f"{said} ({error})") from error
