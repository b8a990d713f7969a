"""When two ways of writing an address are one.

`123 North Main Street, Suite 200` and `123 N MAIN ST # 200` have the same key. Words are compared
by the abbreviations of the Postal Service (Publication 28, appendices B and C).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from directory.vocabulary.words import words


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in text.split())


_ABBREVIATED = _pairs("""
    north=n south=s east=e west=w northeast=ne northwest=nw southeast=se southwest=sw
    avenue=ave av=ave boulevard=blvd bypass=byp center=ctr centre=ctr circle=cir court=ct
    cove=cv crossing=xing drive=dr expressway=expy freeway=fwy heights=hts highway=hwy
    junction=jct lane=ln mount=mt parkway=pkwy place=pl plaza=plz point=pt road=rd route=rte
    rt=rte saint=st square=sq station=sta street=st terrace=ter trail=trl turnpike=tpke
    village=vlg fort=ft suite=ste apartment=apt building=bldg floor=fl room=rm
""")
_ORDINALS = _pairs("""
    first=1st second=2nd third=3rd fourth=4th fifth=5th sixth=6th seventh=7th eighth=8th
    ninth=9th tenth=10th
""")
_SHORT = _ABBREVIATED | _ORDINALS
GENERIC = frozenset((*_ABBREVIATED.values(), "way", "pike"))
"""Words, in short, that many streets have and that tell none from another."""

_UNITS = frozenset(("ste", "unit", "apt", "bldg", "fl", "rm"))
_GLUED = re.compile(r"\b(suite|ste|unit|apt)(?=\d)", re.IGNORECASE)
_UNIT = re.compile(
    r"[\s,]+(?:#|(?:suite|ste|unit|apartment|apt|floor|fl|room|rm)\b).*$", re.IGNORECASE
)
_PO_BOX = re.compile(r"\s*(p\.?\s*o\.?|post\s+office)\s*box\b", re.IGNORECASE)


class Street(NamedTuple):
    """`building` names the ZIP, number and street (`78701 123 n main st`), `unit` the suite."""

    building: str
    unit: str


def street_of(address: Mapping[str, Any] | None) -> Street | None:
    """The key of an address by its fields; None where it names no street."""
    if not address or not address.get("line1"):
        return None
    return _street(address["line1"], address.get("line2") or "", address["postal_code"][:5])


def is_po_box(address: Mapping[str, Any]) -> bool:
    """Whether an address is a post-office box, where nobody practises."""
    return bool(_PO_BOX.match(str(address.get("line1") or "")))


def short_words(text: str) -> list[str]:
    """The words of an address, each in its abbreviation: `Main Street` is main, st."""
    return [_SHORT.get(word, word) for word in words(text)]


def without_unit(line1: str) -> str:
    """`2 Main St, Ste 4` without its suite."""
    return _UNIT.sub("", line1)


@lru_cache(5_000)
def _street(line1: str, line2: str, zip5: str) -> Street | None:
    text = _GLUED.sub(r"\1 ", f"{line1} {line2}".replace("#", " ste ").replace(".", ""))
    short = short_words(text)
    if short[:1] and short[0] in _UNITS:  # `Suite 5, 123 Main St`
        short = [*short[2:], *short[:2]]
    first = next((n for n in range(1, len(short)) if _begins_a_unit(short, n)), len(short))
    building, unit = short[:first], [word for word in short[first:] if word != "ste"]
    if not building or building[0] in _UNITS:
        return None
    return Street(f"{zip5} {' '.join(building)}"[:200], " ".join(unit)[:50])


def _is_number(word: str) -> bool:
    """`4`, `200b`, `A`."""
    return len(word) == 1 or any(c.isdigit() for c in word)


def _begins_a_unit(short: list[str], n: int) -> bool:
    """`ste 4`, `fl 2` or `2nd fl`; but `100 Ste Genevieve Dr` is a street."""
    following = short[n + 1 : n + 2]
    if short[n] in _UNITS:
        return not following or following[0] in _UNITS or _is_number(following[0])
    return following == ["fl"] and short[n] in _ORDINALS.values()
