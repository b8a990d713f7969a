"""The registry's report of deactivated NPIs, as the workbook in which it comes."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from indexer.sources import files
from indexer.sources.files import Part, SourceError
from indexer.sources.record import Record
from indexer.sources.table import Columns, Row

ON = "NPPES Deactivation Date"
NEEDED = ("NPI", ON)

_HEADER_WITHIN = 6
"""Rows: above the columns there is a title."""


def is_report(part: Part) -> bool:
    """Whether a workbook has the report's columns.

    One that cannot be read may be the report: reading it says what is wrong.
    """
    try:
        return any(_are_columns(texts) for _, texts, _ in islice(_sheet(part), _HEADER_WITHIN))
    except SourceError:
        return True


def rows(part: Part) -> Iterator[Record]:
    """The rows of the report. SourceError where it is none, or no workbook that can be read."""
    columns: Columns | None = None
    for number, texts, read in _sheet(part):
        if columns:
            yield Record(number, Row(columns, texts), read)
        elif _are_columns(texts):
            columns = Columns.of(texts)
        elif number == _HEADER_WITHIN:
            break
    if not columns:
        raise SourceError(f"{part.name} has no columns {' and '.join(NEEDED)}")


def _are_columns(texts: Sequence[str]) -> bool:
    return set(NEEDED) <= set(texts)


def _sheet(part: Part) -> Iterator[tuple[int, list[str], int]]:
    """The rows of the first sheet by number, and how far into the file we are."""
    with files.opened(part) as (stream, position), _as_source_error(part.name):
        book = load_workbook(io.BytesIO(stream.read()), read_only=True)
        for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            yield number, [_text(cell) for cell in cells], position()


def _text(cell: object) -> str:
    if isinstance(cell, datetime):
        return f"{cell:%m/%d/%Y}"
    return "" if cell is None else str(cell)


@contextmanager
def _as_source_error(name: str) -> Iterator[None]:
    """What the reader of workbooks raises where one is broken, as one error that says so."""
    try:
        yield
    except (InvalidFileException, BadZipFile, ParseError, KeyError, ValueError, TypeError,
            IndexError, AttributeError) as error:  # fmt: skip
        raise SourceError(
            f"{name} is no workbook that can be read ({error}): save it as CSV"
        ) from error
