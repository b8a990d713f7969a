"""Partners, their keys, and how often they are used."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "partner",
        sa.Column("id", sa.String(60), primary_key=True),
        sa.Column("email", sa.String(254), index=True),
        sa.Column("document", sa.JSON(), nullable=False),
    )
    op.create_table(
        "partner_key",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            sa.Identity(),
            primary_key=True,
        ),
        sa.Column("key_hash", sa.String(64), nullable=False, unique=True),
        sa.Column(
            "partner_id", sa.String(60), sa.ForeignKey("partner.id"), nullable=False, index=True
        ),
        sa.Column("kind", sa.String(2), nullable=False),
        sa.Column("hint", sa.String(8), nullable=False),
        sa.Column("made_at", _AT, nullable=False),
        sa.Column("expires_at", _AT),
    )
    op.create_table(
        "usage",
        sa.Column("partner_id", sa.String(60), sa.ForeignKey("partner.id"), primary_key=True),
        sa.Column("use", sa.String(8), primary_key=True),
        sa.Column("month", sa.Date(), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    for name in ("usage", "partner_key", "partner"):
        op.drop_table(name)
