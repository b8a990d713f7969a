"""Asking a geocoding service where an address is, and believing no more than it says."""

import logging
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from geopy.exc import GeocoderQueryError, GeopyError
from geopy.extra.rate_limiter import RateLimiter
from geopy.geocoders import Nominatim
from geopy.geocoders.base import Geocoder
from geopy.location import Location

from directory.places.place import PlacesUnavailable
from directory.places.street import GENERIC, short_words, without_unit

TIMEOUT_S, RETRIES, WAIT_S = 10.0, 2, 5.0
"""In the background there is time; after so many tries the service counts as down."""

_HOUSE = ("house_number", "housenumber", "street_number")
_ROAD = ("road", "street", "street_name")


class AddressFinder:
    """Asks a geopy service, `per_second` times at most, for the points of addresses."""

    def __init__(self, service: Geocoder, per_second: float) -> None:
        # The rate limiter tells every failure with a traceback; what matters we tell ourselves.
        logging.getLogger("geopy").setLevel(logging.CRITICAL)
        self.name = type(service).__name__.lower()
        self._more = {"addressdetails": True} if isinstance(service, Nominatim) else {}
        self._ask = RateLimiter(
            partial(_ask, service),
            min_delay_seconds=1 / per_second,
            max_retries=RETRIES,
            error_wait_seconds=max(WAIT_S, 1 / per_second),
            swallow_exceptions=False,
        )

    def find(self, address: Mapping[str, Any]) -> dict[str, Any] | None:
        """The location of an address, None where the service does not know its street.

        PlacesUnavailable where it does not answer.
        """
        street = without_unit(address["line1"])
        text = f"{street}, {address['city']}, {address['state']} {address['postal_code']}"
        try:
            found = self._ask(text, exactly_one=True, timeout=TIMEOUT_S, **self._more)
        except GeopyError as error:
            raise PlacesUnavailable(f"the geocoding service {self.name}: {error}") from error
        if not found or not (precision := _precision(found, street)):
            return None
        point = {"lat": found.latitude, "lon": found.longitude}
        return {**point, "precision": precision, "method": "geocoder"}


def _ask(service: Geocoder, text: str, **options: Any) -> Location | None:  # noqa: ANN401  # geopy's
    """The service's answer; an address that it cannot read is no reason to ask again or to stop."""
    try:
        return service.geocode(text, **options)
    except GeocoderQueryError:
        return None


def _precision(found: Location, asked: str) -> str | None:
    """How exact an answer is: None where it names another street, or no more than the city."""
    said = dict(_flat(found.raw))
    asked_words = short_words(asked)
    road = next((str(said[name]) for name in _ROAD if said.get(name)), None)
    named = short_words(road or str(found.address or "").split(",")[0])
    if not asked_words[:1] or not asked_words[0][:1].isdigit():
        return None
    if not set(asked_words[1:]) & {word for word in named if word not in GENERIC}:
        return None
    house = next((str(said[name]) for name in _HOUSE if said.get(name)), None)
    if house and short_words(house)[:1] == asked_words[:1]:
        return "rooftop"
    return "street" if road or house or named[:1] == asked_words[:1] else None


def _flat(raw: object) -> Iterator[tuple[str, object]]:
    """The members of an answer, those inside others as well."""
    if isinstance(raw, Mapping):
        for name, value in raw.items():
            yield str(name), value
            yield from _flat(value)
