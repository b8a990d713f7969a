"""Listings, statements, revisions and the change counter."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "listing",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(500)),
        sa.Column("document", sa.JSON()),
        sa.Column("attested_on", sa.Date()),
        sa.Column("checked_until", sa.Date()),
        sa.Column("change_number", _NUMBER, nullable=False, unique=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("listing_by_attestation", "listing", ["status", "attested_on"])
    op.create_table(
        "statement",
        sa.Column("source", sa.String(16), primary_key=True),
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("listing_id", sa.String(32), sa.ForeignKey("listing.id"), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
    )
    op.create_index("ix_statement_listing_id", "statement", ["listing_id"])
    op.create_table(
        "revision",
        sa.Column("id", _NUMBER, sa.Identity(), primary_key=True),
        sa.Column("listing_id", sa.String(32), sa.ForeignKey("listing.id"), nullable=False),
        sa.Column("change_number", _NUMBER, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("source", sa.String(16)),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fields", sa.JSON()),
    )
    op.create_index("ix_revision_listing_id", "revision", ["listing_id"])
    counter = op.create_table(
        "change_counter",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("number", _NUMBER, nullable=False),
    )
    op.bulk_insert(counter, [{"id": 1, "number": 0}])


def downgrade() -> None:
    for table in ("change_counter", "revision", "statement", "listing"):
        op.drop_table(table)
