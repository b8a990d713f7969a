"""What sources have said, as it is stored: statements by source and key."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from directory.listing import Source
from directory.store import clinics
from directory.store.bulk import rows_where, table_of
from directory.store.database import Transaction
from directory.store.models import StatementRow
from directory.store.statement import Fields, Statement

STATEMENT = table_of(StatementRow)

Name = tuple[str, str]
"""What names a statement: its source and its key."""


@dataclass(frozen=True)
class SaidOf:
    """A stored statement and the listing that it is of; without fields it was taken back.

    It was said `as_of`, and the same again `until`.
    """

    listing_id: str
    as_of: date
    until: date
    fields: Fields | None
    base: str | None = None


def statements_said(session: Transaction, names: Iterable[Name]) -> dict[Name, SaidOf]:
    """What is stored under these sources and keys."""
    keys: dict[str, set[str]] = {}
    for source, key in names:
        keys.setdefault(source, set()).add(key)
    found: dict[Name, SaidOf] = {}
    for source, wanted in keys.items():
        of_source = select(STATEMENT).where(STATEMENT.c.source == source)
        rows = rows_where(session, of_source, STATEMENT.c.key, wanted)
        found |= {
            (source, row.key): SaidOf(row.listing_id, row.as_of, row.until, row.fields, row.base)
            for row in rows
        }
    return found


def statements_of(session: Transaction, listing_id: str) -> list[Statement]:
    """What is said of a listing, by source and key, as of when it was said last."""
    there = select(STATEMENT).where(
        STATEMENT.c.listing_id == listing_id, STATEMENT.c.fields.is_not(None)
    )
    return [
        Statement(Source(row.source), row.key, row.until, row.fields, row.base)
        for row in session.execute(there.order_by(STATEMENT.c.source, STATEMENT.c.key))
    ]


def further(session: Transaction, bases: Collection[Name]) -> list[Any]:
    """The stored statements of further practices upon these bases."""
    still_said = select(STATEMENT).where(STATEMENT.c.fields.is_not(None)).order_by(STATEMENT.c.key)
    rows = rows_where(session, still_said, STATEMENT.c.base, {key for _, key in bases})
    return [row for row in rows if (row.source, row.base) in bases]


def keys_said(session: Transaction, source: Source) -> set[str]:
    """The keys under which a source says something, of practitioners and of clinics."""
    said = select(STATEMENT.c.key).where(
        STATEMENT.c.source == source, STATEMENT.c.fields.is_not(None)
    )
    return {*session.scalars(said), *clinics.keys(session, source)}
