"""Reading and rejecting rows of comma-separated files, for the sources that are such files."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from indexer.sources.record import Raw, Record, RecordError, RejectsWriter, SourceError, opened

REJECTED = ("rejected_row", "rejected_field", "rejected_reason")
"""Columns added to a rejected row; they are ignored when the mended file is loaded."""

_MOST_IN_A_CELL = 100_000


def read(path: Path, needed: frozenset[str]) -> Iterator[Record]:
    """The rows of a file, by column name. SourceError where a needed column is missing.

    A row with more or fewer cells than the header is given as it is: a surplus stands under None,
    what is missing is None.
    """
    csv.field_size_limit(_MOST_IN_A_CELL)
    try:
        with opened(path) as (text, raw):
            rows = csv.DictReader(text, strict=True)
            names = Counter(rows.fieldnames or ())
            if twice := [name for name, times in names.items() if times > 1]:
                raise SourceError(f"{path}: the column {twice[0]!r} is there twice")
            if missing := sorted(needed - set(rows.fieldnames or ())):
                raise SourceError(f"{path}: the columns {', '.join(missing)} are missing")
            for row in rows:
                yield Record(rows.line_num, row, raw.tell())
    except csv.Error as error:
        raise SourceError(f"{path} near row {rows.line_num}: {error}") from error


def rejects(file: TextIO, first: Raw) -> RejectsWriter:
    """Writes rejected rows as they were, behind three columns of our own."""
    columns = [column for column in first if column not in REJECTED and column is not None]
    writer = csv.writer(file)
    writer.writerow([*REJECTED, *columns])

    def write(record: Record, error: RecordError) -> None:
        cells = [value for name in columns if (value := record.raw.get(name)) is not None]
        surplus = record.raw.get(None, [])  # type: ignore[call-overload]  # csv's own key
        writer.writerow([record.row, error.field, error.reason, *cells, *surplus])

    return write


def cell(record: Record, column: str) -> str:
    """A cell without the space around it; empty where the column or the cell is missing."""
    return str(record.raw.get(column) or "").strip()


def well_formed(record: Record) -> None:
    """RecordError where a row has more or fewer cells than the header."""
    if None in record.raw:
        raise RecordError("row", "it has more cells than the header")
    if None in record.raw.values():
        raise RecordError("row", "it has fewer cells than the header")
