"""What patients report as wrong with a listing; nobody is asked who they are."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

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
    outcome: "Outcome | None" = None
    answer: str | None = None
    answered_at: datetime | None = None


class Outcome(StrEnum):
    """What became of a report."""

    MENDED = "mended"
    RIGHT = "right"
    UNCLEAR = "unclear"


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
    return _report(row)


def answer(
    session: Transaction, reference: str, outcome: Outcome, text: str, by: str, at: datetime
) -> None:
    """Say what became of a report; an answer replaces the one before."""
    row = session.get_one(ReportRow, reference)
    row.outcome, row.answer, row.answered_by, row.answered_at = outcome, text, by, at
    session.flush()


def unanswered(session: Transaction, limit: int = 200) -> list[Report]:
    """The reports that nobody has answered, the oldest first."""
    there = select(ReportRow).where(ReportRow.outcome.is_(None)).order_by(ReportRow.made_at)
    return [_report(row) for row in session.scalars(there.limit(limit))]


def of_listing(session: Transaction, listing_id: str) -> list[Report]:
    """The reports of one listing, the newest first."""
    there = select(ReportRow).where(ReportRow.listing_id == listing_id)
    return [_report(row) for row in session.scalars(there.order_by(ReportRow.made_at.desc()))]


def _report(row: ReportRow) -> Report:
    return Report(
        row.reference, row.listing_id, row.field, row.text, utc(row.made_at),
        Outcome(row.outcome) if row.outcome else None, row.answer,
        utc(row.answered_at) if row.answered_at else None,
    )  # fmt: skip
