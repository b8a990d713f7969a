"""Three Elasticsearch nodes lose their master, then a data node, under a steady load and changes.

    python -m benchmarks.cluster            five minutes; writes benchmarks/cluster.md
    QUICK=1 python -m benchmarks.cluster    one kill, two minutes, and nothing is written

Searches go through our own engine, and changes through the store and `indexer sync --follow`'s loop,
as in production. What is killed is killed without warning (SIGKILL). Searches are sent at an even
rate, however many are under way: a few that wait for their answers would hide how many can fail.
"""

import logging
import os
import platform
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from pathlib import Path

from benchmarks.bench import QUICK
from benchmarks.pace import evenly
from benchmarks.tables import table
from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.engine import Ask, EngineUnavailable
from directory.search.scope import Circle
from directory.services import system_clock
from directory.store import changefeed
from directory.store.database import Database
from directory.web.responses import RETRY_AFTER_S
from indexer import sync
from tests.builders import AUSTIN
from tests.elasticsearch_cluster import Cluster, cluster
from tests.store.test_store import put

LISTINGS = 2_000
VICTIMS = ("a data node",) if QUICK else ("the master", "a data node")
STEADY_S, COPIED_AFTER_S = (3.0, 2) if QUICK else (20.0, 60)
"""How long nothing happens before and after; how long the cluster waits for a lost node before it
makes another copy, which is a minute where nobody says otherwise."""

SEARCHES_A_SECOND, CHANGES_A_SECOND = 10, 10
"""What two cores can bear beside three nodes, one of which starts: at 20, with other work on the
machine, searches failed before anything was killed."""

MOST_ASKERS = SEARCHES_A_SECOND * (RETRY_AFTER_S + 10)
"""More than begin while one fails, waits for as long as the site tells it to, and fails again."""

ASK = Ask(area=Circle(AUSTIN, 40_000), facets=(("profession", ("physical-therapist",)),))


