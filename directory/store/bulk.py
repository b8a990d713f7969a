"""Reading and writing many rows at once, on SQLite and PostgreSQL alike."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

from directory.store.database import Transaction
from directory.store.models import Model

_VALUES_AT_ONCE = 10_000
"""SQLite takes 32,766 in one statement, PostgreSQL 65,535."""


def table_of(model: type[Model]) -> Table:
    """The table of a model."""
    return cast("Table", model.__table__)


def rows_where(
    session: Transaction,
    rows: Select[Any],
    column: ColumnElement[Any],
    values: Collection[Any],
) -> Iterator[Row[Any]]:
    """The rows whose column has one of these values, however many values there are.

    They are asked for in portions: an order holds only among the rows of one value.
    """
    rest = iter(values)
    while some := list(islice(rest, _VALUES_AT_ONCE)):
        yield from session.execute(rows.where(column.in_(some))).all()


def put(session: Transaction, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows, each with the same columns, in place of those with the same primary key."""
    if not rows:
        return
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    new = (sqlite.insert if is_sqlite else postgresql.insert)(table)
    key = [column.name for column in table.primary_key]
    if set(key) <= rows[0].keys():
        values = {name: new.excluded[name] for name in rows[0] if name not in key}
        new = new.on_conflict_do_update(index_elements=key, set_=values)
    session.execute(new, rows)
