"""The changefeed: every listing at its latest state, in the order of its latest change.

A number is given out under a lock that is held to the commit (database.py), so whoever has read
up to a number has seen everything before it. Read from 0 it is the whole directory. It is also a
door to the outside: what leaves here is what anybody may see.

Numbers alone do not tell two histories apart: a store that was restored from a backup counts on
from there, and soon has as many changes as the index has seen of the lost ones. So each write has a
mark, the index remembers that of its position, and a store that does not know it is not the one
that the index was made from.
"""

import logging
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import Text, cast, func, select

from directory.fields import STORED
from directory.listing import Change, Listing, published
from directory.store.bulk import table_of
from directory.store.database import Transaction, utc
from directory.store.listings import Status
from directory.store.models import ChangeCounterRow, ChangeMarkRow, ListingRow

log = logging.getLogger("directory.store")

_LISTING = table_of(ListingRow)
_DOCUMENT_AS_TEXT = cast(_LISTING.c.document, Text)
_MAY_HIDE = '"area_only"'
"""Without it a document has nothing to hide (a rule of published)."""


def position(session: Transaction) -> int:
    """The number of the latest change; 0 where nothing was ever written."""
    return session.get_one(ChangeCounterRow, 1).number


def mark(session: Transaction, position: int) -> str:
    """The mark of the write that a change number belongs to; empty where nobody made one.

    Writes before there were marks have none, nor have those of an older version that still runs.
    """
    row = session.scalar(
        select(ChangeMarkRow)
        .where(ChangeMarkRow.number >= position)
        .order_by(ChangeMarkRow.number)
        .limit(1)
    )
    return f"{row.number}-{row.token}" if row else ""


def has_history(session: Transaction, reached: int, known: str) -> bool:
    """Whether an index that has reached a position, with a mark, was made from this history."""
    if reached > position(session):
        return False
    number, _, token = known.partition("-")
    row = session.get(ChangeMarkRow, int(number)) if known else None
    return not known or (row is not None and row.token == token)


def first_after(session: Transaction, position: int) -> datetime | None:
    """When the first change after a position was made (UTC); None where there is none."""
    found = session.scalar(
        select(ListingRow.updated_at)
        .where(ListingRow.change_number > position)
        .order_by(ListingRow.change_number)
        .limit(1)
    )
    return found and utc(found)


def last_at(session: Transaction) -> datetime | None:
    """When the latest change was made (UTC); None where there is none."""
    rows = select(ListingRow.updated_at).order_by(ListingRow.change_number.desc())
    found = session.scalar(rows.limit(1))
    return found and utc(found)


def counts(session: Transaction, position: int) -> tuple[int, int]:
    """How many listings are published and unchanged since a position, and how many have changed."""
    is_later = ListingRow.change_number > position
    is_published = ListingRow.status == Status.PUBLISHED
    row = session.execute(
        select(
            func.count().filter(~is_later & is_published), func.count().filter(is_later)
        ).select_from(ListingRow)
    ).one()
    return row[0], row[1]


def changes(session: Transaction, *, since: int, limit: int) -> list[Change]:
    """Up to `limit` changes after a position, in order."""
    rows = session.execute(
        select(_LISTING.c.change_number, _LISTING.c.id, _LISTING.c.status, _DOCUMENT_AS_TEXT)
        .add_columns(_LISTING.c.updated_at)
        .where(_LISTING.c.change_number > since)
        .order_by(_LISTING.c.change_number)
        .limit(limit)
    )
    return [
        Change(number, id_, _seen(id_, document) if status == Status.PUBLISHED else None, utc(at))
        for number, id_, status, document, at in rows
    ]


def _seen(id_: str, document: str | None) -> bytes | None:
    """A stored document as anybody may see it; nearly always as it is."""
    if document is None or _MAY_HIDE not in document:
        return (document and document.encode()) or None
    try:
        listing = Listing.model_validate_json(document, context=STORED)
    except ValidationError:
        # Nothing of it leaves, as nobody knows what it hides; nor does the error, which quotes it.
        log.error("%s is left out: its document cannot be read", id_)
        return None
    return published(listing).model_dump_json(exclude_defaults=True).encode()
