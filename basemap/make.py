"""Makes the basemap that ships: outlines of states and counties, names of the largest cities.

    python -m basemap.make FOLDER_OF_US_ATLAS

Outlines: US Census Bureau's cartographic boundary files of 2017 (public domain), by way of the npm
package us-atlas 3.0.1 (ISC). Names: the gazetteer that ships, by their number of ZIP codes.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from directory.places.gazetteer import Gazetteer

TARGET = Path(__file__).parents[1] / "directory" / "web" / "static" / "basemap"
TOLERANCE = {"states": 0.01, "counties": 0.02}
"""Degrees that a line may be off: two kilometres at most, on a map of towns, not of streets."""

CITIES = 1_500
SCALE = 1_000
"""Points are kept as whole thousandths of a degree, each as its distance to the one before."""

Point = tuple[float, float]


def arcs(topology: dict[str, object]) -> Iterator[list[Point]]:
    """The lines of a TopoJSON file, degrees as (longitude, latitude)."""
    transform: dict[str, Sequence[float]] = topology["transform"]  # type: ignore[assignment]
    (scale_x, scale_y), (move_x, move_y) = transform["scale"], transform["translate"]
    for arc in topology["arcs"]:  # type: ignore[attr-defined]
        x = y = 0
        line = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            line.append((x * scale_x + move_x, y * scale_y + move_y))
        yield line


def simplified(line: list[Point], tolerance: float) -> list[Point]:
    """The same line with fewer points, nowhere farther off than the tolerance (Douglas-Peucker)."""
    if len(line) < 3:
        return line
    (x1, y1), (x2, y2) = line[0], line[-1]
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    off = [
        abs((x2 - x1) * (y1 - y) - (x1 - x) * (y2 - y1)) / length
        if length
        else ((x - x1) ** 2 + (y - y1) ** 2) ** 0.5
        for x, y in line
    ]
    farthest = max(range(len(line)), key=off.__getitem__)
    if off[farthest] <= tolerance:
        return [line[0], line[-1]]
    before, after = line[: farthest + 1], line[farthest:]
    return [*simplified(before, tolerance)[:-1], *simplified(after, tolerance)]


def packed(line: list[Point]) -> list[int]:
    """A line as whole numbers: its first point, then each step."""
    numbers, before = [], (0, 0)
    for x, y in line:
        here = round(x * SCALE), round(y * SCALE)
        numbers += [here[0] - before[0], here[1] - before[1]]
        before = here
    return numbers


def main(atlas: Path) -> None:
    """Write the three files."""
    TARGET.mkdir(exist_ok=True)
    for name, tolerance in TOLERANCE.items():
        topology = json.loads((atlas / f"{name}-10m.json").read_text())
        lines = [packed(simplified(arc, tolerance)) for arc in arcs(topology)]
        (TARGET / f"{name}.json").write_text(json.dumps(lines, separators=(",", ":")))
    cities = Gazetteer().largest(CITIES)
    named = [
        [place.label.rpartition(", ")[0], round(place.point[0], 3), round(place.point[1], 3)]
        for place in cities
    ]
    (TARGET / "cities.json").write_text(
        json.dumps(named, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
