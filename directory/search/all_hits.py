"""Everything that a lookup finds, page after page."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from directory.search.engine import Answering
from directory.search.lookup import Criterion, Field, Lookup, LookupHit

AT_ONCE = 500
"""Listings a lookup."""


def all_hits(engine: Answering, wanted: Lookup) -> Iterator[LookupHit]:
    """Every hit behind `after`, in order, whatever the `limit`. Raises EngineUnavailable."""
    page = replace(wanted, limit=AT_ONCE)
    while hits := engine.lookup(page).hits:
        yield from hits
        if len(hits) < AT_ONCE:
            return
        page = replace(page, after=hits[-1].key)


def hits_of(engine: Answering, wanted: Lookup, npis: Collection[str]) -> Iterator[LookupHit]:
    """Every hit of a lookup that has one of these NPIs. Raises EngineUnavailable."""
    if npis:
        theirs = Criterion((Field.NPI,), tuple(npis))
        yield from all_hits(engine, replace(wanted, criteria=(*wanted.criteria, theirs)))
