"""Listings as JSON Lines: one object a line, its members the fields of a listing, and an `id`.

Fields may be written as people write them in tables (indexer.sources.wording).
"""

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TextIO

from directory.listing import Source
from indexer.sources import files, text
from indexer.sources.files import Part
from indexer.sources.record import Passed, Record, RecordError, RejectsWriter, Said, Skipped
from indexer.sources.wording import worded

LONGEST_LINE = 1_000_000

_BROKEN = "not_json"
_NOT_FIELDS = ("id", "rejected", "moderator")
"""The listing's name, why it was rejected, and what only a moderator may say (not ours to take)."""


class Jsonl:
    """Reads listings from JSON Lines."""

    NAME: ClassVar[str] = "jsonl"
    SOURCE: ClassVar[Source] = Source.FILE

    def parts(self, paths: Sequence[Path]) -> list[Part]:
        """The files; those in a zip one by one."""
        return files.all_parts(paths)

    def read(self, part: Part, known: Collection[str]) -> Iterator[Record | Passed]:  # noqa: ARG002
        """The lines of a file. One that is no JSON object is a record that cannot be taken."""
        with files.opened(part) as (stream, position):
            for number, line in text.numbered_lines(stream, LONGEST_LINE):
                yield Record(number, _parsed(line), position())

    def interpret(self, record: Record, today: date) -> Said | Skipped:
        """What a line says. RecordError where it is no JSON object or has no id."""
        if record.raw is None:
            return Skipped("a blank line")
        if _BROKEN in record.raw:
            raise RecordError(
                "line", "is no JSON object with each member once, of at most a million characters"
            )
        fields = {name: value for name, value in record.raw.items() if name not in _NOT_FIELDS}
        id_ = record.raw.get("id")
        if not isinstance(id_, str) or not id_:
            raise RecordError("id", "is missing; give every listing a name of its own that stays")
        return Said(key=id_, as_of=today, fields=worded(fields), id=id_)

    def rejects(self, file: TextIO, first: Record) -> RejectsWriter:  # noqa: ARG002
        """Rejected lines with a member `rejected`, which is ignored when they are loaded again."""

        def write(record: Record, error: RecordError) -> None:
            why = {"row": record.row, "field": error.field, "reason": error.reason}
            json.dump({**record.raw, "rejected": why}, file)
            file.write("\n")

        return write


def bounded_lines(stream: Any) -> Iterator[bytes]:  # noqa: ANN401  # any binary stream
    """The lines of a stream; of one that is too long, as much as shows that it is."""
    for line in iter(partial(stream.readline, LONGEST_LINE + 1), b""):
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(LONGEST_LINE + 1)
        yield line


def object_of(line: bytes | str) -> dict[str, Any]:
    """The JSON object of a line; ValueError where it is none, or has a member twice.

    Nobody knows which of two members counts.
    """
    said = line.decode("utf-8-sig") if isinstance(line, bytes) else line
    value = json.loads(said, object_pairs_hook=_object)
    if not isinstance(value, dict):
        raise ValueError("is no JSON object")  # one kind of error for all
    return value


def _parsed(line: str) -> dict[str, Any] | None:
    if not line.strip():
        return None
    shown = line[:200] if len(line) > LONGEST_LINE else line.rstrip("\r\n")
    broken = {_BROKEN: shown}
    try:
        return object_of(line) if len(line) <= LONGEST_LINE else broken
    except (ValueError, RecursionError):
        return broken


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member is there twice")
    return found
