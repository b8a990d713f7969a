"""One page of what a search finds: the index is asked, and resources are made of its listings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from directory.fhir.elements import Record
from directory.fhir.resources import Subject, Type, resource_id, subjects
from directory.fhir.search import Include, Search
from directory.fhir.values import wrong
from directory.fhir.wanted import Wanted
from directory.search.all_hits import all_hits, hits_of
from directory.search.engine import Answering
from directory.search.lookup import Lookup, LookupHit, LookupKey

AT_ONCE, MOST_READ, MOST_COUNTED = 250, 2_000, 5_000
"""Listings that the index is asked for at once, that a page is searched among (it is short where
that is not enough, and the next one goes on), and that are counted one by one."""

_BEHIND_ALL = "~"
"""No id of a listing comes behind it."""


@dataclass(frozen=True)
class Match:
    """A resource that was found, and how far away it is (metres) where that was asked."""

    subject: Subject
    distance_m: float | None


@dataclass(frozen=True)
class Page:
    """One page: what was found, what comes along, and behind which key the next one begins.

    `total` is None where telling it would mean reading everything.
    """

    matches: tuple[Match, ...]
    included: tuple[Subject, ...]
    next: LookupKey | None
    total: int | None


def page(engine: Answering, search: Search, after: LookupKey | None) -> Page:
    """The resources behind a key. Raises EngineUnavailable."""
    if search.count == 0:
        return Page((), (), None, _counted(engine, search))
    chosen = _chosen(engine, search, after)
    matches = _matches(engine, search, chosen.hits)
    total: int | None = chosen.total
    if not _is_told(search):
        total = len(matches) if after is None and chosen.next is None else None
    included = _included(engine, [each.subject for each in matches], search.includes)
    return Page(matches, tuple(included), chosen.next, total)


def one(engine: Answering, type_: Type, wanted: Wanted) -> Subject | None:
    """The one resource that is meant, or None. Raises EngineUnavailable."""
    found = subjects(type_, _records(_kept(engine, wanted)))
    return found[0] if found else None


def drawn_from(engine: Answering, type_: Type, records: Sequence[Record]) -> list[Subject]:
    """The resources of a type that listings have, each once, in their order.

    For Practitioners their other listings are looked up, too.
    """
    several = {record.listing.id: record for record in records}
    if type_ is Type.PRACTITIONER:
        npis = {each.listing.npi for each in records if each.listing.npi}
        theirs = hits_of(engine, Lookup(), npis)
        several |= {record.listing.id: record for record in _records(theirs)}
    return subjects(type_, tuple(several.values()))


@dataclass(frozen=True)
class _Chosen:
    """One listing for each resource, behind which key the next begin, and the index's total."""

    hits: tuple[LookupHit, ...]
    next: LookupKey | None
    total: int


def _chosen(engine: Answering, search: Search, after: LookupKey | None) -> _Chosen:
    chosen: dict[str, LookupHit] = {}
    limit = (search.count + 1) * (1 if _is_told(search) else 2)
    read = 0
    while True:
        found = engine.lookup(search.wanted.lookup(limit, after))
        for hit in found.hits:
            id_ = resource_id(search.type, hit.listing)
            if search.wanted.keeps(hit.listing) and id_ not in chosen:
                if len(chosen) == search.count:
                    return _Chosen(tuple(chosen.values()), after, found.total)
                chosen[id_] = hit
            after = _behind(search.type, hit)
        read += len(found.hits)
        is_all = len(found.hits) < limit
        if is_all or read >= MOST_READ:
            return _Chosen(tuple(chosen.values()), None if is_all else after, found.total)
        limit = AT_ONCE


def _matches(engine: Answering, search: Search, hits: Sequence[LookupHit]) -> tuple[Match, ...]:
    """What the listings are chosen for; not a Practitioner whose newest listing is too new.

    Nor one whom the index does not know any more: it may have changed between two lookups.
    """
    found = {each.id: each for each in drawn_from(engine, search.type, _records(hits))}
    drawn = [(hit, found.get(resource_id(search.type, hit.listing))) for hit in hits]
    return tuple(
        Match(subject, hit.key.distance_m if search.wanted.near else None)
        for hit, subject in drawn
        if subject and search.is_older(subject.updated_at)
    )


def _records(hits: Iterable[LookupHit]) -> list[Record]:
    return [Record(hit.listing, hit.updated_at) for hit in hits]


def _behind(type_: Type, hit: LookupHit) -> LookupKey:
    """Where to go on: a Practitioner's listings stand together and are all behind us at once."""
    is_of_several = type_ is Type.PRACTITIONER and hit.listing.npi
    return replace(hit.key, id=_BEHIND_ALL) if is_of_several else hit.key


def _is_told(search: Search) -> bool:
    """Whether the index's listings are what is meant, one for each resource."""
    return search.wanted.is_all_in_the_index and search.type is not Type.PRACTITIONER


def _counted(engine: Answering, search: Search) -> int:
    """How many resources there are in all; InvalidQuery where that would take too long to tell."""
    total = engine.lookup(search.wanted.lookup(1, None)).total
    if _is_told(search):
        return total
    if total > MOST_COUNTED:
        raise wrong("_summary", f"more than {MOST_COUNTED:,} listings; narrow what is counted.")
    kept = _kept(engine, search.wanted)
    if search.before is None:
        return len({resource_id(search.type, hit.listing) for hit in kept})
    found = drawn_from(engine, search.type, _records(kept))
    return sum(search.is_older(each.updated_at) for each in found)


def _kept(engine: Answering, wanted: Wanted) -> list[LookupHit]:
    """All that is meant, however many."""
    hits = all_hits(engine, wanted.lookup(0, None))
    return [hit for hit in hits if wanted.keeps(hit.listing)]


def _included(
    engine: Answering, found: Sequence[Subject], includes: Sequence[Include]
) -> list[Subject]:
    """What comes along, each once, and nothing that was found already."""
    there = {(each.type, each.id) for each in found}
    come: list[Subject] = []
    new, rounds = list(found), 0
    while new:
        last, new = new, []
        for include in (each for each in includes if each.iterate or not rounds):
            sources = [each for each in last if each.type is include.source]
            records = [record for each in sources for record in each.records]
            for subject in drawn_from(engine, include.target, records):
                if (subject.type, subject.id) not in there:
                    there.add((subject.type, subject.id))
                    new.append(subject)
        come += new
        rounds += 1
    return come
