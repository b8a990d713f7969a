"""The fixed mix of searches, as a patient's browser sends them and as the engines are asked.

A place as often as people live there, 10, 25, 50 and 100 miles in turn, two filters in every other
one, text in every third; by distance, and by `best` where there is text; 20 results.
"""

from collections.abc import Iterator
from datetime import date
from itertools import islice
from random import Random
from urllib.parse import urlencode

import orjson

from benchmarks.listings import towns
from directory.places import Places
from directory.search.elasticsearch.dsl import search_body
from directory.search.engine import Ask
from directory.search.find import _ask
from directory.search.query import parse

RADII = (10, 25, 50, 100)
TEXTS = ("chiro", "neck pain", "ferncastle", "physical therapist back pain", "sports rehab", "anna")
FILTERS = {"profession": ["physical-therapist"], "accepting": ["yes"]}

Parameters = dict[str, list[str]]


def mix(many: int) -> list[Parameters]:
    """So many searches of the mix, the same ones each time."""
    return list(islice(_searches(Random(7)), many))


def _searches(rng: Random) -> Iterator[Parameters]:
    number = 0
    while True:
        yield search(
            rng, RADII[number % 4], filtered=number // 4 % 2 == 0, text=number // 8 % 3 == 0
        )
        number += 1


def search(rng: Random, radius: float, *, filtered: bool, text: bool) -> Parameters:
    """One search around a town."""
    asked = {"near": [rng.choice(towns())["zip_code"]], "radius": [f"{radius:g}"]}
    return asked | (FILTERS if filtered else {}) | ({"q": [rng.choice(TEXTS)]} if text else {})


def alike(many: int, radius: float, *, filtered: bool, text: bool) -> list[Parameters]:
    """So many searches of one kind, the same ones each time."""
    rng = Random(radius)
    return [search(rng, radius, filtered=filtered, text=text) for _ in range(many)]


def address(asked: Parameters) -> str:
    """What stands behind the question mark."""
    return urlencode(asked, doseq=True)


def ask(asked: Parameters, places: Places, today: date) -> Ask:
    """What the engine is asked for it."""
    query = parse(asked, without=frozenset())
    return _ask(query, places.locate(query.near or ""), today, None)


def body(asked: Ask) -> bytes:
    """What the node is posted for it, serialised."""
    return orjson.dumps(search_body(asked))
