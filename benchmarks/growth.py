"""Ten times the listings, and ten times again: the same number found on Elasticsearch.

As there are more of them, the circles shrink, so that a search finds as many as before; what is
left is what the size of the index costs.
"""

import statistics
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from random import Random

from benchmarks.bench import QUICK, Bench, fill
from benchmarks.clients import Client, post
from benchmarks.queries import RADII, body, search
from benchmarks.tables import quantiles, table
from directory.search.elasticsearch import ElasticsearchEngine

SIZES = (5_000, 50_000) if QUICK else (50_000, 500_000, 5_000_000)
SEARCHES, ROUNDS = (40, 3) if QUICK else (80, 5)
PLOT = Path(__file__).with_name("growth.svg")


def section(bench: Bench) -> Iterator[str]:
    """All sizes stand side by side on one node, and are asked in turn."""
    engines = {many: ElasticsearchEngine(f"{bench.node}/growth{many}") for many in SIZES}
    built = {many: fill(engine, many) for many, engine in engines.items()}
    rng = Random(9)
    wide = [(rng.getrandbits(32), RADII[n % 4], n // 4 % 2 == 0) for n in range(SEARCHES)]
    times: dict[int, list[float]] = {many: [] for many in SIZES}
    totals: dict[int, list[int]] = {many: [] for many in SIZES}
    asks = {
        many: [
            bench.ask(search(Random(seed), r * sqrt(SIZES[0] / many), filtered=f, text=False))
            for seed, r, f in wide
        ]
        for many in SIZES
    }
    requests = {
        many: [post(f"/growth{many}/_search?request_cache=false", body(ask)) for ask in each]
        for many, each in asks.items()
    }
    for many, engine in engines.items():
        totals[many] = [engine.search(ask).total for ask in asks[many]]
    with Client(bench.node) as node:
        for round_ in range(ROUNDS + 1):
            for several in zip(*requests.values(), strict=True):
                for many, request in zip(SIZES, several, strict=True):
                    took, _ = node.ask(request)
                    if round_:
                        times[many].append(took)
    first = statistics.median(times[SIZES[0]])
    yield "## Growth\n\nThe bare node's times for searches that find about as many at every size, asked "
    yield "in turn; the target is at most twice the time at the largest.\n\n"
    yield from table(
        ("listings", "made in", "found, median", "p50 / p95 ms", "to the smallest"),
        [
            [f"{many:,}", f"{built[many]:.0f} s", f"{statistics.median(totals[many]):.0f}",
             "{:.2f} / {:.2f}".format(*quantiles(times[many])),
             f"{statistics.median(times[many]) / first:.2f}"]
            for many in SIZES
        ],
    )  # fmt: skip
    if not QUICK:
        PLOT.write_text(_plot({many: quantiles(found) for many, found in times.items()}))
        yield f"\n![p50 and p95 by the number of listings]({PLOT.name})\n"
    yield "\n"


def _plot(found: dict[int, tuple[float, float]]) -> str:
    """Times over sizes, which stand in even steps as each is ten times the one before."""
    wide, high, left, base = 520, 260, 60, 220
    top = max(p95 for _, p95 in found.values()) * 1.1
    across = [
        left + 40 + number * (wide - left - 100) / (len(found) - 1) for number in range(len(found))
    ]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = base - share * 190
        lines.append(f'<path d="M{left} {y:.0f}H{wide - 20}" stroke="#ddd"/>')
        lines.append(
            f'<text font-family="sans-serif" x="{left - 8}" y="{y + 4:.0f}" text-anchor="end">{share * top:.1f} ms</text>'
        )
    for x, many in zip(across, found, strict=True):
        lines.append(
            f'<text x="{x:.0f}" y="{base + 20}" text-anchor="middle">{many:,} listings</text>'
        )
    for which, colour in enumerate(("#0b5c8a", "#b3541e")):
        points = [
            (x, base - pair[which] / top * 190)
            for x, pair in zip(across, found.values(), strict=True)
        ]
        path = " L".join(f"{x:.0f} {y:.0f}" for x, y in points)
        lines.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = points[-1]
        lines.append(
            f'<text x="{x + 8:.0f}" y="{y + 4:.0f}" fill="{colour}">p{(50, 95)[which]}</text>'
        )
    return "\n".join([*lines, "</svg>\n"])
