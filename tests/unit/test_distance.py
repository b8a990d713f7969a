"""The one distance, against the textbook's formula; and the cells that a circle can touch."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from directory.search.distance import inclusive, metres, snap, to_grid
from directory.search.scope import Circle
from directory.search.sqlite.cells import cell_of, runs
from tests.builders import metres_between
from tests.judge import distance

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180, exclude_max=True)
points = st.tuples(latitudes, longitudes)
steps = st.floats(-0.01, 0.01)


@settings(max_examples=1000)
@given(points, points)
def test_it_is_the_great_circle_to_a_metre(a: tuple[float, float], b: tuple[float, float]) -> None:
    assert abs(metres_between(a, b) - distance(a, b)) < 1.0


@given(points, steps, steps)
def test_it_is_so_for_neighbours_too(a: tuple[float, float], north: float, east: float) -> None:
    b = (max(-90.0, min(90.0, a[0] + north)), (a[1] + east + 180) % 360 - 180)
    assert abs(metres_between(a, b) - distance(a, b)) < 0.25


@given(points)
def test_the_grid_moves_nothing_by_more_than_a_centimetre(point: tuple[float, float]) -> None:
    assert distance(point, snap(*point)) < 0.012
    assert snap(*snap(*point)) == snap(*point)
    assert metres_between(point, point) == 0.0


def test_many_at_once_are_as_one_by_one() -> None:
    rng = np.random.default_rng(1)
    lat, lon = rng.uniform(-90, 90, 500), rng.uniform(-180, 180, 500)
    together = metres((30.0, -97.0), to_grid(lat, lon)).tolist()
    assert together == [metres_between((30.0, -97.0), p) for p in zip(lat, lon, strict=True)]


@settings(max_examples=500)
@given(points, st.floats(0, 9_000_000), st.lists(st.tuples(steps, steps), max_size=5), points)
def test_whoever_is_in_the_circle_is_in_its_cells(
    centre: tuple[float, float],
    radius: float,
    near: list[tuple[float, float]],
    far: tuple[float, float],
) -> None:
    covered = list(runs(Circle(centre, radius)))
    around = [
        (max(-90.0, min(90.0, centre[0] + n)), (centre[1] + e + 180) % 360 - 180) for n, e in near
    ]
    for point in (centre, far, *around):
        if metres_between(centre, point) <= inclusive(radius):
            cell = cell_of(*point)
            assert any(first <= cell <= last for first, last in covered)
