"""Ten times the listings, and ten times again: the same number found on Elasticsearch.

Where there are more of them, the circles are smaller: each reaches to its n-th nearest listing at
every size, n being what it finds among the fewest. What is left is what the size of the index costs.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np

from benchmarks.bench import QUICK, Bench, fill
from benchmarks.clients import Client, post
from benchmarks.listings import points
from benchmarks.queries import RADII, body, search
from benchmarks.tables import quantiles, table
from directory.search.distance import METRES_PER, Floats, metres
from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.engine import Ask
from directory.search.scope import Circle

TITLE = "Growth"
SIZES = (1_000, 10_000) if QUICK else (50_000, 500_000, 5_000_000)
SEARCHES, ROUNDS = (40, 2) if QUICK else (80, 5)
LEAST = 20
"""Listings that a circle reaches to at least: a page of them."""

PLOT = Path(__file__).with_name("growth.svg")


def section(bench: Bench) -> Iterator[str]:
    """All sizes stand side by side on one node, and are asked in turn."""
    engines = {many: ElasticsearchEngine(f"{bench.node}/growth{many}") for many in SIZES}
    built = {many: fill(engine, many) for many, engine in engines.items()}
    asks = _asks(bench)
    totals = {many: [engine.search(ask).total for ask in asks[many]]
              for many, engine in engines.items()}  # fmt: skip
    times = _times(bench, asks)
    first = statistics.median(times[SIZES[0]])
    yield "The bare node's times for searches, half of them with two filters, that reach to the n-th nearest "
    yield "listing at every size, asked in turn; the target is at most twice the time at the largest.\n\n"
    yield from table(
        ("listings", "made in", "found, median", "found, mean", "p50 / p95 ms", "to the smallest"),
        [
            [f"{many:,}", f"{built[many]:.0f} s", f"{statistics.median(totals[many]):.0f}",
             f"{statistics.mean(totals[many]):.0f}", "{:.2f} / {:.2f}".format(*quantiles(times[many])),
             f"{statistics.median(times[many]) / first:.2f}"]
            for many in SIZES
        ],
    )  # fmt: skip
    if not QUICK:
        PLOT.write_text(_plot({many: quantiles(found) for many, found in times.items()}))
        yield f"\n![p50 and p95 by the number of listings]({PLOT.name})\n"


def _asks(bench: Bench) -> Mapping[int, Sequence[Ask]]:
    """The same searches at each size, each with as many listings within its circle."""
    rng, everywhere = Random(9), points(SIZES[-1])
    asks: dict[int, list[Ask]] = {many: [] for many in SIZES}
    for number in range(SEARCHES):
        radius, filtered = RADII[number % 4], number // 4 % 2 == 0
        wide = bench.ask(search(rng, radius, filtered=filtered, text=False))
        assert wide.circle
        away = metres(wide.circle.centre, everywhere)
        for many, radius_m in reaching_as_many(away, METRES_PER["mi"] * radius).items():
            asks[many].append(replace(wide, area=Circle(wide.circle.centre, radius_m)))
    return asks


def reaching_as_many(away: Floats, wide_m: float) -> Mapping[int, float]:
    """The radius at each size within which as many listings lie as in the widest at the smallest.

    All in metres; `away` is of the largest size, whose first listings are those of the others.
    """
    found = max(LEAST, int((away[: SIZES[0]] <= wide_m).sum()))
    return {many: float(np.partition(away[:many], found - 1)[found - 1]) for many in SIZES}


def _times(bench: Bench, asks: Mapping[int, Sequence[Ask]]) -> Mapping[int, Sequence[float]]:
    """Milliseconds, after a round that does not count."""
    requests = {
        many: [post(f"/growth{many}/_search?request_cache=false", body(ask)) for ask in each]
        for many, each in asks.items()
    }
    times: dict[int, list[float]] = {many: [] for many in SIZES}
    with Client(bench.node) as node:
        for round_ in range(ROUNDS + 1):
            for several in zip(*requests.values(), strict=True):
                for many, request in zip(SIZES, several, strict=True):
                    took, _ = node.ask(request)
                    if round_:
                        times[many].append(took)
    return times


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
