"""The seam between the search and what answers it.

An engine is asked one `Ask` and gives one `Found`, or one `Lookup` and gives one `LookedUp`. Both
engines, embedded and Elasticsearch, answer alike: the same listings in the same order with the same
distances, counts and totals (tests/contract holds them to it, with a brute-force scan as the
judge). Only the values of this module, scope.py and lookup.py cross the seam.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from directory.listing import Change, Listing
from directory.search.document import Document
from directory.search.lookup import LookedUp, Lookup
from directory.search.scope import EVERYTHING, Circle, Scope
from directory.vocabulary import Clause

SCHEMA = 6
"""Rises whenever what is indexed changes; an index of another schema must be rebuilt."""


UNREADABLE = "the search index holds what this version cannot read: run `indexer rebuild`"


class EngineUnavailable(Exception):
    """The engine cannot answer now: down, slow, without an index, or only part of it answered."""


class Sort(StrEnum):
    """`distance`: nearest first. `best`: by score; `price`: the cheapest first visit; then nearest.

    Who gives no price comes last by `price`. Ties break by id.
    """

    DISTANCE = "distance"
    BEST = "best"
    PRICE = "price"


@dataclass(frozen=True)
class SortKey:
    """A result's place in the order: the highest score, then the nearest, then by id.

    `score` is the price below nothing by `price`, and 0 by `distance`; `distance_m` is 0 without a
    centre.
    """

    score: int
    distance_m: float
    id: str


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What an engine is asked.

    `facets` maps a facet to its selected values (any of them will do; no entry, no filter).
    `fresh_since` is the first day on which an attestation still counts as fresh. `after`
    continues behind a sort key, `offset` skips results; never both.
    """

    scope: Scope = EVERYTHING
    area: Circle | str | None = None
    clauses: tuple[Clause, ...] = ()
    facets: tuple[tuple[str, tuple[str, ...]], ...] = ()
    max_price: int | None = None
    fresh_since: date = date.min
    sort: Sort = Sort.BEST
    limit: int = 20
    offset: int = 0
    after: SortKey | None = None

    @property
    def circle(self) -> Circle | None:
        """The area, if it is a circle."""
        return self.area if isinstance(self.area, Circle) else None

    @property
    def state(self) -> str | None:
        """The area, if it is a state (its two letters)."""
        return self.area if isinstance(self.area, str) else None


@dataclass(frozen=True)
class Hit:
    """One result: what the index holds of a listing, and its place in the order.

    The key's distance is 0 where there is no centre. Many answers need no Listing: it is read where
    somebody asks for one.
    """

    document: Document
    key: SortKey

    @cached_property
    def listing(self) -> Listing:
        """The listing; raises as `listing_of`."""
        return listing_of(self.document)


def listing_of(document: Document) -> Listing:
    """The listing that a document says. EngineUnavailable where the index holds something else."""
    try:
        return document.listing
    except ValueError as error:
        raise EngineUnavailable(UNREADABLE) from error


@dataclass(frozen=True)
class Found:
    """An engine's answer: the total, one page of hits, and the counts of entry.FACET_VALUES.

    A value is counted with its own facet's selection left out, and all others respected.
    """

    total: int
    hits: tuple[Hit, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Cluster:
    """How many listings lie in one tile of a map, and the middle of them (degrees).

    `tile` is its column and row, as maps of the web number them (from the north-west).
    """

    tile: tuple[int, int]
    centre: tuple[float, float]
    count: int


class NameOf(StrEnum):
    """Whose name it is."""

    PRACTITIONER = "practitioner"
    CLINIC = "clinic"


@dataclass(frozen=True)
class NamedAs:
    """A name that listings have."""

    kind: NameOf
    text: str


@dataclass(frozen=True)
class EngineStatus:
    """What an engine serves: generation, listings, and the last change that it has applied.

    `current` is False where the index was made by another version and should be made anew. `mark`
    is what the store calls the history that the position belongs to, empty where it never said.
    """

    generation: str
    documents: int
    position: int
    current: bool = True
    mark: str = ""


class Generation(Protocol):
    """A new index being filled; it serves nothing until `serve` swaps it in."""

    def apply(self, changes: Iterable[Change]) -> None:
        """Put and delete listings; a change not newer than what is there is passed over."""

    def search(self, ask: Ask) -> Found:
        """Answer from this generation while it serves nobody else, to see whether it is right."""

    def serve(self, position: int, mark: str = "") -> None:
        """Answer from this generation from now on, in one step; the replaced one is kept."""


class Answering(Protocol):
    """What answers asks. Every method raises EngineUnavailable where it cannot do its work."""

    def search(self, ask: Ask) -> Found:
        """One page of what the ask matches, with totals and facet counts."""

    def count(self, ask: Ask) -> int:
        """How many listings the ask matches."""

    def clusters(self, ask: Ask, zoom: int, most: int) -> tuple[Cluster, ...]:
        """What the ask matches, counted by the tiles of a zoom level; `most` of them, any.

        A level has 2 ** zoom columns, and as many rows.
        """

    def names(self, text: str, most: int) -> tuple[NamedAs, ...]:
        """Names that begin with a text, in the order of their folded words."""

    def lookup(self, wanted: Lookup) -> LookedUp:
        """One page of the listings for which every criterion holds, and how many there are."""

    def status(self) -> EngineStatus | None:
        """What is served, or None where there is no index that can answer."""


class Engine(Answering, Protocol):
    """What answers asks, and is kept up to date. Raises as `Answering` does."""

    def apply(self, changes: Iterable[Change], position: int, mark: str = "") -> None:
        """Bring the serving generation up to a position, which never goes back.

        The mark that it has stays where none is given.
        """

    def new_generation(self) -> AbstractContextManager[Generation]:
        """A new index beside the serving one; left without `serve`, it is dropped."""

    def roll_back(self) -> EngineStatus | None:
        """Answer from the generation that the serving one has replaced; None where it is gone.

        Both stay, so it can be undone in the same way.
        """

    def version(self) -> str:
        """What the engine runs on: `SQLite 3.40.1`, `Elasticsearch 9.2.0`."""

    def close(self) -> None:
        """Let go of files and connections."""
