"""The cells that searches have read, kept in memory until the index is written to.

Reading the chunks of a wide circle takes longer than judging them. What is kept belongs to one
state of one generation; a search that sees another one begins anew, so nothing here is stale.
"""

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import groupby
from typing import Literal

from directory.search.sqlite.chunks import CHUNKS_PER_CELL

MOST_BYTES = 96_000_000
"""Of a process's 300 MB. A listing takes 80 bytes, and where there is text another 120."""

State = tuple[int, int]
"""A generation's number, and which state of it; see tables.WRITTEN."""

Column = Literal["rows", "words"]


class KeptCells:
    """The packed rows and the words of cells, of one state of the index; threads share it."""

    def __init__(self, db: sqlite3.Connection, state: State) -> None:
        self.state = state
        self.bytes = 0
        self._table = f"chunk_{state[0]}"
        self._cells: dict[Column, dict[int, bytes]] = {"rows": {}, "words": {}}
        cells = f"SELECT DISTINCT id / {CHUNKS_PER_CELL} FROM {self._table} ORDER BY 1"
        self._occupied = [cell for (cell,) in db.execute(cells)]

    def read(
        self, db: sqlite3.Connection, column: Column, runs: Iterable[tuple[int, int]]
    ) -> bytes:
        """What the cells of some runs (first and last) hold in a column, one after another."""
        known, found = self._cells[column], []
        for first, last in runs:
            cells = self._occupied[
                bisect_left(self._occupied, first) : bisect_right(self._occupied, last)
            ]
            if missing := [cell for cell in cells if cell not in known]:
                self._fetch(db, column, missing[0], missing[-1])
            found += [known[cell] for cell in cells]
        return b"".join(found)

    def _fetch(self, db: sqlite3.Connection, column: Column, first: int, last: int) -> None:
        chunks = db.execute(
            f"SELECT id / {CHUNKS_PER_CELL}, {column} FROM {self._table} "
            "WHERE id BETWEEN ? AND ? ORDER BY id",
            [first * CHUNKS_PER_CELL, (last + 1) * CHUNKS_PER_CELL - 1],
        )
        for cell, several in groupby(chunks, key=lambda chunk: chunk[0]):
            content = b"".join(part for _, part in several)
            self._cells[column][cell] = content
            self.bytes += len(content)
