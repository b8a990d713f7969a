"""The same application on other servers: who answers more, and at what cost."""

import statistics
from collections.abc import Iterator

from benchmarks.bench import QUICK, Bench
from benchmarks.clients import get, load
from benchmarks.queries import address, mix
from benchmarks.servers import STACKS, cpu_s, memory_mb, serving
from benchmarks.tables import spread, table

TITLE = "Servers"
ROUNDS, SECONDS, CLIENTS = (1, 0.5, 8) if QUICK else (5, 4, 8)


def section(bench: Bench) -> Iterator[str]:
    """Each started anew in every round, in turn, over Elasticsearch."""
    requests = [get(f"/api/v1/search?{address(each)}") for each in mix(48)]
    figures: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in STACKS}
    for _ in range(ROUNDS):
        for name, stack in STACKS.items():
            with serving(bench.folder, bench.elastic_url, stack) as server:
                load(server.url, requests, CLIENTS, SECONDS / 2)
                before = cpu_s(server.pid)
                found = load(server.url, requests, CLIENTS, SECONDS)
                cost = (cpu_s(server.pid) - before) / len(found.times) * 1000
                memory = sum(memory_mb(server.pid))
                figures[name].append((found.a_second, found.p95, cost, memory))
    yield f"{CLIENTS} clients, the API over Elasticsearch, {ROUNDS} rounds in turn.\n\n"
    yield from table(
        ("server", "answers a second", "p95 ms", "web processor time, ms an answer", "MB in all"),
        [
            [name, spread(rates, ".0f"), spread(slow, ".1f"), spread(costs), f"{statistics.median(mb):.0f}"]
            for name, found in figures.items()
            for rates, slow, costs, mb in [tuple(map(list, zip(*found, strict=True)))]
        ],
    )  # fmt: skip
