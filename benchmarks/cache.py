"""Whether keeping finished answers would be worth its memory, on a mix as people would search.

The hits are simulated (a cache of so many answers in each process, the least lately used goes
first, and all of them with each change that is published); what a miss and a hit cost, and how much
memory an answer takes, are measured.
"""

import statistics
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from benchmarks.bench import LISTINGS, QUICK, Bench
from benchmarks.clients import Client, get
from benchmarks.queries import RADII, TEXTS, address, mix
from benchmarks.servers import memory_mb, serving
from benchmarks.tables import table
from directory.listing import FRESH_DAYS
from directory.web.server import WORKERS

TITLE = "Keeping finished answers"
SEARCHES, TIMED, ROUNDS = (20_000, 32, 1) if QUICK else (200_000, 128, 3)
SIZES = (1_000, 10_000, 50_000)
BETWEEN = (SEARCHES, 10_000, 1_000)
"""Searches from one published change to the next; the first: nothing changes."""
CITIES, ZIPS, PROFESSIONS = 120, 40, 20

LEAST_SAVED, MOST_MB = 0.2, 300
"""The rule: so much of the mean latency, and what a process may take in all."""

_GUNICORN = ("gunicorn", "-b", "127.0.0.1:{port}", "-k", "gthread", "-w", "1", "--threads", "4",
             "--log-level", "warning", "--keep-alive", "60")  # fmt: skip
PLAIN = (*_GUNICORN, "benchmarks.application:create()")
KEEPING = (*_GUNICORN, "benchmarks.keeping:create()")
ENCODINGS = {"plain": (), "compressed": ("Accept-Encoding: gzip",)}


@dataclass(frozen=True)
class Costs:
    """Of an answer: a miss and a hit (mean milliseconds over HTTP), and its size (mean bytes)."""

    miss: float
    hit: float
    size: float

    def saved(self, share: float) -> float:
        """By which share the mean latency falls where so many searches are hits."""
        return share * (1 - self.hit / self.miss)


def section(bench: Bench) -> Iterator[str]:
    """The share of hits by size, what it would save, and what it would take; and what follows."""
    costs, process_mb = _costs(bench)
    yield f"{SEARCHES:,} simulated searches, each of which comes to one of {WORKERS} processes: {CITIES} "
    yield f"cities of {ZIPS} ZIPs by Zipf's law, {PROFESSIONS} filters, four radii, text in 15 %. Means over "
    yield f"{ROUNDS} rounds of {TIMED} searches over HTTP, of the site and of one that keeps answers:\n\n"
    yield from table(
        ("answers", "a miss ms", "a hit ms", "kB"),
        [[how, f"{each.miss:.2f}", f"{each.hit:.2f}", f"{each.size / 1000:.1f}"]
         for how, each in costs.items()],
    )  # fmt: skip
    yield "\n"
    each = costs["compressed"]
    yield from table(
        ("answers kept, compressed", "a change comes every", "hits", "mean latency falls by",
         "memory of each process", "by the rule"),
        [[f"{entries:,}", f"{between:,} searches" if between < SEARCHES else "never", f"{share:.1%}",
          f"{each.saved(share):.1%}", f"{entries * each.size / 1e6:,.0f} MB",
          _verdict(each, entries, share, process_mb)]
         for entries in SIZES
         for between in BETWEEN
         for share in [_hits(entries, between)]],
    )  # fmt: skip
    yield f"\nThe rule: answers are kept only if the mean falls by {LEAST_SAVED:.0%} or more, and a process "
    yield f"with them stays under {MOST_MB} MB; it takes {process_mb:.0f} without. A published change makes all that "
    yield f"is kept useless. Each listing is attested every {FRESH_DAYS} days, so {LISTINGS:,} of them change every "
    yield f"{FRESH_DAYS * 86_400 / LISTINGS:.0f} seconds: for {BETWEEN[1]:,} searches in between, the site would have "
    yield f"to be asked {BETWEEN[1] * LISTINGS / FRESH_DAYS / 86_400:,.0f} times a second.\n"


def _verdict(costs: Costs, entries: int, share: float, process_mb: float) -> str:
    """What the rule says to so many answers kept."""
    if costs.saved(share) < LEAST_SAVED:
        return "saves too little"
    return "keep" if process_mb + entries * costs.size / 1e6 < MOST_MB else "takes too much"


def _hits(entries: int, between: int) -> float:
    rng = Random(6)
    cities = list(accumulate(1 / rank for rank in range(1, CITIES + 1)))
    zips = list(accumulate(1 / rank for rank in range(1, ZIPS + 1)))
    processes = [OrderedDict[tuple[object, ...], None]() for _ in range(WORKERS)]
    hits = 0
    for number in range(SEARCHES):
        if number % between == 0:
            for each in processes:
                each.clear()
        city = rng.choices(range(CITIES), cum_weights=cities)[0]
        zip_ = rng.choices(range(ZIPS), cum_weights=zips)[0]
        text = rng.randrange(len(TEXTS) * 200) if rng.random() < 0.15 else None
        asked = (city, zip_, rng.randrange(PROFESSIONS), rng.choice(RADII), text)
        kept = rng.choice(processes)
        if asked in kept:
            hits += 1
            kept.move_to_end(asked)
            continue
        kept[asked] = None
        if len(kept) > entries:
            kept.popitem(last=False)
    return hits / SEARCHES


def _costs(bench: Bench) -> tuple[dict[str, Costs], float]:
    """What an answer costs, by how it is sent; and the memory of a process without any kept (MB)."""
    paths = [f"/api/v1/search?{address(each)}" for each in mix(TIMED)]
    with (
        serving(bench.folder, bench.elastic_url, PLAIN) as plain,
        serving(bench.folder, bench.elastic_url, KEEPING) as keeping,
        Client(plain.url) as missing,
        Client(keeping.url) as hitting,
    ):
        costs = {
            how: _in_turn(missing, hitting, [get(path, *lines) for path in paths])
            for how, lines in ENCODINGS.items()
        }
        return costs, max(memory_mb(plain.pid))


def _in_turn(missing: Client, hitting: Client, requests: list[bytes]) -> Costs:
    """All asked of one, then of the other; the first round, which fills what is kept, does not count."""
    misses: list[float] = []
    hits: list[float] = []
    for round_ in range(ROUNDS + 1):
        missed = [missing.ask(request) for request in requests]
        hit = [hitting.ask(request) for request in requests]
        if round_:
            misses += (took for took, _ in missed)
            hits += (took for took, _ in hit)
    size = statistics.mean(len(answer) for _, answer in hit)
    return Costs(statistics.mean(misses), statistics.mean(hits), size)
