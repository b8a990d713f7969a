"""One-time links: 256 random bits in a letter, of which only a hash stays here."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import delete, update

from directory.store.database import Transaction, utc
from directory.store.models import LinkRow


class Purpose(StrEnum):
    """What a link may do, and nothing else."""

    SIGN_IN = "sign_in"
    SUBMIT = "submit"
    CLAIM = "claim"
    ATTEST = "attest"


VALID = {
    Purpose.SIGN_IN: timedelta(hours=1),
    Purpose.SUBMIT: timedelta(days=7),
    Purpose.CLAIM: timedelta(days=2),
    Purpose.ATTEST: timedelta(days=30),
}


class State(StrEnum):
    """Where a link stands."""

    OPEN = "open"
    USED = "used"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Link:
    """A link that was sent to an address; `subject` is the listing or submission that it is of."""

    purpose: Purpose
    email: str
    subject: str
    state: State


def make(session: Transaction, purpose: Purpose, email: str, subject: str, at: datetime) -> str:
    """A new link's token; older ones of the same purpose, address and subject are superseded."""
    session.execute(
        update(LinkRow)
        .where(
            LinkRow.purpose == purpose,
            LinkRow.email == email,
            LinkRow.subject == subject,
            LinkRow.state == State.OPEN,
        )
        .values(state=State.SUPERSEDED)
    )
    token = secrets.token_urlsafe(32)
    session.add(
        LinkRow(
            token_hash=hashed(token), purpose=purpose, email=email, subject=subject,
            state=State.OPEN, expires_at=at + VALID[purpose],
        )
    )  # fmt: skip
    session.flush()
    return token


def look(session: Transaction, token: str, at: datetime) -> Link | None:
    """The link of a token as it stands, which is not changed by looking; None where there is none.

    It is found by its hash, so comparing takes no time that would tell anything.
    """
    row = session.get(LinkRow, hashed(token))
    if row is None:
        return None
    has_expired = row.state == State.OPEN and utc(row.expires_at) <= at
    state = State.EXPIRED if has_expired else State(row.state)
    return Link(Purpose(row.purpose), row.email, row.subject, state)


def use(session: Transaction, token: str, at: datetime) -> Link | None:
    """Use an open link up, within a writing transaction; None where it is not open (any more)."""
    found = look(session, token, at)
    if not found or found.state is not State.OPEN:
        return None
    session.execute(
        update(LinkRow).where(LinkRow.token_hash == hashed(token)).values(state=State.USED)
    )
    return found


def forget_of(session: Transaction, email: str, subject: str | None = None) -> None:
    """Forget every link to an address, or those that are about one subject."""
    of_it = LinkRow.email == email
    if subject is not None:
        of_it &= LinkRow.subject == subject
    session.execute(delete(LinkRow).where(of_it))


def hashed(token: str) -> str:
    """What is kept of a token."""
    return sha256(token.encode()).hexdigest()
