"""Where addresses lie, as far as somebody more exact than the gazetteer has said."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from directory.store.bulk import put, table_of
from directory.store.database import Transaction
from directory.store.models import AddressPointRow
from directory.store.statement import Fields


@dataclass(frozen=True)
class AddressPoint:
    """Where a building lies, degrees, by whom and since when; without a location nobody knows."""

    building: str
    location: Fields | None
    found_by: str
    found_at: datetime


def points(session: Transaction, buildings: Collection[str]) -> Mapping[str, Fields | None]:
    """The locations of these buildings, None where one was looked for in vain."""
    if not buildings:
        return {}
    rows = session.scalars(select(AddressPointRow).where(AddressPointRow.building.in_(buildings)))
    return {row.building: _location(row) for row in rows}


def keep(session: Transaction, points: Iterable[AddressPoint]) -> None:
    """Keep where buildings lie, in place of what was known."""
    latest = {point.building: point for point in points}
    put(session, table_of(AddressPointRow), [_values(point) for point in latest.values()])


def _values(point: AddressPoint) -> dict[str, object]:
    location = point.location or {}
    return {
        "building": point.building, "found_by": point.found_by[:50], "found_at": point.found_at,
        **{name: location.get(name) for name in ("lat", "lon", "precision")},
    }  # fmt: skip


def _location(row: AddressPointRow) -> Fields | None:
    if row.precision is None:
        return None
    point = {"lat": row.lat, "lon": row.lon, "precision": row.precision}
    return point | {"method": "geocoder"}
