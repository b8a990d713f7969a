"""An engine within a scope: whatever is asked of it, it finds nothing outside.

Everything that a partner's key opens asks through this, so that there is one place where a scope
is kept to: counts, clusters, the nearest beyond and what FHIR includes among it.
"""

from dataclasses import replace

from directory.search.engine import (
    Answering,
    Ask,
    Cluster,
    EngineStatus,
    Found,
    NamedAs,
)
from directory.search.lookup import LookedUp, Lookup
from directory.search.scope import Scope


class Scoped:
    """Answers as the engine does, of the listings within the scope."""

    def __init__(self, engine: Answering, scope: Scope) -> None:
        self._engine = engine
        self._scope = scope

    def search(self, ask: Ask) -> Found:
        """One page of what the ask matches."""
        return self._engine.search(replace(ask, scope=both(self._scope, ask.scope)))

    def count(self, ask: Ask) -> int:
        """How many listings the ask matches."""
        return self._engine.count(replace(ask, scope=both(self._scope, ask.scope)))

    def clusters(self, ask: Ask, zoom: int, most: int) -> tuple[Cluster, ...]:
        """What the ask matches, counted by the tiles of a zoom level."""
        within = replace(ask, scope=both(self._scope, ask.scope))
        return self._engine.clusters(within, zoom, most)

    def lookup(self, wanted: Lookup) -> LookedUp:
        """One page of the listings for which every criterion holds."""
        return self._engine.lookup(replace(wanted, scope=both(self._scope, wanted.scope)))

    def names(self, text: str, most: int) -> tuple[NamedAs, ...]:  # noqa: ARG002  # of nobody
        """None: names are kept apart from the listings that have them, so all would be told."""
        return ()

    def status(self) -> EngineStatus | None:
        """What is served."""
        return self._engine.status()


def both(one: Scope, other: Scope) -> Scope:
    """What is within two scopes."""
    facets = (*one.facets, *other.facets)
    if not one.states or not other.states:
        return Scope(one.states or other.states, facets)
    common = tuple(state for state in one.states if state in other.states)
    # No listing has none of a facet's values: nothing is in both.
    return Scope(common, facets) if common else Scope(facets=(*facets, ("profession", ())))
