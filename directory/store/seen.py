"""How often listings were seen, by month: for their owners."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from directory.store.bulk import put, rows_where, table_of
from directory.store.database import Transaction
from directory.store.models import SeenRow

_SEEN = table_of(SeenRow)


@dataclass(frozen=True)
class Month:
    """How often a listing stood among results and was opened, in a month named by its first day."""

    month: date
    shown: int
    opened: int


def add(
    session: Transaction, month: date, shown: Mapping[str, int], opened: Mapping[str, int]
) -> None:
    """Add to what was counted of a month; writers take turns, so nothing is counted away."""
    ids = {*shown, *opened}
    there = select(_SEEN).where(_SEEN.c.month == month)
    before = {row.listing_id: row for row in rows_where(session, there, _SEEN.c.listing_id, ids)}

    def sum_of(id_: str) -> dict[str, object]:
        row = before.get(id_)
        return {
            "listing_id": id_, "month": month,
            "shown": (row.shown if row else 0) + shown.get(id_, 0),
            "opened": (row.opened if row else 0) + opened.get(id_, 0),
        }  # fmt: skip

    put(session, _SEEN, [sum_of(id_) for id_ in sorted(ids)])


def of_listing(session: Transaction, listing_id: str, months: int = 6) -> list[Month]:
    """The last months of a listing in which it was seen, the newest first."""
    rows = session.execute(
        select(_SEEN)
        .where(_SEEN.c.listing_id == listing_id)
        .order_by(_SEEN.c.month.desc())
        .limit(months)
    )
    return [Month(row.month, row.shown, row.opened) for row in rows]
