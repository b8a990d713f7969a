"""A list of listings that a clinic uploads: what was read of it, and who reads it.

Reading lists is the indexer's work, which this package does not know. Who can read them says so as
an entry point of the group `directory.lists`, named after the format (pyproject.toml).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from directory.places import Places
from directory.store.statement import Fields

MOST_BYTES, MOST_ROWS = 2_000_000, 10_000


@dataclass(frozen=True)
class ListRow:
    """One row that makes a listing: its facts, located and checked, as JSON has them."""

    row: int
    fields: Fields
    id: str | None


@dataclass(frozen=True)
class WrongRow:
    """One row that makes none, and why."""

    row: int
    field: str
    reason: str


@dataclass(frozen=True)
class ReadList:
    """A list as it was read; `to_mend` is a file of the wrong rows alone, each with its reason."""

    rows: tuple[ListRow, ...]
    wrong: tuple[WrongRow, ...]
    to_mend: str


class ListUnreadable(Exception):
    """A file that is no list that can be read; says why."""


Reads = Callable[[Path, Places, date], ReadList]


@cache
def reader(kind: str) -> Reads:
    """What reads lists of a kind (`csv`)."""
    (found,) = entry_points(group="directory.lists", name=kind)
    reads: Reads = found.load()
    return reads
