"""Who is there already: the listing that a newcomer's record speaks of, too.

A listing is one practitioner at one practice location. Two records are of one listing if they have
the same NPI and location, or, where an NPI is missing, the same name, profession, telephone and
place. Two different NPIs are two people, whatever else agrees.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from directory.places.place import metres_between
from directory.store.bulk import rows_where, table_of
from directory.store.database import Transaction
from directory.store.keys import NO_KEYS, Keys, keys_of
from directory.store.models import ListingRow
from directory.vocabulary.words import words

_LISTING = table_of(ListingRow)

SAME_POINT_M = 100.0
"""Two exact points of one practitioner that are no farther apart are one practice."""

NEAR_M = 1_000.0
"""A name and a telephone number that agree are one practice within this distance."""

SHORTEST_NICKNAME = 3

Document = Mapping[str, Any]
"""A listing's facts by field, as the store keeps them."""


_Entry = tuple[Document, Keys]


class Matcher:
    """Finds the listings that newcomers match, among the stored ones and each other."""

    def __init__(self, session: Transaction, newcomers: Iterable[Keys]) -> None:
        self._known: dict[str, _Entry] = {}
        self._by_key: dict[str, list[str]] = {}
        keys = list(newcomers)
        npis = {each.npi for each in keys if each.npi}
        persons = {each.person for each in keys if each.person}
        there = select(_LISTING.c.id, _LISTING.c.document).order_by(_LISTING.c.id)
        for column, wanted in ((_LISTING.c.npi, npis), (_LISTING.c.person, persons)):
            for row in rows_where(session, there, column, wanted):
                self.add(row.id, row.document, keys_of(row.document))

    def match(self, newcomer: Document, keys: Keys) -> str | None:
        """The id of the listing that a newcomer's record speaks of, if there is one."""
        for key in (keys.npi, keys.person):
            for id_ in self._by_key.get(key or "", ()):
                if _is_same((newcomer, keys), self._known[id_]):
                    return id_
        return None

    def add(self, id_: str, document: Document, keys: Keys) -> None:
        """Let later newcomers match this listing by what is said of it now, too."""
        before, before_keys = self._known.get(id_, ({}, NO_KEYS))
        known = Keys(*(new or old for new, old in zip(keys, before_keys, strict=True)))
        self._known[id_] = ({**before, **document}, known)
        for key in (known.npi, known.person):
            if key and id_ not in self._by_key.setdefault(key, []):
                self._by_key[key].append(id_)


def _is_same(one: _Entry, other: _Entry) -> bool:
    (fields, keys), (others, other_keys) = one, other
    if keys.npi and other_keys.npi:
        in_one_building = keys.building is not None and keys.building == other_keys.building
        return keys.npi == other_keys.npi and (in_one_building or _at_one_practice(fields, others))
    if keys.person is None or keys.person != other_keys.person:
        return False
    return _is_same_person(fields, others) and _is_near(fields, others)


def _at_one_practice(one: Document, other: Document) -> bool:
    """Whether two records of one practitioner are of one location, however it is written."""
    has_phone = one.get("phone") is not None and one.get("phone") == other.get("phone")
    if has_phone and _in_one_zip(one, other) and not _are_two_houses(one, other):
        return True
    return _are_exact(one, other) and _metres(one, other) <= SAME_POINT_M


def _is_same_person(one: Document, other: Document) -> bool:
    """Whether names and professions agree; `Rob` is `Robert`, but `J` is not `Jane`."""
    if one["profession"] != other["profession"]:
        return False
    suffixes = {name["suffix"] for name in (one["name"], other["name"]) if name.get("suffix")}
    short, long = sorted(("".join(words(each["name"]["given"])) for each in (one, other)), key=len)
    is_nickname = len(short) >= SHORTEST_NICKNAME and long.startswith(short)
    return (short == long or is_nickname) and len(suffixes) < 2


def _is_near(one: Document, other: Document) -> bool:
    if not _are_exact(one, other):
        return _in_one_zip(one, other) and not _are_two_houses(one, other)
    return _metres(one, other) <= NEAR_M


def _are_two_houses(one: Document, other: Document) -> bool:
    """Whether the addresses begin with two different numbers: a telephone may serve both."""
    lines = (words(each["address"].get("line1") or "")[:1] for each in (one, other))
    numbers = {line[0] for line in lines if line and line[0].isdigit()}
    return len(numbers) == 2


def _in_one_zip(one: Document, other: Document) -> bool:
    return bool(one["address"]["postal_code"][:5] == other["address"]["postal_code"][:5])


def _are_exact(one: Document, other: Document) -> bool:
    return all(each["location"]["precision"] in ("rooftop", "street") for each in (one, other))


def _metres(one: Document, other: Document) -> float:
    points = [(each["location"]["lat"], each["location"]["lon"]) for each in (one, other)]
    return metres_between(*points)
