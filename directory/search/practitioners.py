"""Lookups by practitioner: each once, where the order first comes to one of their listings.

Nothing is remembered between pages: a listing counts if it is the first of its practitioner by the
same lookup, so whoever was shown at a nearer practice is not shown again at a farther one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from directory.search.all_hits import AT_ONCE, hits_of
from directory.search.engine import Answering
from directory.search.lookup import Lookup, LookupHit, LookupKey


@dataclass(frozen=True)
class Practitioner:
    """One NPI: the hit by which it was found, and all its listings, that one first, then by id."""

    found: LookupHit
    listings: tuple[LookupHit, ...]


def practitioners(
    engine: Answering, wanted: Lookup, skip: int = 0
) -> tuple[tuple[Practitioner, ...], LookupKey | None]:
    """Up to `limit` practitioners that a lookup finds, and the key to go on behind, if any is left.

    Listings without an NPI are passed over. Raises EngineUnavailable.
    """
    wanted = replace(wanted, with_npi=True)
    found = list(islice(_firsts(engine, wanted, skip), skip, skip + wanted.limit + 1))
    shown = found[: wanted.limit]
    theirs = _by_npi(engine, Lookup(scope=wanted.scope), shown)
    several = tuple(Practitioner(hit, (hit, *_others(theirs, hit))) for hit in shown)
    return several, shown[-1].key if len(found) > len(shown) else None


def _firsts(engine: Answering, wanted: Lookup, skip: int) -> Iterator[LookupHit]:
    """The first hit of each practitioner, in order, behind `after`."""
    page = replace(wanted, limit=min(AT_ONCE, 2 * (skip + wanted.limit + 1)))
    while hits := engine.lookup(page).hits:
        of_each = _by_npi(engine, replace(wanted, after=None), hits)
        first_ids = {several[0].listing.id for several in of_each.values()}
        yield from (hit for hit in hits if hit.listing.id in first_ids)
        if len(hits) < page.limit:
            return
        page = replace(page, after=hits[-1].key)


def _by_npi(
    engine: Answering, wanted: Lookup, hits: Collection[LookupHit]
) -> Mapping[str, Sequence[LookupHit]]:
    """All that a lookup finds of the practitioners of some hits, in its order."""
    found: dict[str, list[LookupHit]] = defaultdict(list)
    npis = {npi for hit in hits if (npi := hit.listing.npi)}
    for hit in hits_of(engine, wanted, npis):
        found[hit.listing.npi or ""].append(hit)
    return found


def _others(theirs: Mapping[str, Sequence[LookupHit]], but: LookupHit) -> Iterator[LookupHit]:
    several = theirs.get(but.listing.npi or "", ())
    return (hit for hit in several if hit.listing.id != but.listing.id)
