"""Lookups: both engines against the judge and against each other, as the index changes too."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings

from directory.listing import Listing
from directory.search.engine import Engine
from directory.search.lookup import Criterion, Field, Lookup, LookupHit
from directory.search.practitioners import practitioners
from directory.search.scope import Circle, Scope
from tests.builders import AUSTIN, NOW, a_delete, a_listing, a_put, metres_between
from tests.contract.strategies import (
    TIMES,
    a_lookup,
    also_listed,
    dated_corpora,
    rounds,
)
from tests.contract.test_engines import WORLDS
from tests.counted import Counted
from tests.judge import Dated, looked_up, undecided

CORPORA, LOOKUPS = 40, 40
"""1,600 pairs an engine, each paged to the end."""

FOUND: list[int] = []
"""How many listings each pair found, for the test that the worlds are worth their while."""


def fill(engine: Engine, corpus: Sequence[Dated]) -> None:
    with engine.new_generation() as generation:
        generation.apply(a_put(n, listing, at) for n, (listing, at) in enumerate(corpus, start=1))
        generation.serve(position=len(corpus))


def change(engines: Sequence[Engine], corpus: list[Dated], seed: int) -> list[Dated]:
    """Some listings deleted, some drawn anew, some twice; what then is there."""
    rng, there = Random(seed), {listing.id: (listing, at) for listing, at in corpus}
    changes, number = [], len(corpus)
    for id_ in rng.sample(sorted(there), len(there) // 2):
        for _ in range(rng.choice([1, 1, 2])):
            number += 1
            if rng.random() < 0.3:
                changes.append(a_delete(number, id_))
                there.pop(id_, None)
            else:
                listing, at = also_listed(rng, by_id(corpus)[id_]), rng.choice(TIMES)
                changes.append(a_put(number, listing, at))
                there[id_] = (listing, at)
    for engine in engines:
        engine.apply(changes, position=number)
        engine.apply(changes[:3], position=number)  # a replay changes nothing
    return list(there.values())


def by_id(corpus: Sequence[Dated]) -> dict[str, Listing]:
    return {listing.id: listing for listing, _ in corpus}


def all_hits(engine: Engine, wanted: Lookup) -> list[LookupHit]:
    """Every hit, page after page, each behind the last key of the one before."""
    hits: list[LookupHit] = []
    found = engine.lookup(wanted)
    total = found.total
    while found.hits:
        assert len(found.hits) <= wanted.limit
        hits += found.hits
        found = engine.lookup(replace(wanted, after=found.hits[-1].key))
        assert found.total == total
    assert len(hits) == total
    return hits


def assert_right(engine: Engine, corpus: Sequence[Dated], wanted: Lookup) -> list[LookupHit]:
    hits, expected = all_hits(engine, wanted), looked_up(corpus, wanted)
    at = {listing.id: at for listing, at in corpus}
    assert all(hit.updated_at == at[hit.listing.id] for hit in hits)
    if undecided(corpus, wanted.circle):
        return hits
    assert sorted(hit.listing.id for hit in hits) == sorted(row[2].id for row in expected)
    if wanted.circle:
        away = {listing.id: away for away, _, listing in expected}
        keys = [(hit.key.distance_m, hit.listing.id) for hit in hits]
        assert keys == sorted(keys)
        assert [hit.key.distance_m for hit in hits] == pytest.approx(
            [away[hit.listing.id] for hit in hits], abs=1.0
        )
    else:
        assert [hit.listing.id for hit in hits] == [listing.id for _, _, listing in expected]
    return hits


@settings(WORLDS, max_examples=CORPORA)
@given(corpus=dated_corpora(), seeds=rounds(LOOKUPS))
def test_both_engines_look_up_as_the_judge_and_alike(
    corpus: list[Dated], seeds: list[int], engines: tuple[Engine, Engine]
) -> None:
    for engine in engines:
        fill(engine, corpus)
    for number, seed in enumerate(seeds):
        if number == LOOKUPS // 2:
            corpus = change(engines, corpus, seed)
        wanted = a_lookup(seed, corpus)
        embedded, elastic = (assert_right(engine, corpus, wanted) for engine in engines)
        FOUND.append(len(embedded))
        assert [hit.listing for hit in embedded] == [hit.listing for hit in elastic]
        assert [hit.key.practitioner for hit in embedded] == [h.key.practitioner for h in elastic]
        assert [hit.key.distance_m for hit in embedded] == pytest.approx(
            [hit.key.distance_m for hit in elastic], abs=1e-6
        )


@pytest.fixture(scope="module", autouse=True)
def the_generated_pairs_find_something() -> Iterator[None]:
    """Where the pairs were run: at least 1,500 of them, a third of which find a listing or more."""
    yield
    if FOUND:
        assert len(FOUND) >= 1_500
        assert sum(many >= 1 for many in FOUND) >= len(FOUND) / 3
        assert sum(many >= 8 for many in FOUND) >= len(FOUND) / 20


@pytest.fixture(params=[0, 1], ids=["sqlite", "elasticsearch"])
def one(request: pytest.FixtureRequest, engines: tuple[Engine, Engine]) -> Engine:
    return engines[request.param]


def ids(engine: Engine, *criteria: Criterion, **more: object) -> list[str]:
    wanted = replace(Lookup(criteria=criteria), **more)  # type: ignore[arg-type]
    return [hit.listing.id for hit in all_hits(engine, wanted)]


def by(field: Field, *values: str, begins: bool = False) -> Criterion:
    return Criterion((field,), values, begins)


def test_text_is_folded_and_whole_unless_it_is_a_beginning(one: Engine) -> None:
    brien = a_listing("brien", name={"given": "Seán Óg", "family": "O'Brien-Smith"})
    fill(one, [(brien, NOW), (a_listing("brie"), NOW)])
    for said in "O’BRIEN smith", "obrien-smith", "o'brien smith":
        assert ids(one, by(Field.FAMILY, said)) == ["brien"]
    assert ids(one, by(Field.FAMILY, "obrien")) == []
    assert ids(one, by(Field.FAMILY, "obri", begins=True)) == ["brien"]
    assert ids(one, by(Field.FAMILY, "obrien sm", begins=True)) == ["brien"]
    assert ids(one, by(Field.NAME, "smith"), by(Field.NAME, "og")) == ["brien"]
    assert ids(one, by(Field.NAME, "smit")) == []
    assert ids(one, by(Field.NAME, "smit", begins=True)) == ["brien"]
    assert ids(one, by(Field.ID, "brie", begins=True)) == ["brie", "brien"]
    assert ids(one, by(Field.FAMILY, "", begins=True)) == []


def test_any_of_the_taxonomies_counts_whole_or_as_a_beginning(one: Engine) -> None:
    codes = [{"code": "111N00000X"}, {"code": "2251X0800X"}]
    fill(one, [(a_listing("two", taxonomies=codes), NOW), (a_listing("none"), NOW)])
    assert ids(one, by(Field.TAXONOMY, "2251x0800x", "207X00000X")) == ["two"]
    assert ids(one, by(Field.TAXONOMY, "2251", begins=True)) == ["two"]
    assert ids(one, by(Field.TAXONOMY, "2251")) == ids(one, by(Field.TAXONOMY, "0800X")) == []
    assert ids(one, by(Field.TAXONOMY, "0800", begins=True)) == []


def test_the_listings_of_one_practitioner_come_together(one: Engine) -> None:
    npis = {"a": None, "b": "1962503458", "c": "1234567893", "d": "1962503458", "e": None}
    fill(one, [(a_listing(f"id-{id_}", npi=npi), NOW) for id_, npi in npis.items()])
    assert ids(one, limit=2) == ["id-c", "id-b", "id-d", "id-a", "id-e"]
    assert ids(one, by(Field.NPI, "1962503458")) == ["id-b", "id-d"]


def test_a_listing_exactly_on_the_radius_is_in(one: Engine) -> None:
    other = (30.3, -97.7)
    fill(one, [(a_listing("other", point=other), NOW)])
    away = metres_between(AUSTIN, other)
    assert ids(one, circle=Circle(AUSTIN, away)) == ["other"]
    assert ids(one, circle=Circle(AUSTIN, away - 0.05)) == []


def test_what_changes_and_goes_is_found_so(one: Engine) -> None:
    fill(one, [(a_listing("ana", clinic="Old", npi="1234567893"), NOW)])
    one.apply([a_put(2, a_listing("ana", clinic="New"), NOW.replace(hour=13))], position=2)
    assert ids(one, by(Field.CLINIC, "Old")) == ids(one, by(Field.NPI, "1234567893")) == []
    assert ids(one, by(Field.CLINIC, "new"), since=NOW.replace(hour=13)) == ["ana"]
    assert ids(one, before=NOW.replace(hour=13)) == []
    one.apply([a_put(1, a_listing("ana", clinic="Old"))], position=2)
    assert ids(one, by(Field.CLINIC, "Old")) == []
    one.apply([a_delete(3, "ana")], position=3)
    assert ids(one) == ids(one, by(Field.NAME, "ana")) == []
    one.apply([a_put(4, a_listing("ana"))], position=4)
    assert ids(one, by(Field.NAME, "ana")) == ["ana"]


def test_a_hidden_street_is_looked_up_by_nobody(one: Engine) -> None:
    hidden = a_listing(
        "hidden",
        area_only=True,
        address={"line1": "9 Elm", "city": "Austin", "state": "TX", "postal_code": "78701-1234"},
        location={"lat": 30.27, "lon": -97.74, "precision": "postal_code"},
    )
    fill(one, [(hidden, NOW)])
    assert ids(one, by(Field.LINE1, "9", begins=True)) == []
    assert ids(one, by(Field.POSTAL_CODE, "78701-1234")) == []
    assert ids(one, by(Field.POSTAL_CODE, "78701")) == ["hidden"]


def test_many_values_and_a_scope(one: Engine) -> None:
    crowd = [a_listing(f"c{number:04}") for number in range(700)]
    fill(one, [(listing, NOW) for listing in crowd])
    wanted = [f"c{number:04}" for number in range(0, 2000, 2)]
    assert ids(one, by(Field.ID, *wanted), limit=100) == [each for each in wanted if each < "c07"]
    chiropractors = Scope(facets=(("profession", ("chiropractor",)),))
    assert ids(one, by(Field.CITY, "Austin"), scope=chiropractors) == []
    assert len(ids(one, by(Field.CITY, "Austin"), scope=Scope(states=("TX",)), limit=100)) == 700


def test_who_has_no_npi_is_left_out_where_that_is_asked(one: Engine) -> None:
    npis = {"a": None, "b": "1962503458", "c": None, "d": "1234567893"}
    fill(one, [(a_listing(f"id-{id_}", npi=npi), NOW) for id_, npi in npis.items()])
    assert ids(one, limit=1, with_npi=True) == ["id-d", "id-b"]
    assert ids(one, limit=1, with_npi=True, circle=Circle(AUSTIN, 5.0)) == ["id-b", "id-d"]


def test_practitioners_take_few_lookups_among_listings_without_an_npi(one: Engine) -> None:
    crowd = [(a_listing(f"c{number:04}"), NOW) for number in range(3_000)]
    ana = [(a_listing(f"ana{place}", npi="1234567893"), NOW) for place in range(2)]
    fill(one, [*crowd, *ana])
    for circle in (Circle(AUSTIN, 1_000.0), None):
        counted = Counted(one)
        (found,), more = practitioners(counted, Lookup(circle=circle, limit=10))
        assert [hit.listing.id for hit in found.listings] == ["ana0", "ana1"]
        assert more is None
        assert counted.lookups <= 3
