"""The embedded engine against the bare node: the same listings, the same searches, in turn."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.bench import LISTINGS, QUICK, Bench, timed
from benchmarks.clients import Client, post
from benchmarks.queries import RADII, Parameters, alike
from benchmarks.tables import quantiles, table
from directory.search.engine import Ask
from directory.search.sqlite import SqliteEngine

TITLE = "The embedded engine against the bare node"
ASKS, ROUNDS, CHANGES = (6, 1, 6) if QUICK else (60, 5, 60)
PROCESSES = 4
HEAD = ("radius", "filters", "text", "embedded p50 / p95 ms", "bare node p50 / p95 ms",
        "p50 ratio", "p95 ratio")  # fmt: skip
KINDS = [(text, filtered) for text in (False, True) for filtered in (True, False)]


def section(bench: Bench) -> Iterator[str]:
    """At rest, with a change before each search, and four processes on the one file."""
    size = (bench.folder / "search.db").stat().st_size / 1e6
    yield f"Made of {LISTINGS:,} listings: embedded in {bench.embedded_s:.0f} s ({size:.0f} MB), "
    yield f"Elasticsearch in {bench.elastic_s:.0f} s. Below, the whole embedded engine in one thread "
    yield "against posting the same query, serialised already, and reading the bytes. Targets: a p50 ratio "
    yield "of at most 0.5, and with text of at most 1.0; a p95 ratio of at most 1.0, with text 2.0.\n\n"
    yield f"The index at rest, so that the cells are in memory; {ROUNDS} rounds of {ASKS}:\n\n"
    yield from table(HEAD, _rows(bench, ROUNDS, lambda: None))
    yield f"\nOne change is published to both before each search, so that every cell is read anew; {ASKS} "
    yield "searches:\n\n"
    yield from table(HEAD, _rows(bench, 1, partial(_publish, bench)))
    yield from _changes(bench)
    yield from _processes(bench)


def _rows(bench: Bench, rounds: int, before: Callable[[], None]) -> Iterator[list[str]]:
    for text, filtered in KINDS:
        for radius in RADII:
            chosen = alike(ASKS, radius, filtered=filtered, text=text)
            ours, theirs = _in_turn(bench, chosen, rounds, before)
            (p50, p95), (node50, node95) = quantiles(ours), quantiles(theirs)
            yield [
                f"{radius} mi", "two" if filtered else "none", "yes" if text else "no",
                f"{p50:.2f} / {p95:.2f}", f"{node50:.2f} / {node95:.2f}",
                f"{p50 / node50:.2f}", f"{p95 / node95:.2f}",
            ]  # fmt: skip


def _in_turn(
    bench: Bench, chosen: list[Parameters], rounds: int, before: Callable[[], None]
) -> tuple[list[float], list[float]]:
    """Milliseconds of ours and of the node's, after a round that does not count."""
    pairs = [(bench.ask(each), post(bench.node_path, bench.body(each))) for each in chosen]
    ours: list[float] = []
    theirs: list[float] = []
    with Client(bench.node) as node:
        for ask, request in pairs:
            bench.embedded.search(ask)
            node.ask(request)
        for ask, request in pairs * rounds:
            before()
            ours.append(timed(partial(bench.embedded.search, ask)))
            theirs.append(node.ask(request)[0])
    return ours, theirs


def _publish(bench: Bench) -> None:
    change = next(bench.changes)
    for engine in (bench.embedded, bench.elastic):
        engine.apply([change], change.number)


def _changes(bench: Bench) -> Iterator[str]:
    """Single changes, and what the first search behind each takes, as it reads its cells anew."""
    (asked,) = (bench.ask(each) for each in alike(1, 50, filtered=True, text=False))
    one, behind = [], []
    for _ in range(CHANGES):
        change = next(bench.changes)
        one.append(timed(partial(bench.embedded.apply, [change], change.number)))
        behind.append(timed(partial(bench.embedded.search, asked)))
    middle, worst = quantiles(one)
    yield f"\nOne change is applied in {middle:.1f} ms (p95 {worst:.1f}; target: 5); the first search "
    yield f"behind it, of 50 miles, takes {statistics.median(behind):.1f} ms.\n"


def _processes(bench: Bench) -> Iterator[str]:
    """Four processes on the one file, each opening it and searching everywhere it is asked to."""
    chosen = [
        bench.ask(each) for radius in RADII for each in alike(50, radius, filtered=True, text=False)
    ]
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES) as pool:
        found = pool.starmap(_in_process, [(bench.folder / "search.db", chosen)] * PROCESSES)
    opened, memory = max(each[0] for each in found), max(each[1] for each in found)
    assert len({each[2] for each in found}) == 1, "they found different things"
    yield f"\n{PROCESSES} processes at once on the one file: the slowest had its first answer after "
    yield f"{opened * 1000:.0f} ms (target: 1,000), the largest took {memory:.0f} MB (300), and all found "
    yield "the same.\n"


def _in_process(path: Path, chosen: list[Ask]) -> tuple[float, float, int]:
    """Seconds to the first answer, the most memory (MB), and how many were found in all."""
    begun = time.perf_counter()
    engine = SqliteEngine(path)
    engine.search(chosen[0])
    opened = time.perf_counter() - begun
    total = sum(engine.search(ask).total for ask in chosen)
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0])
    return opened, peak / 1000, total
