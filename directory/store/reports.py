"""What patients report as wrong with a listing; nobody is asked who they are."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from directory.store.database import Transaction, utc
from directory.store.models import ReportRow

LONGEST_TEXT = 1_000


@dataclass(frozen=True)
class Report:
    """One report: the listing, its field that is wrong, and what the patient says of it.

    Whoever knows the `reference` may see what became of it.
    """

    reference: str
    listing_id: str
    field: str
    text: str
    made_at: datetime


def keep(session: Transaction, listing_id: str, field: str, text: str, at: datetime) -> str:
    """Keep a report; says its reference."""
    reference = secrets.token_urlsafe(16)
    session.add(
        ReportRow(
            reference=reference, listing_id=listing_id, field=field, text=text, made_at=at
        )
    )  # fmt: skip
    session.flush()
    return reference


def find(session: Transaction, reference: str) -> Report | None:
    """The report with this reference."""
    row = session.get(ReportRow, reference)
    if row is None:
        return None
    return Report(row.reference, row.listing_id, row.field, row.text, utc(row.made_at))
