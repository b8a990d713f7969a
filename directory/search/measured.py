"""An engine of which every question is surrounded: timed, counted where it fails, traced."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from directory.search.engine import Answering, Ask, Cluster, EngineStatus, Found, NamedAs
from directory.search.lookup import LookedUp, Lookup

Asking = Callable[[str], AbstractContextManager[None]]
"""Surrounds a question, by its name."""


class Measured:
    """Answers as the engine does."""

    def __init__(self, engine: Answering, asking: Asking) -> None:
        self._engine = engine
        self._asking = asking

    def search(self, ask: Ask) -> Found:
        """One page of what the ask matches."""
        with self._asking("search"):
            return self._engine.search(ask)

    def count(self, ask: Ask) -> int:
        """How many listings the ask matches."""
        with self._asking("count"):
            return self._engine.count(ask)

    def clusters(self, ask: Ask, zoom: int, most: int) -> tuple[Cluster, ...]:
        """What the ask matches, counted by the tiles of a zoom level."""
        with self._asking("clusters"):
            return self._engine.clusters(ask, zoom, most)

    def names(self, text: str, most: int) -> tuple[NamedAs, ...]:
        """Names that begin with a text."""
        with self._asking("names"):
            return self._engine.names(text, most)

    def lookup(self, wanted: Lookup) -> LookedUp:
        """One page of the listings for which every criterion holds."""
        with self._asking("lookup"):
            return self._engine.lookup(wanted)

    def status(self) -> EngineStatus | None:
        """What is served."""
        with self._asking("status"):
            return self._engine.status()
