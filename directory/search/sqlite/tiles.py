"""Points counted by the tiles of a map, as Elasticsearch's geotile grid counts them.

Elasticsearch's GeoTileUtils: Web Mercator, 2 ** zoom columns and rows from the north-west, points
as the grid keeps them, and what lies outside the projection is in the first or last row.
"""

import numpy as np
from numpy.typing import NDArray

from directory.search.distance import Grid, degrees
from directory.search.engine import Cluster

_NORTHMOST = 85.0511287798066
"""Degrees: the latitude at which the square map ends."""


def by_tile(grid: Grid, zoom: int) -> tuple[Cluster, ...]:
    """How many of the points lie in each tile, the fullest tiles first."""
    latitude, longitude = degrees(grid)
    column, row = _columns(longitude, 2**zoom), _rows(latitude, 2**zoom)
    tiles, where = np.unique(row * 2**zoom + column, return_inverse=True)
    count = np.bincount(where, minlength=len(tiles))
    north, east = (
        np.bincount(where, each, minlength=len(tiles)) / np.maximum(count, 1)
        for each in (latitude, longitude)
    )
    return tuple(
        Cluster(
            (int(tiles[n]) % 2**zoom, int(tiles[n]) // 2**zoom),
            (float(north[n]), float(east[n])),
            int(count[n]),
        )
        for n in np.argsort(-count, kind="stable").tolist()
    )


def _columns(longitude: NDArray[np.float64], many: int) -> NDArray[np.int64]:
    return _within(np.floor((longitude + 180.0) / 360.0 * many), many)


def _rows(latitude: NDArray[np.float64], many: int) -> NDArray[np.int64]:
    sine = np.sin(np.radians(np.clip(latitude, -_NORTHMOST, _NORTHMOST)))
    north = np.log((1.0 + sine) / (1.0 - sine)) / (4.0 * np.pi)
    return _within(np.floor((0.5 - north) * many), many)


def _within(tiles: NDArray[np.float64], many: int) -> NDArray[np.int64]:
    return np.clip(tiles, 0, many - 1).astype(np.int64)
