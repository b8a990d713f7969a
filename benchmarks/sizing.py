"""What a search costs an Elasticsearch node, by how many listings it looks at, in 1 and 3 shards.

    python -m benchmarks.sizing            500,000 listings, a quarter of an hour
    QUICK=1 python -m benchmarks.sizing     50,000 listings

Writes benchmarks/sizing.md, from which docs/operate.md derives what a nation needs. The node's own
CPU time counts: it holds on a machine that is busy with other things, which wall-clock times do not.
"""

import http.client
import itertools
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import orjson

from benchmarks.engines import RADII, BareNode, asks, timed
from benchmarks.listings import generated
from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.elasticsearch.dsl import search_body
from directory.search.engine import Ask
from tests.elasticsearch_node import ALONE, Server, running

LISTINGS, ROUNDS = (50_000, 2) if os.environ.get("QUICK") else (500_000, 3)
AT_ONCE = 4
SHARDS = (1, 3)
KINDS = tuple(itertools.product((False, True), (True, False), RADII))
"""With text or without, with two filters or none, within a radius of so many miles."""


class Node:
    """The node's own numbers."""

    def __init__(self, url: str, group: int) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=600)
        self._group = group

    def cpu_ms(self) -> float:
        """CPU time of all its processes so far; the node itself tells of it once a second only."""
        ticks = 0
        for one in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it has ended meanwhile
                _, _, after = one.read_text().rpartition(") ")
                fields = after.split()
                if int(fields[2]) == self._group:
                    ticks += int(fields[11]) + int(fields[12])
        return ticks * 1000 / os.sysconf("SC_CLK_TCK")

    def ask(self, method: str, path: str, body: object = None) -> dict[str, object]:
        content = orjson.dumps(body) if body is not None else None
        self._connection.request(method, path, content, {"Content-Type": "application/json"})
        answer = orjson.loads(self._connection.getresponse().read())
        assert "error" not in answer, answer
        return answer

    def bytes_of(self, index: str) -> int:
        found = self.ask("GET", f"/{index}/_stats/store")
        return found["_all"]["primaries"]["store"]["size_in_bytes"]


@dataclass
class Row:
    """What one kind of search cost in an index of so many shards."""

    looked_at: float = 0.0
    cpu_ms: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)
    a_second: list[float] = field(default_factory=list)


def split(node_: Node, index: str, shards: int) -> str:
    """The same listings in so many shards, each merged to one segment."""
    other = f"{index}-in-{shards}"
    node_.ask("PUT", f"/{index}/_settings", {"index.blocks.write": True})
    settings = {"index.number_of_shards": shards, "index.blocks.write": None}
    node_.ask("POST", f"/{index}/_split/{other}", {"settings": settings})
    node_.ask("GET", f"/_cluster/health/{other}?wait_for_status=green&timeout=300s")
    node_.ask("POST", f"/{other}/_forcemerge?max_num_segments=1")
    return other


def measure(node_: Node, url: str, index: str, chosen: list[Ask], row: Row) -> None:
    """One round: one after another for latency and CPU time, then several at once."""
    bodies = [orjson.dumps(search_body(ask)) for ask in chosen]
    bare = BareNode(url, index)
    before = node_.cpu_ms()
    row.wall_ms += [timed(lambda: bare.post(body)) for body in bodies]  # noqa: B023
    lines = [BareNode(url, index) for _ in range(AT_ONCE)]
    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        shares = [bodies[n::AT_ONCE] for n in range(AT_ONCE)]
        list(pool.map(lambda line, share: [line.post(body) for body in share], lines, shares))
    row.a_second.append(len(bodies) / (time.perf_counter() - started))
    row.cpu_ms.append((node_.cpu_ms() - before) / len(bodies) / 2)


