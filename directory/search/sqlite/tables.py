"""The tables of one generation of the embedded index: listings, chunks of rows, words.

A listing's row says its version (the number of its last change, kept after a delete, so that a
late replay changes nothing) and the chunk its packed row lies in.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

import numpy as np

from directory.fields import STORED
from directory.listing import Change, Listing
from directory.search.engine import Ask, EngineUnavailable
from directory.search.entry import Entry, entry
from directory.search.sqlite.cells import cell_of, runs
from directory.search.sqlite.columns import ROW, Chunks, pack

CHUNK_ROWS = 512
"""Rows a chunk at most: one change rewrites one chunk, about 31 kB of rows."""

CHUNKS_PER_CELL = 1 << 16
_BATCH = 20_000

_SCHEMA = (
    "CREATE TABLE listing_{0} (id TEXT PRIMARY KEY, version INTEGER, chunk INTEGER, document BLOB)",
    "CREATE TABLE chunk_{0} (id INTEGER PRIMARY KEY, rows BLOB NOT NULL, words BLOB NOT NULL)",
    "CREATE TABLE word_{0} (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE)",
)

_Packed = tuple[bytes, bytes]
"""A listing's row and its words, as columns.pack makes them."""


class Tables:
    """One generation's tables, within the transaction of the connection."""

    def __init__(self, db: sqlite3.Connection, number: int) -> None:
        self._db = db
        self.number = number

    def create(self) -> None:
        """Make the tables, empty."""
        for statement in _SCHEMA:
            self._db.execute(statement.format(self.number))

    def drop(self) -> None:
        """Drop the tables with all that is in them."""
        for name in ("listing", "chunk", "word", "aside"):
            self._db.execute(f"DROP TABLE IF EXISTS {name}_{self.number}")

    def word_codes(self, ask: Ask) -> dict[str, int]:
        """The numbers of the words of an ask, as far as the index knows them."""
        return self._codes({word for clause in ask.clauses for word in clause.words})

    def chunks(self, ask: Ask) -> Chunks:
        """The rows (with the words, where there is text) of all cells that the ask touches."""
        columns = "rows, words" if ask.clauses else "rows"
        found: list[tuple[bytes, ...]] = []
        for first, last in runs(ask.circle):
            found += self._db.execute(
                f"SELECT {columns} FROM chunk_{self.number} WHERE id BETWEEN ? AND ?",
                [first * CHUNKS_PER_CELL, (last + 1) * CHUNKS_PER_CELL - 1],
            )
        rows = b"".join(chunk[0] for chunk in found)
        words = b"".join(chunk[-1] for chunk in found) if ask.clauses else b""
        with _damage_named():
            return Chunks(np.frombuffer(rows, ROW), np.frombuffer(words, "<u4"))

    def listings(self, ids: Sequence[str]) -> dict[str, Listing]:
        """The listings with these ids."""
        documents = self._db.execute(
            f"SELECT id, document FROM listing_{self.number} "
            "WHERE id IN (SELECT value FROM json_each(?))",
            [json.dumps(ids)],
        )
        with _damage_named():
            return {
                id_: Listing.model_validate_json(document, context=STORED)
                for id_, document in documents
            }

    def apply(self, changes: Iterable[Change]) -> None:
        """Put and delete listings; a change not newer than what is there is passed over."""
        stream = iter(changes)
        for batch in iter(lambda: list(islice(stream, _BATCH)), []):
            self._apply(batch)

    def _apply(self, batch: Sequence[Change]) -> None:
        latest = {change.id: change for change in sorted(batch, key=lambda c: c.number)}
        known = self._versions(latest)
        newer = [c for c in latest.values() if c.number > known.get(c.id, (0, None))[0]]
        entries = {c.id: entry(c.document) for c in newer if c.document}
        codes = self._codes(words_of(entries.values()), add=True)
        packed = dict(zip(entries, pack(list(entries.values()), codes), strict=True))
        chunks, grown = _OpenChunks(self._db, self.number), 0
        for change in newer:
            old = known.get(change.id, (0, None))[1]
            if old is not None:
                chunks.remove(old, change.id)
            chunk, document = None, None
            if new := entries.get(change.id):
                chunk = chunks.add(new, packed[change.id])
                document = new.document
            grown += (chunk is not None) - (old is not None)
            self._db.execute(
                f"REPLACE INTO listing_{self.number} VALUES (?, ?, ?, ?)",
                [change.id, change.number, chunk, document],
            )
        chunks.write()
        self._db.execute(
            "UPDATE generation SET documents = documents + ? WHERE number = ?", [grown, self.number]
        )

    def _versions(self, ids: Iterable[str]) -> dict[str, tuple[int, int | None]]:
        rows = self._db.execute(
            f"SELECT id, version, chunk FROM listing_{self.number} "
            "WHERE id IN (SELECT value FROM json_each(?))",
            [json.dumps(list(ids))],
        )
        return {id_: (version, chunk) for id_, version, chunk in rows}

    def _codes(self, words: set[str], *, add: bool = False) -> dict[str, int]:
        if add:
            self._db.executemany(
                f"INSERT OR IGNORE INTO word_{self.number} (word) VALUES (?)",
                ([word] for word in sorted(words)),
            )
        rows = self._db.execute(
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


class _OpenChunks:
    """The chunks that one batch touches, unpacked by listing id, written back at the end."""

    def __init__(self, db: sqlite3.Connection, number: int) -> None:
        self._db = db
        self._number = number
        self._open: dict[int, dict[str, _Packed]] = {}
        self._last: dict[int, int] = {}

    def remove(self, chunk: int, id_: str) -> None:
        """Take a listing out of its chunk."""
        del self._rows(chunk)[id_]

    def add(self, new: Entry, packed: _Packed) -> int:
        """Put a listing into the last chunk of its cell, or a new one; says which."""
        chunk = self._last_chunk(cell_of(*new.point))
        if len(self._rows(chunk)) >= CHUNK_ROWS:
            chunk += 1
            self._last[chunk // CHUNKS_PER_CELL] = chunk
        self._rows(chunk)[new.id] = packed
        return chunk

    def write(self) -> None:
        """Write every touched chunk back; an empty one goes."""
        for chunk, rows in self._open.items():
            if rows:
                blobs = [b"".join(parts) for parts in zip(*rows.values(), strict=True)]
                self._db.execute(
                    f"REPLACE INTO chunk_{self._number} VALUES (?, ?, ?)", [chunk, *blobs]
                )
            else:
                self._db.execute(f"DELETE FROM chunk_{self._number} WHERE id = ?", [chunk])

    def _last_chunk(self, cell: int) -> int:
        if cell not in self._last:
            first = cell * CHUNKS_PER_CELL
            (found,) = self._db.execute(
                f"SELECT max(id) FROM chunk_{self._number} WHERE id BETWEEN ? AND ?",
                [first, first + CHUNKS_PER_CELL - 1],
            ).fetchone()
            self._last[cell] = first if found is None else found
        return self._last[cell]

    def _rows(self, chunk: int) -> dict[str, _Packed]:
        if chunk not in self._open:
            found = self._db.execute(
                f"SELECT rows, words FROM chunk_{self._number} WHERE id = ?", [chunk]
            ).fetchone()
            self._open[chunk] = _unpack(*found) if found else {}
        return self._open[chunk]


def _unpack(rows: bytes, words: bytes) -> dict[str, _Packed]:
    table = np.frombuffer(rows, ROW)
    ends = (table["words"].astype(np.int64).cumsum() * 4).tolist()
    starts = [0, *ends]
    return {
        id_.decode(): (rows[n * ROW.itemsize : (n + 1) * ROW.itemsize], words[starts[n] : ends[n]])
        for n, id_ in enumerate(table["id"].tolist())
    }
