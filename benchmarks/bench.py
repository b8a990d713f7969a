"""What all measurements share: the same listings in both engines, and how long to look."""

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from pathlib import Path

from benchmarks.listings import generated
from benchmarks.queries import Parameters, ask, body
from directory.listing import Change
from directory.places import Places
from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.engine import Ask, Engine
from directory.search.sqlite import SqliteEngine
from directory.services import system_clock

QUICK = bool(os.environ.get("QUICK"))
LISTINGS = 10_000 if QUICK else 500_000
ALIAS = "bench"


@dataclass(frozen=True)
class Bench:
    """A folder to work in, and a node; the embedded engine in the one has what the other has.

    What filling each took is in seconds.
    """

    folder: Path
    node: str
    embedded_s: float
    elastic_s: float

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

    @cached_property
    def changes(self) -> Iterator[Change]:
        """The first listing once more, under the next number each time."""
        first = next(generated(1))
        return (replace(first, number=number) for number in count(LISTINGS + 1))

    def ask(self, asked: Parameters) -> Ask:
        return ask(asked, self.places, system_clock().date())

    def body(self, asked: Parameters) -> bytes:
        return body(self.ask(asked))


def filled(folder: Path, node: str) -> Bench:
    """Both engines, filled with the same listings."""
    embedded = fill(SqliteEngine(folder / "search.db"), LISTINGS)
    elastic = fill(ElasticsearchEngine(f"{node}/{ALIAS}"), LISTINGS)
    return Bench(folder, node, embedded, elastic)


def fill(engine: Engine, many: int) -> float:
    """Seconds to make an index of so many listings."""
    begun = time.perf_counter()
    with no_cycles_sought(), engine.new_generation() as generation:
        generation.apply(generated(many))
        generation.serve(many)
    return time.perf_counter() - begun


def timed(call: Callable[[], object]) -> float:
    """How long it takes, milliseconds."""
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


@contextmanager
def no_cycles_sought() -> Iterator[None]:
    """As the indexer's commands do it."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
