"""Finding the few rows that are ours among the millions of a registry file, without parsing it.

Rows are looked at as bytes first, and only those that name a taxonomy of ours, or an NPI that we
know, are parsed: docs/decisions/006-registry.md has the measurements.
"""

import csv
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from indexer.sources import table
from indexer.sources.record import Passed, Record
from indexer.sources.table import Broken, Columns, Row

LONGEST_ROW = 1_000_000
BEGINS_A_ROW = frozenset(b'"%d' % digit for digit in range(10))

_BLOCK = 1 << 17
_QUOTED_INDIVIDUAL = b'"1"'


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A row as bytes: it is parsed where it is interpreted, which may be in another process."""

    columns: Columns
    line: bytes

    def row(self) -> Row | Broken:
        """The row, parsed."""
        text = text_of(self.line)
        try:
            (cells,) = csv.reader([text], strict=True)
        except (csv.Error, ValueError) as error:
            why = str(error) if isinstance(error, csv.Error) else "it is not one row"
            return Broken(text, why, self.columns)
        return Row(self.columns, cells)


@dataclass(frozen=True)
class Wanted:
    """What makes a row worth parsing: the beginning of a taxonomy in one of some columns.

    Those `of_organisations` count in the rows of organisations only. Without any, it is only the
    NPI that counts. `otherwise` is the reason for which the other rows are passed over.
    """

    taxonomies: tuple[str, ...]
    of_organisations: tuple[str, ...]
    columns: tuple[str, ...]
    otherwise: str


def is_scannable(columns: Columns, first: bytes) -> bool:
    """Whether a file may be scanned, by its first row: else every row is to be parsed.

    NPI and entity type must be where `scan` looks for them, and every cell must be quoted.
    """
    if columns.names[:1] != ("NPI",) or columns.at.get("Entity Type Code", 1) != 1:
        return False
    row = Unparsed(columns, first.rstrip(b"\r\n")).row()
    if isinstance(row, Broken):
        return False
    quoted = ",".join('"' + cell.replace('"', '""') + '"' for cell in row.cells)
    return first[:2] in BEGINS_A_ROW and quoted == text_of(first).rstrip("\r\n")


def scan(
    stream: BinaryIO,
    columns: Columns,
    wanted: Wanted,
    known: Collection[str],
    position: Callable[[], int],
) -> Iterator[Record | Passed]:
    """The rows that are wanted or whose NPI is known, as bytes; how many others there were.

    The loop is spelled out: it runs nine million times, and functions in it cost a third more.
    """
    npis = {npi.encode() for npi in known}
    start, end = _span(columns, wanted.columns)
    personal = tuple(f'"{code}'.encode() for code in wanted.taxonomies)
    any_ = personal + tuple(f'"{code}'.encode() for code in wanted.of_organisations)
    passed = 0
    for number, lines in _rows(stream):
        row = lines[0]
        is_one_row = len(lines) == 1 and len(row) < LONGEST_ROW
        is_ours = row[1:11] in npis
        for token in personal if row[13:16] == _QUOTED_INDIVIDUAL else any_:
            if row.find(token, start, end) >= 0:
                is_ours = True
                break
        if not is_ours and is_one_row:
            passed += 1
            continue
        if passed:
            yield Passed(passed, wanted.otherwise, position())
            passed = 0
        if is_one_row:
            yield Record(number, Unparsed(columns, row), position())
        else:  # a cell of several lines, or lines that are no rows of the registry
            for at, raw in table.reparsed(map(text_of, lines), number, columns):
                yield Record(at, raw, position())
    if passed:
        yield Passed(passed, wanted.otherwise, position())


def _rows(stream: BinaryIO) -> Iterator[tuple[int, list[bytes]]]:
    """The lines of each row, mostly one, with the number of the first.

    Every cell is quoted. A quote and a digit at the beginning of a line begin a row: within a cell
    a quote is doubled, or ends it. So a row is told from a cell's second line without parsing.
    Where no row begins for long, the lines come in pieces, never a single one that begins none.
    """
    held: list[bytes] = []
    further, number = 0, 1  # bytes behind the first line
    for lines in _lines(stream):
        for line in lines:
            number += 1
            if line[:2] in BEGINS_A_ROW:
                if held:
                    yield number - len(held), held
                held, further = [line], 0
            else:
                held.append(line)
                further += len(line) + 1
                if further > LONGEST_ROW and len(held) > 3:
                    yield number - len(held) + 1, held[:-2]
                    held = held[-2:]
                    further = len(held[1]) + 1
    if held:
        yield number - len(held) + 1, held


def _lines(stream: BinaryIO) -> Iterator[list[bytes]]:
    """The lines, many at a time; one that is far too long is cut to LONGEST_ROW."""
    rest, is_passing_over = b"", False
    while block := stream.read(_BLOCK):
        if is_passing_over:
            end = block.find(b"\n")
            if end < 0:
                continue
            block, is_passing_over = block[end + 1 :], False
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        yield lines
        if len(rest) > LONGEST_ROW:
            yield [rest[:LONGEST_ROW]]
            rest, is_passing_over = b"", True
    if rest:
        yield [rest]


def _span(columns: Columns, names: Collection[str]) -> tuple[int, int]:
    """Where in a row some columns are, from both ends: every other cell has three bytes or more.

    It halves what is searched (measured in docs/decisions/006-registry.md).
    """
    at = [columns.at[name] for name in names if name in columns.at]
    return (3 * min(at), -3 * (len(columns.names) - max(at) - 1) or -1) if at else (0, 0)


def text_of(line: bytes) -> str:
    """The registry writes UTF-8; who re-saved it on Windows may not."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")
