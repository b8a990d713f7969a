"""Filling a generation from nothing, many times as fast as change by change.

A listing goes into the next place of its cell, so its chunk is known at once; its packed row is
laid aside under that chunk, and the chunks are joined from there once, at the end. Change by
change, every batch would write nearly every chunk anew.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from directory.listing import Change
from directory.search.entry import Entry, entry
from directory.search.sqlite import lookup_rows
from directory.search.sqlite.cells import cell_of
from directory.search.sqlite.chunks import CHUNK_ROWS, CHUNKS_PER_CELL
from directory.search.sqlite.columns import pack, states_of
from directory.search.sqlite.lookup_rows import Placed
from directory.search.sqlite.tables import words_of

_ASIDE = (
    "CREATE TABLE IF NOT EXISTS aside_{0} (chunk, row, words)",
    "CREATE TABLE IF NOT EXISTS aside_name_{0} (name)",
)


class Filling:
    """Fills the tables of a new generation, in the transactions that it is given."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._in_cell: Counter[int] = Counter()
        self._codes: dict[str, int] = {}
        self._rows = 0

    def add(self, db: sqlite3.Connection, changes: Sequence[Change]) -> bool:
        """Take changes; False, and nothing is taken, where one is of a listing that is there.

        Then the filling is to be finished, and the rest applied change by change.
        """
        first = self._rows + 1
        entries, placed = [], []
        for row, change in enumerate(changes, first):
            if change.document:
                entries.append(entry(change.document))
                placed.append(Placed(row, entries[-1], change.updated_at))
        chunks = [self._next_chunk(each) for each in entries]
        packed = {each.id: each.document.packed for each in entries}
        chunk_of = dict(zip((each.id for each in entries), chunks, strict=True))
        db.execute("SAVEPOINT adding")
        try:
            db.executemany(
                f"INSERT INTO listing_{self._number} VALUES (?, ?, ?, ?, ?)",
                (
                    (row, c.id, c.number, chunk_of.get(c.id), packed.get(c.id))
                    for row, c in enumerate(changes, first)
                ),
            )
        except sqlite3.IntegrityError:
            db.execute("ROLLBACK TO adding")
            db.execute("RELEASE adding")  # rolling back leaves the savepoint itself
            return False
        codes = self._codes | self._add_words(db, entries)
        self._lay_aside(db)
        lookup_rows.fill(db, self._number, placed)
        db.executemany(
            f"INSERT INTO aside_name_{self._number} VALUES (?)",
            ((name,) for each in entries for name in each.names),
        )
        rows = zip(chunks, pack(entries, codes), strict=True)
        db.executemany(
            f"INSERT INTO aside_{self._number} VALUES (?, ?, ?)",
            ((chunk, row, words) for chunk, (row, words) in rows),
        )
        db.execute(
            "UPDATE generation SET documents = documents + ? WHERE number = ?",
            [len(entries), self._number],
        )
        db.execute("RELEASE adding")
        # Last, as an entry that cannot be packed is no reason to forget what is in the tables.
        self._rows, self._codes = self._rows + len(changes), codes
        return True

    def finish(self, db: sqlite3.Connection) -> None:
        """Join what was laid aside to chunks, and count the names; make ready for lookups."""
        self._lay_aside(db)
        db.executemany(
            f"INSERT INTO chunk_{self._number} VALUES (?, ?, ?, ?)", _joined(db, self._number)
        )
        db.execute(
            f"INSERT INTO name_{self._number} "
            f"SELECT name, count(*) FROM aside_name_{self._number} GROUP BY name ORDER BY name"
        )
        for name in ("aside", "aside_name"):
            db.execute(f"DROP TABLE {name}_{self._number}")
        lookup_rows.finish(db, self._number)

    def _lay_aside(self, db: sqlite3.Connection) -> None:
        for statement in _ASIDE:
            db.execute(statement.format(self._number))

    def _next_chunk(self, new: Entry) -> int:
        cell = cell_of(*new.point)
        place = self._in_cell[cell]
        self._in_cell[cell] += 1
        return cell * CHUNKS_PER_CELL + place // CHUNK_ROWS

    def _add_words(self, db: sqlite3.Connection, entries: Sequence[Entry]) -> dict[str, int]:
        """Write the words that are new; says their numbers."""
        unknown = words_of(entries) - self._codes.keys()
        new = dict(zip(sorted(unknown), range(len(self._codes) + 1, 1 << 30), strict=False))
        db.executemany(
            f"INSERT INTO word_{self._number} (word, id) VALUES (?, ?)", list(new.items())
        )
        return new


def _joined(db: sqlite3.Connection, number: int) -> Iterator[tuple[int, int, bytes, bytes]]:
    aside = db.execute(f"SELECT chunk, row, words FROM aside_{number} ORDER BY chunk")
    for chunk, rows in groupby(aside, key=lambda row: row[0]):
        parts = list(rows)
        joined = b"".join(row for _, row, _ in parts)
        yield chunk, states_of(joined), joined, b"".join(words for *_, words in parts)
