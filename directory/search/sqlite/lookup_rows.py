"""What the embedded index keeps for lookups: plain columns beside the listings, for SQL to search.

A row of `lookup` belongs to the listing's row of the same number. `further` leads to those rows
from the words of a person's name with which neither the given nor the family name begins. Words
and indexes are sorted once, at the end of a filling (docs/decisions/015-lookup.md).
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from directory.search.entry import FACET_VALUES, Entry, token
from directory.search.keywords import Keywords, stamp
from directory.search.lookup import Field

BETWEEN = "\t"
"""Around each value of a field that has several; no folded text holds it."""

_COLUMNS = ("id", *Keywords._fields)
"""All but the words of the name, which are found by the columns and `further`."""

_BITS = 62
"""Facet values a column: SQLite's whole numbers have 63 bits and a sign."""

_BIT = {token(facet, value): bit for bit, (facet, value) in enumerate(FACET_VALUES)}
FACET_COLUMNS = tuple(f"facets{n}" for n in range((len(FACET_VALUES) - 1) // _BITS + 1))

_WIDTH = 2 + len(_COLUMNS) + len(FACET_COLUMNS)
_LOOKUP = ", ".join(("row INTEGER PRIMARY KEY", *_COLUMNS, "updated INTEGER", *FACET_COLUMNS))
_TABLES = (
    f"CREATE TABLE lookup_{{0}} ({_LOOKUP})",
    "CREATE TABLE further_{0} (word TEXT, row INTEGER, PRIMARY KEY (word, row)) WITHOUT ROWID",
)
_ASIDE = "CREATE TABLE IF NOT EXISTS aside_further_{0} (word, row)"
_INDEXES = (
    "CREATE INDEX lookup_npi_{0} ON lookup_{0} (npi, id)",
    "CREATE INDEX lookup_family_{0} ON lookup_{0} (family)",
    "CREATE INDEX lookup_given_{0} ON lookup_{0} (given)",
    "CREATE INDEX lookup_clinic_{0} ON lookup_{0} (clinic)",
    "CREATE INDEX lookup_city_{0} ON lookup_{0} (city)",
    "CREATE INDEX lookup_postal_code_{0} ON lookup_{0} (postal_code)",
)
TABLES = ("lookup", "further", "aside_further")
INDEXED = frozenset(Field) - {Field.LINE1, Field.STATE, Field.TAXONOMY, Field.PROFESSION}
"""Fields that lead straight to their listings."""


class Placed(NamedTuple):
    """An entry, the number of its listing's row, and when the listing last changed."""

    row: int
    entry: Entry
    updated_at: datetime


def create(db: sqlite3.Connection, number: int) -> None:
    """Make the tables of a generation, empty and without indexes."""
    for statement in _TABLES:
        db.execute(statement.format(number))


def fill(db: sqlite3.Connection, number: int, new: Sequence[Placed]) -> None:
    """Add entries to a generation that is being filled; their names are laid aside."""
    db.execute(_ASIDE.format(number))
    _insert(db, number, new)
    db.executemany(f"INSERT INTO aside_further_{number} VALUES (?, ?)", _further(new))


def finish(db: sqlite3.Connection, number: int) -> None:
    """Sort what was laid aside, and make the indexes."""
    db.execute(_ASIDE.format(number))
    in_order = f"SELECT word, row FROM aside_further_{number} ORDER BY word, row"
    db.execute(f"INSERT INTO further_{number} {in_order}")
    db.execute(f"DROP TABLE aside_further_{number}")
    for statement in _INDEXES:
        db.execute(statement.format(number))


def replace(
    db: sqlite3.Connection, number: int, old: Sequence[tuple[int, Entry]], new: Sequence[Placed]
) -> None:
    """Take out the entries of some rows, and put others in."""
    db.executemany(f"DELETE FROM lookup_{number} WHERE row = ?", ((row,) for row, _ in old))
    db.executemany(
        f"DELETE FROM further_{number} WHERE word = ? AND row = ?",
        ((word, row) for row, entry in old for word in _further_words(entry)),
    )
    _insert(db, number, new)
    db.executemany(f"INSERT INTO further_{number} VALUES (?, ?)", _further(new))


def masks(tokens: Iterable[str]) -> tuple[int, ...]:
    """Facet values as bits, a number a column."""
    known = [_BIT[each] for each in tokens if each in _BIT]
    return tuple(
        sum(1 << bit % _BITS for bit in known if bit // _BITS == column)
        for column in range(len(FACET_COLUMNS))
    )


_masks_of = lru_cache(10_000)(masks)


def _insert(db: sqlite3.Connection, number: int, new: Iterable[Placed]) -> None:
    places = ", ".join("?" * _WIDTH)
    db.executemany(f"INSERT INTO lookup_{number} VALUES ({places})", map(_columns, new))


def _columns(placed: Placed) -> tuple[str | int, ...]:
    row, entry, updated_at = placed
    *texts, codes = entry.keywords
    taxonomy = BETWEEN.join(("", *codes, "")) if codes else ""
    return (row, entry.id, *texts, taxonomy, stamp(updated_at), *_masks_of(entry.facets))


def _further(new: Iterable[Placed]) -> Iterator[tuple[str, int]]:
    return ((word, row) for row, entry, _ in new for word in _further_words(entry))


def _further_words(entry: Entry) -> set[str]:
    of = entry.keywords
    return {*of.given.split()[1:], *of.middle.split(), *of.family.split()[1:]}
