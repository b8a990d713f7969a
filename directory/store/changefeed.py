"""The changefeed: every listing at its latest state, in the order of its latest change.

A number is given out under a lock that is held to the commit (database.py), so whoever has read
up to a number has seen everything before it. Read from 0 it is the whole directory. It is also a
door to the outside: what leaves here is what anybody may see.
"""

from datetime import datetime

from sqlalchemy import select

from directory.fields import STORED
from directory.listing import Change, Listing, published
from directory.store.database import Transaction, utc
from directory.store.listings import Status
from directory.store.models import ChangeCounterRow, ListingRow


def position(session: Transaction) -> int:
    """The number of the latest change; 0 where nothing was ever written."""
    return session.get_one(ChangeCounterRow, 1).number


def first_after(session: Transaction, position: int) -> datetime | None:
    """When the first change after a position was made (UTC); None where there is none."""
    found = session.scalar(
        select(ListingRow.updated_at)
        .where(ListingRow.change_number > position)
        .order_by(ListingRow.change_number)
        .limit(1)
    )
    return found and utc(found)


def changes(session: Transaction, *, since: int, limit: int) -> list[Change]:
    """Up to `limit` changes after a position, in order."""
    rows = session.scalars(
        select(ListingRow)
        .where(ListingRow.change_number > since)
        .order_by(ListingRow.change_number)
        .limit(limit)
    )
    return [_change(row) for row in rows]


def _change(row: ListingRow) -> Change:
    if row.status != Status.PUBLISHED or not row.document:
        return Change(row.change_number, row.id, None)
    listing = Listing.model_validate(row.document, context=STORED)
    return Change(row.change_number, row.id, published(listing))
