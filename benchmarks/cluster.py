"""Three Elasticsearch nodes lose their master, then a data node, under a steady load and changes.

    python -m benchmarks.cluster        six minutes; writes benchmarks/cluster.md

Searches go through our own engine, and changes through the store and `indexer sync --follow`'s loop,
as in production. What is killed is killed without warning (SIGKILL).
"""

import logging
import os
import platform
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.engine import Ask, EngineUnavailable
from directory.search.scope import Circle
from directory.services import system_clock
from directory.store import changefeed
from directory.store.database import Database
from indexer import sync
from tests.builders import AUSTIN
from tests.elasticsearch_cluster import Cluster, cluster
from tests.store.test_store import put

LISTINGS, STEADY_S = 2_000, 20.0
SEARCHERS, A_SECOND = 4, 10
"""Threads that search, and how often each does."""

CHANGES_A_SECOND = 20
ASK = Ask(area=Circle(AUSTIN, 40_000), facets=(("profession", ("physical-therapist",)),))


@dataclass
class Phase:
    """What searches met in a time: their starts and lasting (seconds), failures, tries in vain."""

    name: str
    searches: list[tuple[float, float]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    in_vain: int = 0

    @property
    def answered_at(self) -> list[float]:
        return sorted(started + lasted for started, lasted in self.searches)

    def row(self, until: float) -> str:
        """A line of the table; `until` is when the first search of the next phase was answered."""
        gaps = (later - earlier for earlier, later in pairwise([*self.answered_at, until]))
        times = [lasted * 1000 for _, lasted in self.searches]
        cuts = statistics.quantiles(times, n=100)
        return (
            f"| {self.name} | {len(times) + len(self.failed):,} | {len(self.failed)} | {self.in_vain} "
            f"| {max(gaps):.2f} | {cuts[49]:.1f} / {cuts[94]:.1f} / {cuts[98]:.1f} |\n"
        )


class Load(logging.Handler):
    """Searches at a steady pace and counts; the client's log tells of each try that failed."""

    def __init__(self, engine: ElasticsearchEngine) -> None:
        super().__init__(logging.WARNING)
        self._engine = engine
        self._stop = threading.Event()
        self.phases = [Phase("starting")]

    def enter(self, name: str) -> None:
        """What comes now belongs to another phase."""
        self.phases.append(Phase(name))

    def emit(self, record: logging.LogRecord) -> None:
        if "has failed" in record.msg and (record.threadName or "").startswith("search"):
            self.phases[-1].in_vain += 1

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [
            threading.Thread(target=self._search, name=f"search-{n}") for n in range(SEARCHERS)
        ]
        log = logging.getLogger("elastic_transport.node_pool")
        log.addHandler(self)
        for each in threads:
            each.start()
        try:
            yield
        finally:
            self._stop.set()
            for each in threads:
                each.join()
            log.removeHandler(self)

    def _search(self) -> None:
        due = time.monotonic() + random.random() / A_SECOND
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            phase, started = self.phases[-1], time.monotonic()
            try:
                found = self._engine.search(ASK)
                assert found.total == LISTINGS, f"{found.total} found"
                phase.searches.append((started, time.monotonic() - started))
            except (EngineUnavailable, AssertionError) as error:
                phase.failed.append(str(error))
            due = max(due + 1 / A_SECOND, time.monotonic())


@dataclass
class Drill:
    """What was measured: phases, seconds to green after each kill, what became of changes."""

    phases: list[Phase]
    green_s: dict[str, float]
    changes: int
    stored: dict[str, str | None]
    indexed: dict[str, str | None]


def drill(folder: Path, steady_s: float) -> Drill:
    """Kill the master and then a data node of a cluster whose files lie in a folder."""
    database = Database(f"sqlite:///{folder / 'store.db'}")
    database.migrate()
    for number in range(LISTINGS):
        put(database, f"l{number:05}", clinic="One")
    with cluster(folder / "cluster") as three:
        engine = ElasticsearchEngine(f"{three.url}/drill")
        sync.rebuild(database, engine)
        three.seconds_to("green", 3)
        load = Load(engine)
        with (
            _changing(database) as changed,
            _followed(database, engine),
            load.running(),
        ):
            green_s = _faults(three, engine, load, steady_s)
        _caught_up(database, engine)
        found = engine.search(Ask(limit=LISTINGS)).hits
        engine.close()
    return Drill(
        load.phases[1:], green_s, len(changed), _stored(database),
        {hit.listing.id: hit.listing.clinic for hit in found},
    )  # fmt: skip


def _faults(
    three: Cluster, engine: ElasticsearchEngine, load: Load, steady_s: float
) -> dict[str, float]:
    """The course of the drill; says how long the cluster took to be whole again."""
    green_s: dict[str, float] = {}
    load.enter("before")
    time.sleep(steady_s)
    victims: list[tuple[str, Callable[[], str]]] = [
        ("the master", three.master),
        ("a data node", lambda: three.holder(_index(engine))),
    ]
    for what, find in victims:
        name = find()
        load.enter(f"{what} is killed, until the others are whole")
        three.kill(name)
        green_s[what] = three.seconds_to("green", 2)
        load.enter("it is started again, until all are whole")
        three.start(name)
        three.seconds_to("green", 3)
    load.enter("after")
    time.sleep(steady_s)
    return green_s


def _index(engine: ElasticsearchEngine) -> str:
    status = engine.status()
    assert status
    return status.generation


@contextmanager
def _changing(database: Database) -> Iterator[list[str]]:
    """Listings change all the while, by one thread; says which."""
    stop, changed = threading.Event(), list[str]()

    def change() -> None:
        while not stop.wait(1 / CHANGES_A_SECOND):
            id_ = f"l{random.randrange(LISTINGS):05}"
            put(database, id_, clinic=f"Change {len(changed)}")
            changed.append(id_)

    with _thread(change, stop):
        yield changed


@contextmanager
def _followed(database: Database, engine: ElasticsearchEngine) -> Iterator[None]:
    stop = threading.Event()
    with _thread(lambda: sync.follow(database, engine, system_clock, print, stop), stop):
        yield


@contextmanager
def _thread(work: Callable[[], None], stop: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _caught_up(database: Database, engine: ElasticsearchEngine) -> None:
    sync.sync(database, engine)
    assert sync.status(database, engine).behind == 0


def _stored(database: Database) -> dict[str, str | None]:
    with database.reading() as session:
        changes = changefeed.changes(session, since=0, limit=2 * LISTINGS)
    return {change.id: change.listing.clinic for change in changes if change.listing}


def report(found: Drill) -> Iterator[str]:
    yield "# Three nodes, one of them killed\n\n"
    yield f"{platform.machine()}, {os.cpu_count()} cores for three nodes (heap 512 MB each), searches, changes "
    yield f"and store alike. {LISTINGS:,} listings, {SEARCHERS * A_SECOND} searches and at most "
    yield f"{CHANGES_A_SECOND} changes a second; every search counts all the listings. Written by "
    yield "`python -m benchmarks.cluster`.\n\n"
    yield "| while | searches | failed | tries in vain | longest gap s | p50 / p95 / p99 ms |\n"
    yield "| --- | --- | --- | --- | --- | --- |\n"
    untils = [phase.answered_at[0] for phase in found.phases[1:]] + found.phases[-1].answered_at[
        -1:
    ]
    yield from map(Phase.row, found.phases, untils)
    for reason in sorted({reason for phase in found.phases for reason in phase.failed}):
        yield f"\n- failed: {reason}"
    for what, seconds in found.green_s.items():
        yield f"\nGreen again {seconds:.0f} s after {what} was killed."
    lost = sum(found.indexed.get(id_) != clinic for id_, clinic in found.stored.items())
    yield f"\n\n{found.changes:,} changes were made meanwhile; {lost} are missing from the index.\n"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="directory-cluster-") as name:
        Path(name).chmod(0o755)
        text = "".join(report(drill(Path(name), STEADY_S)))
    Path("benchmarks/cluster.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
