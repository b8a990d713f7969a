"""Who may change a listing, and who may decide: e-mail addresses that were proved."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from directory.store.database import Transaction
from directory.store.models import ModeratorRow, OwnerRow


@dataclass(frozen=True)
class Owner:
    """An address that a listing belongs to, and the language that letters to it are in."""

    email: str
    language: str


def owners(session: Transaction, listing_id: str) -> list[Owner]:
    """Whom a listing belongs to, by address."""
    rows = session.scalars(
        select(OwnerRow).where(OwnerRow.listing_id == listing_id).order_by(OwnerRow.email)
    )
    return [Owner(row.email, row.language) for row in rows]


def add(session: Transaction, listing_id: str, owner: Owner, at: datetime) -> None:
    """Let a listing belong to an address, too."""
    session.merge(
        OwnerRow(listing_id=listing_id, email=owner.email, language=owner.language, since=at)
    )


def remove(session: Transaction, listing_id: str, email: str) -> None:
    """Let a listing belong to an address no more."""
    session.execute(
        delete(OwnerRow).where(OwnerRow.listing_id == listing_id, OwnerRow.email == email)
    )


def is_owner(session: Transaction, listing_id: str, email: str) -> bool:
    """Whether a listing belongs to an address."""
    return session.get(OwnerRow, (listing_id, email)) is not None


def owned(session: Transaction, email: str) -> list[str]:
    """The ids of the listings that belong to an address, in order."""
    rows = session.scalars(select(OwnerRow.listing_id).where(OwnerRow.email == email))
    return sorted(rows)


def add_moderator(session: Transaction, email: str, at: datetime) -> None:
    """Let an address decide."""
    session.merge(ModeratorRow(email=email, since=at))


def is_moderator(session: Transaction, email: str) -> bool:
    """Whether an address may decide."""
    return session.get(ModeratorRow, email) is not None
