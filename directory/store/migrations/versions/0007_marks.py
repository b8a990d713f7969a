"""A random mark of each write, by which an index knows the history that it was made from."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "change_mark",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("token", sa.String(24), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("change_mark")
