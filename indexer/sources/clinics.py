"""Clinics as comma-separated values: whom practitioners at their address are matched to.

A name, an address, and whatever there is of NPI, telephone and point; other columns are left alone.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, TextIO

from directory.listing import Source
from indexer import normalise
from indexer.sources import csv, files, rejected_rows, table
from indexer.sources.columns import column_named
from indexer.sources.files import Part, SourceError
from indexer.sources.record import (
    Organisation,
    Passed,
    Record,
    RecordError,
    RejectsWriter,
    Skipped,
)

_NEEDED = ("line1", "city", "state", "postal_code")
_NAMES = ("clinic", "name")


class Clinics:
    """Reads clinics from comma-separated files."""

    NAME: ClassVar[str] = "clinics"
    SOURCE: ClassVar[Source] = Source.FILE

    def parts(self, paths: Sequence[Path]) -> list[Part]:
        """The files; those in a zip one by one."""
        return files.all_parts(paths)

    def read(self, part: Part, known: Collection[str]) -> Iterator[Record | Passed]:  # noqa: ARG002
        """The rows of a file. SourceError where a needed column is missing."""
        csv.refuse_workbook(part)
        with files.opened(part) as (stream, position):
            columns, found = table.records(stream, column_named, position)
            missing = [name for name in _NEEDED if name not in columns.at]
            if missing or not any(name in columns.at for name in _NAMES):
                raise SourceError(f"there is no column {(missing or _NAMES)[0]}")
            yield from found

    def interpret(self, record: Record, today: date) -> Organisation | Skipped:
        """What a row says."""
        row = table.row_of(record)
        if isinstance(row, Skipped):
            return row
        name = row.get("clinic") or row.get("name")
        if not name:
            raise RecordError("name", "is empty")
        fields: dict[str, Any] = {"name": normalise.clinic_name(name), "address": csv.address(row)}
        if row.get("phone"):
            fields["phone"] = row.get("phone")
        if row.get("lat") or row.get("lon"):
            point = {name: row.get(name) for name in ("lat", "lon")}
            fields["location"] = {**point, "precision": row.get("precision") or "street"}
        key = "|".join(row.get(name) for name in ("npi", "line1", "postal_code"))
        return Organisation(key if row.get("npi") else f"{name}|{key}"[:200], today, fields)

    def rejects(self, file: TextIO, first: Record) -> RejectsWriter:
        """Rejected rows, behind three columns that say why."""
        return rejected_rows.rejects(file, first)
