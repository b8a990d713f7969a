"""Makes the file of post_offices.py anew, after an update of the package `zipcodes`.

    python -m directory.places.post_offices_made

A test compares what ships with what this makes.
"""

import gzip
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import zipcodes

from directory.places.post_offices import FILE, PostOffices, name_key
from directory.states import STATE_NAMES

_Points = dict[str, list[tuple[float, float]]]


def made() -> PostOffices:
    """What the package says, each city at the middle of its ZIPs (delivery areas first).

    What it answers with 0,0 (872 ZIPs, most of them military) is unknown.
    """
    found = PostOffices(zips={}, cities={}, nicknames={}, states={}, zones=[])
    for state in STATE_NAMES:
        _add_state(found, state)
    return found


def _add_state(found: PostOffices, state: str) -> None:
    areas: _Points = defaultdict(list)
    others: _Points = defaultdict(list)
    nicknames: dict[str, str] = {}
    points: list[tuple[float, float]] = []
    for row, point in _rows(state):
        points.append(point)
        zone = _number_of(row["timezone"], found["zones"])
        found["zips"][row["zip_code"]] = (row["city"], state, *point, zone)
        is_area = row["zip_code_type"] == "STANDARD" and row["active"]
        (areas if is_area else others)[row["city"]].append(point)
        for name in row["acceptable_cities"]:
            others[name].append(point)
        for name in row["unacceptable_cities"]:
            nicknames.setdefault(name_key(name), name_key(row["city"]))
    if points:
        found["states"][state] = _mean(points)
    # Two spellings of one name: that of the areas stays.
    found["cities"][state] = {
        name_key(name): (name, *_mean(areas.get(name) or others[name]), len(areas.get(name, ())))
        for name in (*others, *areas)
    }
    found["nicknames"][state] = {key: city for key, city in nicknames.items() if key}


def _rows(state: str) -> Iterator[tuple[dict[str, Any], tuple[float, float]]]:
    """The package's ZIPs of a state whose point it knows, with the point."""
    for row in zipcodes.filter_by(state=state):  # type: ignore[no-untyped-call]  # compiled
        point = float(row["lat"]), float(row["long"])
        if point != (0.0, 0.0):
            yield row, point


def _number_of(zone: str | None, zones: list[str]) -> int:
    if not zone:
        return -1
    if zone not in zones:
        zones.append(zone)
    return zones.index(zone)


def _mean(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The middle of a city's ZIPs, rounded to a metre; no city spans the antimeridian."""
    latitudes, longitudes = zip(*points, strict=True)
    return round(sum(latitudes) / len(points), 5), round(sum(longitudes) / len(points), 5)


if __name__ == "__main__":
    FILE.write_bytes(gzip.compress(orjson.dumps(made()), mtime=0))
