"""The changefeed: every listing at its latest state, in the order of its latest change.

A number is given out under a lock that is held to the commit (database.py), so whoever has read
up to a number has seen everything before it.
"""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from directory.listing import Change, Listing
from directory.store.listings import Status
from directory.store.models import ChangeCounterRow, ListingRow


def position(session: Session) -> int:
    """The number of the latest change; 0 where nothing was ever written."""
    return session.get_one(ChangeCounterRow, 1).number


def changes(session: Session, *, since: int, limit: int) -> list[Change]:
    """Up to `limit` changes after a position, in order."""
    rows = session.scalars(
        select(ListingRow)
        .where(ListingRow.change_number > since)
        .order_by(ListingRow.change_number)
        .limit(limit)
    )
    return [_change(row) for row in rows]


def published(session: Session) -> Iterator[Change]:
    """All published listings, in the order of their ids, read as they are consumed."""
    rows = session.scalars(
        select(ListingRow)
        .where(ListingRow.status == Status.PUBLISHED)
        .order_by(ListingRow.id)
        .execution_options(yield_per=1000)
    )
    return (_change(row) for row in rows)


def _change(row: ListingRow) -> Change:
    visible = row.status == Status.PUBLISHED and row.document
    return Change(row.change_number, row.id, Listing.model_validate(visible) if visible else None)
