"""Asking a geocoding service where an address is, and believing no more than it says."""

from collections.abc import Iterator, Mapping
from typing import Any

from geopy.exc import GeopyError
from geopy.extra.rate_limiter import RateLimiter
from geopy.geocoders import Nominatim
from geopy.geocoders.base import Geocoder
from geopy.location import Location

from directory.places.place import PlacesUnavailable
from directory.vocabulary.words import words

TIMEOUT_S, RETRIES, WAIT_S = 10.0, 2, 5.0
"""In the background there is time; after so many tries the service counts as down."""

_HOUSE = ("house_number", "housenumber", "street_number")
_ROAD = ("road", "street", "street_name")


class AddressFinder:
    """Asks a geopy service, `per_second` times at most, for the points of addresses."""

    def __init__(self, service: Geocoder, per_second: float) -> None:
        self.name = type(service).__name__.lower()
        self._more = {"addressdetails": True} if isinstance(service, Nominatim) else {}
        self._ask = RateLimiter(
            service.geocode,
            min_delay_seconds=1 / per_second,
            max_retries=RETRIES,
            error_wait_seconds=WAIT_S,
            swallow_exceptions=False,
        )

    def find(self, address: Mapping[str, Any]) -> dict[str, Any] | None:
        """The location of an address, None where the service does not know its street.

        PlacesUnavailable where it does not answer.
        """
        text = f"{address['line1']}, {address['city']}, {address['state']} {address['postal_code']}"
        try:
            found = self._ask(text, exactly_one=True, timeout=TIMEOUT_S, **self._more)
        except GeopyError as error:
            raise PlacesUnavailable(f"the geocoding service {self.name}: {error}") from error
        if not found or not (precision := _precision(found, address["line1"])):
            return None
        point = {"lat": found.latitude, "lon": found.longitude}
        return {**point, "precision": precision, "method": "geocoder"}


def _precision(found: Location, line1: str) -> str | None:
    """How exact an answer is: None where it names no more than the city."""
    said = dict(_flat(found.raw))
    if any(said.get(name) for name in _HOUSE):
        return "rooftop"
    number = words(line1)[:1]
    if any(said.get(name) for name in _ROAD) or set(number) <= set(words(found.address or "")[:3]):
        return "street"
    return None


def _flat(raw: object) -> Iterator[tuple[str, object]]:
    """The members of an answer, those inside others as well."""
    if isinstance(raw, Mapping):
        for name, value in raw.items():
            yield str(name), value
            yield from _flat(value)
