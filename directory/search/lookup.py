"""What listings are looked up by exactly, for those who know whom they look for.

A lookup has no relevance: every criterion holds or does not. Text compares folded, as words
without accents and signs (vocabulary/words.py): `O’Brien-Smith` is `obrien smith`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from directory.listing import Listing
from directory.search.scope import EVERYTHING, Circle, Scope
from directory.vocabulary.words import phrase


class Field(StrEnum):
    """What can be looked up. `name` is any one word of the given, middle or family name.

    `id` compares as it is; `taxonomy` is any of the NUCC codes; `state` its two letters;
    `profession` the term's value.
    """

    ID = "id"
    NPI = "npi"
    GIVEN = "given"
    MIDDLE = "middle"
    FAMILY = "family"
    NAME = "name"
    CLINIC = "clinic"
    LINE1 = "line1"
    CITY = "city"
    STATE = "state"
    POSTAL_CODE = "postal_code"
    TAXONOMY = "taxonomy"
    PROFESSION = "profession"


@dataclass(frozen=True)
class Criterion:
    """One of these fields is one of these values, or begins with one.

    A value without a letter or digit is nobody's.
    """

    fields: tuple[Field, ...]
    values: tuple[str, ...]
    begins: bool = False

    @property
    def folded(self) -> Mapping[Field, tuple[str, ...]]:
        """The values of each field as the index has them; only fields that have any."""
        folded = {f: tuple(filter(None, (fold(f, v) for v in self.values))) for f in self.fields}
        return {field: values for field, values in folded.items() if values}


def fold(field: Field, text: str) -> str:
    """A field's text as it is compared; empty where there is nothing to compare."""
    if field is Field.ID:
        return text
    folded = phrase(text)
    return "" if field is Field.NAME and " " in folded else folded


@dataclass(frozen=True)
class LookupKey:
    """A hit's place in the order: the nearest first, then by practitioner, then by id.

    Without a circle `distance_m` is 0; with one `practitioner` is empty. It is the NPI, or what
    comes behind every NPI where there is none.
    """

    distance_m: float
    practitioner: str
    id: str


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """What is looked up: listings for which all the criteria hold, `limit` of them behind `after`.

    `since` and `before` bound when a listing last changed (UTC, `since` included, `before` not).
    `with_npi` leaves out listings that have no NPI.
    """

    scope: Scope = EVERYTHING
    criteria: tuple[Criterion, ...] = ()
    with_npi: bool = False
    circle: Circle | None = None
    since: datetime | None = None
    before: datetime | None = None
    limit: int = 20
    after: LookupKey | None = None


@dataclass(frozen=True)
class LookupHit:
    """One listing found, its place in the order, and when it last changed (UTC)."""

    listing: Listing
    key: LookupKey
    updated_at: datetime


@dataclass(frozen=True)
class LookedUp:
    """How many listings there are in all, and one page of them, in order."""

    total: int
    hits: tuple[LookupHit, ...]
