"""What all measurements share: the same listings in both engines, and how long to look."""

import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.listings import generated
from benchmarks.queries import Parameters, ask, body
from directory.places import Places
from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.engine import Ask, Engine
from directory.search.sqlite import SqliteEngine
from directory.services import system_clock

QUICK = bool(os.environ.get("QUICK"))
LISTINGS = 50_000 if QUICK else 500_000
ALIAS = "bench"


@dataclass(frozen=True)
class Bench:
    """A folder to work in, and a node that holds the listings; the embedded engine does, too."""

    folder: Path
    node: str

    @property
    def node_path(self) -> str:
        """Where searches are posted, past the node's own cache of answers."""
        return f"/{ALIAS}/_search?request_cache=false"

    @property
    def elastic_url(self) -> str:
        return f"{self.node}/{ALIAS}"

    @property
    def embedded_url(self) -> str:
        return f"sqlite:///{self.folder / 'search.db'}"

    @cached_property
    def embedded(self) -> SqliteEngine:
        return SqliteEngine(self.folder / "search.db")

    @cached_property
    def elastic(self) -> ElasticsearchEngine:
        return ElasticsearchEngine(self.elastic_url)

    @cached_property
    def places(self) -> Places:
        return Places(list)

    def ask(self, asked: Parameters) -> Ask:
        return ask(asked, self.places, system_clock().date())

    def body(self, asked: Parameters) -> bytes:
        return body(self.ask(asked))


def fill(engine: Engine, many: int) -> float:
    """Seconds to make an index of so many listings."""
    begun = time.perf_counter()
    with no_cycles_sought(), engine.new_generation() as generation:
        generation.apply(generated(many))
        generation.serve(many)
    return time.perf_counter() - begun


@contextmanager
def no_cycles_sought() -> Iterator[None]:
    """As the indexer's commands do it."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
