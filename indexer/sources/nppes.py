"""The public registry of practitioners (NPPES), its monthly and weekly files as plain CSV.

A registry record says who is licensed and where, not who does dry needling: its listings are
*not confirmed*. Columns are read by name (their number and order changed over the years). The
practice address is taken, never the mailing address.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from directory.listing import Source
from directory.states import STATE_NAMES
from directory.vocabulary import vocabulary
from indexer.sources import table
from indexer.sources.record import Gone, Record, RecordError, Said, Skipped
from indexer.sources.table import cell

SOURCE = Source.NPPES

_ADDRESS = "Provider Business Practice Location Address"
_SLOTS = range(1, 16)
_NEEDED = frozenset(
    {
        "NPI",
        "Entity Type Code",
        "Provider Last Name (Legal Name)",
        "Provider First Name",
        f"{_ADDRESS} City Name",
        f"{_ADDRESS} State Name",
        f"{_ADDRESS} Postal Code",
        "Last Update Date",
        "NPI Deactivation Date",
        "NPI Reactivation Date",
        "Healthcare Provider Taxonomy Code_1",
    }
)
_INDIVIDUAL = "1"
_UNAVAILABLE = "<UNAVAIL>"
_SMALL_WORDS = re.compile(r"\b(De|La|Las|Los|Del|Of|And|The|At)\b")
_ALL_CAPITALS = re.compile(r"\b(Pc|Pa|Pllc|Llc|Po|Nw|Ne|Sw|Se|Ii|Iii|Iv|Us)\b")
_ORDINAL = re.compile(r"\d(St|Nd|Rd|Th)\b")
_MC = re.compile(r"\bMc([a-z])")


def read(path: Path) -> Iterator[Record]:
    """The rows of the file."""
    return table.read(path, _NEEDED)


rejects = table.rejects


def interpret(record: Record, today: date) -> Said | Gone | Skipped:  # noqa: ARG001  # has its own
    """What a row says of an individual of our professions; others are skipped."""
    npi = cell(record, "NPI")
    if cell(record, "NPI Deactivation Date") and not cell(record, "NPI Reactivation Date"):
        return Gone(npi, f"the NPI was deactivated on {cell(record, 'NPI Deactivation Date')}")
    table.well_formed(record)
    if cell(record, "Entity Type Code") != _INDIVIDUAL:
        return Skipped()  # not an individual
    taxonomies = _taxonomies(record)
    primary_first = sorted(taxonomies, key=lambda taxonomy: not taxonomy["primary"])
    professions = (vocabulary().profession_of(str(each["code"])) for each in primary_first)
    profession = next(filter(None, professions), None)
    if not profession:
        return Skipped()  # another profession
    if cell(record, f"{_ADDRESS} Country Code (If outside U.S.)") not in ("", "US"):
        return Skipped()  # practice outside the United States
    fields = {
        "name": _name(record),
        "npi": npi,
        "letters": _letters(cell(record, "Provider Credential Text")),
        "profession": profession,
        "taxonomies": taxonomies,
        "gender": _gender(record),
        "address": _address(record),
        "phone": _phone(cell(record, f"{_ADDRESS} Telephone Number")),
    }
    said = {name: value for name, value in fields.items() if value}
    return Said(key=npi, as_of=_date(record, "Last Update Date"), fields=said)


def _taxonomies(record: Record) -> list[dict[str, object]]:
    found = []
    for slot in _SLOTS:
        if code := cell(record, f"Healthcare Provider Taxonomy Code_{slot}"):
            state = cell(record, f"Provider License Number State Code_{slot}")
            number = cell(record, f"Provider License Number_{slot}")
            taxonomy = {
                "code": code,
                "primary": cell(record, f"Healthcare Provider Primary Taxonomy Switch_{slot}")
                == "Y",
            }
            if number and state in STATE_NAMES:
                taxonomy |= {"licence_number": number, "licence_state": state}
            found.append(taxonomy)
    return found


def _name(record: Record) -> dict[str, str]:
    columns = {
        "given": "Provider First Name",
        "middle": "Provider Middle Name",
        "family": "Provider Last Name (Legal Name)",
        "suffix": "Provider Name Suffix Text",
    }
    cells = {part: cell(record, column) for part, column in columns.items()}
    return {part: readable(text) for part, text in cells.items() if _is_said(text)}


def _address(record: Record) -> dict[str, str]:
    columns = {
        "line1": "Provider First Line Business Practice Location Address",
        "line2": "Provider Second Line Business Practice Location Address",
        "city": f"{_ADDRESS} City Name",
    }
    cells = {part: cell(record, column) for part, column in columns.items()}
    said = {part: readable(text) for part, text in cells.items() if _is_said(text)}
    digits = re.sub(r"\D", "", cell(record, f"{_ADDRESS} Postal Code"))
    postal_code = f"{digits[:5]}-{digits[5:]}" if len(digits) == 9 else digits
    state = cell(record, f"{_ADDRESS} State Name").upper()
    return {**said, "state": state, "postal_code": postal_code}


def _letters(text: str) -> list[str]:
    """`P.T., D.P.T.` as PT and DPT; what is longer than letters can be is left out."""
    parts = (part.replace(".", "").strip() for part in re.split(r"[,;/]", text))
    return [part for part in parts if part and part != _UNAVAILABLE and len(part) <= 20]


def _gender(record: Record) -> str | None:
    """The column was named *Gender* until 2024 and *Sex* since."""
    code = cell(record, "Provider Sex Code") or cell(record, "Provider Gender Code")
    return {"F": "female", "M": "male"}.get(code)


def _phone(text: str) -> str | None:
    """A number that could be dialled; the registry also has some that could not."""
    digits = re.sub(r"\D", "", text)
    return digits if len(digits) == 10 else None


def _date(record: Record, column: str) -> date:
    try:
        return datetime.strptime(cell(record, column), "%m/%d/%Y").date()  # noqa: DTZ007  # a date
    except ValueError as error:
        raise RecordError(column, f"{cell(record, column)!r} is no date like 12/31/2026") from error


def _is_said(text: str) -> bool:
    return bool(text) and text != _UNAVAILABLE


def readable(text: str) -> str:
    """Text in capitals as one would write it: `MCDONALD-O'BRIEN` gives `McDonald-O'Brien`."""
    if text.upper() != text:
        return text
    words = re.sub(r"[^\W\d_]+(?:'[Ss]\b)?", lambda match: match[0].capitalize(), text)
    words = _ORDINAL.sub(lambda match: match[0].lower(), words)
    words = _MC.sub(lambda match: "Mc" + match[1].upper(), words)
    words = _ALL_CAPITALS.sub(lambda match: match[0].upper(), words)
    return words[:1] + _SMALL_WORDS.sub(lambda match: match[0].lower(), words[1:])
