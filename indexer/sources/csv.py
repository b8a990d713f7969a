"""Listings as comma-separated values: one row a listing, columns as in docs/csv.md.

People's own spellings of headers are understood (indexer.sources.columns), lists are separated by
semicolons or bars, and an empty cell says nothing: it is not a no.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, TextIO

from directory.listing import Source
from directory.places.street import street_of
from directory.vocabulary import Kind, vocabulary
from directory.vocabulary.words import words
from indexer import normalise
from indexer.normalise import term
from indexer.sources import files, rejected_rows, table
from indexer.sources.columns import ANSWERS, TERM_LISTS, column_named, is_known
from indexer.sources.files import Part, SourceError
from indexer.sources.record import Passed, Record, RecordError, RejectsWriter, Said, Skipped
from indexer.sources.table import Columns, Row
from indexer.sources.wording import answer, worded

_NEEDED = (
    ("family_name", "name"),
    ("profession", "specialty"),
    ("postal_code", "city"),
    ("state", "postal_code"),
)
_SAYS_NOTHING = frozenset(("n/a", "na", "none", "null", "-"))
_NUCC = re.compile("[0-9A-Z]{9}X")
_AS_THEY_ARE = (
    "npi", "phone", "website", "booking_url", "about", "setting", "clinic", "gender", *TERM_LISTS,
    "hours", "accepting_from",
    *ANSWERS,
)  # fmt: skip
_RANGES = {
    "first_visit_price": "first_visit", "follow_up_price": "follow_up",
    "visit_minutes": "visit_minutes", "typical_visits": "typical_visits",
}  # fmt: skip


@dataclass(frozen=True)
class Csv:
    """Reads listings from comma-separated files; columns that it does not know only if told to."""

    NAME: ClassVar[str] = "csv"
    SOURCE: ClassVar[Source] = Source.FILE
    ignore_unknown: bool = False

    def parts(self, paths: Sequence[Path]) -> list[Part]:
        """The files; those in a zip one by one."""
        return files.all_parts(paths)

    def read(self, part: Part, known: Collection[str]) -> Iterator[Record | Passed]:  # noqa: ARG002
        """The rows of a file. SourceError where a needed column is missing."""
        refuse_workbook(part)
        with files.opened(part) as (stream, position):
            columns, found = table.records(stream, column_named, position)
            self._check(columns)
            yield from found

    def _check(self, columns: Columns) -> None:
        """SourceError where a column is missing that is needed, or there that nobody knows."""
        for either in _NEEDED:
            if not any(name in columns.at for name in either):
                there = ", ".join(columns.names)[:200]
                raise SourceError(f"there is no column {' or '.join(either)}; there are: {there}")
        unknown = [name for name in columns.names if name and not is_known(name)]
        if unknown and not self.ignore_unknown:
            raise SourceError(
                f"unknown columns: {', '.join(unknown)[:300]}. `indexer template csv` has those "
                "that there are; --ignore-unknown leaves the others out."
            )

    def interpret(self, record: Record, today: date) -> Said | Skipped:
        """What a row says. RecordError names the column of what makes no sense."""
        row = table.row_of(record)
        if isinstance(row, Skipped):
            return row
        profession = _profession(row)
        if not profession:
            return Skipped("another profession")
        fields = _fields(row) | {"profession": profession}
        return Said(row.get("id") or _key(fields), today, fields, row.get("id") or None)

    def rejects(self, file: TextIO, first: Record) -> RejectsWriter:
        """Rejected rows, behind three columns that say why."""
        return rejected_rows.rejects(file, first)


def refuse_workbook(part: Part) -> None:
    """SourceError where a part is an Excel workbook."""
    if files.is_workbook(part):
        raise SourceError(f"{part.name} is an Excel workbook; save it as CSV")


def _profession(row: Row) -> str | None:
    """The profession, None where the row is of another specialty; RecordError where it is no word.

    A `profession` must be one of ours. A `specialty` may be any: who keeps such a column lists all
    kinds of practitioners.
    """
    if said := row.get("profession"):
        return term(Kind.PROFESSION, said)
    said = row.get("specialty")
    if not said:
        raise RecordError("profession", "is empty")
    if _NUCC.fullmatch(said):
        return vocabulary().profession_of(said)
    return vocabulary().named(Kind.PROFESSION, said)


def _fields(row: Row) -> dict[str, Any]:
    name, letters = _name(row)
    cells = {column: cell for column in row.columns.at if (cell := _cell(row, column))}
    fields: dict[str, Any] = {column: cells[column] for column in _AS_THEY_ARE if column in cells}
    fields |= {"name": name, "address": address(row)}
    if letters := (*normalise.letters(row.get("letters")), *letters):
        fields["letters"] = list(letters)
    if "area_only" in cells:
        fields["area_only"] = _yes(cells["area_only"])
    if "lat" in cells or "lon" in cells:
        location = {c: cells[c] for c in ("lat", "lon", "precision") if c in cells}
        fields["location"] = {"precision": "rooftop"} | location
    for field, prefix in _RANGES.items():
        ends = {end: cells.get(f"{prefix}_{end}") for end in ("least", "most")}
        if said := {end: cell for end, cell in ends.items() if cell}:
            fields[field] = said
    if "attested_on" in cells:
        by = cells.get("attested_by", "the file")
        fields["attestation"] = {"on": cells["attested_on"], "by": by, "method": "file"}
    return worded(fields)


def _cell(row: Row, column: str) -> str:
    """A cell, empty where it says nothing.

    Lines in a cell of one line are not joined: they may be a row that a stray quote has swallowed.
    """
    cell = row.get(column)
    return "" if cell.lower() in _SAYS_NOTHING else cell


def _name(row: Row) -> tuple[dict[str, str], tuple[str, ...]]:
    parts = {"given": "given_name", "middle": "middle_name", "family": "family_name"}
    said = normalise.named({part: _cell(row, column) for part, column in parts.items()})
    if said:
        return said | normalise.named({"suffix": row.get("suffix")}), ()
    try:
        return normalise.person_name(_cell(row, "name"))
    except ValueError as error:
        raise RecordError("name", str(error)) from error


def address(row: Row) -> dict[str, str]:
    """The address of a row."""
    return normalise.address(
        _cell(row, "line1"),
        _cell(row, "line2"),
        _cell(row, "city"),
        row.get("state"),
        row.get("postal_code"),
    )


def _yes(cell: str) -> bool:
    said = {"yes": True, "no": False}.get(answer(cell))
    if said is None:
        raise RecordError("area_only", f"{cell!r} is neither yes nor no")
    return said


def _key(fields: Mapping[str, Any]) -> str:
    """A name for a row that has none: the same while practitioner and practice are the same."""
    street, address = street_of(fields["address"]), fields["address"]
    person = fields.get("npi") or " ".join(words(" ".join(fields["name"].values())))
    place = " ".join(street) if street else f"{address['postal_code'][:5]} {address.get('city')}"
    return sha256(f"{person}|{place}".casefold().encode()).hexdigest()[:32]
