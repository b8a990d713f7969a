"""What listings are looked up by, beside their id: NPI, telephone with family name, building."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from directory.places.street import street_of
from directory.vocabulary.words import words

_LONGEST_PERSON = 120


class Keys(NamedTuple):
    """The keys of a listing's facts; None where they do not say enough."""

    npi: str | None = None
    person: str | None = None
    building: str | None = None


NO_KEYS = Keys()


def keys_of(fields: Mapping[str, Any]) -> Keys:
    """The keys of some facts by field, as JSON has them."""
    street = street_of(fields.get("address"))
    return Keys(fields.get("npi"), _person(fields), street.building if street else None)


def _person(fields: Mapping[str, Any]) -> str | None:
    """Telephone and family name as one key: `+15125550101 nunez`; None where one is missing."""
    phone, family = fields.get("phone"), (fields.get("name") or {}).get("family")
    return f"{phone} {'-'.join(words(family))}"[:_LONGEST_PERSON] if phone and family else None
