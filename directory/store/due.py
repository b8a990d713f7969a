"""Which attestations are to be asked about, and that it was done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from directory.store.database import Transaction
from directory.store.listings import Status
from directory.store.models import ListingRow, OwnerRow, ReminderRow

DAYS = (75, 85, 90)
"""After so many days an owner is asked whether the listing is still right."""


@dataclass(frozen=True)
class Due:
    """A listing whose owners are to be asked, after so many days."""

    listing_id: str
    attested_on: date
    days: int


def due(session: Transaction, today: date) -> Sequence[Due]:
    """What is to be asked about today: the latest step only, and each once."""
    rows = session.execute(
        select(ListingRow.id, ListingRow.attested_on)
        .where(
            ListingRow.status == Status.PUBLISHED,
            ListingRow.attested_on <= today - timedelta(days=DAYS[0]),
            ListingRow.id.in_(select(OwnerRow.listing_id)),
        )
        .order_by(ListingRow.id)
    ).all()
    found = []
    for id_, on in rows:
        if on is None:
            continue
        days = max(step for step in DAYS if step <= (today - on).days)
        if session.get(ReminderRow, (id_, on, days)) is None:
            found.append(Due(id_, on, days))
    return found


def done(session: Transaction, each: Due) -> None:
    """Remember that the owners were asked."""
    session.add(
        ReminderRow(listing_id=each.listing_id, attested_on=each.attested_on, days=each.days)
    )
    session.flush()
