"""Writing listings: each write is one transaction of statement, listing, revision and change."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from directory.listing import Answer, Listing, Source
from directory.store.models import ChangeCounterRow, ListingRow, RevisionRow, StatementRow
from directory.store.statement import Statement, combine

LAPSE_DAYS = 180
"""An attestation older than this takes its listing out of the results."""

MOST_LAPSED = 0.05
"""A run that would hide a larger share than this stops: rather a wrong clock than so many."""


class Status(StrEnum):
    """Where a listing stands; only a published one is in the search index."""

    PUBLISHED = "published"
    HELD = "held"
    LAPSED = "lapsed"
    NOT_OFFERED = "not_offered"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """What recording a statement came to."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Made:
    """Who makes a change, when (UTC) and why; part of every revision."""

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class StoredListing:
    """A listing with where it stands. `listing` is None once everything said was withdrawn."""

    id: str
    status: Status
    reason: str | None
    listing: Listing | None


class TooManyLapsed(Exception):
    """A run would hide more listings than can be right; nothing was changed."""


def listing_id(source: Source, key: str) -> str:
    """The id of the listing that a source's record makes: the same for the same record, always."""
    return sha256(f"{source}:{key}".encode()).hexdigest()[:16]


def find(session: Session, id_: str) -> StoredListing | None:
    """The listing with this id, whatever its status."""
    row = session.get(ListingRow, id_)
    if row is None:
        return None
    listing = Listing.model_validate(row.document) if row.document else None
    return StoredListing(row.id, Status(row.status), row.reason, listing)


def counts(session: Session) -> Counter[Status]:
    """How many listings stand where."""
    rows = session.execute(select(ListingRow.status, func.count()).group_by(ListingRow.status))
    return Counter({Status(status): count for status, count in rows})


def record(
    session: Session, id_: str, statement: Statement, made: Made, *, held_because: str | None = None
) -> Outcome:
    """Keep a source's statement of a listing, and the listing that follows from it.

    A listing whose attestation is too old lapses at once; one that is `held_because` of something
    waits for a moderator. Raises pydantic's ValidationError where the statement does not fit what
    the other sources say; nothing is written then.
    """
    said = session.get(StatementRow, (statement.source, statement.key))
    if said and said.listing_id == id_ and said.fields == statement.fields:
        return Outcome.UNCHANGED
    row = session.get(ListingRow, id_)
    itself = (statement.source, statement.key)
    others = [s for s in _statements(session, id_) if (s.source, s.key) != itself]
    listing = combine(id_, [*others, statement])
    outcome = Outcome.CHANGED if row else Outcome.ADDED
    status = _status(listing, made.at.date(), held_because)
    _write(session, row or ListingRow(id=id_), listing, status, made, held_because)
    session.merge(
        StatementRow(
            source=statement.source,
            key=statement.key,
            listing_id=id_,
            as_of=statement.as_of,
            fields=statement.fields,
        )
    )
    _remember(session, id_, statement.source, made, statement)
    return outcome


def withdraw(session: Session, source: Source, key: str, made: Made) -> bool:
    """Take back what a source said; the listing goes unless another source still speaks for it.

    Says whether there was anything to take back.
    """
    said = session.get(StatementRow, (source, key))
    row = session.get(ListingRow, said.listing_id) if said else None
    if not said or not row:
        return False
    session.delete(said)
    others = [s for s in _statements(session, row.id) if (s.source, s.key) != (source, key)]
    if others:
        listing = combine(row.id, others)
        _write(session, row, listing, _status(listing, made.at.date(), None), made, None)
    else:
        _write(session, row, None, Status.WITHDRAWN, made, made.reason)
    _remember(session, row.id, source, made, None)
    return True


def lapse(session: Session, made: Made, *, accept: bool = False) -> int:
    """Take listings that were attested more than 180 days ago out of the results; says how many.

    Raises TooManyLapsed, unless accepted, where that is more than one in twenty of those published.
    """
    since = made.at.date() - timedelta(days=LAPSE_DAYS)
    overdue = session.scalars(
        select(ListingRow)
        .where(ListingRow.status == Status.PUBLISHED, ListingRow.attested_on < since)
        .order_by(ListingRow.id)
    ).all()
    published = counts(session)[Status.PUBLISHED]
    if len(overdue) > MOST_LAPSED * published and not accept:
        raise TooManyLapsed(
            f"{len(overdue)} of {published} published listings were attested before {since}. "
            "Is the clock right? If it is, accept with --accept-lapses."
        )
    for row in overdue:
        listing = Listing.model_validate(row.document)
        _write(session, row, listing, Status.LAPSED, made, made.reason)
        _remember(session, row.id, Source.MODERATOR, made, None)
    return len(overdue)


def _status(listing: Listing, today: date, held_because: str | None) -> Status:
    if held_because:
        return Status.HELD
    if listing.dry_needling is Answer.NO:
        return Status.NOT_OFFERED
    attested = listing.attestation.on if listing.attestation else None
    overdue = attested is not None and attested < today - timedelta(days=LAPSE_DAYS)
    return Status.LAPSED if overdue else Status.PUBLISHED


def _statements(session: Session, id_: str) -> Sequence[Statement]:
    rows = session.scalars(select(StatementRow).where(StatementRow.listing_id == id_))
    return [Statement(Source(row.source), row.key, row.as_of, row.fields) for row in rows]


def _write(
    session: Session,
    row: ListingRow,
    listing: Listing | None,
    status: Status,
    made: Made,
    reason: str | None,
) -> None:
    """Write a listing with the next change number; the transaction holds the counter's lock."""
    counter = session.get_one(ChangeCounterRow, 1)
    counter.number += 1
    row.status, row.reason, row.updated_at = status, reason, made.at
    row.document = listing.model_dump(mode="json") if listing else None
    row.attested_on = listing.attestation.on if listing and listing.attestation else None
    row.change_number = counter.number
    session.add(row)
    session.flush()


def _remember(
    session: Session, id_: str, source: Source, made: Made, statement: Statement | None
) -> None:
    session.add(
        RevisionRow(
            listing_id=id_,
            source=source,
            author=made.by,
            reason=made.reason,
            made_at=made.at,
            fields=statement.fields if statement else None,
        )
    )
