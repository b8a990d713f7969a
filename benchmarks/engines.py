"""The embedded engine against the bare Elasticsearch node, in turn, on the same listings and asks.

    make bench            500,000 listings, ten minutes
    make bench QUICK=1     50,000 listings, two minutes

Writes benchmarks/results.md. Only the ratios count: both engines are measured in the same minute on
the same machine, the node by posting the same query with a body that is serialised already.
"""

import http.client
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import orjson
import zipcodes

from directory.listing import Change
from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.elasticsearch.dsl import search_body
from directory.search.engine import Ask, Engine, Sort
from directory.search.scope import Circle
from directory.search.sqlite import SqliteEngine
from directory.vocabulary import Kind, vocabulary
from tests.builders import TODAY, a_listing, a_put
from tests.elasticsearch_node import node

QUICK = bool(os.environ.get("QUICK"))
LISTINGS, ASKS, ROUNDS = (50_000, 40, 3) if QUICK else (500_000, 60, 5)
MILE = 1609.344
RADII = (10, 25, 50, 100)
TEXTS = ("chiro", "neck pain", "ferncastle", "physical therapist back pain", "sports rehab", "ana")


def towns() -> list[dict[str, str]]:
    """ZIPs as often as people live by them: delivery ZIPs are about equal in population."""
    return [z for z in zipcodes.list_all() if z["zip_code_type"] == "STANDARD" and float(z["lat"])]


def listings(many: int) -> Iterator[Change]:
    rng, places = Random(1), towns()
    terms = {kind: [term.value for term in vocabulary().terms(kind)] for kind in Kind}
    given = [f"{a}{b}" for a in ("An", "Bri", "Ma", "Jo", "Ta") for b in ("na", "git", "rk", "el")]
    family = [f"{a}{b}{c}" for a in ("Fern", "Hale", "Wynn", "Oka") for b in ("castle", "moor", "by")
              for c in ("", "s", "-Lee", "ton", "ová")]  # fmt: skip
    for number in range(1, many + 1):
        town = rng.choice(places)
        pick = lambda kind, most: rng.sample(terms[kind], rng.randint(0, most))  # noqa: E731
        yield a_put(number, a_listing(
            f"b{number:07}",
            name={"given": rng.choice(given), "family": rng.choice(family)},
            point=(float(town["lat"]) + rng.uniform(-0.05, 0.05),
                   float(town["long"]) + rng.uniform(-0.05, 0.05)),
            profession=rng.choices(terms[Kind.PROFESSION], (1, 3, 6))[0],
            clinic=f"{rng.choice(family)} Sports Rehab", letters=["PT", "DPT"],
            address={"city": town["city"], "state": "TX", "postal_code": town["zip_code"]},
            techniques=pick(Kind.TECHNIQUE, 3), conditions=pick(Kind.CONDITION, 6),
            insurance_accepted=pick(Kind.INSURANCE, 5), languages=pick(Kind.LANGUAGE, 2),
            accepting=rng.choice(["yes", "no", "unknown"]), dry_needling=rng.choice(["yes", "unknown"]),
            about="We needle with stretching and exercise, never on its own.",
        ))  # fmt: skip


def asks(radius: int, *, filtered: bool, text: bool) -> list[Ask]:
    rng, places = Random(radius), towns()
    found = []
    for _ in range(ASKS):
        town = rng.choice(places)
        facets = (("profession", ("physical-therapist",)), ("accepting", ("yes",)))
        found.append(
            Ask(
                area=Circle((float(town["lat"]), float(town["long"])), radius * MILE),
                clauses=vocabulary().understand(rng.choice(TEXTS)) if text else (),
                facets=facets if filtered else (),
                fresh_since=TODAY - timedelta(90),
                sort=Sort.BEST if text else Sort.DISTANCE,
            )
        )
    return found


class BareNode:
    """Posts serialised bodies straight to the node and reads the bytes."""

    def __init__(self, url: str, alias: str) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"))
        self._path = f"/{alias}/_search?request_cache=false"

    def post(self, body: bytes) -> bytes:
        self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
        return self._connection.getresponse().read()


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def quantiles(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def compare(embedded: Engine, bare: BareNode, chosen: list[Ask]) -> tuple[str, float, float]:
    """A table's cells, and the ratios of p50 and p95 (embedded to bare node)."""
    bodies = [orjson.dumps(search_body(ask)) for ask in chosen]
    ours: list[float] = []
    theirs: list[float] = []
    for round_ in range(ROUNDS + 1):
        for ask, body in zip(chosen, bodies, strict=True):
            one, other = timed(lambda: embedded.search(ask)), timed(lambda: bare.post(body))  # noqa: B023
            if round_:
                ours.append(one)
                theirs.append(other)
    (p50, p95), (node50, node95) = quantiles(ours), quantiles(theirs)
    cells = f"{p50:.2f} / {p95:.2f} | {node50:.2f} / {node95:.2f} | {p50 / node50:.2f} | {p95 / node95:.2f}"
    return cells, p50 / node50, p95 / node95


def fill(engine: Engine) -> float:
    started = time.perf_counter()
    with engine.new_generation() as generation:
        generation.apply(listings(LISTINGS))
        generation.serve(LISTINGS)
    return time.perf_counter() - started


def report(folder: Path, url: str) -> Iterator[str]:
    embedded = SqliteEngine(folder / "search.db")
    elastic = ElasticsearchEngine(f"{url}/bench")
    yield f"# Measurements\n\n{LISTINGS:,} listings; {platform.machine()}, {os.cpu_count()} cores, "
    yield f"Python {platform.python_version()}. Medians over {ROUNDS} rounds of {ASKS} asks a row.\n\n"
    built, indexed = fill(embedded), fill(elastic)
    size = (folder / "search.db").stat().st_size / 1e6
    yield f"Built from nothing: embedded {built:.0f} s ({size:.0f} MB), Elasticsearch {indexed:.0f} s.\n\n"
    yield "| radius | filters | text | embedded p50 / p95 ms | bare node p50 / p95 ms | p50 ratio | p95 ratio |\n"
    yield "| --- | --- | --- | --- | --- | --- | --- |\n"
    bare = BareNode(url, "bench")
    for text in (False, True):
        for filtered in (True, False):
            for radius in RADII:
                cells, *_ = compare(embedded, bare, asks(radius, filtered=filtered, text=text))
                yield f"| {radius} mi | {'two' if filtered else 'none'} | {'yes' if text else 'no'} | {cells} |\n"
    changes = [
        timed(
            lambda n=n: embedded.apply([a_put(LISTINGS + n, a_listing("b0000001"))], LISTINGS + n)
        )
        for n in range(1, 60)
    ]
    yield f"\nOne change applied to the embedded index: p50 {statistics.median(changes):.1f} ms.\n"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    yield f"Peak memory of this process, listings generated in it: {peak:.0f} MB.\n"


def main() -> None:
    """Measure, and write the results as they come."""
    target = Path(__file__).with_name("results.md")
    with tempfile.TemporaryDirectory(prefix="directory-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with node(folder / "node") as url:
            text = ""
            for line in report(folder, url):
                text += line
                sys.stdout.write(line)
                sys.stdout.flush()
    target.write_text(text)


if __name__ == "__main__":
    main()
