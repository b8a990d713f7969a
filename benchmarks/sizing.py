"""What a search costs an Elasticsearch node, by how many listings it looks at, in 1 and 3 shards.

    python -m benchmarks.sizing            500,000 listings, a quarter of an hour
    QUICK=1 python -m benchmarks.sizing     10,000 listings, and nothing is written

Writes benchmarks/sizing.md, from which docs/operate.md derives what a nation needs. The node's own
CPU time counts: it holds on a machine that is busy with other things, which wall-clock times do not.
"""

import itertools
import os
import platform
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from elasticsearch import Elasticsearch

from benchmarks.bench import LISTINGS, QUICK, fill
from benchmarks.clients import Client, load, post
from benchmarks.queries import RADII, alike, ask, body
from benchmarks.servers import cpu_s, node_pid
from benchmarks.tables import table
from directory.places import Places
from directory.search.elasticsearch import ElasticsearchEngine
from directory.services import system_clock
from tests.elasticsearch_node import node

ASKS, ROUNDS, SECONDS = (4, 1, 0.1) if QUICK else (60, 3, 1.0)
AT_ONCE = 4
SHARDS = (1, 3)
Kind = tuple[bool, bool, int]
"""With text or without, with two filters or none, within a radius of so many miles."""

KINDS: tuple[Kind, ...] = tuple(itertools.product((False, True), (True, False), RADII))


@dataclass
class Row:
    """What one kind of search cost in an index of so many shards: a figure a round."""

    looked_at: float
    cpu_ms: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)
    a_second: list[float] = field(default_factory=list)


Costs = Mapping[Kind, Row]


def split(client: Elasticsearch, index: str, shards: int) -> str:
    """The same listings in so many shards, each merged to one segment; says the index's name."""
    other = f"{index}-in-{shards}"
    client.indices.put_settings(index=index, settings={"index.blocks.write": True})
    settings = {"index.number_of_shards": shards, "index.blocks.write": None}
    client.indices.split(index=index, target=other, settings=settings)
    client.cluster.health(index=other, wait_for_status="green", timeout="300s")
    client.indices.forcemerge(index=other, max_num_segments=1)
    return other


def bytes_of(client: Elasticsearch, index: str) -> int:
    """On disk, one copy of each shard."""
    found = client.indices.stats(index=index, metric="store")
    return int(found["_all"]["primaries"]["store"]["size_in_bytes"])


def measure(url: str, pid: int, requests: list[bytes], row: Row) -> None:
    """One round: one after another for latency, then several at once; both count as CPU time."""
    before = cpu_s(pid)
    with Client(url) as alone:
        row.wall_ms += [alone.ask(request)[0] for request in requests]
    together = load(url, requests, AT_ONCE, SECONDS)
    used_ms = (cpu_s(pid) - before) * 1000
    row.a_second.append(together.a_second)
    row.cpu_ms.append(used_ms / (len(requests) + len(together.times)))


def measured(
    engine: ElasticsearchEngine, url: str, indices: Mapping[int, str], kind: Kind
) -> dict[int, Row]:
    """Searches of one kind in the index of each number of shards, in turn."""
    text, filtered, radius = kind
    places, today, pid = Places(list), system_clock().date(), node_pid(url)
    asks = [ask(a, places, today) for a in alike(ASKS, radius, filtered=filtered, text=text)]
    looked_at = statistics.mean(engine.count(replace(each, facets=())) for each in asks)
    rows = {shards: Row(looked_at) for shards in indices}
    for round_ in range(ROUNDS + 1):
        for shards, index in indices.items():
            path = f"/{index}/_search?request_cache=false"
            requests = [post(path, body(each)) for each in asks]
            measure(url, pid, requests, rows[shards] if round_ else Row(looked_at))
    return rows


def fitted(costs: Costs, *, text: bool) -> tuple[float, float]:
    """CPU milliseconds of a search: so many, and so many more for a thousand listings looked at."""
    of_kind = [row for kind, row in costs.items() if kind[0] is text]
    ones = [[1.0, row.looked_at / 1000] for row in of_kind]
    cost, *_ = np.linalg.lstsq(
        np.array(ones), np.array([statistics.median(row.cpu_ms) for row in of_kind]), rcond=None
    )
    return float(cost[0]), float(cost[1])


