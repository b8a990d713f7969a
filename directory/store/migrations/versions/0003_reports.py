"""What patients report as wrong."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report",
        sa.Column("reference", sa.String(24), primary_key=True),
        sa.Column("listing_id", sa.String(32), sa.ForeignKey("listing.id"), nullable=False),
        sa.Column("field", sa.String(32), nullable=False),
        sa.Column("text", sa.String(1000), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_report_listing_id", "report", ["listing_id"])


def downgrade() -> None:
    op.drop_table("report")
