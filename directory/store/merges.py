"""Two listings that were found to be one: what was moved, so that it can be moved back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from directory.store.database import Transaction, utc
from directory.store.models import MergeRow
from directory.store.said import Name


@dataclass(frozen=True)
class Merge:
    """What was given from the listing that has gone to the one that was kept, by whom and when."""

    id: int
    gone: str
    kept: str
    statements: tuple[Name, ...]
    owners: tuple[str, ...]
    by: str
    at: datetime
    undone_at: datetime | None


def keep(
    session: Transaction,
    gone: str,
    kept: str,
    statements: Sequence[Name],
    owners: Sequence[str],
    by: str,
    at: datetime,
) -> None:
    """Remember a merge: the statements and the owners that it moved."""
    moved = [list(each) for each in statements]
    session.add(MergeRow(gone=gone, kept=kept, statements=moved, owners=list(owners), by=by, at=at))
    session.flush()


def find(session: Transaction, id_: int) -> Merge | None:
    """A merge that was not undone yet."""
    row = session.get(MergeRow, id_)
    return _merge(row) if row and row.undone_at is None else None


def undone(session: Transaction, id_: int, at: datetime) -> None:
    """Remember that a merge was undone."""
    session.get_one(MergeRow, id_).undone_at = at
    session.flush()


def latest(session: Transaction, limit: int = 20) -> list[Merge]:
    """The merges that stand, the newest first."""
    rows = session.scalars(
        select(MergeRow)
        .where(MergeRow.undone_at.is_(None))
        .order_by(MergeRow.id.desc())
        .limit(limit)
    )
    return [_merge(row) for row in rows]


def _merge(row: MergeRow) -> Merge:
    return Merge(
        row.id, row.gone, row.kept, tuple((source, key) for source, key in row.statements),
        tuple(row.owners), row.by, utc(row.at), utc(row.undone_at) if row.undone_at else None,
    )  # fmt: skip
