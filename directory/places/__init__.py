"""Words to a point: the gazetteer that ships, and any geopy service for what it does not know.

In a web request nothing sleeps and nothing waits long: the gazetteer answers at once, a service is
asked for street addresses only, with a short time limit, and what it said is remembered. *Not
found* is an answer and is remembered too; *unavailable* is not.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property

from cachetools import TTLCache
from geopy.exc import GeopyError
from geopy.geocoders import get_geocoder_for_service
from geopy.geocoders.base import Geocoder

from directory.places.census import CensusPlace
from directory.places.gazetteer import Gazetteer
from directory.places.place import Place, PlaceNotFound, PlacesUnavailable, coordinates

SERVICE_TIMEOUT_S = 2.0
_REMEMBERED, _REMEMBERED_S = 10_000, 24 * 60 * 60


class Places:
    """Resolves what a patient types. `service` is any geopy geocoder, or None for offline only.

    The gazetteer is made when it is first needed (it takes a second, and `indexer sync` and its
    like never need it).
    """

    def __init__(
        self, census: Callable[[], Iterable[CensusPlace]], service: Geocoder | None = None
    ) -> None:
        self._census = census
        self._service = service
        self._lock = threading.Lock()
        self._answers: TTLCache[str, Place | None] = TTLCache(_REMEMBERED, _REMEMBERED_S)

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
        found = self._gazetteer.candidates(text)
        if self._service and (_is_address(text) or not found):
            place = self._from_service(self._service, text)
            if place:
                return place
        if not found:
            raise PlaceNotFound(text, self._gazetteer.similar(text))
        return replace(found[0], alternatives=found[1:])

    def matches(self, text: str) -> tuple[Place, ...]:
        """All places of the gazetteer that a text may mean, the largest first; perhaps none."""
        return self._gazetteer.candidates(text)

    def offline(self, text: str) -> Place | None:
        """The largest place that a text names, by the gazetteer alone; None where it knows none."""
        return next(iter(self._gazetteer.candidates(text)), None)

    def _from_service(self, service: Geocoder, text: str) -> Place | None:
        with self._lock:
            if text in self._answers:
                return self._answers[text]
        try:
            found = service.geocode(text, timeout=SERVICE_TIMEOUT_S)
        except GeopyError as error:
            raise PlacesUnavailable(
                "Addresses cannot be looked up at the moment. A ZIP or “City, ST” works."
            ) from error
        place = None
        if found:
            place = Place(found.address, "address", (found.latitude, found.longitude))
        with self._lock:
            self._answers[text] = place
        return place


def places(
    geocoder: str, options: dict[str, object], census: Callable[[], Iterable[CensusPlace]]
) -> Places:
    """The places of an operator's settings: `gazetteer` alone, or with the named geopy service.

    Raises geopy's GeocoderNotFound or TypeError where the service or its options are unknown.
    """
    service = None if geocoder == "gazetteer" else get_geocoder_for_service(geocoder)(**options)
    return Places(census, service)


def _is_address(text: str) -> bool:
    """Whether a text begins like a street address: `12 Main St`."""
    number, _, rest = text.strip().partition(" ")
    return number.isdigit() and bool(rest)
