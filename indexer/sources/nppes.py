"""The public registry of practitioners (NPPES): its monthly and weekly files, zipped or not.

A registry record says who is licensed and where, not who does dry needling: its listings are
*not confirmed*. Three kinds of file are told apart by their columns, which are read by name (their
number and order changed over the years): `npidata`, the practitioners and organisations;
`pl_pfile`, their further practice locations; and the report of deactivated NPIs, a table or a
workbook.
"""

import csv
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import ClassVar, TextIO

from directory.listing import Source
from directory.vocabulary import Kind, vocabulary
from indexer.sources import deactivated, files, npidata, nppes_cells, pl_pfile, rejected_rows, table
from indexer.sources.files import Part, SourceError, ZipInZip
from indexer.sources.record import (
    Meaning,
    Organisation,
    Passed,
    Record,
    RejectsWriter,
    Said,
    Skipped,
)
from indexer.sources.scan import LONGEST_ROW, Unparsed, Wanted, is_scannable, scan, text_of
from indexer.sources.table import Columns, Row

_NEEDED = {
    "npidata": npidata.NEEDED,
    "pl_pfile": pl_pfile.NEEDED,
    "deactivated": deactivated.NEEDED,
}
_ORDER = tuple(_NEEDED)
_OF_OURS = Wanted((), (), (), "its practitioner is none of ours")


@dataclass(frozen=True)
class Nppes:
    """Reads the registry: of it all, or only some taxonomies (or beginnings of them) and states."""

    NAME: ClassVar[str] = "nppes"
    SOURCE: ClassVar[Source] = Source.NPPES
    taxonomies: tuple[str, ...] = ()
    states: tuple[str, ...] = ()

    def parts(self, paths: Sequence[Path]) -> list[Part]:
        """The registry's files among these and in these zips, practitioners first.

        SourceError where a file is none of the registry's; what else lies in its zips is left.
        """
        found: list[tuple[int, Part]] = []
        for path in paths:
            kinds = [(kind, part) for part in files.parts(path) if (kind := _kind(part))]
            if not kinds:
                raise SourceError(
                    f"{path} is no file of the registry: its columns are missing; "
                    "a zip that lies in a zip is to be taken out first"
                )
            found += [(_ORDER.index(kind), part) for kind, part in kinds]
        return [part for _, part in sorted(found, key=lambda each: each[0])]

    def read(self, part: Part, known: Collection[str]) -> Iterator[Record | Passed]:
        """The rows that may be ours; of the others, how many there were."""
        if files.is_workbook(part):
            yield from deactivated.rows(part)
            return
        with files.opened(part) as (stream, position):
            header, first = stream.readline(LONGEST_ROW), stream.readline(LONGEST_ROW)
            columns = _columns(header)
            records: Iterator[Record | Passed]
            if first and not is_scannable(columns, first):
                whole = files.put_back(header + first, stream)
                records = table.records(whole, str, position)[1]
            else:
                wanted = self._wanted if _is(columns, "npidata") else _OF_OURS
                rows = files.put_back(first, stream)
                records = scan(rows, columns, wanted, known, position)
            if _is(columns, "pl_pfile"):
                records = pl_pfile.read(records, part, known)
            yield from records

    def interpret(self, record: Record, today: date) -> Meaning:
        """What a record says; who is asked for neither by taxonomy nor by state is left out."""
        if isinstance(record.raw, pl_pfile.Missing):
            return pl_pfile.gone(record.raw)
        if isinstance(record.raw, pl_pfile.Listed):
            return self._in_our_states(pl_pfile.interpret(record.raw, record, today))
        row = table.row_of(_parsed(record))
        if isinstance(row, Skipped):
            return row
        if _is(row.columns, "deactivated"):
            return nppes_cells.deactivated(row, deactivated.ON)
        meaning = npidata.interpret(row)
        if isinstance(meaning, Said | Organisation) and not self._is_of_our_taxonomies(row):
            return replace(meaning, left_out="another taxonomy")
        return self._in_our_states(meaning)

    def rejects(self, file: TextIO, first: Record) -> RejectsWriter:
        """Rejected rows, behind three columns that say why."""
        parsed = rejected_rows.rejects(file, _parsed(first))
        return lambda record, error: parsed(_parsed(record), error)

    def _is_of_our_taxonomies(self, row: Row) -> bool:
        return not self.taxonomies or any(
            code.startswith(self.taxonomies) for code in npidata.codes_of(row)
        )

    def _in_our_states(self, meaning: Meaning) -> Meaning:
        """The same, left out where it is of another state than was asked for."""
        if not self.states or not isinstance(meaning, Said | Organisation):
            return meaning
        if meaning.fields["address"]["state"] in self.states:
            return meaning
        return replace(meaning, left_out="another state")

    @property
    def _wanted(self) -> Wanted:
        ours = tuple(t.nucc_prefix or "" for t in vocabulary().terms(Kind.PROFESSION))
        clinics = () if self.taxonomies else npidata.CLINIC_CODES
        codes = self.taxonomies or ours
        return Wanted(codes, clinics, npidata.CODES, npidata.OTHER_PROFESSION)


def _kind(part: Part) -> str | None:
    """Which of the registry's files a part is, by its columns."""
    if files.is_workbook(part):
        return "deactivated" if deactivated.is_report(part) else None
    try:
        with files.opened(part) as (stream, _):
            header = stream.readline(LONGEST_ROW)
    except ZipInZip:
        return None
    try:
        columns = _columns(header)
    except (SourceError, csv.Error):  # what else lies in the registry's zips: a PDF
        return None
    return next((kind for kind in _ORDER if _is(columns, kind)), None)


def _is(columns: Columns, kind: str) -> bool:
    return all(name in columns.at for name in _NEEDED[kind])


def _columns(header: bytes) -> Columns:
    cells = next(csv.reader([text_of(header).lstrip("\ufeff").rstrip("\r\n")]), [])
    return Columns.of(cells)


def _parsed(record: Record) -> Record:
    """A record with its row parsed, as tables know it."""
    match record.raw:
        case Unparsed() as unparsed:
            return replace(record, raw=unparsed.row())
        case pl_pfile.Listed(row):
            return replace(record, raw=row)
    return record
