"""The one distance: great circle on a sphere, to the bit what Lucene computes.

Filter, sort and display all ask this module, in both engines. Elasticsearch filters and
sorts with Lucene's haversine, which reads its cosines from a table; with the platform's own
cosine the last bits differ in 15 % of pairs, enough to swap two near listings or to drop
one that lies exactly on the radius. So the table is rebuilt here (fdlibm's kernels, as Java's
StrictMath uses them) and nothing is left to differ: 0 of 200,000 pairs
(docs/decisions/002-one-distance.md).
"""

from math import floor, pi, sin
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_M = 6_371_008.7714
"""Mean radius of the sphere, metres: the constant of Lucene's SloppyMath."""

METRES_PER = {"mi": 1_609.344, "km": 1_000.0}

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

_LATITUDE_STEP = 180.0 / 2**32
_LONGITUDE_STEP = 360.0 / 2**32
_TOP = 2**31 - 1


class Grid(NamedTuple):
    """Positions as the engines keep them: 32-bit steps of latitude and longitude."""

    latitude: Ints
    longitude: Ints


def to_grid(latitude: Floats, longitude: Floats) -> Grid:
    """Degrees (any shape) to grid steps: at most 5 mm of latitude, 9 mm of longitude, off.

    Lucene's GeoEncodingUtils: rounds down, and the poles' and the antimeridian's upper edge
    fall into the last step.
    """
    return Grid(
        np.minimum(np.floor(latitude / _LATITUDE_STEP), _TOP).astype(np.int32),
        np.minimum(np.floor(longitude / _LONGITUDE_STEP), _TOP).astype(np.int32),
    )


def snap(latitude: float, longitude: float) -> tuple[float, float]:
    """The grid position below a point, in degrees. Both ends of every distance are snapped."""
    # In plain numbers: numpy takes 15 µs for one point, three times a search.
    north, east = floor(latitude / _LATITUDE_STEP), floor(longitude / _LONGITUDE_STEP)
    return min(north, _TOP) * _LATITUDE_STEP, min(east, _TOP) * _LONGITUDE_STEP


def degrees(grid: Grid) -> tuple[Floats, Floats]:
    """Grid positions in degrees: latitudes and longitudes."""
    return (
        grid.latitude.astype(np.float64) * _LATITUDE_STEP,
        grid.longitude.astype(np.float64) * _LONGITUDE_STEP,
    )


def metres(centre: tuple[float, float], grid: Grid) -> Floats:
    """Distance in metres from a centre (latitude, longitude in degrees) to each grid position."""
    latitude, longitude = snap(*centre)
    here: Floats = np.array(latitude * _RADIAN)
    there: Floats = grid.latitude.astype(np.float64) * _LATITUDE_STEP * _RADIAN
    east: Floats = (longitude - grid.longitude.astype(np.float64) * _LONGITUDE_STEP) * _RADIAN
    haversine: Floats = (1 - _cos(here - there)) + _cos(here) * _cos(there) * (1 - _cos(east))
    # Lucene clears the last three bits, so that rounding makes no false order among equals.
    haversine = (haversine.view(np.int64) & -8).view(np.float64)
    return np.asarray(EARTH_RADIUS_M * 2 * np.arcsin(np.minimum(1, np.sqrt(haversine * 0.5))))


def inclusive(radius_m: float) -> float:
    """The radius that a filter compares with, so that a listing exactly on the radius is in.

    The last bit of the arcsine differs between Java and numpy (relative error 4e-14), which
    a margin of one part in 10^9 and a hundredth of a millimetre swallows in both engines.
    """
    return radius_m * (1 + 1e-9) + 1e-5


SLACK_M = 8.0
"""How far a straight-line distance may be off, metres: a unit vector's 24 bits are 0.4 m of earth a
coordinate, and the sum of their squares is right to a part in five million of up to 12,742 km."""


def unit_vectors(grid: Grid) -> NDArray[np.float32]:
    """The points of a unit sphere at which grid positions lie: (positions, 3).

    What a straight line between two of them is long takes a tenth of the time of `metres`, and is
    in the same order but for SLACK_M: enough to tell all but a few near from far.
    """
    latitude, longitude = (each * _RADIAN for each in degrees(grid))
    across = np.cos(latitude)
    three = (across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude))
    return np.stack(three, axis=-1).astype(np.float32)


def unit_vector(point: tuple[float, float]) -> NDArray[np.float32]:
    """The unit vector of a point (degrees)."""
    (vector,) = unit_vectors(to_grid(np.array([point[0]]), np.array([point[1]])))
    return np.asarray(vector)