@dataclass
class Phase:
    """What became of the searches that were due in a time.

    `answered` has when each was due and how long its answer took from then on (seconds), also where
    it came at the second asking. `failed` says why a first asking failed, `lost` why the second did.
    """

    name: str
    answered: list[tuple[float, float]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    most_under_way: int = 0
    in_vain: int = 0
    began: float = field(default_factory=time.monotonic)

    def row(self, longest_gap_s: float) -> list[str]:
        """Of the table; the gap is between two answers, whichever they were."""
        cuts = statistics.quantiles((took * 1000 for _, took in self.answered), n=100)
        return [
            self.name, f"{len(self.answered) + len(self.lost):,}", str(self.most_under_way),
            str(len(self.failed)), str(len(self.lost)), str(self.in_vain), f"{longest_gap_s:.2f}",
            f"{cuts[49]:.1f} / {cuts[94]:.1f} / {cuts[98]:.1f}",
        ]  # fmt: skip


class Load(logging.Handler):
    """Searches at a steady pace and counts; the client's log tells of each try that failed."""

    def __init__(self, engine: ElasticsearchEngine) -> None:
        super().__init__(logging.WARNING)
        self._engine = engine
        self._stop = threading.Event()
        self._lock, self._under_way = threading.Lock(), 0
        self.phases = [Phase("starting")]

    def enter(self, name: str) -> None:
        """What comes now belongs to another phase."""
        self.phases.append(Phase(name))

    def emit(self, record: logging.LogRecord) -> None:
        if "has failed" in record.msg and (record.threadName or "").startswith("search"):
            self.phases[-1].in_vain += 1

    @contextmanager
    def running(self) -> Iterator[None]:
        """Searches within it; raises what is no failure but a wrong answer."""
        log = logging.getLogger("elastic_transport.node_pool")
        log.addHandler(self)
        with ThreadPoolExecutor(1) as sender:
            sent = sender.submit(self._send)
            try:
                yield
            finally:
                self._stop.set()
                log.removeHandler(self)
        for each in sent.result():
            each.result()

    def _send(self) -> list[Future[None]]:
        until_stopped = takewhile(lambda _: not self._stop.is_set(), evenly(SEARCHES_A_SECOND))
        with ThreadPoolExecutor(MOST_ASKERS, "search") as pool:
            return [pool.submit(self._search, self.phases[-1], due) for due in until_stopped]

    def _search(self, phase: Phase, due: float) -> None:
        try:
            self._ask()
        except EngineUnavailable as error:
            phase.failed.append(str(error))
            time.sleep(RETRY_AFTER_S)
            try:
                self._ask()
            except EngineUnavailable as again:
                phase.lost.append(str(again))
                return
        phase.answered.append((due, time.monotonic() - due))

    def _ask(self) -> None:
        with self._counted():
            found = self._engine.search(ASK)
        assert found.total == LISTINGS, f"{found.total} found"

    @contextmanager
    def _counted(self) -> Iterator[None]:
        phase = self.phases[-1]
        with self._lock:
            self._under_way += 1
            phase.most_under_way = max(phase.most_under_way, self._under_way)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1


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
        waiting = {"index.unassigned.node_left.delayed_timeout": f"{COPIED_AFTER_S}s"}
        engine._writer.indices.put_settings(index="drill", settings=waiting)
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
    time.sleep(steady_s)  # nodes that have just started are slow; this is in no phase of the report
    load.enter("before")
    time.sleep(steady_s)
    for what in VICTIMS:
        name = three.master() if what == "the master" else three.holder(_index(engine))
        load.enter(f"{what} is killed, until the others are whole")
        three.kill(name)
        green_s[what] = three.seconds_to("green", 2)
        time.sleep(steady_s)  # where the master has no copy, they are whole at once
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
    yield f"and store alike. {LISTINGS:,} listings, {SEARCHES_A_SECOND} searches a second, sent whether the last "
    yield f"ones were answered or not, and at most {CHANGES_A_SECOND} changes; every search counts all the "
    yield f"listings. One that fails is asked once more, {RETRY_AFTER_S} s later, which is what the site's `Retry-After` "
    yield "says, and its time runs on from when it was first due. Written by `python -m benchmarks.cluster`.\n\n"
    yield from table(
        ("while", "searches", "most under way", "failed at first", "failed twice", "tries in vain",
         "longest gap s", "p50 / p95 / p99 ms"),
        map(Phase.row, found.phases, _longest_gaps(found.phases)),
    )  # fmt: skip
    yield "\n"
    for reason in sorted({why for phase in found.phases for why in phase.failed}):
        yield f"- failed at first: {reason}\n"
    for reason in sorted({why for phase in found.phases for why in phase.lost}):
        yield f"- failed twice: {reason}\n"
    for what, seconds in found.green_s.items():
        yield f"- green again {seconds:.0f} s after {what} was killed\n"
    yield f"- another copy is made {COPIED_AFTER_S} s after a node is gone\n"
    lost = sum(found.indexed.get(id_) != clinic for id_, clinic in found.stored.items())
    yield f"\n{found.changes:,} changes were made meanwhile; {lost} are missing from the index.\n"


def _longest_gaps(phases: Sequence[Phase]) -> list[float]:
    """The longest time without an answer that began in each phase, seconds."""
    answers = sorted(due + took for phase in phases for due, took in phase.answered)
    ends = [*(phase.began for phase in phases[1:]), answers[-1]]
    return [
        max((later - at for at, later in pairwise(answers) if phase.began <= at < end), default=0.0)
        for phase, end in zip(phases, ends, strict=True)
    ]


def main() -> None:
    """Drill, and write the report."""
    with tempfile.TemporaryDirectory(prefix="directory-cluster-") as name:
        Path(name).chmod(0o755)
        text = "".join(report(drill(Path(name), STEADY_S)))
    print(text)
    if not QUICK:
        Path(__file__).with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
