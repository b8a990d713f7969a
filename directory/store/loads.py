"""What was loaded when, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from directory.store.database import Transaction, utc
from directory.store.models import LoadRow


@dataclass(frozen=True)
class Load:
    """One load of one file; one that is not finished was cut short, and is to be run again.

    `source` is what it was loaded as: csv, jsonl, clinics, fhir, nppes.
    """

    source: str
    file: str
    started_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]


def begin(session: Transaction, source: str, file: str, at: datetime) -> int:
    """Note that a load begins; says its number."""
    row = LoadRow(source=source, file=file[:500], started_at=at, counts={})
    session.add(row)
    session.flush()
    return row.id


def finish(session: Transaction, number: int, at: datetime, counts: Mapping[str, int]) -> None:
    """Note that a load is through."""
    row = session.get_one(LoadRow, number)
    row.finished_at, row.counts = at, dict(counts)


def last(session: Transaction) -> list[Load]:
    """The last load of each kind of source."""
    newest = select(func.max(LoadRow.id)).group_by(LoadRow.source)
    rows = session.scalars(select(LoadRow).where(LoadRow.id.in_(newest)).order_by(LoadRow.source))
    return [
        Load(row.source, row.file, utc(row.started_at), row.finished_at and utc(row.finished_at),
             row.counts)
        for row in rows
    ]  # fmt: skip
