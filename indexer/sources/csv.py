"""Listings as comma-separated values: one row a listing, columns as in docs/csv.md.

People's own spellings of headers are understood (COLUMNS), lists are separated by semicolons or
bars, and an empty cell says nothing: it is not a no.
"""

import csv
import io
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
from indexer.sources import files, table
from indexer.sources.files import Part, SourceError
from indexer.sources.record import Passed, Record, RecordError, RejectsWriter, Said, Skipped
from indexer.sources.table import Columns, Row

COLUMNS: Mapping[str, str] = {
    "id": "listing_id external_id record_id",
    "npi": "npi_number provider_npi national_provider_identifier",
    "name": "provider_name full_name practitioner practitioner_name provider",
    "given_name": "first_name first firstname provider_first_name frst_nm given",
    "middle_name": "middle middlename middle_initial mi mid_nm provider_middle_name",
    "family_name": "last_name last lastname surname provider_last_name lst_nm family",
    "suffix": "name_suffix suff",
    "letters": "credentials credential cred degrees degree",
    "profession": "provider_type practitioner_type",
    "specialty": "primary_specialty pri_spec specialties taxonomy taxonomy_code",
    "gender": "sex gndr",
    "clinic": "clinic_name practice practice_name facility facility_name organization "
    "organization_name org_nm business_name",
    "line1": "address address_1 address1 address_line_1 adr_ln_1 street street_address",
    "line2": "address_2 address2 address_line_2 adr_ln_2 suite unit",
    "city": "city_town citytown city_name town",
    "state": "st state_code province",
    "postal_code": "zip zip_code zipcode zip5 postcode postal",
    "area_only": "hide_address",
    "lat": "latitude",
    "lon": "lng long longitude",
    "precision": "location_precision",
    "phone": "telephone tel phone_number telephone_number telephn_number work_phone",
    "website": "web url web_address site web_site",
    "booking_url": "booking book_online appointment_url",
    "setting": "practice_setting",
    "private_room": "private_rooms",
    "languages": "language languages_spoken",
    "about": "description bio notes",
    "dry_needling": "offers_dry_needling",
    "techniques": "technique",
    "conditions": "condition conditions_treated treats",
    "single_use_needles": "sterile_single_use_needles",
    "insurance_accepted": "insurance insurances insurers accepted_insurance plans_accepted",
    "insurance_refused": "insurance_not_accepted",
    "cash_pay": "self_pay cash",
    "superbill": "superbills",
    "accepting": "new_patients accepting_new_patients",
    "first_visit_least": "first_visit_price_min",
    "first_visit_most": "first_visit_price_max first_visit_price",
    "follow_up_least": "follow_up_price_min",
    "follow_up_most": "follow_up_price_max follow_up_price",
    "visit_minutes_least": "visit_minutes_min",
    "visit_minutes_most": "visit_minutes_max visit_minutes",
    "typical_visits_least": "typical_visits_min",
    "typical_visits_most": "typical_visits_max typical_visits",
    "attested_on": "attested confirmed_on last_confirmed",
    "attested_by": "confirmed_by",
}
"""Every column, with the other spellings that are understood (in small letters, joined by _)."""

_NAMED = {
    **{name: name for name in table.REJECTED},
    **{other: name for name, others in COLUMNS.items() for other in (name, *others.split())},
}
_NEEDED = (
    ("family_name", "name"),
    ("profession", "specialty"),
    ("postal_code", "city"),
    ("state", "postal_code"),
)
_SAYS_NOTHING = frozenset(("n/a", "na", "none", "null", "-"))
_NUCC = re.compile("[0-9A-Z]{9}X")
_YES = {"yes": True, "y": True, "true": True, "1": True, "x": True}
_NO = {"no": False, "n": False, "false": False, "0": False}

_TERMS = {"setting": Kind.SETTING}
_TERM_LISTS = {
    "languages": Kind.LANGUAGE, "techniques": Kind.TECHNIQUE, "conditions": Kind.CONDITION,
    "insurance_accepted": Kind.INSURANCE, "insurance_refused": Kind.INSURANCE,
}  # fmt: skip
_ANSWERS = (
    "private_room", "dry_needling", "single_use_needles", "cash_pay", "superbill", "accepting",
)  # fmt: skip
_TEXTS = ("npi", "phone", "website", "booking_url", "about")
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
        unknown = [name for name in columns.names if name and name not in _NAMED]
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
        return table.rejects(file, first)


