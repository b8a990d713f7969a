"""Pairs of listings that may be one: shown to moderators, who merge them or leave them.

What a load brings is matched when it comes (matching.py); these are those that it could not tell:
one telephone and family name, one NPI, or one family name in one building, under two ids.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby, islice

from sqlalchemy import ColumnElement, func, select

from directory.fields import STORED
from directory.listing import Listing
from directory.store.bulk import rows_where, table_of
from directory.store.database import Transaction
from directory.store.listings import Status
from directory.store.matching import SHORTEST_NICKNAME, Document
from directory.store.models import ListingRow
from directory.vocabulary.nicknames import NICKNAMES
from directory.vocabulary.words import words

_LISTING = table_of(ListingRow)

_MOST = 100
_KEYS_AT_ONCE = 1_000


@dataclass(frozen=True)
class Pair:
    """Two listings that may be of one practitioner at one place, and what they share."""

    one: Listing
    other: Listing
    why: str


def pairs(session: Transaction) -> list[Pair]:
    """The likely pairs among published listings, in the order of their ids, a hundred at most."""
    is_without_npi = func.count() > func.count(_LISTING.c.npi)
    found: dict[tuple[str, str], Pair] = {}
    for column, why, having in (
        (_LISTING.c.person, "telephone and family name", None),
        (_LISTING.c.npi, "NPI", None),
        # Who has an NPI is told apart by it: a building of two hundred is not looked through.
        (_LISTING.c.building, "building and family name", is_without_npi),
    ):
        for pair in islice(_sharing(session, column, why, having), _MOST):
            found.setdefault((pair.one.id, pair.other.id), pair)
    return [found[ids] for ids in sorted(found)][:_MOST]


def of_name_at(session: Transaction, family: Sequence[str], building: str | None) -> list[str]:
    """The ids of the published listings of a family name (its words) in a building (keys.py)."""
    there = select(_LISTING.c.id, _LISTING.c.document).where(
        _LISTING.c.status == Status.PUBLISHED, _LISTING.c.building == building
    )
    rows = session.execute(there.order_by(_LISTING.c.id)).all()
    return [row.id for row in rows if words(row.document["name"]["family"]) == tuple(family)]


def _sharing(
    session: Transaction,
    column: ColumnElement[str | None],
    why: str,
    having: ColumnElement[bool] | None,
) -> Iterator[Pair]:
    is_published = _LISTING.c.status == Status.PUBLISHED
    keys = select(column).where(is_published, column.is_not(None)).group_by(column)
    keys = keys.having(func.count() > 1).order_by(column)
    shared = session.scalars(keys if having is None else keys.having(having)).all()
    there = select(column.label("key"), _LISTING.c.id, _LISTING.c.document).where(is_published)
    for start in range(0, len(shared), _KEYS_AT_ONCE):
        portion = set(shared[start : start + _KEYS_AT_ONCE])
        rows = rows_where(session, there, column, portion)
        in_order = sorted(rows, key=lambda row: (row.key, row.id))
        for _, group in groupby(in_order, key=lambda row: row.key):
            for one, other in combinations([row.document for row in group], 2):
                if may_be_one(one, other):
                    yield Pair(_listing(one), _listing(other), why)


def _listing(document: Document) -> Listing:
    return Listing.model_validate(document, context=STORED)


def may_be_one(one: Document, other: Document) -> bool:
    """Whether two listings that share a key may be of one practitioner at one place.

    Not of two people (another NPI, name, suffix or profession), nor at two places.
    """
    if one["address"]["postal_code"][:5] != other["address"]["postal_code"][:5]:
        return False
    houses = {
        line[0] for each in (one, other) if (line := words(each["address"].get("line1") or ""))
    }
    if len(houses) > 1:
        return False
    if one.get("npi") and other.get("npi"):
        return bool(one["npi"] == other["npi"])
    names = one["name"], other["name"]
    suffixes = {each["suffix"] for each in names if each.get("suffix")}
    if len(suffixes) > 1 or one["profession"] != other["profession"]:
        return False
    if words(names[0]["family"]) != words(names[1]["family"]):
        return False
    return _is_one_first_name(names[0]["given"], names[1]["given"])


def _is_one_first_name(one: str, other: str) -> bool:
    """`Ana` and `A.`, `Rob` and `Robert`, `Bill` and `William`."""
    short, long = sorted(("".join(words(each)) for each in (one, other)), key=len)
    is_cut = long.startswith(short) and (len(short) == 1 or len(short) >= SHORTEST_NICKNAME)
    return short == long or is_cut or NICKNAMES.get(short) == long or NICKNAMES.get(long) == short
