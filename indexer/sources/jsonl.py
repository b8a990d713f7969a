"""Listings as JSON Lines: one object a line, its members the fields of a listing, and an `id`."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from directory.listing import Source
from indexer.sources.record import (
    Raw,
    Record,
    RecordError,
    RejectsWriter,
    Said,
    opened,
)

SOURCE = Source.FILE

_LONGEST = 1_000_000
_BROKEN = "not_json"
_NOT_FIELDS = ("id", "rejected", "moderator")
"""The listing's name, why it was rejected, and what only a moderator may say (not ours to take)."""


def read(path: Path) -> Iterator[Record]:
    """The lines of the file. A line that is no JSON object is a record that cannot be taken."""
    with opened(path) as (text, raw):
        for number, line in enumerate(text, start=1):
            if line.strip():
                yield Record(number, _parsed(line), raw.tell())


def _parsed(line: str) -> Raw:
    if len(line) > _LONGEST:
        return {_BROKEN: line[:200]}
    try:
        value = json.loads(line, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return {_BROKEN: line.rstrip("\n")}
    return value if isinstance(value, dict) else {_BROKEN: line.rstrip("\n")}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; ValueError where a member is there twice, as nobody knows which one counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member is there twice")
    return found


def interpret(record: Record, today: date) -> Said:
    """What a line says. RecordError where it is no JSON object or has no id."""
    if _BROKEN in record.raw:
        raise RecordError(
            "line", "is no JSON object with each member once, of at most a million characters"
        )
    fields = {name: value for name, value in record.raw.items() if name not in _NOT_FIELDS}
    id_ = record.raw.get("id")
    if not isinstance(id_, str) or not id_:
        raise RecordError("id", "is missing; give every listing a name of its own that stays")
    return Said(key=id_, as_of=today, fields=fields, id=id_)


def rejects(file: TextIO, first: Raw) -> RejectsWriter:  # noqa: ARG001  # tables need the first
    """Writes rejected lines with a member `rejected`, which is ignored when loaded again."""

    def write(record: Record, error: RecordError) -> None:
        why = {"row": record.row, "field": error.field, "reason": error.reason}
        json.dump({**record.raw, "rejected": why}, file)
        file.write("\n")

    return write
