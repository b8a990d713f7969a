"""The chunks of a cell's packed rows, as changes are written into them."""

import sqlite3

import numpy as np

from directory.search.entry import Entry
from directory.search.sqlite.cells import cell_of
from directory.search.sqlite.columns import ROW, states_of

CHUNK_ROWS = 512
"""Rows a chunk at most: one change rewrites one chunk, 41 kB of rows."""

CHUNKS_PER_CELL = 1 << 16

_Packed = tuple[bytes, bytes]
"""A listing's row and its words, as columns.pack makes them."""


class OpenChunks:
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
                packed, words = (b"".join(parts) for parts in zip(*rows.values(), strict=True))
                self._db.execute(
                    f"REPLACE INTO chunk_{self._number} VALUES (?, ?, ?, ?)",
                    [chunk, states_of(packed), packed, words],
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
