"""The public registry of practitioners (NPPES): its monthly and weekly files, zipped or not.

A registry record says who is licensed and where, not who does dry needling: its listings are
*not confirmed*. Four kinds of file are told apart by their columns, which are read by name (their
number and order changed over the years): `npidata`, the practitioners and organisations; `pl`,
their further practice locations; and the report of deactivated NPIs, a table or a workbook. The
practice address is taken, never the mailing address.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TextIO

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from directory.fields import npi_is_valid
from directory.listing import Source
from directory.places.street import street_of
from directory.states import STATE_NAMES
from directory.vocabulary import Kind, vocabulary
from indexer import normalise
from indexer.sources import files, rejected_rows, table
from indexer.sources.files import Part, SourceError
from indexer.sources.record import (
    Gone,
    Meaning,
    Organisation,
    Passed,
    Record,
    RecordError,
    RejectsWriter,
    Said,
    Skipped,
)
from indexer.sources.scan import BEGINS_A_ROW, LONGEST_ROW, Unparsed, Wanted, scan, text_of
from indexer.sources.table import Columns, Row

CLINIC_CODES = ("261QP2000X", "261QR0400X", "261QR0401X")
"""NUCC taxonomies of clinics (physical therapy, rehabilitation, comprehensive outpatient
rehabilitation); organisations with a taxonomy of one of our professions are clinics, too."""

_SLOTS = range(1, 16)
_CODES = tuple(f"Healthcare Provider Taxonomy Code_{slot}" for slot in _SLOTS)
_PRACTICE = "Provider Business Practice Location Address"
_SECONDARY = "Provider Secondary Practice Location Address"
_NEEDED = {
    "npidata": (
        "NPI", "Entity Type Code", "Provider Last Name (Legal Name)", "Provider First Name",
        f"{_PRACTICE} City Name", f"{_PRACTICE} State Name", f"{_PRACTICE} Postal Code",
        "Last Update Date", "NPI Deactivation Date", "NPI Reactivation Date", _CODES[0],
    ),
    "locations": ("NPI", f"{_SECONDARY}- Address Line 1", f"{_SECONDARY} - Postal Code"),
    "deactivated": ("NPI", "NPPES Deactivation Date"),
}  # fmt: skip
_ORDER = tuple(_NEEDED)
_INDIVIDUAL, _CLINIC = "1", "2"
_DOING_BUSINESS_AS = "3"
_MILITARY = ("AA", "AE", "AP")
_OTHER_PROFESSION = "another profession"
_OF_OURS = Wanted((), (), (), "its practitioner is none of ours")
_REPORT_ROWS_BEFORE_HEADER = 5
_NUCC = re.compile("[0-9A-Z]{9}X")


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
                raise SourceError(f"{path} is no file of the registry: its columns are missing")
            found += [(_ORDER.index(kind), part) for kind, part in kinds]
        return [part for _, part in sorted(found, key=lambda each: each[0])]

    def read(self, part: Part, known: Collection[str]) -> Iterator[Record | Passed]:
        """The rows that may be ours; of the others, how many there were."""
        if files.is_workbook(part):
            yield from _workbook(part)
            return
        with files.opened(part) as (stream, position):
            header, first = stream.readline(LONGEST_ROW), stream.readline(LONGEST_ROW)
            columns = _columns(header)
            if first and first[:2] not in BEGINS_A_ROW:  # not quoted throughout
                whole = files.put_back(header + first, stream)
                yield from table.records(whole, str, position)[1]
                return
            rows = files.put_back(first, stream)
            wanted = self._wanted if _is(columns, "npidata") else _OF_OURS
            yield from scan(rows, columns, wanted, known, position)

    def interpret(self, record: Record, today: date) -> Meaning:
        """What a row says of an individual of our professions or a clinic; others are skipped."""
        raw = record.raw.row() if isinstance(record.raw, Unparsed) else record.raw
        row = table.row_of(Record(record.row, raw))
        if isinstance(row, Skipped):
            return row
        if _is(row.columns, "npidata"):
            return self._practitioner(row)
        if _is(row.columns, "locations"):
            return self._location(row, today)
        on = row.get("NPPES Deactivation Date")
        return Gone(_npi(row), _date("NPPES Deactivation Date", on), _deactivated(on))

    def rejects(self, file: TextIO, first: Record) -> RejectsWriter:
        """Rejected rows, behind three columns that say why."""
        parsed = rejected_rows.rejects(file, _parsed(first))
        return lambda record, error: parsed(_parsed(record), error)

    def _practitioner(self, row: Row) -> Meaning:
        npi, off = _npi(row), row.get("NPI Deactivation Date")
        if off and not row.get("NPI Reactivation Date"):
            return Gone(npi, _date("NPI Deactivation Date", off), _deactivated(off))
        as_of = _date("Last Update Date", row.get("Last Update Date"))
        if row.get(f"{_PRACTICE} Country Code (If outside U.S.)") not in ("", "US"):
            return Skipped("practice outside the United States", npi, as_of)
        taxonomies = _taxonomies(row)
        codes = [str(each["code"]) for each in taxonomies]
        address = _address(row)
        if address["state"] in _MILITARY:
            return Skipped("a military address, which has no place", npi, as_of)
        left_out = self._left_out(codes, address["state"])
        if row.get("Entity Type Code") == _CLINIC:
            if left_out:
                return Skipped(left_out)
            return _organisation(row, npi, as_of, codes, address)
        professions = (vocabulary().profession_of(code) for code in codes)
        profession = next(filter(None, professions), None)
        if not profession:
            return Skipped(_OTHER_PROFESSION, npi, as_of)
        fields = {
            "name": _name(row),
            "npi": npi,
            "letters": list(normalise.letters(row.get("Provider Credential Text"))),
            "profession": profession,
            "taxonomies": taxonomies,
            "gender": _gender(row),
            "address": address,
            "phone": normalise.dialable(row.get(f"{_PRACTICE} Telephone Number")),
        }
        said = {name: value for name, value in fields.items() if value}
        return Said(npi, as_of, said, left_out=left_out)

    def _left_out(self, codes: Sequence[str], state: str) -> str | None:
        """Why a row is not asked for; who is listed already is kept true all the same."""
        if self.taxonomies and not any(code.startswith(self.taxonomies) for code in codes):
            return "another taxonomy"
        return "another state" if self.states and state not in self.states else None

    def _location(self, row: Row, today: date) -> Said | Skipped:
        if row.get(f"{_SECONDARY} - Country Code (If outside U.S.)") not in ("", "US"):
            return Skipped("practice outside the United States")
        npi, at = _npi(row), f"{_SECONDARY} -"
        second = f"{_SECONDARY}-  Address Line 2", f"{_SECONDARY}- Address Line 2"
        address = normalise.address(
            row.get(f"{_SECONDARY}- Address Line 1"),
            row.get(second[0]) or row.get(second[1]),
            row.get(f"{at} City Name"),
            row.get(f"{at} State Name"),
            row.get(f"{at} Postal Code"),
        )
        street = street_of(address)
        if not street:
            raise RecordError(f"{_SECONDARY}- Address Line 1", "is empty")
        phone = normalise.dialable(row.get(f"{at} Telephone Number"))
        fields = {"address": address} | ({"phone": phone} if phone else {})
        left_out = self._left_out(self.taxonomies, address["state"])
        key = _further(npi, street.building)
        return Said(key, today, fields, base=npi, left_out=left_out)

    @property
    def _wanted(self) -> Wanted:
        ours = tuple(t.nucc_prefix or "" for t in vocabulary().terms(Kind.PROFESSION))
        clinics = () if self.taxonomies else CLINIC_CODES
        return Wanted(self.taxonomies or ours, clinics, _CODES, _OTHER_PROFESSION)


def _kind(part: Part) -> str | None:
    """Which of the registry's files a part is, by its columns."""
    if files.is_workbook(part):
        return "deactivated"
    with files.opened(part) as (stream, _):
        header = stream.readline(LONGEST_ROW)
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


