"""Listings as comma-separated values: columns of docs/csv.md, so that they can be loaded again."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from directory.hours import text_of
from directory.listing import Listing, Range

_PLAIN = (
    "id", "npi", "profession", "gender", "clinic", "phone", "website", "booking_url", "setting",
    "about", "dry_needling", "single_use_needles", "private_room", "wheelchair_access",
    "home_visits", "telehealth", "cash_pay", "superbill", "accepting", "accepting_from",
)  # fmt: skip
_LISTS = (
    "letters", "languages", "techniques", "conditions", "insurance_accepted", "insurance_refused",
)  # fmt: skip
_RANGES = {
    "first_visit": "first_visit_price", "follow_up": "follow_up_price",
    "visit_minutes": "visit_minutes", "typical_visits": "typical_visits",
}  # fmt: skip
COLUMNS = (
    *_PLAIN, *_LISTS, *(f"{name}_{end}" for name in _RANGES for end in ("least", "most")),
    "given_name", "middle_name", "family_name", "suffix", "line1", "line2", "city", "state",
    "postal_code", "area_only", "lat", "lon", "precision", "hours", "attested_on", "attested_by",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would work out; an apostrophe before it says that it is text (docs/csv.md)."""


def lines(listings: Iterable[Listing]) -> Iterator[str]:
    """The lines of a file, its header first."""
    written = io.StringIO()
    writer = csv.DictWriter(written, COLUMNS)
    writer.writeheader()
    for listing in listings:
        yield written.getvalue()
        written.seek(0)
        written.truncate()
        writer.writerow({name: _safe(value) for name, value in _cells(listing).items()})
    yield written.getvalue()


def _cells(listing: Listing) -> dict[str, Any]:
    name, address, location = listing.name, listing.address, listing.location
    cells: dict[str, Any] = {each: getattr(listing, each) for each in _PLAIN}
    cells |= {each: "; ".join(getattr(listing, each)) for each in _LISTS}
    for column, field in _RANGES.items():
        range_: Range | None = getattr(listing, field)
        cells[f"{column}_least"] = range_ and range_.least
        cells[f"{column}_most"] = range_ and range_.most
    attestation = listing.attestation
    return cells | {
        "given_name": name.given, "middle_name": name.middle, "family_name": name.family,
        "suffix": name.suffix, "line1": address.line1, "line2": address.line2,
        "city": address.city, "state": address.state, "postal_code": address.postal_code,
        "area_only": "yes" if listing.area_only else None,
        "lat": location.lat, "lon": location.lon, "precision": location.precision,
        "hours": text_of(each.model_dump() for each in listing.hours),
        "attested_on": attestation and attestation.on,
        "attested_by": attestation and attestation.by,
    }  # fmt: skip


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
