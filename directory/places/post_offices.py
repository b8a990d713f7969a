"""Every US ZIP, its city, and what else people call it: made once, shipped as a file.

To make it of the rows of the package `zipcodes` (points: GeoNames, CC BY 4.0) took a second at
every start of every process, so what comes of them lies beside this module (post_offices_made.py).
"""

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

import orjson

from directory.vocabulary.words import words

FILE = Path(__file__).with_name("post_offices.json.gz")

_ABBREVIATED = {"saint": "st", "sainte": "ste", "fort": "ft", "mount": "mt"}

Zip = tuple[str, str, float, float, int]
"""City, state, latitude, longitude (degrees), and which of the zones."""

City = tuple[str, float, float, int]
"""Name, latitude, longitude (degrees), and how many ZIPs of delivery it has."""


class PostOffices(TypedDict):
    """ZIPs by their digits; cities and nicknames by state and `name_key`, states by their letters.

    A nickname's value is the key of the city that it stands for. Tuples are lists in the file.
    """

    zips: dict[str, Zip]
    cities: dict[str, dict[str, City]]
    nicknames: dict[str, dict[str, str]]
    states: dict[str, tuple[float, float]]
    zones: list[str]


def read() -> PostOffices:
    """What ships."""
    found: PostOffices = orjson.loads(gzip.decompress(FILE.read_bytes()))
    return found


def name_key(name: str) -> str:
    """A place's name for comparing: without case, accents, marks and spaces; Saint is St.

    `Coeur d'Alene` and `Coeur D Alene`, `O'Fallon` and `O Fallon` are one.
    """
    return joined(words(name))


def joined(several: Iterable[str]) -> str:
    """Words as one, shortened as the Postal Service does it."""
    return "".join(_ABBREVIATED.get(word, word) for word in several)