def _workbook(part: Part) -> Iterator[Record]:
    """The rows of the report of deactivated NPIs, which comes as a workbook."""
    with files.opened(part) as (stream, position):
        try:
            book = load_workbook(io.BytesIO(stream.read()), read_only=True)
        except (InvalidFileException, KeyError, ValueError) as error:
            raise SourceError(f"is no workbook: {error}") from error
        columns: Columns | None = None
        for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            texts = [_cell_text(cell) for cell in cells]
            if columns:
                yield Record(number, Row(columns, texts), position())
            elif _NEEDED["deactivated"][1] in texts:
                columns = Columns.of(texts)
            elif number > _REPORT_ROWS_BEFORE_HEADER:
                break
        if not columns:
            raise SourceError(f"has no columns {' and '.join(_NEEDED['deactivated'])}")


def _cell_text(cell: object) -> str:
    if isinstance(cell, datetime):
        return f"{cell:%m/%d/%Y}"
    return "" if cell is None else str(cell)


def _parsed(record: Record) -> Record:
    if isinstance(record.raw, Unparsed):
        return Record(record.row, record.raw.row(), record.bytes_read)
    return record


def _further(npi: str, building: str) -> str:
    """The key of a further practice."""
    return f"{npi}@{building}"[:200]


def _deactivated(on: str) -> str:
    return f"the NPI was deactivated on {on}"