def report(url: str) -> Iterator[str]:
    """The lines of the report, as they come."""
    engine = ElasticsearchEngine(f"{url}/sizing")
    client = engine._writer.options(request_timeout=600)
    before = cpu_s(node_pid(url))
    lasted_s = fill(engine, LISTINGS)
    cpu_ms = (cpu_s(node_pid(url)) - before) * 1000 / LISTINGS
    status = engine.status()
    assert status
    client.indices.forcemerge(index=status.generation, max_num_segments=1)
    indices = {1: status.generation} | {
        shards: split(client, status.generation, shards) for shards in SHARDS if shards > 1
    }
    sizes = [f"{bytes_of(client, index) / LISTINGS:,.0f} bytes a listing in {shards} shard(s)"
             for shards, index in indices.items()]  # fmt: skip
    yield f"# What a search costs a node\n\n{LISTINGS:,} listings; {platform.machine()}, "
    yield f"{os.cpu_count()} cores, heap 1 GB, Elasticsearch on the same machine as who asks. "
    yield f"Medians over {ROUNDS} rounds, after one that does not count.\n\n"
    yield f"Indexed in {lasted_s:.0f} s, {cpu_ms:.3f} ms of the node's CPU time a listing. On disk, "
    yield f"merged: {', '.join(sizes)}.\n\n"
    costs: dict[int, dict[Kind, Row]] = {shards: {} for shards in SHARDS}
    for kind in KINDS:
        for shards, row in measured(engine, url, indices, kind).items():
            costs[shards][kind] = row
    yield from _costs(costs)
    yield from _fits(costs)
    yield from _ratios(costs)


def _costs(costs: Mapping[int, Costs]) -> Iterator[str]:
    head = ("text", "filters", "radius", "looked at", "shards", "CPU ms a search",
            "p50 ms, one at a time", "searches a second, four at once")  # fmt: skip
    rows = [
        ["yes" if text else "no", "two" if filtered else "none", f"{radius} mi",
         f"{row.looked_at:,.0f}", shards, f"{statistics.median(row.cpu_ms):.2f}",
         f"{statistics.median(row.wall_ms):.2f}", f"{statistics.median(row.a_second):.0f}"]
        for text, filtered, radius in KINDS
        for shards in SHARDS
        for row in [costs[shards][text, filtered, radius]]
    ]  # fmt: skip
    yield from table(head, rows)


def _fits(costs: Mapping[int, Costs]) -> Iterator[str]:
    yield "\nCPU time of a search, fitted to the rows above (least squares):\n\n"
    for shards, text in itertools.product(SHARDS, (False, True)):
        fixed, more = fitted(costs[shards], text=text)
        yield f"- {shards} shard(s), {'with' if text else 'without'} text: {fixed:.2f} ms + "
        yield f"{more:.3f} ms for a thousand listings looked at\n"


def _ratios(costs: Mapping[int, Costs]) -> Iterator[str]:
    one, three = (list(costs[shards].values()) for shards in SHARDS)
    figures: dict[str, Callable[[Row], list[float]]] = {
        "CPU time": lambda row: row.cpu_ms,
        "p50": lambda row: row.wall_ms,
        "searches a second, four at once,": lambda row: row.a_second,
    }
    for name, of in figures.items():
        ratios = [
            statistics.median(of(b)) / statistics.median(of(a))
            for a, b in zip(one, three, strict=True)
        ]
        yield f"\n{name} in 3 shards to 1: median {statistics.median(ratios):.2f} (from "
        yield f"{min(ratios):.2f} to {max(ratios):.2f})."
    yield "\n"


def main() -> None:
    """Measure, and write the report."""
    with tempfile.TemporaryDirectory(prefix="directory-sizing-") as name:
        Path(name).chmod(0o755)
        with node(Path(name)) as url:
            text = "".join(report(url))
    print(text)
    if not QUICK:
        Path(__file__).with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
