"""The store's tables.

`listing` holds each listing as it stands, with the number of its latest change: read in the order
of that number it is the changefeed, in which a listing appears once, at its latest state, and one
that is no longer published stays as a delete. `statement` holds what each source says,
`revision` every change that was ever made, `clinic` the organisations that are known to be at an
address, `address_point` where addresses were found to be, `load` what was loaded when, and `report`
what patients say is wrong.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    Text,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_Number = BigInteger().with_variant(Integer, "sqlite")
_Json = JSON(none_as_null=True)


def _index_of_some(name: str, column: str) -> Index:
    """An index of the rows that have something in a column: most have nothing."""
    is_there = text(f"{column} IS NOT NULL")
    return Index(name, column, sqlite_where=is_there, postgresql_where=is_there)


class Model(DeclarativeBase):
    """The declarative base of all tables."""


class ListingRow(Model):
    """One listing: its document (None once it is withdrawn) and the number of its last change.

    `status` is one of listings.Status; only a published listing is in the search index. Others are
    matched to it by `npi`, `person` and `building` (keys.py).
    """

    __tablename__ = "listing"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(500))
    document: Mapped[dict[str, Any] | None] = mapped_column(_Json)
    npi: Mapped[str | None] = mapped_column(String(10), index=True)
    person: Mapped[str | None] = mapped_column(String(120), index=True)
    building: Mapped[str | None] = mapped_column(String(200), index=True)
    attested_on: Mapped[date | None]
    true_until: Mapped[date | None]
    change_number: Mapped[int] = mapped_column(_Number, unique=True)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        _index_of_some("listing_by_attested_on", "attested_on"),
        _index_of_some("listing_by_true_until", "true_until"),
    )


class StatementRow(Model):
    """What one source says of one listing; `key` is the source's own name for the record.

    With a `base` it is of one more practice: the rest is what the source says under that key.
    It was said `as_of` and again `until`: what is older than that is not believed. Without `fields`
    it was taken back.
    """

    __tablename__ = "statement"

    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    listing_id: Mapped[str] = mapped_column(ForeignKey("listing.id"), index=True)
    base: Mapped[str | None] = mapped_column(String(200))
    as_of: Mapped[date]
    until: Mapped[date]
    fields: Mapped[dict[str, Any] | None] = mapped_column(_Json)

    __table_args__ = (_index_of_some("statement_by_base", "base"),)


class RevisionRow(Model):
    """One immutable change: what was said or withdrawn, by whom, when and why, and what came of it.

    Without `fields` something was taken back; without a `source` it was time that did it.
    """

    __tablename__ = "revision"

    id: Mapped[int] = mapped_column(_Number, Identity(), primary_key=True)
    listing_id: Mapped[str] = mapped_column(ForeignKey("listing.id"), index=True)
    change_number: Mapped[int] = mapped_column(_Number)
    status: Mapped[str] = mapped_column(String(16))
    source: Mapped[str | None] = mapped_column(String(16))
    author: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(500))
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    fields: Mapped[dict[str, Any] | None] = mapped_column(_Json)


class ClinicRow(Model):
    """An organisation at an address (places/street.py); individuals there are matched to it.

    Without a name it is no more since `until`.
    """

    __tablename__ = "clinic"

    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    building: Mapped[str] = mapped_column(String(200), index=True)
    unit: Mapped[str] = mapped_column(String(50))
    phone: Mapped[str | None] = mapped_column(String(20))
    as_of: Mapped[date]
    until: Mapped[date]


class AddressPointRow(Model):
    """Where an address lies, degrees, by whoever knew; without a point it was looked for in vain.

    An address is looked up once: `building` is its key (places/street.py).
    """

    __tablename__ = "address_point"

    building: Mapped[str] = mapped_column(String(200), primary_key=True)
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    precision: Mapped[str | None] = mapped_column(String(16))
    found_by: Mapped[str] = mapped_column(String(50))
    found_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class LoadRow(Model):
    """One load of one file: what was read and what came of it; not finished, it was cut short."""

    __tablename__ = "load"

    id: Mapped[int] = mapped_column(_Number, Identity(), primary_key=True)
    source: Mapped[str] = mapped_column(String(16), index=True)
    file: Mapped[str] = mapped_column(String(500))
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    counts: Mapped[dict[str, int]] = mapped_column(_Json)


class ReportRow(Model):
    """What a patient says is wrong with a listing; `reference` is known to that patient alone.

    Once it is answered it has an `outcome` (reports.Outcome) and the answer.
    """

    __tablename__ = "report"

    reference: Mapped[str] = mapped_column(String(24), primary_key=True)
    listing_id: Mapped[str] = mapped_column(ForeignKey("listing.id"), index=True)
    field: Mapped[str] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(String(1000))
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[str | None] = mapped_column(String(16))
    answer: Mapped[str | None] = mapped_column(String(1000))
    answered_by: Mapped[str | None] = mapped_column(String(200))
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SubmissionRow(Model):
    """What a clinic asks for: a new listing, a change of one, or to be its owner.

    `state` is one of submissions.State, `fields` are facts as JSON has them. Whoever knows the
    secret of a draft (hashed here) may go on with it.
    """

    __tablename__ = "submission"

    reference: Mapped[str] = mapped_column(String(24), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    request_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), index=True)
    email: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(8))
    listing_id: Mapped[str | None] = mapped_column(ForeignKey("listing.id"), index=True)
    fields: Mapped[dict[str, Any]] = mapped_column(_Json)
    note: Mapped[str] = mapped_column(String(1000))
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[str | None] = mapped_column(String(254))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str | None] = mapped_column(String(1000))


class OwnerRow(Model):
    """Who may change a listing: an e-mail address that was proved."""

    __tablename__ = "owner"

    listing_id: Mapped[str] = mapped_column(ForeignKey("listing.id"), primary_key=True)
    email: Mapped[str] = mapped_column(String(254), primary_key=True, index=True)
    language: Mapped[str] = mapped_column(String(8))
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ModeratorRow(Model):
    """Who may decide."""

    __tablename__ = "moderator"

    email: Mapped[str] = mapped_column(String(254), primary_key=True)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class LinkRow(Model):
    """A one-time link: only the hash of its token is kept; `state` is one of links.State."""

    __tablename__ = "link"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16))
    email: Mapped[str] = mapped_column(String(254), index=True)
    subject: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(16))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class OutgoingMailRow(Model):
    """A letter that is to be sent; once it is, it is gone from here."""

    __tablename__ = "outgoing_mail"

    id: Mapped[int] = mapped_column(_Number, Identity(), primary_key=True)
    recipient: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    try_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    tries: Mapped[int] = mapped_column(Integer)


class ReminderRow(Model):
    """A reminder that was sent: of which attestation, and after how many days."""

    __tablename__ = "reminder"

    listing_id: Mapped[str] = mapped_column(ForeignKey("listing.id"), primary_key=True)
    attested_on: Mapped[date] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True)


class MergeRow(Model):
    """Two listings that were found to be one: which statements and owners were given to `kept`."""

    __tablename__ = "merge"

    id: Mapped[int] = mapped_column(_Number, Identity(), primary_key=True)
    gone: Mapped[str] = mapped_column(ForeignKey("listing.id"))
    kept: Mapped[str] = mapped_column(ForeignKey("listing.id"))
    statements: Mapped[list[list[str]]] = mapped_column(_Json)
    owners: Mapped[list[str]] = mapped_column(_Json)
    by: Mapped[str] = mapped_column(String(254))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ReviewRow(Model):
    """A change that was published at once was looked at afterwards."""

    __tablename__ = "review"

    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"), primary_key=True)
    by: Mapped[str] = mapped_column(String(254))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SeenRow(Model):
    """How often a listing was seen in a month (its first day): sums only."""

    __tablename__ = "seen"

    listing_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    shown: Mapped[int]
    opened: Mapped[int]


class PartnerRow(Model):
    """A site that embeds the search (directory/partner.py)."""

    __tablename__ = "partner"

    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    email: Mapped[str | None] = mapped_column(String(254), index=True)
    document: Mapped[dict[str, Any]] = mapped_column(_Json)


class PartnerKeyRow(Model):
    """A partner's key: its hash and how it begins; `kind` is one of partners.KeyKind."""

    __tablename__ = "partner_key"

    id: Mapped[int] = mapped_column(_Number, Identity(), primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    partner_id: Mapped[str] = mapped_column(ForeignKey("partner.id"), index=True)
    kind: Mapped[str] = mapped_column(String(2))
    hint: Mapped[str] = mapped_column(String(8))
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class UsageRow(Model):
    """How often a partner's keys were used in a month (its first day): sums only."""

    __tablename__ = "usage"

    partner_id: Mapped[str] = mapped_column(ForeignKey("partner.id"), primary_key=True)
    use: Mapped[str] = mapped_column(String(8), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    count: Mapped[int]


class ChangeCounterRow(Model):
    """The last change number given out: one row, locked by whoever is about to give out more."""

    __tablename__ = "change_counter"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(_Number)


class ChangeMarkRow(Model):
    """A random token for the changes of one write, by the last number that it gave out.

    A store that was restored from a backup gives out the same numbers once more, for other changes;
    it never has the same tokens.
    """

    __tablename__ = "change_mark"

    number: Mapped[int] = mapped_column(_Number, primary_key=True, autoincrement=False)
    token: Mapped[str] = mapped_column(String(24))
