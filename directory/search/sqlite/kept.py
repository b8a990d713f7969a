"""The cells that searches have read, kept in memory until the index is written to.

Reading the chunks of a wide circle takes longer than judging them. What is kept belongs to one
state of one generation; a search that sees another one begins anew, so nothing here is stale.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal

from directory.search.sqlite.chunks import CHUNKS_PER_CELL
from directory.search.sqlite.columns import state_bits

MOST_BYTES = 96_000_000
"""Of a process's 300 MB. A listing takes 80 bytes, and where there is text another 120."""

_MOST_CELLS = 6_000
"""The widest circle that can be asked for, of 500 miles, touches 5,200 at the border of Canada."""

_AT_ONCE_BYTES = 8_000_000
"""Of a state or a whole country, so much is read and judged, and then the next."""

State = tuple[int, int]
"""A generation's number, and which state of it; see tables.WRITTEN."""

Run = tuple[int, int]
"""The numbers of the first and the last of some cells in a row."""

Read = tuple[bytes, bytes]
"""The packed rows of some cells, and their words."""

_Column = Literal["rows", "words"]


class KeptCells:
    """The packed rows and the words of cells, of one state of the index; threads share it."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.bytes = 0
        self._table = f"chunk_{state[0]}"
        self._cells: dict[_Column, dict[int, bytes]] = {"rows": {}, "words": {}}

    def read(
        self, db: sqlite3.Connection, runs: Sequence[Run], states: Sequence[str], *, words: bool
    ) -> Iterator[Read]:
        """What all cells of some runs hold, in one piece; in several where they are very many.

        Then what has nobody in some states, if any are named, may be left out.
        """
        if sum(last - first + 1 for first, last in runs) > _MOST_CELLS:
            where = f"states & {state_bits(states)}" if states else "1"
            yield from self._passed(db, runs, where, words=words)
        else:
            rows = self._joined(db, "rows", runs)
            yield rows, self._joined(db, "words", runs) if words else b""

    def _passed(
        self, db: sqlite3.Connection, runs: Sequence[Run], where: str, *, words: bool
    ) -> Iterator[Read]:
        """What nobody keeps: a nation's cells would take all that there is to keep them in."""
        columns = "rows, words" if words else "rows, x''"
        piece: list[Read] = []
        size = 0
        for first, last in runs:
            for chunk in self._chunks(db, first, last, columns, where):
                piece.append(chunk)
                size += sum(map(len, chunk))
                if size >= _AT_ONCE_BYTES:
                    yield _one(piece)
                    piece, size = [], 0
        yield _one(piece)

    def _joined(self, db: sqlite3.Connection, column: _Column, runs: Sequence[Run]) -> bytes:
        known, found = self._cells[column], []
        for first, last in runs:
            cells = range(first, last + 1)
            if missing := [cell for cell in cells if cell not in known]:
                self._fetch(db, column, missing)
            found += [known[cell] for cell in cells]
        return b"".join(found)

    def _fetch(self, db: sqlite3.Connection, column: _Column, missing: Sequence[int]) -> None:
        known = self._cells[column]
        chunks = self._chunks(db, missing[0], missing[-1], f"id / {CHUNKS_PER_CELL}, {column}")
        for cell, several in groupby(chunks, key=lambda chunk: chunk[0]):
            if cell not in known:
                known[cell] = b"".join(part for _, part in several)
                self.bytes += len(known[cell])
        for cell in missing:
            known.setdefault(cell, b"")

    def _chunks(
        self, db: sqlite3.Connection, first: int, last: int, columns: str, where: str = "1"
    ) -> sqlite3.Cursor:
        return db.execute(
            f"SELECT {columns} FROM {self._table} WHERE id BETWEEN ? AND ? AND {where} ORDER BY id",
            [first * CHUNKS_PER_CELL, (last + 1) * CHUNKS_PER_CELL - 1],
        )


def _one(piece: Sequence[Read]) -> Read:
    return b"".join(rows for rows, _ in piece), b"".join(words for _, words in piece)
