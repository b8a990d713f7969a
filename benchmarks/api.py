"""The API over HTTP against the bare node, which is posted the same query, serialised already."""

import statistics
from collections.abc import Iterator

from benchmarks.bench import QUICK, Bench
from benchmarks.clients import Client, get, load, post
from benchmarks.queries import address, mix
from benchmarks.servers import Server, cpu_s, node_pid, serving
from benchmarks.tables import quantiles, spread, table

TITLE = "The API against the bare node"
SEARCHES, ROUNDS, SECONDS = (48, 2, 1) if QUICK else (96, 7, 5)
CLIENTS = (4, 16)


def section(bench: Bench) -> Iterator[str]:
    """One client, then several, in turn with the bare node; and who used the processors."""
    chosen = mix(SEARCHES)
    ours = [get(f"/api/v1/search?{address(each)}") for each in chosen]
    bare = [post(bench.node_path, bench.body(each)) for each in chosen]
    yield "`GET /api/v1/search` of `directory serve` over HTTP; load, server and engine share the "
    yield "machine's two cores. Targets: p50 at most 1.5 times the bare node's with one client, at "
    yield "least 0.6 of its throughput with 4 and 16, the web tier's share of the processor time at "
    yield "most 0.3.\n\n"
    with serving(bench.folder, bench.elastic_url) as server:
        yield from table(
            ("clients", "API p50 / p95 ms", "bare node p50 / p95 ms", "p50 ratio", "throughput ratio",
             "web share of the processor time", "web processor time, ms an answer"),
            [_alone(bench, server, ours, bare),
             *(_together(bench, server, ours, bare, many) for many in CLIENTS)],
        )  # fmt: skip


def _alone(bench: Bench, server: Server, ours: list[bytes], bare: list[bytes]) -> list[str]:
    """One client: a search of ours, then the same of the bare node."""
    ratios, mine, theirs = [], [], []
    with Client(server.url) as site, Client(bench.node) as node:
        for round_ in range(ROUNDS + 1):
            pairs = [(site.ask(a)[0], node.ask(b)[0]) for a, b in zip(ours, bare, strict=True)]
            if round_:
                here, there = (list(each) for each in zip(*pairs, strict=True))
                ratios.append(statistics.median(here) / statistics.median(there))
                mine += here
                theirs += there
    return ["1", _told(mine), _told(theirs), spread(ratios), "", "", ""]


def _together(
    bench: Bench, server: Server, ours: list[bytes], bare: list[bytes], clients: int
) -> list[str]:
    """Several clients: a stretch of ours, a stretch of the bare node's, and so on."""
    node = node_pid(bench.node)
    p50s, throughputs, shares, costs, mine, theirs = [], [], [], [], [], []
    for _ in range(ROUNDS):
        there = load(bench.node, bare, clients, SECONDS)
        web, engine = cpu_s(server.pid), cpu_s(node)
        here = load(server.url, ours, clients, SECONDS)
        web, engine = cpu_s(server.pid) - web, cpu_s(node) - engine
        p50s.append(here.p50 / there.p50)
        throughputs.append(here.a_second / there.a_second)
        shares.append(web / (web + engine))
        costs.append(web / len(here.times) * 1000)
        mine += here.times
        theirs += there.times
    return [
        str(clients), _told(mine), _told(theirs), spread(p50s), spread(throughputs), spread(shares),
        spread(costs),
    ]  # fmt: skip


def _told(times: list[float]) -> str:
    return "{:.2f} / {:.2f}".format(*quantiles(times))
