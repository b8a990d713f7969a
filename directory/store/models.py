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
    checked_until: Mapped[date | None]
    change_number: Mapped[int] = mapped_column(_Number, unique=True)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        _index_of_some("listing_by_attested_on", "attested_on"),
        _index_of_some("listing_by_checked_until", "checked_until"),
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
    """What a patient says is wrong with a listing; `reference` is known to that patient alone."""

    __tablename__ = "report"

    reference: Mapped[str] = mapped_column(String(24), primary_key=True)
    listing_id: Mapped[str] = mapped_column(ForeignKey("listing.id"), index=True)
    field: Mapped[str] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(String(1000))
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ChangeCounterRow(Model):
    """The last change number given out: one row, locked by whoever is about to give out more."""

    __tablename__ = "change_counter"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(_Number)
