"""Writing listings: each write is one transaction of statement, listing, revision and change."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import and_, func, or_, select

from directory.credentials import held_because
from directory.fields import STORED
from directory.listing import LAPSE_DAYS, Answer, Facts, Listing, Source
from directory.store.database import Transaction
from directory.store.models import ChangeCounterRow, ListingRow, RevisionRow, StatementRow
from directory.store.statement import Statement, combine

MOST_LAPSED = 0.05
"""A run that would hide a larger share than this stops: rather a wrong clock than so many."""


_NEEDED = {name for name, field in Facts.model_fields.items() if field.is_required()}


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

    @property
    def today(self) -> date:
        """The day of the change."""
        return self.at.date()


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


def find(session: Transaction, id_: str) -> StoredListing | None:
    """The listing with this id, whatever its status."""
    row = session.get(ListingRow, id_)
    if row is None:
        return None
    return StoredListing(row.id, Status(row.status), row.reason, _listing(row))


def counts(session: Transaction) -> Counter[Status]:
    """How many listings stand where."""
    rows = session.execute(select(ListingRow.status, func.count()).group_by(ListingRow.status))
    return Counter({Status(status): count for status, count in rows})


def record(session: Transaction, id_: str, statement: Statement, made: Made) -> Outcome:
    """Keep a source's statement of a listing, and the listing that follows from it.

    A statement that says nothing new, or is older than what its source has said since, changes
    nothing. One that its source made of another listing until now is taken from that one. Raises
    pydantic's ValidationError where the listing would be none; nothing is written then.
    """
    said = session.get(StatementRow, (statement.source, statement.key))
    moved = said is not None and said.listing_id != id_
    if said and not moved and (said.fields == statement.fields or said.as_of > statement.as_of):
        return Outcome.UNCHANGED
    row = session.get(ListingRow, id_)
    listing = combine(id_, [*_statements(session, id_, but=statement), statement])
    if moved:
        withdraw(session, statement.source, statement.key, made)
    outcome = Outcome.CHANGED if row else Outcome.ADDED
    _write(session, row or ListingRow(id=id_), listing, made, statement)
    session.merge(
        StatementRow(
            source=statement.source,
            key=statement.key,
            listing_id=id_,
            as_of=statement.as_of,
            fields=statement.fields,
        )
    )
    return outcome


def withdraw(session: Transaction, source: Source, key: str, made: Made) -> bool:
    """Take back what a source said; the listing goes unless another source still speaks for it.

    Says whether there was anything to take back. What the others say may be too little for a
    listing of its own; then it goes too.
    """
    said = session.get(StatementRow, (source, key))
    if not said:
        return False
    row = session.get_one(ListingRow, said.listing_id)
    gone = Statement(source, key, said.as_of, said.fields)
    others = _statements(session, row.id, but=gone)
    session.delete(said)
    speaks = {field for other in others for field in other.fields} >= _NEEDED
    _write(session, row, combine(row.id, others) if speaks else None, made, None, source)
    return True


def age(session: Transaction, made: Made, *, accept: bool = False) -> int:
    """Act on what time has done, and say how many listings left the results.

    Those attested more than 180 days ago leave, and come back if it was the clock that was wrong;
    licence checks that have expired count no more.
    Raises TooManyLapsed, unless accepted, where more than one in twenty of those published would
    leave; nothing is changed then.
    """
    since = made.today - timedelta(days=LAPSE_DAYS)
    due = session.scalars(
        select(ListingRow)
        .where(
            or_(
                and_(
                    ListingRow.status == Status.PUBLISHED,
                    or_(ListingRow.attested_on < since, ListingRow.checked_until < made.today),
                ),
                and_(ListingRow.status == Status.LAPSED, ListingRow.attested_on >= since),
            )
        )
        .order_by(ListingRow.id)
    ).all()
    lapsing = {row.id for row in due if row.attested_on and row.attested_on < since}
    published = counts(session)[Status.PUBLISHED]
    if len(lapsing) > MOST_LAPSED * published and not accept:
        raise TooManyLapsed(
            f"{len(lapsing)} of {published} published listings were attested before {since}. "
            "Is the clock right? If it is, accept with --accept-lapses."
        )
    for row in due:
        _write(session, row, _listing(row), made, None, lapse=row.id in lapsing)
    return len(lapsing)


def _listing(row: ListingRow) -> Listing | None:
    return Listing.model_validate(row.document, context=STORED) if row.document else None


def _statements(session: Transaction, id_: str, *, but: Statement) -> Sequence[Statement]:
    rows = session.scalars(select(StatementRow).where(StatementRow.listing_id == id_))
    return [
        Statement(Source(row.source), row.key, row.as_of, row.fields)
        for row in rows
        if (row.source, row.key) != (but.source, but.key)
    ]


def _standing(row: ListingRow, listing: Listing, today: date) -> tuple[Status, str | None]:
    """Where a listing stands by what it says, and why it is held.

    One that is published does not lapse here but in `age`, which counts how many do at once.
    """
    if reason := held_because(listing):
        return Status.HELD, reason
    if listing.dry_needling is Answer.NO:
        return Status.NOT_OFFERED, None
    lapsed = listing.attestation is not None and listing.attestation.has_lapsed(today)
    return Status.LAPSED if lapsed and row.status != Status.PUBLISHED else Status.PUBLISHED, None


def _write(
    session: Transaction,
    row: ListingRow,
    listing: Listing | None,
    made: Made,
    statement: Statement | None,
    source: Source | None = None,
    *,
    lapse: bool = False,
) -> None:
    """Write a listing, its revision and its change; the transaction holds the counter's lock.

    A revision of what time has done has neither a statement nor a source.
    """
    counter = session.get_one(ChangeCounterRow, 1)
    counter.number += 1
    if listing and listing.licence_check and listing.licence_check.expires_on < made.today:
        listing = listing.model_copy(update={"licence_check": None})
    status, reason = Status.WITHDRAWN, made.reason
    if lapse:
        status = Status.LAPSED
    elif listing:
        status, held = _standing(row, listing, made.today)
        reason = held or ""
    row.status, row.reason, row.updated_at = status, reason or None, made.at
    row.document = listing.model_dump(mode="json") if listing else None
    row.attested_on = listing.attestation.on if listing and listing.attestation else None
    check = listing.licence_check if listing else None
    row.checked_until = check.expires_on if check else None
    row.change_number = counter.number
    session.add(row)
    session.add(
        RevisionRow(
            listing_id=row.id,
            change_number=counter.number,
            status=status,
            source=statement.source if statement else source,
            author=made.by,
            reason=made.reason,
            made_at=made.at,
            fields=statement.fields if statement else None,
        )
    )
    session.flush()
