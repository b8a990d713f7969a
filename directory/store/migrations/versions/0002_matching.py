"""What listings are matched by, clinics, points of addresses, and the loads.

Statements that were taken back stay, without their fields. What listings are matched by is filled
in for the ones that are there.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from directory.store.keys import Keys, keys_of

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_DATED = ("attested_on", "checked_until")
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_MATCHED_BY = Keys._fields
_PAGE = 1_000


def upgrade() -> None:
    op.add_column("listing", sa.Column("npi", sa.String(10)))
    op.add_column("listing", sa.Column("person", sa.String(120)))
    op.add_column("listing", sa.Column("building", sa.String(200)))
    for column in _MATCHED_BY:
        op.create_index(f"ix_listing_{column}", "listing", [column])
    with op.batch_alter_table("statement") as statement:
        statement.alter_column("key", type_=sa.String(200), existing_type=sa.String(100))
        statement.alter_column("fields", nullable=True, existing_type=sa.JSON())
        statement.add_column(sa.Column("base", sa.String(200)))
        statement.add_column(sa.Column("until", sa.Date()))
    op.execute("UPDATE statement SET until = as_of")
    with op.batch_alter_table("statement") as statement:
        statement.alter_column("until", nullable=False, existing_type=sa.Date())
    based = sa.text("base IS NOT NULL")
    op.create_index(
        "statement_by_base", "statement", ["base"], sqlite_where=based, postgresql_where=based
    )
    op.create_table(
        "clinic",
        sa.Column("source", sa.String(16), primary_key=True),
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("building", sa.String(200), nullable=False),
        sa.Column("unit", sa.String(50), nullable=False),
        sa.Column("phone", sa.String(20)),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
    )
    op.create_index("ix_clinic_building", "clinic", ["building"])
    op.create_table(
        "address_point",
        sa.Column("building", sa.String(200), primary_key=True),
        sa.Column("lat", sa.Float()),
        sa.Column("lon", sa.Float()),
        sa.Column("precision", sa.String(16)),
        sa.Column("found_by", sa.String(50), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "load",
        sa.Column("id", _NUMBER, sa.Identity(), primary_key=True),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("file", sa.String(500), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("counts", sa.JSON(), nullable=False),
    )
    op.create_index("ix_load_source", "load", ["source"])
    op.drop_index("listing_by_attestation", "listing")
    for column in _DATED:
        is_there = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"listing_by_{column}", "listing", [column],
            sqlite_where=is_there, postgresql_where=is_there,
        )
    _fill()


def _fill() -> None:
    """Fill in what listings are matched by, and which locations were worked out from a ZIP."""
    listing = sa.table(
        "listing", sa.column("id"), sa.column("document", sa.JSON), *map(sa.column, _MATCHED_BY)
    )
    statement = sa.table(
        "statement", sa.column("source"), sa.column("key"), sa.column("fields", sa.JSON)
    )
    connection = op.get_bind()
    for (id_,), document in _paged((listing.c.id,), listing.c.document):
        values = {**keys_of(document)._asdict(), "document": _worked_out(document)}
        connection.execute(sa.update(listing).where(listing.c.id == id_).values(values))
    for (source, key), fields in _paged((statement.c.source, statement.c.key), statement.c.fields):
        if (new := _worked_out(fields)) != fields:
            named = (statement.c.source == source) & (statement.c.key == key)
            connection.execute(sa.update(statement).where(named).values(fields=new))


def _paged(
    key: tuple[sa.ColumnClause[Any], ...], column: sa.ColumnClause[Any]
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """What a column says by key, where it says anything; a national store does not fit in memory."""
    connection, after = op.get_bind(), None
    while True:
        page = sa.select(*key, column).order_by(*key).limit(_PAGE)
        if after:
            page = page.where(sa.tuple_(*key) > sa.tuple_(*map(sa.literal, after)))
        rows = connection.execute(page).all()
        if not rows:
            return
        yield from ((tuple(row[:-1]), row[-1]) for row in rows if row[-1])
        after = rows[-1][:-1]


def _worked_out(fields: dict[str, Any]) -> dict[str, Any]:
    """Facts of which an approximate location is said to be from the gazetteer: it always was."""
    location = fields.get("location", {})
    if location.get("precision") not in ("postal_code", "city"):
        return fields
    return {**fields, "location": {**location, "method": "gazetteer"}}


def downgrade() -> None:
    for column in _DATED:
        op.drop_index(f"listing_by_{column}", "listing")
    op.create_index("listing_by_attestation", "listing", ["status", "attested_on"])
    for table in ("load", "address_point", "clinic"):
        op.drop_table(table)
    op.execute("DELETE FROM statement WHERE fields IS NULL")
    op.drop_index("statement_by_base", "statement")
    with op.batch_alter_table("statement") as statement:
        statement.drop_column("base")
        statement.drop_column("until")
        statement.alter_column("fields", nullable=False, existing_type=sa.JSON())
        statement.alter_column("key", type_=sa.String(100), existing_type=sa.String(200))
    for column in _MATCHED_BY:
        op.drop_index(f"ix_listing_{column}", "listing")
        op.drop_column("listing", column)
