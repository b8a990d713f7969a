"""How FHIR writes what is searched for: alternatives, tokens, references, dates, circles.

FHIR R4 search (4.0.1, 2019-10-30): commas part alternatives, a backslash takes a sign's meaning
away. Whatever cannot be read raises InvalidQuery, which names the parameter.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import nan

from directory.search.distance import METRES_PER
from directory.search.query import RADIUS_MI, InvalidQuery, ParameterError

LONGEST = 200
"""Characters of a value."""

_ESCAPED = re.compile(r"\\([\\,|$])")
_BAR = re.compile(r"(?<!\\)\|")
_PARTED = re.compile(r"(?:[^,\\]|\\.)+")

KILOMETRE = "km"
_UNITS = {
    **METRES_PER,
    "[mi_i]": METRES_PER["mi"],
    "m": 1.0,
    "ft": 0.3048,
    "[ft_i]": 0.3048,
}
"""Metres in a unit, by its common name and by UCUM's code."""

FARTHEST_M = RADIUS_MI[1] * METRES_PER["mi"]
"""As far as the site's own search goes."""

START_M = 25 * METRES_PER["mi"]
"""Around a point without a distance: what the search of the site begins with."""

_NUMBER = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?", re.ASCII)
_WHEN = re.compile(
    r"(?P<prefix>[a-z]{2})?(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<time>\d\d:\d\d(:\d\d(\.\d+)?)?)(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


def wrong(parameter: str, message: str) -> InvalidQuery:
    """That a parameter cannot be read, with its name before what is wrong."""
    return InvalidQuery([ParameterError(parameter, f"{parameter}: {message}")])


def alternatives(parameter: str, value: str) -> tuple[str, ...]:
    """The alternatives that a value gives, still escaped; those that say nothing left out."""
    found = tuple(filter(None, (each.strip() for each in _PARTED.findall(value))))
    if any(len(each) > LONGEST for each in found):
        raise wrong(parameter, f"a value has at most {LONGEST} characters.")
    return found


def plain(value: str) -> str:
    """An alternative as it was meant, its backslashes gone."""
    return _ESCAPED.sub(r"\1", value)


@dataclass(frozen=True)
class Token:
    """A code, and its system: None is any, and empty is none. Without a code it is any of them."""

    system: str | None
    code: str

    def names(self, system: str, code: str) -> bool:
        """Whether this is that code of that system."""
        return self.system in (None, system) and self.code in ("", code)


def token(value: str) -> Token:
    """`system|code`, `|code`, `system|` or `code`."""
    bar = _BAR.search(value)
    if not bar:
        return Token(None, plain(value))
    return Token(plain(value[: bar.start()]), plain(value[bar.end() :]))


def reference(value: str, type_: str, base: str) -> str | None:
    """The id of a resource of this type: `1`, `Location/1` or with our base; None if it is none."""
    parts = plain(value).removeprefix(f"{base}/").split("/")
    match parts:
        case [id_]:
            return id_
        case [said, id_] if said == type_:
            return id_
    return None


@dataclass(frozen=True)
class Span:
    """From a time (included) to another (not); None is open. UTC."""

    since: datetime | None = None
    before: datetime | None = None


def span(parameter: str, value: str) -> Span:
    """The times that a prefix and a date mean, as exactly as the date is given; UTC by default."""
    match = _WHEN.fullmatch(value)
    try:
        start, end = _bounds(match) if match else (None, None)
    except (ValueError, OverflowError):
        match = None
    if not match:
        raise wrong(parameter, f"{value!r} is no date like 2026-11-24 or 2026-11-24T12:00:00Z.")
    match match["prefix"]:
        case None | "eq":
            return Span(start, end)
        case "ge":
            return Span(since=start)
        case "gt" | "sa":
            return Span(since=end)
        case "lt" | "eb":
            return Span(before=start)
        case "le":
            return Span(before=end)
    raise wrong(parameter, f"{match['prefix']!r} is none of the prefixes eq, ge, gt, le and lt.")


def _bounds(match: re.Match[str]) -> tuple[datetime, datetime]:
    """The first moment that a date means, and the first that it does not mean any more."""
    year, month, day = int(match["year"]), match["month"], match["day"]
    first = date(year, int(month or 1), int(day or 1))
    if time := (match["time"] or "")[: len("12:34:56.123456")]:
        zone = (match["zone"] or "Z").replace("Z", "+00:00")
        start = datetime.fromisoformat(f"{first}T{time}{zone}").astimezone(UTC)
        return start, start + _precision(time)
    if day:
        after = first + timedelta(days=1)
    elif month:
        after = (first + timedelta(days=31)).replace(day=1)
    else:
        after = date(year + 1, 1, 1)
    return _midnight(first), _midnight(after)


def _precision(time: str) -> timedelta:
    _, dot, fraction = time.partition(".")
    if dot:
        return timedelta(microseconds=10 ** (6 - len(fraction)))
    return timedelta(seconds=1) if time.count(":") > 1 else timedelta(minutes=1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass(frozen=True)
class Near:
    """Within `radius_m` metres of a point (latitude, longitude); `unit` is for telling lengths."""

    centre: tuple[float, float]
    radius_m: float
    unit: str = KILOMETRE

    def length(self, metres: float) -> float:
        """Metres in the unit, to a millimetre."""
        return round(metres / _UNITS[self.unit], 6)


def near(parameter: str, value: str) -> Near:
    """`latitude|longitude|distance|unit`, degrees; kilometres by default."""
    parts = [each.strip() for each in value.split("|")]
    if not 2 <= len(parts) <= 4:
        raise wrong(parameter, "write latitude|longitude|distance|unit: 30.27|-97.74|25|mi.")
    latitude = _number(parameter, "the latitude", parts[0], -90, 90)
    longitude = _number(parameter, "the longitude", parts[1], -180, 180)
    unit = "".join(parts[3:]) or KILOMETRE
    if unit not in _UNITS:
        raise wrong(parameter, f"{unit!r} is none of the units {', '.join(_UNITS)}.")
    if not (distance := "".join(parts[2:3])):
        return Near((latitude, longitude), START_M, unit)
    most = round(FARTHEST_M / _UNITS[unit], 6)
    length = _number(parameter, "the distance", distance, 0, most)
    return Near((latitude, longitude), min(length * _UNITS[unit], FARTHEST_M), unit)


def _number(parameter: str, what: str, text: str, least: float, most: float) -> float:
    number = float(text) if _NUMBER.fullmatch(text) else nan
    if not least <= number <= most:
        raise wrong(parameter, f"{what} must be a number from {least} to {most:.12g}.")
    return number


def meant(tokens: Iterable[Token], known: Sequence[tuple[str, str, str]]) -> tuple[str, ...]:
    """Of what is known, as (system, code, value), the values that any of the tokens names."""
    several = tuple(tokens)
    named = [value for system, code, value in known if any(t.names(system, code) for t in several)]
    return tuple(dict.fromkeys(named))
