"""The registry's further practice locations (pl_pfile): where else somebody practises.

Its rows have no dates: they are of the last day in the file's name. Only the monthly file, in the
zip in which it comes, is known to be whole; what it no longer names is gone (docs/registry.md).
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from directory.places.street import street_of
from indexer import normalise
from indexer.sources import table
from indexer.sources.files import Part
from indexer.sources.nppes_cells import ABROAD, AT_HOME, npi_of
from indexer.sources.record import Gone, Passed, Record, RecordError, Said, Skipped
from indexer.sources.scan import Unparsed
from indexer.sources.table import Broken, Row

_PRACTICE = "Provider Secondary Practice Location Address"
_LINE1 = f"{_PRACTICE}- Address Line 1"
_COUNTRY = f"{_PRACTICE} - Country Code (If outside U.S.)"
NEEDED = ("NPI", _LINE1, f"{_PRACTICE} - Postal Code")

_DAYS = re.compile(r"_\d{8}-(\d{8})")
_WHOLE = re.compile(r"pl_pfile_20050523-\d{8}\.csv")
"""The monthly file's name: 23 May 2005 was the registry's first day."""

_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Listed:
    """A row, and the day that its file is of, where its name says so."""

    row: Row | Broken
    as_of: date | None


@dataclass(frozen=True, slots=True)
class Missing:
    """The key of a practice that is named no more, and since when."""

    key: str
    as_of: date


def read(
    records: Iterable[Record | Passed], part: Part, known: Collection[str]
) -> Iterator[Record | Passed]:
    """The rows with their day, and behind those of a whole file a record of each missing practice.

    Nothing is missing where a line cannot be read, nor of somebody one of whose rows has no
    street or no ZIP.
    """
    as_of = _day(part.name)
    further = {key for key in known if "@" in key}
    npis = {_npi(key) for key in further}
    named: set[str] = set()
    is_whole = bool(part.member and _WHOLE.fullmatch(part.name))
    number, read = 0, 0
    for record in records:
        if isinstance(record, Passed):
            yield record
            continue
        row = record.raw.row() if isinstance(record.raw, Unparsed) else record.raw
        number, read = record.row, record.bytes_read
        yield Record(number, Listed(row, as_of), read)
        if isinstance(row, Broken) or (row.is_cut and not row.is_blank):
            is_whole = False
        elif is_whole and row.get("NPI") in npis and row.get(_COUNTRY) in AT_HOME:
            named.add(_named(row))
    if is_whole and as_of:
        for key in sorted(further - named):
            if _npi(key) not in named:
                yield Record(number, Missing(key, as_of), read)


def interpret(listed: Listed, record: Record, today: date) -> Said | Skipped:
    """What a row says. RecordError where it makes no sense."""
    row = table.row_of(Record(record.row, listed.row))
    if isinstance(row, Skipped):
        return row
    if row.get(_COUNTRY) not in AT_HOME:
        return Skipped(ABROAD)
    npi, address = npi_of(row), _address(row)
    street = street_of(address)
    if not street:
        raise RecordError(_LINE1, "is empty")
    phone = normalise.dialable(row.get(f"{_PRACTICE} - Telephone Number"))
    fields = {"address": address} | ({"phone": phone} if phone else {})
    return Said(_key(npi, street.building), listed.as_of or today, fields, base=npi)


def gone(missing: Missing) -> Gone:
    """That a practice is no more."""
    return Gone(missing.key, missing.as_of, "the registry names this practice no more")


def _named(row: Row) -> str:
    """The key of a row's practice; the NPI alone where there is no telling."""
    npi, address = row.get("NPI"), _address(row)
    street = street_of(address)
    is_clear = street and address["postal_code"][:5].isdecimal()
    return _key(npi, street.building) if street and is_clear else npi


def _key(npi: str, building: str) -> str:
    return f"{npi}@{building}"[:_LONGEST_KEY]


def _npi(key: str) -> str:
    return key.partition("@")[0]


def _address(row: Row) -> dict[str, str]:
    second = f"{_PRACTICE}-  Address Line 2", f"{_PRACTICE}- Address Line 2"
    return normalise.address(
        row.get(_LINE1),
        row.get(second[0]) or row.get(second[1]),
        row.get(f"{_PRACTICE} - City Name"),
        row.get(f"{_PRACTICE} - State Name"),
        row.get(f"{_PRACTICE} - Postal Code"),
    )


def _day(name: str) -> date | None:
    """The last day in a file's name."""
    days = _DAYS.search(name)
    try:
        return datetime.strptime(days[1], "%Y%m%d").date() if days else None  # noqa: DTZ007  # a date
    except ValueError:
        return None
