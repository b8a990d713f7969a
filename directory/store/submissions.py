"""What clinics ask for: drafts, what waits for a decision, and what was decided."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from directory.store.database import Transaction, utc
from directory.store.links import hashed
from directory.store.models import SubmissionRow
from directory.store.statement import Fields


class Kind(StrEnum):
    """What is asked for: a new listing, a change that is looked at first, or to be its owner.

    A `list` is one that was uploaded and is not applied yet; its `fields` hold the rows.
    """

    NEW = "new"
    CHANGE = "change"
    CLAIM = "claim"
    LIST = "list"


class State(StrEnum):
    """`draft`: being written. `unproved`: sent, by whom is not proved. `waiting`: to be decided."""

    DRAFT = "draft"
    UNPROVED = "unproved"
    WAITING = "waiting"
    ASKED = "asked"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Submission:
    """One thing that is asked for, and by whom; `fields` are facts as JSON has them."""

    reference: str
    kind: Kind
    state: State
    email: str
    language: str
    listing_id: str | None
    fields: Fields
    note: str
    made_at: datetime
    reason: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True)
class Asked:
    """Who asks for what, in which language, of which listing."""

    kind: Kind
    email: str
    language: str
    fields: Fields
    listing_id: str | None = None
    note: str = ""


def keep(
    session: Transaction, asked: Asked, state: State, at: datetime, request_key: str | None = None
) -> tuple[str, str]:
    """Keep something that is asked for; says its reference and the secret that opens it.

    A `request_key` names the request: asked for twice it is kept once (see `of_request`).
    """
    reference, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    session.add(
        SubmissionRow(
            reference=reference, secret_hash=hashed(secret),
            request_hash=request_key and hashed(request_key), kind=asked.kind, state=state,
            email=asked.email, language=asked.language, listing_id=asked.listing_id,
            fields=dict(asked.fields), note=asked.note, made_at=at,
        )
    )  # fmt: skip
    session.flush()
    return reference, secret


def find(session: Transaction, reference: str) -> Submission | None:
    """The submission of a reference."""
    row = session.get(SubmissionRow, reference)
    return _submission(row) if row else None


def of_secret(session: Transaction, secret: str) -> Submission | None:
    """The submission that a secret opens."""
    row = session.scalar(select(SubmissionRow).where(SubmissionRow.secret_hash == hashed(secret)))
    return _submission(row) if row else None


def of_request(session: Transaction, request_key: str) -> Submission | None:
    """The submission that was kept of this request."""
    there = SubmissionRow.request_hash == hashed(request_key)
    row = session.scalar(select(SubmissionRow).where(there))
    return _submission(row) if row else None


def save(session: Transaction, reference: str, **values: Any) -> None:  # noqa: ANN401  # columns
    """Change a submission."""
    row = session.get_one(SubmissionRow, reference)
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()


def new_secret(session: Transaction, reference: str) -> str:
    """Another secret that opens a submission; the one before opens nothing any more."""
    secret = secrets.token_urlsafe(32)
    save(session, reference, secret_hash=hashed(secret))
    return secret


def move(
    session: Transaction, reference: str, state: State, by: str, at: datetime, reason: str = ""
) -> None:
    """Decide a submission, or hand it on."""
    save(session, reference, state=state, decided_by=by, decided_at=at, reason=reason[:1000])


def waiting(session: Transaction, limit: int = 200) -> list[Submission]:
    """What waits for a decision, the oldest first."""
    there = SubmissionRow.state.in_([State.WAITING, State.ASKED])
    rows = session.scalars(
        select(SubmissionRow).where(there).order_by(SubmissionRow.made_at).limit(limit)
    )
    return [_submission(row) for row in rows]


def of_listing(session: Transaction, listing_id: str) -> list[Submission]:
    """What waits of one listing."""
    there = (SubmissionRow.listing_id == listing_id) & (SubmissionRow.state == State.WAITING)
    return [_submission(row) for row in session.scalars(select(SubmissionRow).where(there))]


def of_address(session: Transaction, email: str) -> list[Submission]:
    """Everything that an address has asked for, the newest first."""
    there = select(SubmissionRow).where(SubmissionRow.email == email)
    rows = session.scalars(there.order_by(SubmissionRow.made_at.desc()))
    return [_submission(row) for row in rows]


def _submission(row: SubmissionRow) -> Submission:
    return Submission(
        row.reference, Kind(row.kind), State(row.state), row.email, row.language, row.listing_id,
        row.fields, row.note, utc(row.made_at), row.reason,
        utc(row.decided_at) if row.decided_at else None,
    )  # fmt: skip
