"""The cells that searches have read, kept in memory until the index is written to.

Reading the chunks of a wide circle takes longer than judging them. What is kept belongs to one
state of one generation; a search that sees another one begins anew, so nothing here is stale.
"""

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Literal

from directory.search.sqlite.chunks import CHUNKS_PER_CELL

MOST_BYTES = 96_000_000
"""Of a process's 300 MB. A listing takes 80 bytes, and where there is text another 120."""

_LONG_RUN = 1_000
"""Cells; the widest circle that can be asked for has runs of a few hundred."""

State = tuple[int, int]
"""A generation's number, and which state of it; see tables.WRITTEN."""

Column = Literal["rows", "words"]


class KeptCells:
    """The packed rows and the words of cells, of one state of the index; threads share it."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.bytes = 0
        self._table = f"chunk_{state[0]}"
        self._cells: dict[Column, dict[int, bytes]] = {"rows": {}, "words": {}}
        self._occupied: list[int] = []

    def read(
        self, db: sqlite3.Connection, column: Column, runs: Iterable[tuple[int, int]]
    ) -> bytes:
        """What the cells of some runs (first and last) hold in a column, one after another."""
        known, found = self._cells[column], []
        for first, last in runs:
            cells = self._with_anybody(db, first, last)
            if missing := [cell for cell in cells if cell not in known]:
                self._fetch(db, column, missing)
            found += [known[cell] for cell in cells]
        return b"".join(found)

    def _with_anybody(self, db: sqlite3.Connection, first: int, last: int) -> Sequence[int]:
        """The cells of a run: of a long one those alone that anybody is in, which takes 20 ms."""
        if last - first < _LONG_RUN:
            return range(first, last + 1)
        if not self._occupied:
            cells = f"SELECT DISTINCT id / {CHUNKS_PER_CELL} FROM {self._table} ORDER BY 1"
            self._occupied = [cell for (cell,) in db.execute(cells)]
        every = self._occupied
        return every[bisect_left(every, first) : bisect_right(every, last)]

    def _fetch(self, db: sqlite3.Connection, column: Column, cells: Sequence[int]) -> None:
        known = self._cells[column]
        chunks = db.execute(
            f"SELECT id / {CHUNKS_PER_CELL}, {column} FROM {self._table} "
            "WHERE id BETWEEN ? AND ? ORDER BY id",
            [cells[0] * CHUNKS_PER_CELL, (cells[-1] + 1) * CHUNKS_PER_CELL - 1],
        )
        for cell, several in groupby(chunks, key=lambda chunk: chunk[0]):
            content = b"".join(part for _, part in several)
            known[cell] = content
            self.bytes += len(content)
        for cell in cells:
            known.setdefault(cell, b"")
