"""The store's tables.

`listing` holds each listing as it stands, with the number of its latest change: read in the order
of that number it is the changefeed, in which a listing appears once, at its latest state, and one
that is no longer published stays as a delete. `statement` holds what each source says,
`revision` every change that was ever made.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Identity, Index, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_Number = BigInteger().with_variant(Integer, "sqlite")


class Model(DeclarativeBase):
    """The declarative base of all tables."""


class ListingRow(Model):
    """One listing: its document (None once it is withdrawn) and the number of its last change.

    `status` is one of listings.Status; only a published listing is in the search index.
    """

    __tablename__ = "listing"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(500))
    document: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    attested_on: Mapped[date | None]
    checked_until: Mapped[date | None]
    change_number: Mapped[int] = mapped_column(_Number, unique=True)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (Index("listing_by_attestation", "status", "attested_on"),)


class StatementRow(Model):
    """What one source says of one listing; `key` is the source's own name for its record."""

    __tablename__ = "statement"

    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    listing_id: Mapped[str] = mapped_column(ForeignKey("listing.id"), index=True)
    as_of: Mapped[date]
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)


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
    fields: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class ChangeCounterRow(Model):
    """The last change number given out: one row, locked by whoever is about to give out more."""

    __tablename__ = "change_counter"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(_Number)
