"""Both engines against the judge and against each other, on generated listings and asks."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, product
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from directory.listing import Change, Listing
from directory.search.engine import Ask, Engine, Found, Hit
from directory.search.entry import FACET_VALUES
from tests.builders import a_delete, a_listing, a_put
from tests.contract.strategies import a_corpus, an_ask, corpora, rounds
from tests.judge import Verdict, in_order, tile

CORPORA, ASKS = 45, 50
"""2,250 pairs an engine, each paged to the end."""


WORLDS = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
FOUND: list[int] = []
"""How many listings each pair found, for the test that the worlds are worth their while."""


def fill(engine: Engine, corpus: Sequence[Listing]) -> None:
    with engine.new_generation() as generation:
        generation.apply(a_put(n, listing) for n, listing in enumerate(corpus, start=1))
        generation.serve(position=len(corpus))


def pages(engine: Engine, ask: Ask, first: Found) -> Iterator[Hit]:
    """Every hit, page after page, each behind the last key of the one before."""
    found = first
    while found.hits:
        yield from found.hits
        found = engine.search(replace(ask, after=found.hits[-1].key))


def assert_right(
    engine: Engine, corpus: Sequence[Listing], ask: Ask
) -> list[tuple[str, float, int]]:
    verdict, found = Verdict(corpus, ask), engine.search(ask)
    hits = list(pages(engine, ask, found))
    if not verdict.undecided:
        assert_judged(engine, ask, verdict, found, hits)
        assert_counted(engine, ask, verdict)
    skipped = engine.search(replace(ask, offset=2))
    assert [h.listing.id for h in skipped.hits] == [h.listing.id for h in hits[2 : 2 + ask.limit]]
    return [(hit.listing.id, hit.key.distance_m, hit.key.score) for hit in hits]


def assert_judged(
    engine: Engine, ask: Ask, verdict: Verdict, found: Found, hits: Sequence[Hit]
) -> None:
    assert found.total == engine.count(ask) == verdict.total
    counts = {value: n for value, n in zip(FACET_VALUES, found.counts, strict=True) if n}
    assert counts == verdict.counts
    expected = {listing.id: (score, away) for score, away, listing in verdict.ordered}
    assert sorted(hit.listing.id for hit in hits) == sorted(expected)
    for hit in hits:
        score, away = expected[hit.listing.id]
        assert hit.key.score == score
        assert hit.key.distance_m == pytest.approx(away, abs=1.0)
    # The judge's order, except among those that it too holds to lie within 2 cm of each other.
    for one, other in pairwise(hits):
        a, b = expected[one.listing.id], expected[other.listing.id]
        assert (-a[0], a[1] - 0.02) <= (-b[0], b[1])
        if a[0] == b[0] and one.key.distance_m == other.key.distance_m:
            assert one.listing.id < other.listing.id


def assert_counted(engine: Engine, ask: Ask, verdict: Verdict) -> None:
    """Every tile's count, but for points that lie so near to its edge that the grid moves them."""
    zoom = (1, 6, 14)[verdict.total % 3]
    at = [tile(listing.location.point, zoom) for _, _, listing in verdict.ordered]
    expected = Counter((min(int(x), 2**zoom - 1), min(int(y), 2**zoom - 1)) for x, y in at)
    found = engine.clusters(ask, zoom, 100)
    assert sum(each.count for each in found) == verdict.total
    if not any(abs(part - round(part)) < 1e-4 for point in at for part in point):
        assert {each.tile: each.count for each in found} == expected
    for each in found:
        x, y = tile(each.centre, zoom)
        assert each.tile == pytest.approx((x - 0.5, y - 0.5), abs=0.501)


def counted(engine: Engine, ask: Ask) -> list[tuple[tuple[int, int], int]]:
    return sorted((each.tile, each.count) for each in engine.clusters(ask, 9, 100))


@settings(WORLDS, max_examples=CORPORA)
@given(corpus=corpora(), seeds=rounds(ASKS))
def test_both_engines_answer_as_the_judge_and_alike(
    corpus: list[Listing], seeds: list[int], engines: tuple[Engine, Engine]
) -> None:
    for engine in engines:
        fill(engine, corpus)
    spots = [listing.location.point for listing in corpus]
    for ask in (an_ask(seed, spots) for seed in seeds):
        embedded, elastic = (assert_right(engine, corpus, ask) for engine in engines)
        FOUND.append(len(embedded))
        assert [(i, s) for i, _, s in embedded] == [(i, s) for i, _, s in elastic]
        assert counted(engines[0], ask) == counted(engines[1], ask)
        assert [d for _, d, _ in embedded] == pytest.approx([d for _, d, _ in elastic], abs=1e-6)


