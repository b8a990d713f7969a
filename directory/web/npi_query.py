"""The parameters of the NPI Registry API 2.1, read into a lookup.

What is refused, in which words and with which number follows the registry as its clients quote it
(03, 05, 06, 07, 09, 17; read 2026-11); docs/npi-registry.md says what differs.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from directory.places.place import coordinates
from directory.search.distance import METRES_PER
from directory.search.lookup import Criterion, Field, Lookup
from directory.search.query import RADIUS_MI
from directory.search.scope import Circle
from directory.vocabulary import Kind, vocabulary
from directory.vocabulary.nicknames import also_called
from directory.vocabulary.taxonomies import codes_named
from directory.vocabulary.words import phrase

VERSION = "2.1"
MOST, MOST_SKIPPED = 200, 1_000
_USUAL, _LONGEST, _LONGEST_CURSOR = 10, 100, 500

_TEXTS = {
    "first_name": Field.GIVEN,
    "last_name": Field.FAMILY,
    "organization_name": Field.CLINIC,
    "city": Field.CITY,
}
_WITH_WILDCARD = (*_TEXTS, "taxonomy_description", "postal_code")
_SHAPES = {
    "version": (re.compile(r"2\.1"), "17", f"Unsupported Version: give version={VERSION}"),
    "number": (re.compile("[0-9]{10}"), "06", "NPI must be 10 digits"),
    "enumeration_type": (re.compile("NPI-[12]"), "05", "enumeration_type is NPI-1 or NPI-2"),
    "address_purpose": (
        re.compile("(?i:LOCATION|MAILING|PRIMARY|SECONDARY)"), "05",
        "address_purpose is LOCATION, PRIMARY, SECONDARY or MAILING",
    ),
    "name_purpose": (re.compile("(?i:PROVIDER|AO)"), "05", "name_purpose is PROVIDER or AO"),
    "use_first_name_alias": (
        re.compile("(?i:true|false)"), "05", "use_first_name_alias is True or False"
    ),
    "state": (re.compile("[A-Za-z]{2}"), "05", "Field state contains two letters"),
    "country_code": (re.compile("[A-Za-z]{2}"), "05", "Field country_code contains two letters"),
    "limit": (re.compile("0*[1-9][0-9]{0,8}"), "05", f"limit is a number from 1 to {MOST}"),
    "skip": (
        re.compile("0*([0-9]{1,3}|1000)"), "05",
        f"skip is a number from 0 to {MOST_SKIPPED}; to go farther use the cursor of the answer",
    ),
    "pretty": (re.compile("(?i:true|false|on|off|1|0)"), "05", "pretty is true or false"),
    "lat": (re.compile(r"[-+]?[0-9.]{1,25}"), "05", "lat is a number of degrees"),
    "lon": (re.compile(r"[-+]?[0-9.]{1,25}"), "05", "lon is a number of degrees"),
    "radius": (re.compile(r"[0-9]{1,5}(\.[0-9]{0,20})?"), "05", "radius is a number of miles"),
    "cursor": (re.compile(r"\S+"), "05", "cursor is the one of an answer"),
}  # fmt: skip
_KNOWN = {*_SHAPES, *_WITH_WILDCARD}
_TOO_WIDE = {
    "state": ("07", "Field state requires additional search criteria"),
    "country_code": ("07", "Field country_code requires additional search criteria"),
    "address_purpose": ("07", "Field address_purpose requires additional search criteria"),
    "name_purpose": ("07", "Field name_purpose requires additional search criteria"),
    "enumeration_type": ("09", "Enumeration_type requires additional search criteria"),
}
_NARROW = ("number", "lat", *_WITH_WILDCARD)
_NOBODY = Criterion((Field.ID,), ())


@dataclass(frozen=True)
class NpiError:
    """What is wrong with one parameter, as the registry says it."""

    description: str
    field: str
    number: str = "05"


class Refused(Exception):
    """A query that cannot be asked; nothing was looked up."""

    def __init__(self, *errors: NpiError) -> None:
        super().__init__("; ".join(error.description for error in errors))
        self.errors = errors


@dataclass(frozen=True)
class NpiQuery:
    """A lookup of practitioners, how many to skip, and where the last page ended."""

    wanted: Lookup
    skip: int
    cursor: str | None
    pretty: bool


def read(parameters: Mapping[str, Sequence[str]]) -> NpiQuery:
    """The query that these parameters ask; Refused with all that is wrong with them."""
    filled = {
        name: several
        for name, values in parameters.items()
        if (several := [value.strip() for value in values if value.strip()])
    }
    given = {"version": "", **{name: values[0] for name, values in filled.items()}}
    errors = [*_misplaced(filled), *_misshapen(given)]
    errors += _misplaced_wildcards(given)
    errors += () if errors else (*_wrong_circle(given), *_too_wide(given))
    if errors:
        raise Refused(*errors)
    wanted = Lookup(
        criteria=tuple(_criteria(given)),
        circle=_circle(given),
        limit=min(int(given.get("limit", _USUAL)), MOST),
    )
    pretty = given.get("pretty", "").lower() in ("true", "on", "1")
    return NpiQuery(wanted, int(given.get("skip", 0)), given.get("cursor"), pretty)


def _misplaced(filled: Mapping[str, Sequence[str]]) -> Iterator[NpiError]:
    """What is unknown, given more than once or too long; an empty field of a form is none."""
    for name, values in filled.items():
        most = _LONGEST_CURSOR if name == "cursor" else _LONGEST
        if name not in _KNOWN:
            yield NpiError("There is no such parameter", name[:_LONGEST])
        elif len(values) > 1:
            yield NpiError(f"Field {name} is given more than once", name)
        elif len(values[0]) > most:
            yield NpiError(f"Field {name} has more than {most} characters", name)
    if {"skip", "cursor"} <= filled.keys():
        yield NpiError("Give skip or cursor, not both", "cursor")


def _misshapen(given: Mapping[str, str]) -> Iterator[NpiError]:
    for name, (shape, number, said) in _SHAPES.items():
        if name in given and not shape.fullmatch(given[name]):
            yield NpiError(said, name, number)


def _misplaced_wildcards(given: Mapping[str, str]) -> Iterator[NpiError]:
    for name in _WITH_WILDCARD:
        begun, wildcard, rest = given.get(name, "").partition("*")
        if rest:
            yield NpiError("A wildcard (*) stands at the end alone", name)
        elif wildcard and len(phrase(begun).replace(" ", "")) < 2:
            yield NpiError("Wildcards require at least two leading characters", name, "03")


def _wrong_circle(given: Mapping[str, str]) -> Iterator[NpiError]:
    missing = [name for name in ("lat", "lon", "radius") if name not in given]
    if len(missing) == 3:
        return
    yield from (NpiError("Give lat, lon and radius together", name) for name in missing)
    if missing:
        return
    least, most = RADIUS_MI
    if not least <= float(given["radius"]) <= most:
        yield NpiError(f"radius is from {least:g} to {most:g} miles", "radius")
    try:
        if coordinates(f"{given['lat']},{given['lon']}") is None:
            yield NpiError("Give lat and lon in degrees, as 30.27 and -97.74", "lat")
    except ValueError:
        yield NpiError("lat is from -90 to 90 degrees, lon from -180 to 180", "lat")


def _too_wide(given: Mapping[str, str]) -> Iterator[NpiError]:
    """What half of all practitioners may share finds nobody by itself."""
    if any(name in given for name in _NARROW):
        return
    wide = [NpiError(said, name, no) for name, (no, said) in _TOO_WIDE.items() if name in given]
    yield from wide or [NpiError("No valid search criteria provided", "generic", "04")]


def _circle(given: Mapping[str, str]) -> Circle | None:
    if "lat" not in given:
        return None
    point = float(given["lat"]), float(given["lon"])
    return Circle(point, float(given["radius"]) * METRES_PER["mi"])


def _criteria(given: Mapping[str, str]) -> Iterator[Criterion]:
    """What must hold. There are practices of individuals here, nothing else."""
    if "number" in given:
        yield Criterion((Field.NPI,), (given["number"],))
    for name, field in _TEXTS.items():
        if name in given:
            yield _text(given, name, field)
    if "taxonomy_description" in given:
        yield _taxonomy(given["taxonomy_description"])
    if "state" in given:
        yield Criterion((Field.STATE,), (given["state"],))
    if "postal_code" in given:
        yield _postal_code(given["postal_code"])
    if _asks_for_others(given):
        yield _NOBODY


def _text(given: Mapping[str, str], name: str, field: Field) -> Criterion:
    begun, wildcard, _ = given[name].partition("*")
    values: tuple[str, ...] = (begun,)
    is_exact = wildcard or given.get("use_first_name_alias", "").lower() == "false"
    if field is Field.GIVEN and not is_exact:
        values = also_called(phrase(begun))
    return Criterion((field,), values, begins=bool(wildcard))


def _taxonomy(said: str) -> Criterion:
    """The codes of that name, or the profession that it means: many listings have no code."""
    begun, wildcard, _ = said.partition("*")
    codes = codes_named(begun, begins=bool(wildcard))
    known = vocabulary()
    of_codes = {known.profession_of(code) for code in codes if code.endswith("00000X")}
    named = {
        term.value
        for term in known.terms(Kind.PROFESSION)
        if phrase(term.label) == phrase(begun)
        or (wildcard and phrase(term.label).startswith(phrase(begun)))
    }
    professions = {each for each in of_codes | named if each}
    return Criterion((Field.TAXONOMY, Field.PROFESSION), (*codes, *sorted(professions)))


def _postal_code(said: str) -> Criterion:
    """Five digits find every ZIP+4 of theirs, as they do at the registry."""
    begun, wildcard, _ = said.partition("*")
    digits = re.sub(r"[\s-]", "", begun)
    zip4 = f"{digits[:5]} {digits[5:]}" if len(digits) > 5 else digits
    return Criterion((Field.POSTAL_CODE,), (zip4,), begins=bool(wildcard) or len(digits) == 5)


def _asks_for_others(given: Mapping[str, str]) -> bool:
    """Organisations, their officials, mailing addresses and other countries: nobody is here."""
    by_address = any(name in given for name in ("city", "state", "postal_code", "country_code"))
    return (
        given.get("enumeration_type") == "NPI-2"
        or given.get("name_purpose", "").upper() == "AO"
        or given.get("country_code", "US").upper() != "US"
        or (by_address and given.get("address_purpose", "").upper() == "MAILING")
    )
