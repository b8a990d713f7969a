"""Whether keeping finished answers would be worth its memory, on a mix as people would search.

The hits are simulated (a cache of so many answers, the least lately used goes first), what a hit
and a miss cost and how much memory an answer takes are measured.
"""

import statistics
from collections import OrderedDict
from collections.abc import Iterator
from itertools import accumulate
from random import Random

from benchmarks.bench import QUICK, Bench
from benchmarks.clients import Client, get
from benchmarks.queries import RADII, TEXTS, address, mix
from benchmarks.servers import serving
from benchmarks.tables import table

SEARCHES = 50_000 if QUICK else 200_000
SIZES = (1_000, 5_000, 50_000)
CITIES, ZIPS, PROFESSIONS = 120, 40, 20


def section(bench: Bench) -> Iterator[str]:
    """The share of hits by size, what it would save, and what it would take."""
    miss, hit, size = _costs(bench)
    yield "## Keeping finished answers\n\n"
    yield f"{SEARCHES:,} simulated searches: {CITIES} cities of {ZIPS} ZIPs by Zipf's law, {PROFESSIONS} "
    yield f"filters, four radii, text in 15 %. A miss takes {miss:.2f} ms over HTTP, what comes from a cache "
    yield f"{hit:.2f} (here: a 304, which is told by the state of the index); an answer takes {size / 1000:.1f} kB.\n\n"
    rows = []
    for entries in SIZES:
        share = _hits(entries)
        mean = (1 - share) * miss + share * hit
        rows.append(
            [
                f"{entries:,}",
                f"{share:.1%}",
                f"{1 - mean / miss:.1%}",
                f"{entries * size / 1e6:,.0f} MB",
            ]
        )
    yield from table(
        ("answers kept", "hits", "mean latency falls by", "memory of each process"), rows
    )
    yield "\n"


def _hits(entries: int) -> float:
    rng = Random(6)
    cities = list(accumulate(1 / rank for rank in range(1, CITIES + 1)))
    zips = list(accumulate(1 / rank for rank in range(1, ZIPS + 1)))
    kept: OrderedDict[tuple[object, ...], None] = OrderedDict()
    hits = 0
    for _ in range(SEARCHES):
        city = rng.choices(range(CITIES), cum_weights=cities)[0]
        zip_ = rng.choices(range(ZIPS), cum_weights=zips)[0]
        text = rng.randrange(len(TEXTS) * 200) if rng.random() < 0.15 else None
        asked = (city, zip_, rng.randrange(PROFESSIONS), rng.choice(RADII), text)
        if asked in kept:
            hits += 1
            kept.move_to_end(asked)
            continue
        kept[asked] = None
        if len(kept) > entries:
            kept.popitem(last=False)
    return hits / SEARCHES


def _costs(bench: Bench) -> tuple[float, float, float]:
    """A miss and a hit (ms), and an answer's size (bytes)."""
    misses, hits, sizes = [], [], []
    with serving(bench.folder, bench.elastic_url) as server, Client(server.url) as site:
        for each in mix(64):
            request = get(f"/api/v1/search?{address(each)}")
            site.ask(request)
            took, answer = site.ask(request)
            tag = answer.lower().partition(b"etag: ")[2].split(b"\r\n")[0]
            again = request[:-2] + b"If-None-Match: " + tag + b"\r\n\r\n"
            misses.append(took)
            hits.append(site.ask(again, b"304")[0])
            sizes.append(len(answer))
    return statistics.median(misses), statistics.median(hits), statistics.mean(sizes)
