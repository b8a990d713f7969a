"""Submissions, owners, moderators, one-time links, outgoing mail, reminders, answers to reports."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    for column in (
        sa.Column("outcome", sa.String(16)),
        sa.Column("answer", sa.String(1000)),
        sa.Column("answered_by", sa.String(200)),
        sa.Column("answered_at", _AT),
    ):
        op.add_column("report", column)
    op.create_table(
        "submission",
        sa.Column("reference", sa.String(24), primary_key=True),
        sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("request_hash", sa.String(64), unique=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("listing_id", sa.String(32), sa.ForeignKey("listing.id")),
        sa.Column("fields", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.Column("made_at", _AT, nullable=False),
        sa.Column("decided_by", sa.String(254)),
        sa.Column("decided_at", _AT),
        sa.Column("reason", sa.String(1000)),
    )
    op.create_index("ix_submission_state", "submission", ["state"])
    op.create_index("ix_submission_listing_id", "submission", ["listing_id"])
    op.create_table(
        "owner",
        sa.Column("listing_id", sa.String(32), sa.ForeignKey("listing.id"), primary_key=True),
        sa.Column("email", sa.String(254), primary_key=True),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("since", _AT, nullable=False),
    )
    op.create_index("ix_owner_email", "owner", ["email"])
    op.create_table(
        "moderator",
        sa.Column("email", sa.String(254), primary_key=True),
        sa.Column("since", _AT, nullable=False),
    )
    op.create_table(
        "link",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("expires_at", _AT, nullable=False),
    )
    op.create_index("ix_link_email", "link", ["email"])
    op.create_table(
        "outgoing_mail",
        sa.Column("id", _NUMBER, sa.Identity(), primary_key=True),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("html", sa.Text, nullable=False),
        sa.Column("made_at", _AT, nullable=False),
        sa.Column("try_at", _AT, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
    )
    op.create_index("ix_outgoing_mail_try_at", "outgoing_mail", ["try_at"])
    op.create_table(
        "reminder",
        sa.Column("listing_id", sa.String(32), sa.ForeignKey("listing.id"), primary_key=True),
        sa.Column("attested_on", sa.Date, primary_key=True),
        sa.Column("days", sa.Integer, primary_key=True),
    )


def downgrade() -> None:
    for name in ("reminder", "outgoing_mail", "link", "moderator", "owner", "submission"):
        op.drop_table(name)
    for name in ("outcome", "answer", "answered_by", "answered_at"):
        op.drop_column("report", name)
