"""Where addresses lie, as far as somebody more exact than the gazetteer has said."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from directory.store.bulk import put, rows_where, table_of
from directory.store.database import Transaction
from directory.store.models import AddressPointRow
from directory.store.statement import Fields

_POINT = table_of(AddressPointRow)


@dataclass(frozen=True)
class AddressPoint:
    """Where a building lies, degrees, by whom and since when; without a location nobody knows."""

    building: str
    location: Fields | None
    found_by: str
    found_at: datetime


def points(session: Transaction, buildings: Collection[str]) -> Mapping[str, Fields | None]:
    """The locations of these buildings, None where one was looked for in vain."""
    rows = rows_where(session, select(_POINT), _POINT.c.building, buildings)
    return {row.building: _location(row) for row in rows}


def keep(session: Transaction, points: Iterable[AddressPoint]) -> None:
    """Keep where buildings lie, in place of what was known."""
    latest = {point.building: point for point in points}
    put(session, _POINT, [_values(point) for point in latest.values()])


def _values(point: AddressPoint) -> dict[str, object]:
    location = point.location or {}
    return {
        "building": point.building, "found_by": point.found_by[:50], "found_at": point.found_at,
        **{name: location.get(name) for name in ("lat", "lon", "precision")},
    }  # fmt: skip


def _location(row: Any) -> Fields | None:  # noqa: ANN401  # a row of the table
    if row.precision is None:
        return None
    point = {"lat": row.lat, "lon": row.lon, "precision": row.precision}
    return point | {"method": "geocoder"}
