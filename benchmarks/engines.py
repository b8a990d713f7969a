"""The embedded engine against the bare node: the same listings, the same searches, in turn."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from benchmarks.bench import LISTINGS, QUICK, Bench, fill
from benchmarks.clients import Client, post
from benchmarks.listings import generated
from benchmarks.queries import RADII, Parameters, search
from benchmarks.tables import quantiles, table
from directory.listing import Change
from directory.search.sqlite import SqliteEngine

ASKS, ROUNDS = (30, 3) if QUICK else (60, 5)
PROCESSES = 4


def timed(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


def section(bench: Bench) -> Iterator[str]:
    """Fills both engines, then measures."""
    yield "## The embedded engine against the bare node\n\n"
    built, indexed = fill(bench.embedded, LISTINGS), fill(bench.elastic, LISTINGS)
    size = (bench.folder / "search.db").stat().st_size / 1e6
    yield f"Made of {LISTINGS:,} listings: embedded in {built:.0f} s ({size:.0f} MB), Elasticsearch in "
    yield f"{indexed:.0f} s. Below, the whole embedded engine in one thread against posting the same "
    yield f"query, serialised already, and reading the bytes; medians of {ROUNDS} rounds of {ASKS}.\n\n"
    head = ("radius", "filters", "text", "embedded p50 / p95 ms", "bare node p50 / p95 ms",
            "p50 ratio", "p95 ratio")  # fmt: skip
    kinds = [(text, filtered) for text in (False, True) for filtered in (True, False)]
    yield from table(head, (_row(bench, r, text=t, filtered=f) for t, f in kinds for r in RADII))
    yield from _changes(bench)
    yield from _processes(bench)


def _row(bench: Bench, radius: int, *, text: bool, filtered: bool) -> list[str]:
    rng = Random(radius)
    chosen = [search(rng, radius, filtered=filtered, text=text) for _ in range(ASKS)]
    ours, theirs = _in_turn(bench, chosen)
    (p50, p95), (node50, node95) = quantiles(ours), quantiles(theirs)
    return [
        f"{radius} mi", "two" if filtered else "none", "yes" if text else "no",
        f"{p50:.2f} / {p95:.2f}", f"{node50:.2f} / {node95:.2f}",
        f"{p50 / node50:.2f}", f"{p95 / node95:.2f}",
    ]  # fmt: skip


def _in_turn(bench: Bench, chosen: list[Parameters]) -> tuple[list[float], list[float]]:
    pairs = [(bench.ask(each), post(bench.node_path, bench.body(each))) for each in chosen]
    ours: list[float] = []
    theirs: list[float] = []
    with Client(bench.node) as node:
        for round_ in range(ROUNDS + 1):
            for ask, request in pairs:
                one, (other, _) = timed(lambda: bench.embedded.search(ask)), node.ask(request)  # noqa: B023
                if round_:
                    ours.append(one)
                    theirs.append(other)
    return ours, theirs


def _changes(bench: Bench) -> Iterator[str]:
    """Single changes, and what the first search behind each takes, as it reads its cells anew."""
    document = next(generated(1)).document
    asked = bench.ask(search(Random(1), 50, filtered=True, text=False))
    one, behind = [], []
    for number in range(LISTINGS + 1, LISTINGS + 60):
        change = Change(number, "b0000001", document, next(generated(1)).updated_at)
        one.append(timed(lambda: bench.embedded.apply([change], number)))  # noqa: B023
        behind.append(timed(lambda: bench.embedded.search(asked)))
    middle, worst = quantiles(one)
    yield f"\nOne change is applied in {middle:.1f} ms (p95 {worst:.1f}); the first search behind it, of "
    yield f"50 miles, takes {statistics.median(behind):.1f} ms.\n"


def _processes(bench: Bench) -> Iterator[str]:
    """Four processes on the one file, each opening it and searching everywhere it is asked to."""
    rng = Random(4)
    chosen = [
        bench.ask(search(rng, r, filtered=True, text=False)) for _ in range(50) for r in RADII
    ]
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES) as pool:
        found = pool.starmap(_in_process, [(bench.folder / "search.db", chosen)] * PROCESSES)
    opened, memory = max(each[0] for each in found), max(each[1] for each in found)
    assert len({each[2] for each in found}) == 1, "they found different things"
    yield f"\n{PROCESSES} processes at once on the one file: the slowest had its first answer after "
    yield f"{opened * 1000:.0f} ms, the largest took {memory:.0f} MB, and all found the same.\n\n"


def _in_process(path: Path, chosen: list[object]) -> tuple[float, float, int]:
    begun = time.perf_counter()
    engine = SqliteEngine(path)
    engine.search(chosen[0])  # type: ignore[arg-type]
    opened = time.perf_counter() - begun
    total = sum(engine.search(ask).total for ask in chosen)  # type: ignore[arg-type]
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0])
    return opened, peak / 1000, total
