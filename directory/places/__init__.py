"""Words to a point: the gazetteer that ships, and any geopy service for what it does not know.

In a web request nothing sleeps and nothing waits long: the gazetteer answers at once, a service is
asked for street addresses only, with a short time limit, and what it said is remembered. *Not
found* is an answer and is remembered too; *unavailable* is not.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cachetools import TTLCache
from geopy.adapters import URLLibAdapter
from geopy.exc import GeopyError
from geopy.geocoders import SERVICE_TO_GEOCODER, options
from geopy.geocoders.base import Geocoder

from directory.language import gettext
from directory.places.census import CensusPlace
from directory.places.exact import AddressFinder
from directory.places.gazetteer import Gazetteer
from directory.places.place import (
    Place,
    PlaceNotFound,
    PlacesUnavailable,
    coordinates,
    metres_between,
)

SERVICE_TIMEOUT_S = 2.0
_REMEMBERED, _REMEMBERED_S = 10_000, 24 * 60 * 60


FARTHEST_M = 50_000.0
"""A point farther than this from the middle of its ZIP and of its city is another address's."""

# Where `requests` happens to be installed geopy would take it, which tries three times: a patient
# would wait 6 s for a service that is down, instead of 2.
options.default_adapter_factory = URLLibAdapter


class Places:
    """Resolves what a patient types. `service` is any geopy geocoder, or None for offline only.

    The gazetteer is made when it is first needed (over a second, and `indexer sync` and its
    like never need it).
    """

    def __init__(
        self, census: Callable[[], Iterable[CensusPlace]], service: Geocoder | None = None
    ) -> None:
        self._census = census
        self._service = service
        self._lock = threading.Lock()
        self._answers: TTLCache[str, tuple[Place, ...]] = TTLCache(_REMEMBERED, _REMEMBERED_S)

    @cached_property
    def _gazetteer(self) -> Gazetteer:
        return Gazetteer(self._census())

    def locate(self, text: str) -> Place:
        """The place that a text names, with the others that it may mean.

        An ambiguous name is the largest of its places, and a state before a city; the others are
        its alternatives. Raises PlaceNotFound and PlacesUnavailable.
        """
        if point := coordinates(text):
            return Place(f"{point[0]:g}, {point[1]:g}", "point", point)
        found = self.matches(text)
        if self._service and (_is_address(text) or not found):
            found = self._from_service(self._service, text) or found
        if not found:
            raise PlaceNotFound(text, self._gazetteer.similar(text))
        return replace(found[0], alternatives=found[1:])

    def matches(self, text: str) -> tuple[Place, ...]:
        """All places that the gazetteer knows by a text, the largest first; perhaps none."""
        return _asked(self._gazetteer, text)

    def beginning_with(self, text: str, limit: int) -> tuple[Place, ...]:
        """The places that a text may become as it is typed on, the largest first."""
        return self._gazetteer.beginning_with(text, limit)

    def zone(self, postal_code: str) -> ZoneInfo | None:
        """The time zone of a ZIP, where it is known."""
        try:
            return ZoneInfo(self._gazetteer.zone(postal_code[:5]) or "")
        except (ValueError, ZoneInfoNotFoundError):  # the package names `Napakiak` for one ZIP
            return None

    def nearest(self, point: tuple[float, float]) -> Place:
        """The ZIP nearest to a point (degrees)."""
        return self._gazetteer.nearest(point)

    def located(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """A source's fields with a location, by the gazetteer alone.

        Where the source gives none, or hides its street, it is the middle of the address's ZIP, if
        that is in its state, else of its city; where neither is known, or there is no address, the
        fields stay as they are.
        """
        address = fields.get("address")
        is_there = "location" in fields and fields.get("area_only") is not True
        if is_there or not isinstance(address, dict):
            return fields
        without = {name: value for name, value in fields.items() if name != "location"}
        if not (place := self.middle(address)):
            return without
        latitude, longitude = place.point
        location = {"lat": latitude, "lon": longitude, "precision": place.kind}
        return without | {"location": location | {"method": "gazetteer"}}

    def middle(self, address: Mapping[str, Any]) -> Place | None:
        """The ZIP or city of an address, as far as the gazetteer knows it."""
        zip_, city, state = (str(address.get(n)) for n in ("postal_code", "city", "state"))
        return self._gazetteer.zip_in(zip_[:5], state) or self._gazetteer.city_in(city, state)

    def farness(self, address: Mapping[str, Any], point: tuple[float, float]) -> float | None:
        """How far a point is from the middle of its address's ZIP or city, the nearer (metres).

        None where neither is known in its state.
        """
        zip_, city, state = (str(address.get(n)) for n in ("postal_code", "city", "state"))
        middles = self._gazetteer.zip_in(zip_[:5], state), self._gazetteer.city_in(city, state)
        return min((metres_between(each.point, point) for each in middles if each), default=None)

    def finder(self, per_second: float) -> AddressFinder | None:
        """What asks the operator's service for the points of addresses, where there is one."""
        return AddressFinder(self._service, per_second) if self._service else None

    def _from_service(self, service: Geocoder, text: str) -> tuple[Place, ...]:
        with self._lock:
            if text in self._answers:
                return self._answers[text]
        try:
            found = _asked(service, text)
        except GeopyError as error:
            raise PlacesUnavailable(
                gettext("Addresses cannot be looked up at the moment. A ZIP or “City, ST” works.")
            ) from error
        with self._lock:
            self._answers[text] = found[:1]
        return found[:1]


def _asked(geocoder: Geocoder, text: str) -> tuple[Place, ...]:
    """What a geocoder, ours or a service, knows by a text."""
    found = geocoder.geocode(text, exactly_one=False, timeout=SERVICE_TIMEOUT_S) or []
    return tuple(
        each.raw["place"]
        if isinstance(geocoder, Gazetteer)
        else Place(each.address, "address", (each.latitude, each.longitude))
        for each in found
    )


def places(
    geocoder: str, said: dict[str, object], census: Callable[[], Iterable[CensusPlace]]
) -> Places:
    """The places of an operator's settings: `gazetteer` alone, or with the named geopy service.

    Raises ValueError where there is no such service, or its options are not right.
    """
    if geocoder == "gazetteer":
        return Places(census)
    if geocoder not in SERVICE_TO_GEOCODER:
        known = ", ".join(sorted(SERVICE_TO_GEOCODER))
        raise ValueError(f"there is no geocoder {geocoder!r}; there are gazetteer, {known}")
    try:
        return Places(census, SERVICE_TO_GEOCODER[geocoder](**said))
    except (GeopyError, TypeError) as error:
        raise ValueError(f"geocoder {geocoder}: {error}") from error


def _is_address(text: str) -> bool:
    """Whether a text begins like a street address: `12 Main St`."""
    number, _, rest = text.strip().partition(" ")
    return number.isdigit() and bool(rest)
