"""Rejected rows of a table, to be mended in a spreadsheet and loaded again."""

import csv
from collections.abc import Sequence
from typing import TextIO

from indexer.sources.record import Record, RecordError, RejectsWriter
from indexer.sources.table import Broken, Row

REJECTED = ("rejected_row", "rejected_field", "rejected_reason")
"""Columns added to a rejected row; they are ignored when the mended file is loaded."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rejects(file: TextIO, first: Record) -> RejectsWriter:
    """Writes rejected rows as they were, behind three columns of our own.

    A line that is no row is one cell. What Excel would take for a formula has an apostrophe before
    it, which is taken off when it is read.
    """
    writer = csv.writer(file)
    names = first.raw.columns.names if first.raw.columns else ()
    ours = {n for n, name in enumerate(names) if name in REJECTED}

    def without_ours(cells: Sequence[str]) -> list[str]:
        kept = (cell for n, cell in enumerate(cells) if n not in ours)
        return [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in kept]

    writer.writerow([*REJECTED, *without_ours(names)])

    def write(record: Record, error: RecordError) -> None:
        raw: Row | Broken = record.raw
        cells = without_ours(raw.cells) if isinstance(raw, Row) else [raw.line.rstrip("\r\n")]
        writer.writerow([record.row, error.field, error.reason, *cells])

    return write
