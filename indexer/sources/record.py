"""What every source yields: raw records, and what each of them says."""

import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol, TextIO

from directory.listing import Source

Raw = Mapping[str, Any]
"""A record as it stands in its file, by column or member."""


class SourceError(Exception):
    """A file that is not what it should be, or cannot be read on from somewhere."""


class RecordError(Exception):
    """A record that cannot be taken: the field, and what is wrong with it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True)
class Record:
    """One record with the number of its row (line) in the file, and how far into it we are."""

    row: int
    raw: Raw
    bytes_read: int = 0


@dataclass(frozen=True)
class Said:
    """What a record says: fields of directory.listing.Facts, not yet validated.

    `key` is the source's own name for the record, the same every time it is loaded. `id` is the
    listing's, where the source knows it.
    """

    key: str
    as_of: date
    fields: Mapping[str, Any]
    id: str | None = None


@dataclass(frozen=True)
class Gone:
    """A record that says that what was said under `key` no longer holds."""

    key: str
    reason: str


@dataclass(frozen=True)
class Skipped:
    """A record that is none of ours."""


class RecordSource(Protocol):
    """A source of records: a module with these names (csv, jsonl, nppes)."""

    SOURCE: Source

    def read(self, path: Path) -> Iterator[Record]:
        """The records of a file, streamed. SourceError where it is no such file."""

    def interpret(self, record: Record, today: date) -> Said | Gone | Skipped:
        """What a record says. RecordError where it makes no sense."""

    def rejects(self, file: TextIO, first: Raw) -> "RejectsWriter":
        """Writes rejected records in the source's own format, to be mended and loaded again."""


class RejectsWriter(Protocol):
    """Writes one rejected record with its row, field and reason."""

    def __call__(self, record: Record, error: RecordError) -> None:
        """Write it."""


@contextmanager
def opened(path: Path) -> Iterator[tuple[TextIO, io.BufferedReader]]:
    """A text file (UTF-8, gzipped if it ends in .gz), with the raw file that tells the progress.

    SourceError where it cannot be read (to its end).
    """
    try:
        with path.open("rb") as raw:
            plain = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            with io.TextIOWrapper(plain, encoding="utf-8-sig", newline="") as text:
                yield text, raw
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: {error}") from error
