"""A search for resources of one type as it was asked: read and checked once, at the edge."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from directory.fhir.elements import Site
from directory.fhir.parameters import asked
from directory.fhir.readers import UPDATED
from directory.fhir.resources import LINKS, Type
from directory.fhir.values import alternatives, wrong
from directory.fhir.wanted import Wanted

Pairs = Sequence[tuple[str, str]]
"""Parameters with their values, in the order in which they came; one may come again."""

COUNT, MOST = 20, 100
MOST_VALUES = 100
"""In all parameters together: fifty with a hundred each take the embedded engine 23 seconds, and a
hundred in all 15 milliseconds."""
MOST_ASKED = 50
"""Of a listing at once, each word of a name by itself: a thousand are too deep for SQLite, and
fifty take it 50 to 110 milliseconds at 100,000 listings."""

CURSOR = "_cursor"
MEDIA_TYPES = ("application/fhir+json", "application/json", "text/json")
FORMATS = ("json", *MEDIA_TYPES)

_COUNT_ALONE, _WHOLE = "count", "false"
_RESULT = ("_count", "_summary", "_elements", CURSOR)
_FORWARD, _BACKWARD, _ITERATE = "_include", "_revinclude", "iterate"


@dataclass(frozen=True)
class Include:
    """What comes along: from resources of one type, those of another that hang together with them.

    With `iterate` also from what has come along, not from what was searched for alone.
    """

    source: Type
    target: Type
    iterate: bool


@dataclass(frozen=True, kw_only=True)
class Search:
    """A search for resources; `pairs` are the parameters that were understood, for its links.

    `count` is how many a page has at most, 0 where only their number is asked for. `elements` are
    the only ones to be shown, if there are any. `before` bounds when the resource itself last
    changed: the index tells that of a listing, not of a Practitioner, who is as new as the newest.
    """

    type: Type
    wanted: Wanted
    before: datetime | None
    pairs: tuple[tuple[str, str], ...]
    includes: tuple[Include, ...]
    count: int
    elements: frozenset[str]
    cursor: str | None

    def is_older(self, updated_at: datetime) -> bool:
        """Whether a resource that changed then is as old as it must be."""
        return self.before is None or updated_at < self.before


def read(type_: Type, given: Pairs, site: Site, *, strict: bool) -> Search:
    """What is asked. InvalidQuery where a value cannot be read.

    A parameter that is unknown or says nothing, and an `_include`, `_revinclude` or `_summary` that
    is not supported, is passed over, or is wrong where one is `strict`.
    """
    values = sum(len(alternatives(*pair)) for pair in given if pair[0] not in _RESULT)
    if values > MOST_VALUES:
        raise wrong("parameters", f"there are {values:,} values; give at most {MOST_VALUES}.")
    pairs = tuple(_understood(type_, given, strict=strict))
    wanted = Wanted(with_clinic=type_ is Type.ORGANIZATION)
    befores = []
    for name, value in pairs:
        if found := asked(type_, name):
            said = found.wanted(value, site)
            wanted &= said
            befores += [said.before] if name == UPDATED and said.before else []
    if (many := len(wanted.criteria) + len(wanted.facets)) > MOST_ASKED:
        raise wrong("parameters", f"{many:,} things are asked at once; ask at most {MOST_ASKED}.")
    if type_ is Type.PRACTITIONER and wanted.near:
        raise wrong("near", "it orders places; search PractitionerRole by location.near instead.")
    results = _results(pairs)
    count = _count(results)
    return Search(
        type=type_,
        wanted=wanted,
        before=min(befores, default=None),
        pairs=tuple((n, str(min(int(v), MOST)) if n == "_count" else v) for n, v in pairs),
        includes=tuple(dict.fromkeys(_includable(type_, n)[v] for n, v in pairs if _includes(n))),
        count=0 if results.get("_summary") == _COUNT_ALONE else count,
        elements=frozenset(filter(None, results.get("_elements", "").split(","))),
        cursor=results.get(CURSOR),
    )


def _understood(type_: Type, given: Pairs, *, strict: bool) -> Iterator[tuple[str, str]]:
    for name, value in given:
        if not (why := _why_not(type_, name, value)):
            yield name, value
        elif strict:
            raise wrong(name, f"{why}; without Prefer: handling=strict it is passed over.")


def _why_not(type_: Type, name: str, value: str) -> str | None:
    """Why a parameter may be passed over; None where it is to be heeded."""
    is_known = name in (*_RESULT, "_format") or _includes(name) or asked(type_, name)
    if not is_known:
        return f"is no parameter of {type_}"
    if not (value.strip() if name in _RESULT else alternatives(name, value)):
        return "gives no value"
    if name == "_summary" and value not in (_COUNT_ALONE, _WHOLE):
        return f"must be {_COUNT_ALONE} or {_WHOLE}"
    if _includes(name) and value not in (known := _includable(type_, name)):
        return f"{value!r} cannot come along here; known are: {', '.join(known) or 'none'}"
    return None


def _results(pairs: Pairs) -> dict[str, str]:
    """The parameters of how results are shown, each of which may be given once."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in _RESULT:
            if name in found:
                raise wrong(name, "give it once.")
            found[name] = value
    return found


def _count(results: dict[str, str]) -> int:
    said = results.get("_count", str(COUNT))
    if not said.isascii() or not said.isdigit() or len(said) > 9:
        raise wrong("_count", f"must be a whole number; more than {MOST} are never on a page.")
    return min(int(said), MOST)


def _includes(name: str) -> bool:
    return name.split(":")[0] in (_FORWARD, _BACKWARD)


def _includable(type_: Type, name: str) -> dict[str, Include]:
    """What may come along by an `_include` or `_revinclude`, with or without `iterate`.

    By `PractitionerRole:location`, and by the same with the type that it leads to behind it.
    """
    kind, _, modifier = name.partition(":")
    known: dict[str, Include] = {}
    if modifier not in ("", _ITERATE):
        return known
    for (source, link), target in LINKS.items():
        start, end = (source, target) if kind == _FORWARD else (target, source)
        if modifier or start is type_:
            found = Include(start, end, bool(modifier))
            known |= {f"{source}:{link}": found, f"{source}:{link}:{target}": found}
    return known