def _npi(row: Row) -> str:
    npi = row.get("NPI")
    if not npi_is_valid(npi):
        raise RecordError("NPI", f"{npi!r} is no NPI: ten digits, check digit included")
    return npi


def _organisation(
    row: Row, npi: str, as_of: date, codes: Sequence[str], address: dict[str, str]
) -> Organisation | Skipped:
    """A clinic by the name that it trades under, if it is one."""
    if not any(code in CLINIC_CODES or vocabulary().profession_of(code) for code in codes):
        return Skipped("another kind of organisation", npi, as_of)
    name = row.get("Provider Organization Name (Legal Business Name)")
    if row.get("Provider Other Organization Name Type Code") == _DOING_BUSINESS_AS:
        name = row.get("Provider Other Organization Name") or name
    fields: dict[str, Any] = {"name": normalise.clinic_name(name), "address": address}
    if phone := normalise.dialable(row.get(f"{_PRACTICE} Telephone Number")):
        fields["phone"] = phone
    return Organisation(npi, as_of, fields)


def _taxonomies(row: Row) -> list[dict[str, object]]:
    """The taxonomies with their licences, the primary one first."""
    found = []
    for slot, column in enumerate(_CODES, start=1):
        code = row.get(column)
        if not _NUCC.fullmatch(code):
            continue
        taxonomy: dict[str, object] = {
            "code": code,
            "primary": row.get(f"Healthcare Provider Primary Taxonomy Switch_{slot}") == "Y",
        }
        state = row.get(f"Provider License Number State Code_{slot}")
        number = row.get(f"Provider License Number_{slot}")
        if number and number.isprintable() and state in STATE_NAMES:
            taxonomy |= {"licence_number": number, "licence_state": state}
        found.append(taxonomy)
    return sorted(found, key=lambda taxonomy: not taxonomy["primary"])


def _name(row: Row) -> dict[str, str]:
    return normalise.named({
        "given": row.get("Provider First Name"),
        "middle": row.get("Provider Middle Name"),
        "family": row.get("Provider Last Name (Legal Name)"),
        "suffix": row.get("Provider Name Suffix Text"),
    })  # fmt: skip


def _address(row: Row) -> dict[str, str]:
    return normalise.address(
        row.get("Provider First Line Business Practice Location Address"),
        row.get("Provider Second Line Business Practice Location Address"),
        row.get(f"{_PRACTICE} City Name"),
        row.get(f"{_PRACTICE} State Name"),
        row.get(f"{_PRACTICE} Postal Code"),
    )


def _gender(row: Row) -> str | None:
    """The column was named *Gender* until 2024 and *Sex* since."""
    code = row.get("Provider Sex Code") or row.get("Provider Gender Code")
    return {"F": "female", "M": "male"}.get(code)


@cache
def _date(column: str, text: str) -> date:
    for form in ("%m/%d/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  # a date
        except ValueError:
            continue
    raise RecordError(column, f"{text!r} is no date like 12/31/2026")
