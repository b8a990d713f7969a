"""What every source yields: raw records, and what each of them says."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Protocol, TextIO

from directory.listing import Source
from indexer.sources.files import Part

Raw = Any
"""A record as its source read it; only its own source looks into it."""


class RecordError(Exception):
    """A record that cannot be taken: the field, and what is wrong with it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Record:
    """One record with the number of its row (line) in the file, and how far into it we are."""

    row: int
    raw: Raw
    bytes_read: int = 0


@dataclass(frozen=True, slots=True)
class Passed:
    """So many records that are none of ours, passed over unread, for the same reason."""

    count: int
    reason: str
    bytes_read: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """What a record says: fields of directory.listing.Facts, not yet validated.

    `key` is the source's own name for the record, the same every time it is loaded. `id` is the
    listing's, where the source knows it. With a `base` these are only the facts of one more
    practice; the rest is what the source says under that key. With `left_out` it is only of
    interest if something was said under its key before; that is why it is left out otherwise.
    """

    key: str
    as_of: date
    fields: Mapping[str, Any]
    id: str | None = None
    base: str | None = None
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """A record that says that since `as_of` what was said under `key` no longer holds."""

    key: str
    as_of: date
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that is none of ours, and why.

    If it was under `key` what was said then no longer holds: a practitioner who has moved abroad.
    """

    reason: str
    key: str | None = None
    as_of: date = date.min


@dataclass(frozen=True, slots=True)
class Organisation:
    """A record of a clinic: its name, address, phone and location, not yet validated.

    With `left_out` it is only of interest if the clinic is known.
    """

    key: str
    as_of: date
    fields: Mapping[str, Any]
    left_out: str | None = None


Meaning = Said | Gone | Skipped | Organisation
"""What a record may say."""


class RecordSource(Protocol):
    """A source of records, by the name that the command has for it."""

    NAME: ClassVar[str]
    SOURCE: ClassVar[Source]

    def parts(self, paths: Sequence[Path]) -> Sequence[Part]:
        """What there is to read in these files, in the order in which it is to be read."""

    def read(self, part: Part, known: Collection[str]) -> Iterator[Record | Passed]:
        """The records of a part, streamed. SourceError where it is no such file.

        `known` are the keys under which this source has said something.
        """

    def interpret(self, record: Record, today: date) -> Meaning:
        """What a record says. RecordError where it makes no sense."""

    def rejects(self, file: TextIO, first: Record) -> "RejectsWriter":
        """Writes rejected records in the source's own format, to be mended and loaded again."""


class RejectsWriter(Protocol):
    """Writes one rejected record with its row, field and reason."""

    def __call__(self, record: Record, error: RecordError) -> None:
        """Write it."""
