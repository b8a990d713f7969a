"""Reading listings as they stand, and what time does to them."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import func, select

from directory.fields import STORED
from directory.listing import Listing
from directory.store.bulk import rows_where, table_of
from directory.store.database import Transaction
from directory.store.models import ListingRow

_LISTING = table_of(ListingRow)


class Status(StrEnum):
    """Where a listing stands; only a published one is in the search index."""

    PUBLISHED = "published"
    HELD = "held"
    LAPSED = "lapsed"
    NOT_OFFERED = "not_offered"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """What recording something that a source says came to."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Made:
    """Who makes a change, when (UTC) and why; part of every revision."""

    by: str
    at: datetime
    reason: str

    @property
    def today(self) -> date:
        """The day of the change."""
        return self.at.date()


@dataclass(frozen=True)
class StoredListing:
    """A listing with where it stands. `listing` is None once everything said was withdrawn."""

    id: str
    status: Status
    reason: str | None
    listing: Listing | None


def find(session: Transaction, id_: str) -> StoredListing | None:
    """The listing with this id, whatever its status."""
    row = session.get(ListingRow, id_)
    if row is None:
        return None
    listing = Listing.model_validate(row.document, context=STORED) if row.document else None
    return StoredListing(row.id, Status(row.status), row.reason, listing)


def existing(session: Transaction, ids: Collection[str]) -> set[str]:
    """Which of these ids are those of listings, whatever their status."""
    return {row.id for row in rows_where(session, select(_LISTING.c.id), _LISTING.c.id, ids)}


def counts(session: Transaction) -> Counter[Status]:
    """How many listings stand where."""
    rows = session.execute(select(ListingRow.status, func.count()).group_by(ListingRow.status))
    return Counter({Status(status): count for status, count in rows})
