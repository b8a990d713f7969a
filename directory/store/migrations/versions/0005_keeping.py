"""Merges that can be undone, what was looked at afterwards, and how often listings were seen.

`checked_until` becomes `true_until`: not only licence checks end on a day of their own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _rename(before: str, after: str) -> None:
    op.drop_index(f"listing_by_{before}", "listing")
    op.alter_column("listing", before, new_column_name=after)
    dated = sa.text(f"{after} IS NOT NULL")
    op.create_index(
        f"listing_by_{after}", "listing", [after], sqlite_where=dated, postgresql_where=dated
    )


def upgrade() -> None:
    _rename("checked_until", "true_until")
    op.create_table(
        "merge",
        sa.Column("id", _NUMBER, sa.Identity(), primary_key=True),
        sa.Column("gone", sa.String(32), sa.ForeignKey("listing.id"), nullable=False),
        sa.Column("kept", sa.String(32), sa.ForeignKey("listing.id"), nullable=False),
        sa.Column("statements", sa.JSON(), nullable=False),
        sa.Column("owners", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(254), nullable=False),
        sa.Column("at", _AT, nullable=False),
        sa.Column("undone_at", _AT),
    )
    op.create_table(
        "review",
        sa.Column("revision_id", _NUMBER, sa.ForeignKey("revision.id"), primary_key=True),
        sa.Column("by", sa.String(254), nullable=False),
        sa.Column("at", _AT, nullable=False),
    )
    op.create_table(
        "seen",
        sa.Column("listing_id", sa.String(32), primary_key=True),
        sa.Column("month", sa.Date(), primary_key=True),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    for name in ("seen", "review", "merge"):
        op.drop_table(name)
    _rename("true_until", "checked_until")
