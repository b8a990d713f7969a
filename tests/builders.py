"""Makes the values that tests speak of, with everything that a test does not name filled in."""

from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from directory.listing import Change, Facts, Listing, Provenance, Source
from directory.search.distance import metres, to_grid

FIELDS = tuple(Facts.model_fields)
AUSTIN = (30.2713, -97.7426)
TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def a_listing(id: str = "ana-nunez", **fields: Any) -> Listing:  # noqa: A002  # the field's name
    """A listing; `point` sets latitude and longitude at once."""
    point = fields.pop("point", AUSTIN)
    said = {
        "name": {"given": "Ana", "family": "Núñez"},
        "profession": "physical-therapist",
        "address": {"line1": "1 Main St", "city": "Austin", "state": "TX", "postal_code": "78701"},
        "location": {"lat": point[0], "lon": point[1], "precision": "rooftop"},
        **fields,
    }
    provenance = Provenance(source=Source.CLINIC, as_of=TODAY)
    return Listing.model_validate(
        {**said, "id": id, "provenance": {field: provenance for field in FIELDS if field in said}}
    )


def facts(**fields: Any) -> Facts:
    """The facts of `a_listing`, as a source states them."""
    listing = a_listing(**fields)
    stated = listing.model_dump(exclude={"id", "provenance"}, exclude_unset=True)
    return Facts.model_validate(stated)


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The product's distance between two points, in metres."""
    return float(metres(one, to_grid(np.array([other[0]]), np.array([other[1]])))[0])


def a_put(number: int, listing: Listing, at: datetime = NOW) -> Change:
    """The change that puts a listing."""
    return Change.of(number, listing, at)


def a_delete(number: int, id: str) -> Change:  # noqa: A002  # the field's name
    """The change that deletes a listing."""
    return Change(number, id, None, NOW)
