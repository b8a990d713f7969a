"""What the cells of the registry's files have in common: numbers, dates, deactivation."""

from datetime import date, datetime
from functools import cache

from directory.fields import npi_is_valid
from indexer.sources.record import Gone, RecordError
from indexer.sources.table import Row

AT_HOME = ("", "US")
"""Country codes of practices in the United States."""

ABROAD = "practice outside the United States"


def npi_of(row: Row) -> str:
    """The number of a row. RecordError where it is none."""
    npi = row.get("NPI")
    if not npi_is_valid(npi):
        raise RecordError("NPI", f"{npi!r} is no NPI: ten digits, check digit included")
    return npi


def date_of(row: Row, column: str) -> date:
    """The date in a column. RecordError where it is none."""
    return _date(column, row.get(column))


def deactivated(row: Row, column: str) -> Gone:
    """That a number was deactivated on the date in a column."""
    return Gone(npi_of(row), date_of(row, column), f"the NPI was deactivated on {row.get(column)}")


@cache
def _date(column: str, text: str) -> date:
    for form in ("%m/%d/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  # a date
        except ValueError:
            continue
    raise RecordError(column, f"{text!r} is no date like 12/31/2026")
