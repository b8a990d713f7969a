"""Reading listings as they stand, and what time does to them."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import func, select

from directory.fields import STORED
from directory.listing import Answer, Listing, published
from directory.store.bulk import rows_where, table_of
from directory.store.database import Transaction, utc
from directory.store.models import ListingRow

_LISTING = table_of(ListingRow)
_IS_CONFIRMED = _LISTING.c.document["dry_needling"].as_string() == Answer.YES


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
    """A listing with where it stands. `listing` is None once everything said was withdrawn.

    `change_number` is that of its latest change, made at `updated_at` (UTC): whoever changes it
    says which state was seen.
    """

    id: str
    status: Status
    reason: str | None
    listing: Listing | None
    change_number: int
    updated_at: datetime


def find(session: Transaction, id_: str) -> StoredListing | None:
    """The listing with this id, whatever its status."""
    row = session.get(ListingRow, id_)
    return _stored(row) if row else None


def all_of_npi(session: Transaction, npi: str) -> list[StoredListing]:
    """The listings that have this NPI, whatever their status, in the order of their ids."""
    rows = session.scalars(select(ListingRow).where(ListingRow.npi == npi).order_by(ListingRow.id))
    return [_stored(row) for row in rows]


def _stored(row: ListingRow) -> StoredListing:
    listing = Listing.model_validate(row.document, context=STORED) if row.document else None
    return StoredListing(
        id=row.id,
        status=Status(row.status),
        reason=row.reason,
        listing=listing,
        change_number=row.change_number,
        updated_at=utc(row.updated_at),
    )


@dataclass(frozen=True)
class City:
    """A city with confirmed listings, as their addresses have it."""

    name: str
    state: str
    listings: int


def of_npi(session: Transaction, npi: str) -> list[Listing]:
    """The published listings of a practitioner, at all locations, in the order of their ids."""
    there = select(_LISTING.c.document).where(
        _LISTING.c.npi == npi, _LISTING.c.status == Status.PUBLISHED
    )
    rows = session.scalars(there.order_by(_LISTING.c.id))
    return [published(Listing.model_validate(row, context=STORED)) for row in rows]


def cities(session: Transaction) -> list[City]:
    """The cities in which somebody has confirmed to do dry needling, by state and name."""
    address = _LISTING.c.document["address"]
    name, state = address["city"].as_string(), address["state"].as_string()
    rows = session.execute(
        select(name, state, func.count())
        .where(_LISTING.c.status == Status.PUBLISHED, _IS_CONFIRMED)
        .group_by(name, state)
        .order_by(state, name)
    )
    return [City(*row) for row in rows]


def count_confirmed(session: Transaction) -> int:
    """How many published listings confirm dry needling."""
    there = select(func.count()).where(_LISTING.c.status == Status.PUBLISHED, _IS_CONFIRMED)
    return session.scalars(there).one()


def confirmed_ids(session: Transaction, offset: int, limit: int) -> list[str]:
    """The ids of published listings that confirm dry needling, in order."""
    there = select(_LISTING.c.id).where(_LISTING.c.status == Status.PUBLISHED, _IS_CONFIRMED)
    return list(session.scalars(there.order_by(_LISTING.c.id).offset(offset).limit(limit)))


def existing(session: Transaction, ids: Collection[str]) -> set[str]:
    """Which of these ids are those of listings, whatever their status."""
    return {row.id for row in rows_where(session, select(_LISTING.c.id), _LISTING.c.id, ids)}


def counts(session: Transaction) -> Counter[Status]:
    """How many listings stand where."""
    rows = session.execute(select(ListingRow.status, func.count()).group_by(ListingRow.status))
    return Counter({Status(status): count for status, count in rows})
