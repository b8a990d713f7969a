"""The listings whose locations were worked out from a ZIP or a city, and could be better."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from directory.listing import Source
from directory.store.database import Transaction
from directory.store.keys import keys_of
from directory.store.models import ListingRow, StatementRow
from directory.store.statement import Fields, Statement


@dataclass(frozen=True)
class Approximate:
    """A listing, its address, and the statements that place it there by the gazetteer."""

    listing_id: str
    building: str
    address: Fields
    statements: tuple[Statement, ...]


def approximate(session: Transaction, *, after: str, limit: int) -> Sequence[Approximate]:
    """Up to `limit` such listings behind an id, in order; none once all were seen."""
    found: list[Approximate] = []
    while len(found) < limit:
        rows = session.execute(
            select(ListingRow.id, ListingRow.building, ListingRow.document)
            .where(ListingRow.id > after, ListingRow.building.is_not(None))
            .order_by(ListingRow.id)
            .limit(limit)
        ).all()
        if not rows:
            break
        after = rows[-1].id
        worked_out = [row for row in rows if _is_worked_out(row.document)]
        said = _statements(session, [row.id for row in worked_out])
        for row in worked_out:
            there = tuple(
                s for s in said.get(row.id, ()) if keys_of(s.fields).building == row.building
            )
            found.append(Approximate(row.id, row.building, row.document["address"], there))
    return found


def _is_worked_out(document: Fields) -> bool:
    is_ours = document["location"].get("method") == "gazetteer"
    return is_ours and not document.get("area_only")


def _statements(session: Transaction, ids: Sequence[str]) -> dict[str, list[Statement]]:
    rows = session.scalars(
        select(StatementRow).where(
            StatementRow.listing_id.in_(ids), StatementRow.fields.is_not(None)
        )
    )
    found: dict[str, list[Statement]] = {}
    for row in rows:
        fields = row.fields or {}
        if "location" in fields and _is_worked_out(fields):
            statement = Statement(Source(row.source), row.key, row.as_of, fields, row.base)
            found.setdefault(row.listing_id, []).append(statement)
    return found
