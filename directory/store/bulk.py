"""Writing many rows at once, on SQLite and PostgreSQL alike."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from directory.store.database import Transaction
from directory.store.models import Model


def table_of(model: type[Model]) -> Table:
    """The table of a model."""
    return cast("Table", model.__table__)


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