def names_of(corpus: Sequence[Listing], typed: str) -> set[tuple[str, str]]:
    """By the judge: names whose words, in either order, begin with what is typed."""

    def begins(text: str) -> bool:
        return " ".join(in_order(text)).startswith(" ".join(in_order(typed)))

    found = set()
    for name, clinic in ((listing.name, listing.clinic) for listing in corpus):
        if begins(f"{name.given} {name.family}") or begins(f"{name.family} {name.given}"):
            found.add(("practitioner", str(name)))
        if clinic and begins(clinic):
            found.add(("clinic", clinic))
    return found


@pytest.mark.parametrize(
    "typed", ["ana", "Nún", "nunez phys", "o'br", "smith j", "Łuk", "strasse", "李", "zz", "neck b"]
)
def test_names_begin_with_what_is_typed(typed: str, engines: tuple[Engine, Engine]) -> None:
    corpus = a_corpus(7, 60)
    answers = []
    for engine in engines:
        fill(engine, corpus)
        found = engine.names(typed, 100)
        assert {(each.kind, each.text) for each in found} == names_of(corpus, typed)
        assert len(set(found)) == len(found)
        assert engine.names(typed, 3) == found[:3]
        answers.append(found)
    assert answers[0] == answers[1]


def test_names_go_with_the_last_listing_that_has_them(engines: tuple[Engine, Engine]) -> None:
    for engine in engines:
        fill(engine, [a_listing("one"), a_listing("two", clinic="Anatomy")])
        assert [each.text for each in engine.names("ana", 9)] == ["Ana Núñez", "Anatomy"]
        other = a_listing("two", name={"given": "Ben", "family": "Anang"})
        engine.apply([a_put(3, other), a_delete(4, "one")], position=4)
        assert [each.text for each in engine.names("ana", 9)] == ["Ben Anang"]
        engine.apply([a_delete(5, "two"), a_delete(3, "one")], position=5)
        assert engine.names("ana", 9) == engine.names("ben", 9) == ()
        engine.apply([a_put(6, other), a_put(7, other)], position=7)
        engine.apply([a_delete(8, "two")], position=8)
        assert engine.names("ben", 9) == ()


def test_a_name_of_words_that_begin_alike_takes_one_place(engines: tuple[Engine, Engine]) -> None:
    both = a_listing("one", name={"given": "Ana", "family": "Anang"})
    other = a_listing("two", name={"given": "Ann", "family": "Bo"})
    for engine in engines:
        fill(engine, [both, other])
        for most in (2, 3):
            assert [each.text for each in engine.names("an", most)] == ["Ana Anang", "Ann Bo"]
        assert [each.text for each in engine.names("an", 1)] == ["Ana Anang"]


def test_names_are_those_of_now_whatever_was_there_before(engines: tuple[Engine, Engine]) -> None:
    """Each change is a segment of its own, and leaves withdrawn names in those before."""
    corpus = a_corpus(8, 60)
    for engine in engines:
        fill(engine, corpus)
    there, rng, number = {listing.id: listing for listing in corpus}, Random(3), len(corpus)
    for _ in range(6):
        changes: list[Change] = []
        for one in rng.sample(corpus, 20):
            number += 1
            if rng.random() < 0.6:
                changes.append(a_delete(number, one.id))
                there.pop(one.id, None)
                continue
            other = rng.choice(corpus)
            there[one.id] = one.model_copy(update={"name": other.name, "clinic": other.clinic})
            changes.append(a_put(number, there[one.id]))
        for engine in engines:
            engine.apply(changes, position=number)
        for typed in ("a", "n", "nunez", "smith j", "o", "李", "neck back", "zz"):
            found, other_found = (engine.names(typed, 100) for engine in engines)
            assert found == other_found
            judged = names_of(list(there.values()), typed)
            assert {(each.kind, each.text) for each in found} == judged
            for engine, most in product(engines, (1, 2, 3, 5)):
                assert engine.names(typed, most) == found[:most]


def test_names_are_found_behind_many_that_were_withdrawn(engines: tuple[Engine, Engine]) -> None:
    names = [{"given": "Ana", "family": f"{n} Núñez"} for n in range(100, 250)]
    crowd = [a_listing(f"ana-{n}", name=name) for n, name in enumerate(names)]
    for engine in engines:
        fill(engine, crowd)
        engine.apply([a_delete(200 + n, f"ana-{n}") for n in range(120)], position=400)
        found = [each.text for each in engine.names("ana", 8)]
        assert found == [f"Ana {n} Núñez" for n in range(220, 228)]


@pytest.fixture(scope="module", autouse=True)
def the_generated_pairs_find_something() -> Iterator[None]:
    """Where the pairs were run: at least 2,000 of them, a third of which find two listings or more."""
    yield
    if FOUND:
        assert len(FOUND) >= 2_000
        assert sum(many >= 2 for many in FOUND) >= len(FOUND) / 3
        assert sum(many >= 20 for many in FOUND) >= len(FOUND) / 20