def fitted(rows: dict[tuple[bool, bool, int], Row], *, text: bool) -> tuple[float, float]:
    """CPU milliseconds of a search: so many, and so many more for a thousand listings looked at."""
    of_kind = [row for kind, row in rows.items() if kind[0] is text]
    ones = [[1.0, row.looked_at / 1000] for row in of_kind]
    cost, *_ = np.linalg.lstsq(
        np.array(ones), np.array([statistics.median(row.cpu_ms) for row in of_kind]), rcond=None
    )
    return float(cost[0]), float(cost[1])


def report(url: str, node_: Node) -> Iterator[str]:
    engine = ElasticsearchEngine(f"{url}/sizing")
    before, started = node_.cpu_ms(), time.perf_counter()
    with engine.new_generation() as generation:
        generation.apply(generated(LISTINGS))
        generation.serve(LISTINGS)
    lasted, cpu = time.perf_counter() - started, (node_.cpu_ms() - before) / LISTINGS
    status = engine.status()
    assert status
    node_.ask("POST", f"/{status.generation}/_forcemerge?max_num_segments=1")
    indices = {1: status.generation} | {
        shards: split(node_, status.generation, shards) for shards in SHARDS if shards > 1
    }
    yield f"# What a search costs a node\n\n{LISTINGS:,} listings; {platform.machine()}, "
    yield f"{os.cpu_count()} cores, heap 1 GB, Elasticsearch on the same machine as who asks. "
    yield f"Medians over {ROUNDS} rounds, after one that does not count.\n\n"
    yield f"Indexed in {lasted:.0f} s, {cpu:.3f} ms of the node's CPU time a listing. On disk, merged: "
    sizes = (f"{node_.bytes_of(index) / LISTINGS:,.0f} bytes a listing in {shards} shard(s)"
             for shards, index in indices.items())  # fmt: skip
    yield f"{', '.join(sizes)}.\n\n"
    found: dict[int, dict[tuple[bool, bool, int], Row]] = {n: {} for n in SHARDS}
    yield "| text | filters | radius | looked at | shards | CPU ms a search | p50 ms, one at a time | searches a second, four at once |\n"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    for kind in KINDS:
        text, filtered, radius = kind
        chosen = asks(radius, filtered=filtered, text=text)
        looked_at = statistics.mean(engine.count(replace(ask, facets=())) for ask in chosen)
        rows = {shards: Row(looked_at) for shards in SHARDS}
        for round_ in range(ROUNDS + 1):
            for shards, index in indices.items():
                measure(node_, url, index, chosen, rows[shards] if round_ else Row())
        for shards, row in rows.items():
            found[shards][kind] = row
            yield f"| {'yes' if text else 'no'} | {'two' if filtered else 'none'} | {radius} mi | {looked_at:,.0f} | {shards} "
            yield f"| {statistics.median(row.cpu_ms):.2f} | {statistics.median(row.wall_ms):.2f} | {statistics.median(row.a_second):.0f} |\n"
    yield "\nCPU time of a search, fitted to the rows above (least squares):\n\n"
    for shards, text in itertools.product(SHARDS, (False, True)):
        fixed, more = fitted(found[shards], text=text)
        yield f"- {shards} shard(s), {'with' if text else 'without'} text: {fixed:.2f} ms + {more:.3f} ms for a thousand listings looked at\n"
    one, three = (found[shards].values() for shards in SHARDS)
    for name, pick in (
        ("CPU time", "cpu_ms"),
        ("p50", "wall_ms"),
        ("searches a second, four at once,", "a_second"),
    ):
        ratios = [
            statistics.median(getattr(b, pick)) / statistics.median(getattr(a, pick))
            for a, b in zip(one, three, strict=True)
        ]
        yield f"\n{name} in 3 shards to 1: median {statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})."
    yield "\n"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="directory-sizing-") as name:
        Path(name).chmod(0o755)
        with running(Server(Path(name)), "node", ALONE, "1g") as one:
            url = f"http://127.0.0.1:{one.port}"
            one.wait(url)
            text = "".join(report(url, Node(url, one.process.pid)))
    Path("benchmarks/sizing.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
