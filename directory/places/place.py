"""What a place is, and what can go wrong in finding one."""

import re
from dataclasses import dataclass, field
from typing import Literal

from geopy.distance import great_circle

from directory.language import gettext

Kind = Literal["postal_code", "city", "state", "address", "point"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a patient searches: around a point (latitude, longitude in degrees), or a whole state.

    A state's point is the middle of its ZIPs, for a map to begin with; it is searched whole.
    `weight` orders places of one name, the largest first: population where it is known, else the
    number of ZIP codes. `zone` is a ZIP's time zone (IANA), where it is known. `alternatives` are
    the other places that the same words may mean.
    """

    label: str
    kind: Kind
    point: tuple[float, float]
    state: str | None = None
    weight: int = 0
    zone: str | None = None
    alternatives: tuple["Place", ...] = field(default=(), compare=False)


class PlaceNotFound(Exception):
    """Nobody knows such a place; `suggestions` are labels of places with a similar name."""

    def __init__(self, text: str, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(gettext("We can't find a place called “%(text)s”.", text=text))
        self.text = text
        self.suggestions = suggestions


class PlacesUnavailable(Exception):
    """The geocoding service did not answer; the place may well exist."""


_NUMBER = r"\s*([-+]?\d{1,3}(?:\.\d{0,20})?)\s*"
_COORDINATES = re.compile(f"{_NUMBER},{_NUMBER}")


def coordinates(text: str) -> tuple[float, float] | None:
    """The point that `lat,lon` names (degrees), None where the text is no pair of numbers.

    Raises ValueError where the numbers are no point of the earth.
    """
    if not (match := _COORDINATES.fullmatch(text)):
        return None
    latitude, longitude = float(match[1]), float(match[2])
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError(
            gettext(
                "%(point)s is no point: latitude goes from -90 to 90, longitude from -180 to 180",
                point=f"{latitude:g},{longitude:g}",
            )
        )
    return latitude, -180.0 if longitude == 180 else longitude


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """How far two points (degrees) are apart, metres on the sphere; for rules of thumb only.

    What patients see is measured by search/distance.py.
    """
    return float(great_circle(one, other).m)
