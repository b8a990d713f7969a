"""Rows of comma-separated files as people have them: any encoding, delimiter, line ends, and dirt.

A row that cannot be parsed is one broken row, not the end of the file: a quote that is never closed
would swallow all that follows, so a record is given up after so many lines, its first line is
called broken, and reading goes on with its second.
"""

import csv
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from indexer.sources.files import SourceError
from indexer.sources.record import Record, RecordError, Skipped
from indexer.sources.text import NumberedLine, numbered_lines

LONGEST_LINE, MOST_LINES = 100_000, 100
"""Characters a line, lines a record: more is no row of a list of practitioners."""

csv.field_size_limit(LONGEST_LINE * MOST_LINES)  # the module's own is 131,072

_DELIMITERS = ",;\t|"
_EXCEL_TEXT = re.compile(r"^'(?=[0-9=+\-@\t\r])|^=\"(.*)\"$", re.DOTALL)
"""What makes Excel take a cell as text: an apostrophe before it, or a formula around it."""

_NOWHERE = 1 << 30


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file, by name, in order."""

    names: tuple[str, ...]
    at: dict[str, int]

    @classmethod
    def of(cls, names: Sequence[str]) -> "Columns":
        """The columns of a header. SourceError where one is there twice."""
        twice = [name for name, times in Counter(filter(None, names)).items() if times > 1]
        if twice:
            raise SourceError(f"the column {twice[0]!r} is there twice")
        return cls(tuple(names), {name: n for n, name in enumerate(names)})


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by column."""

    columns: Columns
    cells: Sequence[str]

    def get(self, column: str) -> str:
        """A cell without the space around it; empty where the column or the cell is missing."""
        at = self.columns.at.get(column, _NOWHERE)
        return self.cells[at].strip() if at < len(self.cells) else ""

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it."""
        return not any(map(str.strip, self.cells))

    @property
    def is_cut(self) -> bool:
        """Whether it has fewer cells than the header."""
        return len(self.cells) < len(self.columns.names)

    def check(self) -> None:
        """RecordError where it has more or fewer cells than the header."""
        if len(self.cells) > len(self.columns.names) and any(self.cells[len(self.columns.names) :]):
            raise RecordError("row", "it has more cells than the header")
        if self.is_cut:
            raise RecordError("row", "it has fewer cells than the header")


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that begins no row, and why."""

    line: str
    reason: str
    columns: Columns | None = None


class _TooMuch(csv.Error):
    """A record that goes on for too long."""


def rows(stream: BinaryIO) -> Iterator[tuple[int, list[str] | Broken]]:
    """The rows of a file, the header first, each with the number of the line it begins in.

    SourceError where the file has no header.
    """
    lines = _Lines(numbered_lines(stream, LONGEST_LINE))
    header = lines.peek()
    if header.lower().startswith("sep="):  # Excel's own way to say it
        next(lines)
        delimiter = header[4:5]
    else:
        delimiter = max(_DELIMITERS, key=_unquoted(header).count)
    if _unquoted(header).lstrip().startswith("<"):
        raise SourceError(f"is no table: it begins with {header[:40].strip()!r}")
    lines.forget()
    yield from _parsed(lines, delimiter)


def reparsed(
    texts: Iterable[str], number: int, columns: Columns
) -> Iterator[tuple[int, Row | Broken]]:
    """The rows of some lines of a comma-separated file, of which the first has this number."""
    lines = _Lines(enumerate((f"{text}\n" for text in texts), start=number))
    for at, cells in _parsed(lines, ","):
        yield at, _raw(columns, cells)


def _parsed(lines: "_Lines", delimiter: str) -> Iterator[tuple[int, list[str] | Broken]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            number, line = lines.give_back()
            yield number, Broken(line, str(error))
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
        else:
            yield lines.forget(), list(map(_plain, cells))


def _plain(cell: str) -> str:
    """A cell without what makes Excel take it as text."""
    return _EXCEL_TEXT.sub(r"\1", cell) if cell[:1] in ("'", "=") else cell


class _Lines:
    """Lines for a reader; those of the record under way can be given back but the first."""

    def __init__(self, lines: Iterator[NumberedLine]) -> None:
        self._lines = lines
        self._again: deque[NumberedLine] = deque()
        self._taken: list[NumberedLine] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self._taken) == MOST_LINES:
            raise _TooMuch(f"its row does not end within {MOST_LINES} lines: is a quote missing?")
        taken = self._again.popleft() if self._again else next(self._lines)
        self._taken.append(taken)
        if len(taken[1]) > LONGEST_LINE:
            raise _TooMuch(f"its line is longer than {LONGEST_LINE:,} characters")
        return taken[1]

    def peek(self) -> str:
        """The first line that is not blank; nothing where there is none."""
        for line in self._lines:
            if line[1].strip():
                self._again.append(line)
                return line[1]
        return ""

    def forget(self) -> int:
        """The number of the line in which the record that is read began."""
        number = self._taken[0][0] if self._taken else 0
        self._taken = []
        return number

    def give_back(self) -> NumberedLine:
        """Give the lines of the record under way back, but for its first, which this is."""
        first, *others = self._taken
        self._again.extendleft(reversed(others))
        self._taken = []
        return first


def _unquoted(header: str) -> str:
    return re.sub(r'"[^"]*"', "", header)


def records(
    stream: BinaryIO, name: Callable[[str], str], read: Callable[[], int]
) -> tuple[Columns, Iterator[Record]]:
    """A file's columns, named by `name`, and its rows as records; SourceError without a header."""
    found = rows(stream)
    _, header = next(found, (0, Broken("", "")))
    if isinstance(header, Broken):
        raise SourceError("is empty, or its first row is broken: the first row names the columns")
    columns = Columns.of([name(cell.strip()) for cell in header])
    return columns, (Record(number, _raw(columns, cells), read()) for number, cells in found)


def _raw(columns: Columns, cells: list[str] | Broken) -> Row | Broken:
    return Row(columns, cells) if isinstance(cells, list) else replace(cells, columns=columns)


def row_of(record: Record) -> Row | Skipped:
    """The row of a record, or that it is blank or a comment. RecordError where it is broken."""
    raw: Row | Broken = record.raw
    if isinstance(raw, Broken):
        raise RecordError("row", raw.reason)
    if raw.is_blank:
        return Skipped("a blank row")
    if raw.cells[0].startswith("# "):
        return Skipped("a comment")
    raw.check()
    return raw
