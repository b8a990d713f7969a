"""The Census Bureau's gazetteer files: populations, and places that are no post office.

Reads the files as the bureau publishes them (tab-separated; `USPS`, `NAME`, `GEOID`, `INTPTLAT`,
`INTPTLONG`, `POP10`) and comma-separated compilations of them (`state`, `name`, `zip`, `lat`,
`lon`, `population`), by their headers. What was read is kept as one CSV file for the web tier.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

_COLUMNS = {
    "state": ("usps", "state"),
    "name": ("name",),
    "everyday_name": ("also",),
    "postal_code": ("zip", "zcta", "geoid"),
    "lat": ("intptlat", "lat", "latitude"),
    "lon": ("intptlong", "lon", "longitude"),
    "population": ("pop10", "pop20", "population", "pop"),
}
_KINDS = re.compile(
    r" (city|town|village|borough|CDP|municipality|township|charter township|plantation|"
    r"city and borough|urban county|metro(politan)? government|unified government|"
    r"consolidated government|comunidad|zona urbana)( \(balance\))?$"
)


class GazetteerFileError(Exception):
    """A file that is no gazetteer, or a row of it that cannot be read."""


@dataclass(frozen=True)
class CensusPlace:
    """A ZIP (with `postal_code`, without a name) or a named place; degrees.

    `everyday_name` is what people call it where that differs: Nashville for Nashville-Davidson.
    """

    name: str
    everyday_name: str
    state: str
    postal_code: str
    lat: float
    lon: float
    population: int


def read(path: Path) -> Iterator[CensusPlace]:
    """The places of one file. GazetteerFileError names the file, the row and what is wrong."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        delimiter = "\t" if "\t" in header else ","
        names = [name.strip().lower() for name in header.rstrip("\r\n").split(delimiter)]
        columns = {
            column: next((n for n in known if n in names), None)
            for column, known in _COLUMNS.items()
        }
        if (
            not columns["lat"]
            or not columns["lon"]
            or not (columns["name"] or columns["postal_code"])
        ):
            raise GazetteerFileError(
                f"{path}: no gazetteer file: it needs columns for latitude, longitude, and a name "
                f"or a ZIP; it has {', '.join(names)}"
            )
        for number, row in enumerate(csv.DictReader(file, names, delimiter=delimiter), start=2):
            try:
                yield _place(row, columns)
            except (ValueError, AttributeError) as error:
                raise GazetteerFileError(f"{path} row {number}: {error}") from error


def _place(row: Mapping[str, str], columns: Mapping[str, str | None]) -> CensusPlace:
    def cell(column: str) -> str:
        name = columns[column]
        return row[name].strip() if name else ""

    name = _KINDS.sub("", cell("name"))
    place = CensusPlace(
        name=name,
        everyday_name=cell("everyday_name"),
        state=cell("state"),
        postal_code="" if name else cell("postal_code").zfill(5),
        lat=float(cell("lat")),
        lon=float(cell("lon")),
        population=int(cell("population") or 0),
    )
    if not (-90 <= place.lat <= 90 and -180 <= place.lon <= 180):
        raise ValueError(f"{place.lat},{place.lon} is no point")
    return place


def save(places: Iterable[CensusPlace], path: Path) -> int:
    """Keep the places in one file, whole or not at all; says how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    count = 0
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(CensusPlace)])
        writer.writeheader()
        for place in places:
            writer.writerow(asdict(place))
            count += 1
    partial.replace(path)
    return count


def saved(path: Path) -> Iterator[CensusPlace]:
    """The places that `save` kept; none where there is no such file."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield CensusPlace(
                row["name"],
                row["everyday_name"],
                row["state"],
                row["postal_code"],
                float(row["lat"]),
                float(row["lon"]),
                int(row["population"]),
            )
