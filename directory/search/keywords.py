"""What both engines keep of a listing for lookups: folded texts by field, and when it changed."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from directory.vocabulary.words import phrase

NOBODY = "~"
"""In place of an NPI where there is none: it comes behind every NPI, and no text folds to it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_folded = lru_cache(50_000)(phrase)


class Keywords(NamedTuple):
    """What a listing is looked up by, each under the name of its lookup.Field; empty is nothing.

    A taxonomy has every code.
    """

    npi: str
    given: str
    middle: str
    family: str
    clinic: str
    line1: str
    city: str
    state: str
    postal_code: str
    profession: str
    taxonomy: tuple[str, ...]

    @property
    def name(self) -> tuple[str, ...]:
        """The words of the given, middle and family name, each once."""
        return tuple({*self.given.split(), *self.middle.split(), *self.family.split()})


def keywords(said: Mapping[str, Any]) -> Keywords:
    """What a listing, as JSON has it, is looked up by.

    What has one form only (codes, ZIPs, states) is folded without being split: a rebuild does it
    for every listing of a nation.
    """
    name, address, get = said["name"], said["address"], said.get
    return Keywords(
        npi=get("npi") or NOBODY,
        given=_folded(name["given"]),
        middle=_folded(name.get("middle") or ""),
        family=_folded(name["family"]),
        clinic=_folded(get("clinic") or ""),
        line1=phrase(address.get("line1") or ""),
        city=_folded(address["city"]),
        state=address["state"].lower(),
        postal_code=address["postal_code"].replace("-", " "),
        profession=_folded(said["profession"]),
        taxonomy=tuple([each["code"].lower() for each in get("taxonomies", ())]),
    )


def stamp(at: datetime) -> int:
    """A time as microseconds since 1970: exact, and both engines compare it alike."""
    return (at - _EPOCH) // _MICROSECOND


def moment(stamped: int) -> datetime:
    """The time (UTC) that a stamp is of."""
    return _EPOCH + stamped * _MICROSECOND