def straight_metres(one: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """The straight lines from one unit vector to others, metres, through the earth."""
    east, north, up = (others[:, axis] - one[axis] for axis in range(3))
    chord: NDArray[np.float32] = np.sqrt(east * east + north * north + up * up)
    return np.asarray(chord * np.float32(EARTH_RADIUS_M))


def straight(distance_m: float) -> float:
    """The straight line between two points that are so far apart on the sphere, metres."""
    return 2 * EARTH_RADIUS_M * sin(min(distance_m / EARTH_RADIUS_M, pi) / 2)


_RADIAN = 0.017453292519943295
_TABLE_SIZE = 2048
_STEP_HIGH = float.fromhex("0x1.921fb544p-9")
_STEP_LOW = float.fromhex("0x1.0b4611a626331p-43")
_STEPS_PER_RADIAN = 1 / (_STEP_HIGH + _STEP_LOW)


def _cos(angle: Floats) -> Floats:
    """Cosine by Taylor expansion around the nearest of 2,048 table entries."""
    angle = np.abs(angle)
    index = (angle * _STEPS_PER_RADIAN + 0.5).astype(np.int64)
    rest = (angle - index * _STEP_HIGH) - index * _STEP_LOW
    index &= _TABLE_SIZE - 1
    cosine, sine = _COSINES[index], _SINES[index]
    return np.asarray(
        cosine
        + rest
        * (-sine + rest * (-cosine * (1 / 2) + rest * (sine * (1 / 6) + rest * cosine * (1 / 24))))
    )


def _tables() -> tuple[Floats, Floats]:
    """Sines and cosines of the table's angles, with fdlibm's rounding.

    fdlibm (Sun Microsystems, freely distributable): reduce to the nearest quarter turn, then
    one polynomial for each function. The C library's results differ in 4 % of the entries.
    """
    steps = np.arange(_TABLE_SIZE + 1)
    angle = steps * _STEP_HIGH + steps * _STEP_LOW
    quarter = (angle * float.fromhex("0x1.45f306dc9c883p-1") + 0.5).astype(np.int64)
    quarter[angle < 0.7854] = 0  # fdlibm reduces nothing up to a quarter of pi, inclusive
    remainder = angle - quarter * float.fromhex("0x1.921fb544p0")
    low = quarter * float.fromhex("0x1.0b4611a626331p-34")
    x = remainder - low
    y = (remainder - x) - low
    sine, cosine = _kernel_sine(x, y, exact=quarter == 0), _kernel_cosine(x, y)
    turn = quarter % 4
    sines = np.choose(turn, [sine, cosine, -sine, -cosine])
    cosines = np.choose(turn, [cosine, -sine, -cosine, sine])
    sines[[_TABLE_SIZE // 2, _TABLE_SIZE]] = 0.0
    cosines[[_TABLE_SIZE // 4, 3 * _TABLE_SIZE // 4]] = 0.0
    return sines, cosines


def _kernel_sine(x: Floats, y: Floats, *, exact: NDArray[np.bool_]) -> Floats:
    """Sine of x + y for abs(x) up to a quarter of pi; exact marks where y is nothing."""
    square = x * x
    cube = square * x
    series = _polynomial(
        square,
        "0x1.111111110f8a6p-7 -0x1.a01a019c161d5p-13 0x1.71de357b1fe7dp-19 "
        "-0x1.ae5e68a2b9cebp-26 0x1.5d93a5acfd57cp-33",
    )
    first = float.fromhex("-0x1.5555555555549p-3")
    return np.where(
        exact,
        x + cube * (first + square * series),
        x - ((square * (0.5 * y - cube * series) - y) - cube * first),
    )


def _kernel_cosine(x: Floats, y: Floats) -> Floats:
    """Cosine of x + y for abs(x) up to a quarter of pi."""
    square = x * x
    series = square * _polynomial(
        square,
        "0x1.555555555554cp-5 -0x1.6c16c16c15177p-10 0x1.a01a019cb159p-16 "
        "-0x1.27e4f809c52adp-22 0x1.1ee9ebdb4b1c4p-29 -0x1.8fae9be8838d4p-37",
    )
    size = np.abs(x)
    quarter = ((size / 4).view(np.int64) & ~0xFFFFFFFF).view(np.float64)
    shift = np.where(size < 0.3, 0.0, np.where(size > 0.78125, 0.28125, quarter))
    return (1 - shift) - ((0.5 * square - shift) - (square * series - x * y))


def _polynomial(x: Floats, coefficients: str) -> Floats:
    total = np.zeros_like(x)
    for coefficient in reversed(coefficients.split()):
        total = total * x + float.fromhex(coefficient)
    return total


_SINES, _COSINES = _tables()