def template_rows() -> Iterator[str]:
    """The header of an empty file, and a comment row that says what goes where."""
    says = {
        "id": "# your own name for the row; it must stay the same",
        "profession": " | ".join(t.value for t in vocabulary().terms(Kind.PROFESSION)),
        "specialty": "instead of profession: rows of other specialties are skipped",
        "name": "or the parts of the name in the columns that follow",
        "letters": "PT; DPT",
        "postal_code": "the practice address, never the mailing address",
        "area_only": "yes hides the street",
        "precision": " | ".join(("rooftop", "street", "postal_code", "city")),
        "attested_on": "2026-11-25",
        **dict.fromkeys(_ANSWERS, "yes | no | unknown"),
        **dict.fromkeys(_TERM_LISTS, "several; with semicolons"),
    }
    for cells in (COLUMNS, [says.get(column, "") for column in COLUMNS]):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(cells)
        yield line.getvalue()


def refuse_workbook(part: Part) -> None:
    """SourceError where a part is an Excel workbook."""
    if files.is_workbook(part):
        raise SourceError(f"{part.name} is an Excel workbook; save it as CSV")


def column_named(header: str) -> str:
    """The column that a header means, or the header itself."""
    return _NAMED.get(re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_"), header)


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
    fields: dict[str, Any] = {column: cells[column] for column in _TEXTS if column in cells}
    if "phone" in fields:
        fields["phone"] = fields["phone"].removesuffix(".0")  # a number, to a spreadsheet
    fields |= {c: term(kind, cells[c]) for c, kind in _TERMS.items() if c in cells}
    fields |= {
        c: [term(kind, each) for each in _list(cells[c])]
        for c, kind in _TERM_LISTS.items() if c in cells
    }  # fmt: skip
    fields |= {column: _answer(cells[column]) for column in _ANSWERS if column in cells}
    fields |= {"name": name, "address": address(row)}
    if letters := (*normalise.letters(row.get("letters")), *letters):
        fields["letters"] = list(dict.fromkeys(letters))
    if "clinic" in cells:
        fields["clinic"] = normalise.clinic_name(cells["clinic"])
    if "gender" in cells:
        fields["gender"] = {"f": "female", "m": "male"}.get(
            cells["gender"].lower(), cells["gender"].lower()
        )
    if "area_only" in cells:
        fields["area_only"] = _yes(cells["area_only"])
    if "lat" in cells or "lon" in cells:
        location = {c: cells[c] for c in ("lat", "lon", "precision") if c in cells}
        precision = location.get("precision", "rooftop").lower()
        fields["location"] = location | {"precision": precision}
    for field, prefix in _RANGES.items():
        if said := _range(cells, prefix):
            fields[field] = said
    if "attested_on" in cells:
        by = cells.get("attested_by", "the file")
        fields["attestation"] = {"on": cells["attested_on"], "by": by, "method": "file"}
    return fields


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


def _list(cell: str) -> list[str]:
    return [each.strip() for each in re.split(r"[;|]", cell) if each.strip()]


def _answer(cell: str) -> str:
    said = cell.lower()
    return "yes" if said in _YES else "no" if said in _NO else said


def _yes(cell: str) -> bool:
    answer = (_YES | _NO).get(cell.lower())
    if answer is None:
        raise RecordError("area_only", f"{cell!r} is neither yes nor no")
    return answer


def _range(cells: Mapping[str, str], prefix: str) -> dict[str, str] | None:
    """A least and a most; a most alone is both."""
    most = cells.get(f"{prefix}_most")
    said = {"least": cells.get(f"{prefix}_least") or most, "most": most}
    return {end: re.sub(r"^\$|\.00$", "", cell) for end, cell in said.items() if cell} or None


def _key(fields: Mapping[str, Any]) -> str:
    """A name for a row that has none: the same while practitioner and practice are the same."""
    street, address = street_of(fields["address"]), fields["address"]
    person = fields.get("npi") or " ".join(words(" ".join(fields["name"].values())))
    place = " ".join(street) if street else f"{address['postal_code'][:5]} {address.get('city')}"
    return sha256(f"{person}|{place}".casefold().encode()).hexdigest()[:32]
