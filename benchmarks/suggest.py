"""Suggestions as they are typed: places, terms and names, in process, letter by letter."""

import time
from collections.abc import Callable, Iterator
from random import Random

from benchmarks.bench import Bench
from benchmarks.listings import FAMILY, GIVEN, towns
from benchmarks.tables import quantiles, table
from directory.vocabulary import Kind, vocabulary

TITLE = "Suggestions"
TYPED, LENGTHS, EACH = 300, (1, 2, 3, 5, 8), 8
NAMES_FROM = 3


def section(bench: Bench) -> Iterator[str]:
    """The beginnings of what people type; names are suggested from three letters on."""
    rng = Random(5)
    terms = [term.label for kind in Kind for term in vocabulary().terms(kind)]
    names = [f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}" for _ in range(TYPED)]
    cities = [rng.choice(towns())["city"] for _ in range(TYPED)]
    bench.places.beginning_with("a", 1)  # sorts them, once
    yield "Microseconds, p50 / p95, by the letters typed; the target is 1,000 at the 95th percentile.\n\n"
    yield from table(
        ("what", *map(str, LENGTHS)),
        [
            ["places", *_row(lambda t: bench.places.beginning_with(t, EACH), cities, 1)],
            ["terms", *_row(lambda t: vocabulary().beginning_with(t, EACH), terms, 1)],
            ["names, embedded", *_row(lambda t: bench.embedded.names(t, EACH), names, NAMES_FROM)],
            ["names, Elasticsearch", *_row(lambda t: bench.elastic.names(t, EACH), names, NAMES_FROM)],
        ],
    )  # fmt: skip


def _row(suggest: Callable[[str], object], texts: list[str], least: int) -> Iterator[str]:
    for length in LENGTHS:
        if length < least:
            yield ""
            continue
        times = []
        for text in texts:
            begun = time.perf_counter()
            suggest(text[:length])
            times.append((time.perf_counter() - begun) * 1e6)
        yield "{:.0f} / {:.0f}".format(*quantiles(times))
