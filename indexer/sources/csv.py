"""Listings as comma-separated values: one row a listing, columns as in docs/csv.md.

Lists are separated by semicolons. An empty cell says nothing: it is not a no.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from directory.listing import Source
from indexer.sources import table
from indexer.sources.record import Record, RecordError, Said

SOURCE = Source.FILE

_NEEDED = frozenset(
    ("id", "given_name", "family_name", "profession", "city", "state", "postal_code")
)


def _list(value: str) -> list[str]:
    return [each.strip() for each in value.split(";") if each.strip()]


def _yes(value: str) -> bool:
    answers = {"yes": True, "y": True, "true": True, "1": True}
    answers |= {"no": False, "n": False, "false": False, "0": False}
    if value.lower() not in answers:
        raise RecordError("area_only", f"{value!r} is neither yes nor no")
    return answers[value.lower()]


_PLAIN: Mapping[str, Callable[[str], object]] = {
    **dict.fromkeys(("npi", "clinic", "phone", "website", "booking_url", "about"), str),
    **dict.fromkeys(("profession", "gender", "setting"), str.lower),
    **dict.fromkeys(("private_room", "dry_needling", "single_use_needles"), str.lower),
    **dict.fromkeys(("cash_pay", "superbill", "accepting"), str.lower),
    **dict.fromkeys(("letters", "languages", "techniques", "conditions"), _list),
    **dict.fromkeys(("insurance_accepted", "insurance_refused"), _list),
    "area_only": _yes,
}
_GROUPS: Mapping[str, Mapping[str, str]] = {
    "name": {
        "given_name": "given",
        "middle_name": "middle",
        "family_name": "family",
        "suffix": "suffix",
    },
    "address": {
        **{name: name for name in ("line1", "line2", "city", "state", "postal_code")},
    },
    "location": {"lat": "lat", "lon": "lon", "precision": "precision"},
    "first_visit_price": {"first_visit_least": "least", "first_visit_most": "most"},
    "follow_up_price": {"follow_up_least": "least", "follow_up_most": "most"},
    "visit_minutes": {"visit_minutes_least": "least", "visit_minutes_most": "most"},
    "typical_visits": {"typical_visits_least": "least", "typical_visits_most": "most"},
    "attestation": {"attested_on": "on", "attested_by": "by"},
}
COLUMNS = ("id", *(column for group in _GROUPS.values() for column in group), *_PLAIN)


def read(path: Path) -> Iterator[Record]:
    """The rows of the file."""
    return table.read(path, _NEEDED)


rejects = table.rejects


def interpret(record: Record, today: date) -> Said:
    """What a row says. RecordError where the row is ragged, has an unknown column, or no id."""
    table.well_formed(record)
    if unknown := [c for c in record.raw if c not in COLUMNS and c not in table.REJECTED]:
        raise RecordError(unknown[0], f"there is no such column; known are {', '.join(COLUMNS)}")
    if not (id_ := table.cell(record, "id")):
        raise RecordError("id", "is empty; give every listing a name of its own that stays")
    fields: dict[str, Any] = {
        column: convert(value)
        for column, convert in _PLAIN.items()
        if (value := table.cell(record, column))
    }
    for field, columns in _GROUPS.items():
        said = {
            name: value for column, name in columns.items() if (value := table.cell(record, column))
        }
        if said:
            fields[field] = said
    if "location" in fields:
        fields["location"].setdefault("precision", "rooftop")
    if "attestation" in fields:
        fields["attestation"] = {"by": "the practice", "method": "file"} | fields["attestation"]
    return Said(key=id_, as_of=today, fields=fields, id=id_)
