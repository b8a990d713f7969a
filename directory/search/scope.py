"""Within what is searched at all: a circle, and a scope that holds whatever else is asked."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Circle:
    """All within a radius (metres; None is the whole earth) of a centre (latitude, longitude)."""

    centre: tuple[float, float]
    radius_m: float | None


@dataclass(frozen=True)
class Scope:
    """What a search may find at all: listings in these states, and with these facet values.

    Nothing in it means everywhere, and everything. Unlike a filter it is never left out of a count.
    """

    states: tuple[str, ...] = ()
    facets: tuple[tuple[str, tuple[str, ...]], ...] = ()


EVERYTHING = Scope()
