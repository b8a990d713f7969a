"""The registry's practitioners and organisations (npidata): what one of its rows says.

The practice address is taken, never the mailing address.
"""

import re
from datetime import date
from typing import Any

from directory.states import STATE_NAMES
from directory.vocabulary import vocabulary
from indexer import normalise
from indexer.sources.nppes_cells import ABROAD, AT_HOME, date_of, deactivated, npi_of
from indexer.sources.record import Meaning, Organisation, Said, Skipped
from indexer.sources.table import Row

CLINIC_CODES = ("261QP2000X", "261QR0400X", "261QR0401X")
"""NUCC taxonomies of clinics (physical therapy, rehabilitation, comprehensive outpatient
rehabilitation); organisations with a taxonomy of one of our professions are clinics, too."""

OTHER_PROFESSION = "another profession"

CODES = tuple(f"Healthcare Provider Taxonomy Code_{slot}" for slot in range(1, 16))

_PRACTICE = "Provider Business Practice Location Address"
_UPDATED, _OFF, _ON = "Last Update Date", "NPI Deactivation Date", "NPI Reactivation Date"
NEEDED = (
    "NPI", "Entity Type Code", "Provider Last Name (Legal Name)", "Provider First Name",
    f"{_PRACTICE} City Name", f"{_PRACTICE} State Name", f"{_PRACTICE} Postal Code",
    _UPDATED, _OFF, _ON, CODES[0],
)  # fmt: skip

_CLINIC = "2"
_DOING_BUSINESS_AS = "3"
_MILITARY = ("AA", "AE", "AP")
_NUCC = re.compile("[0-9A-Z]{9}X")


def interpret(row: Row) -> Meaning:
    """What a row says of an individual of our professions or a clinic; others are skipped."""
    npi = npi_of(row)
    if _is_off(row):
        return deactivated(row, _OFF)
    as_of = date_of(row, _UPDATED)
    if row.get(f"{_PRACTICE} Country Code (If outside U.S.)") not in AT_HOME:
        return Skipped(ABROAD, npi, as_of)
    address = _address(row)
    if address["state"] in _MILITARY:
        return Skipped("a military address, which has no place", npi, as_of)
    if row.get("Entity Type Code") == _CLINIC:
        return _organisation(row, npi, as_of, address)
    return _individual(row, npi, as_of, address)


def codes_of(row: Row) -> list[str]:
    """The codes of its taxonomies, the primary one first."""
    return [str(each["code"]) for each in _taxonomies(row)]


def _is_off(row: Row) -> bool:
    """Whether its number is deactivated now: not, if it was reactivated since or on that day."""
    if not row.get(_OFF):
        return False
    return not row.get(_ON) or date_of(row, _ON) < date_of(row, _OFF)


def _individual(row: Row, npi: str, as_of: date, address: dict[str, str]) -> Said | Skipped:
    taxonomies = _taxonomies(row)
    professions = (vocabulary().profession_of(str(each["code"])) for each in taxonomies)
    profession = next(filter(None, professions), None)
    if not profession:
        return Skipped(OTHER_PROFESSION, npi, as_of)
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
    return Said(npi, as_of, {name: value for name, value in fields.items() if value})


def _organisation(
    row: Row, npi: str, as_of: date, address: dict[str, str]
) -> Organisation | Skipped:
    """A clinic by the name that it trades under, if it is one."""
    if not any(each in CLINIC_CODES or vocabulary().profession_of(each) for each in codes_of(row)):
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
    for slot, column in enumerate(CODES, start=1):
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
