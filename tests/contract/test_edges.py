"""What generated worlds may miss: exact radii, one point for thousands, odd corners of the earth."""

from dataclasses import replace

import orjson
import pytest

from directory.listing import Change, Listing
from directory.search import elasticsearch, sqlite
from directory.search.elasticsearch import index
from directory.search.engine import Ask, Engine, Sort
from directory.search.entry import FACETS
from directory.search.scope import Circle, Scope
from directory.search.sqlite import kept
from tests.builders import AUSTIN, NOW, a_listing, a_put, metres_between
from tests.contract.strategies import a_corpus, an_ask
from tests.contract.test_engines import assert_right, fill, pages
from tests.judge import distance

MILE = 1609.344


@pytest.fixture(params=[0, 1], ids=["sqlite", "elasticsearch"])
def one(request: pytest.FixtureRequest, engines: tuple[Engine, Engine]) -> Engine:
    return engines[request.param]


def ids(engine: Engine, centre: tuple[float, float], radius: float | None) -> list[str]:
    ask = Ask(area=Circle(centre, radius), sort=Sort.DISTANCE, limit=100)
    return [hit.listing.id for hit in engine.search(ask).hits]


def at(*points: tuple[float, float]) -> list[Listing]:
    return [a_listing(f"p{number:02}", point=point) for number, point in enumerate(points)]


@pytest.mark.parametrize(
    "other", [(30.3, -97.7), (30.2714, -97.7426), (-45.0, 100.0), (31.7, -97.7)]
)
def test_a_listing_exactly_on_the_radius_is_in(one: Engine, other: tuple[float, float]) -> None:
    fill(one, at(other))
    away = metres_between(AUSTIN, other)
    assert ids(one, AUSTIN, away) == ["p00"]
    assert ids(one, AUSTIN, away - 0.05) == []


def test_radius_nothing_finds_who_is_at_that_very_point(one: Engine) -> None:
    fill(one, at(AUSTIN, (30.27131, -97.7426), (30.28, -97.7426)))
    assert ids(one, AUSTIN, 0.0) == ["p00"]


def test_the_poles_are_one_point_each(one: Engine) -> None:
    fill(one, at((90.0, 0.0), (89.99, 170.0), (89.99, -10.0), (-90.0, 5.0)))
    assert sorted(ids(one, (90.0, 77.0), 2000)) == ["p00", "p01", "p02"]
    assert ids(one, (89.99, -170.0), 2400) == ["p01", "p00", "p02"]
    assert ids(one, (-89.999, 0.0), 200) == ["p03"]


def test_a_circle_goes_over_the_antimeridian(one: Engine) -> None:
    fill(one, at((52.0, 179.99), (52.0, -179.99), (52.0, 179.0), (52.0, 178.0)))
    assert ids(one, (52.0, 179.995), 2000) == ["p00", "p01"]
    assert ids(one, (52.0, -179.995), 2000) == ["p01", "p00"]
    assert ids(one, (52.0, -179.999), 100_000) == ["p01", "p00", "p02"]


def test_the_other_side_of_the_earth_is_in_reach(one: Engine) -> None:
    antipode = (-AUSTIN[0], AUSTIN[1] + 180)
    fill(one, at(antipode, (51.5, -0.1)))
    assert ids(one, AUSTIN, 5000 * MILE) == ["p01"]
    assert ids(one, AUSTIN, None) == ["p01", "p00"]
    found = one.search(Ask(area=Circle(AUSTIN, None), sort=Sort.DISTANCE))
    assert found.hits[1].key.distance_m == pytest.approx(20_015_115, abs=2)


def test_thousands_at_one_point_come_in_the_order_of_their_ids(one: Engine) -> None:
    crowd = [a_listing(f"c{number:05}") for number in range(3000)]
    fill(one, crowd[::-1])
    ask = Ask(area=Circle(AUSTIN, MILE), sort=Sort.DISTANCE, limit=100)
    found = [hit.listing.id for hit in pages(one, ask, one.search(ask))]
    assert found == [listing.id for listing in crowd]
    assert [h.listing.id for h in one.search(replace(ask, offset=2950)).hits] == found[2950:]


def test_what_nobody_has_is_found_nowhere(one: Engine) -> None:
    fill(one, at(AUSTIN))
    nobody = Ask(facets=(("condition", ("migraine",)), ("confirmed", ("yes",))), max_price=0)
    found = one.search(nobody)
    assert (found.total, found.hits) == (0, ())
    assert set(found.counts) == {0}


def test_a_term_that_is_no_more_is_none(one: Engine) -> None:
    """A listing that was stored before a term went keeps it; both engines leave it out."""
    said = orjson.loads(a_put(1, a_listing(conditions=["neck-pain"])).document or b"")
    said |= {"conditions": ["neck-pain", "ague"], "insurance_accepted": ["blue-moon"]}
    change = Change(1, said["id"], orjson.dumps(said), NOW)
    with one.new_generation() as generation:
        generation.apply([change])
        generation.serve(position=1)
    scope = Scope(facets=(("insurance", ("blue-moon",)),))
    assert one.search(Ask(scope=scope)).total == 0
    assert sum(one.search(Ask()).counts[FACETS["condition"]]) == 1


def test_signs_alone_are_no_name(one: Engine) -> None:
    fill(one, at(AUSTIN))
    assert one.names("ana", 8)
    assert one.names("...", 8) == one.names(" ", 8) == ()


def test_a_step_back_is_to_an_index_of_this_version_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sqlite, elasticsearch, index):
        monkeypatch.setattr(module, "SCHEMA_ID", "5-of-old")
    fill(engine, at(AUSTIN))
    monkeypatch.undo()
    fill(engine, at(AUSTIN, AUSTIN))
    assert engine.roll_back() is None
    assert engine.search(Ask()).total == 2


def test_a_wide_area_that_is_read_in_pieces_is_found_whole(
    one: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = a_corpus(5, 200)
    fill(one, corpus)
    asks = [an_ask(seed, [AUSTIN]) for seed in range(60)]
    wide = [replace(ask, area="TX" if n % 3 else None) for n, ask in enumerate(asks)]
    monkeypatch.setattr(kept, "_AT_ONCE_BYTES", 500)
    for ask in wide:
        assert_right(one, corpus, ask)


def test_an_empty_index_answers(one: Engine) -> None:
    fill(one, [])
    assert one.search(Ask()).total == 0


def test_distances_are_the_great_circle_within_a_metre() -> None:
    for a, b in [(AUSTIN, (30.5, -97.0)), ((0.0, 0.0), (0.0, 180.0)), ((90.0, 0.0), (-90.0, 0.0))]:
        assert metres_between(a, b) == pytest.approx(distance(a, b), abs=1.0)
