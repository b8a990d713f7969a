"""What generated worlds may miss: exact radii, one point for thousands, odd corners of the earth."""

from dataclasses import replace

import pytest

from directory.listing import Listing
from directory.search.engine import Ask, Engine, Sort
from directory.search.scope import Circle
from tests.builders import AUSTIN, a_listing, metres_between
from tests.contract.test_engines import fill, pages
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
    assert ids(one, (89.99, -170.0), 2400)[0] in ("p00", "p01")
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


def test_an_empty_index_answers(one: Engine) -> None:
    fill(one, [])
    assert one.search(Ask()).total == 0


def test_distances_are_the_great_circle_within_a_metre() -> None:
    for a, b in [(AUSTIN, (30.5, -97.0)), ((0.0, 0.0), (0.0, 180.0)), ((90.0, 0.0), (-90.0, 0.0))]:
        assert metres_between(a, b) == pytest.approx(distance(a, b), abs=1.0)
