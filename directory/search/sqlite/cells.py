"""Quarter-degree cells: which one a point lies in, and which a circle can touch.

A cell's number counts eastward within its band of latitude, so that the cells of one band that a
circle touches are one run of numbers (two where it crosses the antimeridian).
"""

from collections.abc import Iterator
from math import asin, cos, floor, pi, radians, sin

from directory.search.distance import EARTH_RADIUS_M
from directory.search.scope import Circle

DEGREES = 0.25
BANDS = int(180 / DEGREES)
PER_BAND = int(360 / DEGREES)
_MARGIN = radians(1e-4)
"""About 11 m, many times what rounding and the engines' grid of points can move anything."""


def cell_of(latitude: float, longitude: float) -> int:
    """The number of the cell that a point (degrees) lies in."""
    return _band(latitude) * PER_BAND + _column(longitude)


def runs(circle: Circle | None) -> Iterator[tuple[int, int]]:
    """First and last numbers of the runs of cells that hold everything within the circle."""
    if circle is None or circle.radius_m is None or circle.radius_m >= EARTH_RADIUS_M * pi / 2:
        yield 0, BANDS * PER_BAND - 1
        return
    latitude = radians(circle.centre[0])
    angle = circle.radius_m / EARTH_RADIUS_M + _MARGIN
    south, north = latitude - angle, latitude + angle
    if south <= -pi / 2 or north >= pi / 2:
        yield _band(_degrees(south)) * PER_BAND, (_band(_degrees(north)) + 1) * PER_BAND - 1
        return
    # Where the circle's meridians touch it, not the width at its centre (sin rule).
    half_width = _degrees(asin(min(1.0, sin(angle) / cos(latitude))))
    west, east = circle.centre[1] - half_width, circle.centre[1] + half_width
    for band in range(_band(_degrees(south)), _band(_degrees(north)) + 1):
        for first, last in _columns(west, east):
            yield band * PER_BAND + first, band * PER_BAND + last


def _columns(west: float, east: float) -> list[tuple[int, int]]:
    if west < -180:
        return [(0, _column(east)), (_column(west + 360), PER_BAND - 1)]
    if east > 180:
        return [(0, _column(east - 360)), (_column(west), PER_BAND - 1)]
    return [(_column(west), _column(east))]


def _degrees(angle: float) -> float:
    return angle * 180 / pi


def _band(latitude: float) -> int:
    return min(max(floor((latitude + 90) / DEGREES), 0), BANDS - 1)


def _column(longitude: float) -> int:
    return min(max(floor((longitude + 180) / DEGREES), 0), PER_BAND - 1)
