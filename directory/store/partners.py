"""Partners, their keys, and how much they use them.

A key is shown once, when it is made; only its hash stays here. A new one takes the place of the
last one of its kind, which goes on for a while, so that a page can be changed in between.
"""

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import ColumnElement, func, or_, select

from directory.fields import STORED
from directory.partner import Partner
from directory.store.bulk import put, table_of
from directory.store.database import Transaction, utc
from directory.store.models import PartnerKeyRow, PartnerRow, UsageRow

REPLACED = timedelta(days=30)
"""How long a key goes on beside the one that was made to replace it."""

_USAGE = table_of(UsageRow)


class KeyKind(StrEnum):
    """`pk` stands in pages, for everybody to see, and names a partner; `sk` is for its servers."""

    PUBLIC = "pk"
    SECRET = "sk"  # noqa: S105  # how a key begins


class Use(StrEnum):
    """What a key is used for."""

    EMBED = "embed"
    API = "api"


@dataclass(frozen=True)
class Key:
    """A key as it may be shown: `hint` is how it begins. It ends at `expires_at`, if ever (UTC)."""

    id: int
    kind: KeyKind
    hint: str
    made_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class Used:
    """How often a partner's keys were used in a month, which is named by its first day."""

    month: date
    embed: int
    api: int


def new_id(session: Transaction, name: str) -> str:
    """An id for a partner of this name that nobody has: `acme-health`, `acme-health-2`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = "-".join(re.findall("[a-z0-9]+", plain))[:40] or "partner"
    taken = {each.id for each in partners(session)}
    numbered = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
    return next(each for each in (stem, *numbered) if each not in taken)


def keep(session: Transaction, partner: Partner) -> None:
    """Keep a partner as it is now."""
    session.merge(
        PartnerRow(
            id=partner.id, email=partner.email, document=partner.model_dump(mode="json"),
        )
    )  # fmt: skip
    session.flush()


def find(session: Transaction, id_: str) -> Partner | None:
    """The partner with this id."""
    row = session.get(PartnerRow, id_)
    return _partner(row) if row else None


def partners(session: Transaction, email: str | None = None) -> list[Partner]:
    """All partners, or those of an address, by id."""
    of = [] if email is None else [PartnerRow.email == email]
    return [
        _partner(r) for r in session.scalars(select(PartnerRow).where(*of).order_by(PartnerRow.id))
    ]


def make_key(
    session: Transaction, id_: str, kind: KeyKind, at: datetime, expires_at: datetime | None = None
) -> str:
    """A new key. The last one of its kind ends in 30 days, those before it now: two are live."""
    live = [key for key in keys(session, id_, at) if key.kind is kind]
    for number, old in enumerate(reversed(live)):
        until = at + REPLACED if number == 0 else at
        _end(session, old.id, min(until, old.expires_at or until))
    key = f"{kind}_{secrets.token_urlsafe(24)}"
    session.add(
        PartnerKeyRow(
            key_hash=hashed(key), partner_id=id_, kind=kind, hint=key[:7], made_at=at,
            expires_at=expires_at,
        )
    )  # fmt: skip
    session.flush()
    return key


def keys(session: Transaction, id_: str, at: datetime) -> list[Key]:
    """The keys of a partner that are live, the oldest first."""
    rows = session.scalars(
        select(PartnerKeyRow)
        .where(PartnerKeyRow.partner_id == id_, _is_live(at))
        .order_by(PartnerKeyRow.id)
    )
    return [
        Key(r.id, KeyKind(r.kind), r.hint, utc(r.made_at), r.expires_at and utc(r.expires_at))
        for r in rows
    ]


def end_key(session: Transaction, id_: str, key_id: int, at: datetime) -> None:
    """End a key of a partner now; one that is not live stays as it is."""
    if key_id in {key.id for key in keys(session, id_, at)}:
        _end(session, key_id, at)


def of_key(session: Transaction, key: str, at: datetime) -> Partner | None:
    """Whose key it is, while it is live."""
    row = session.scalar(
        select(PartnerRow)
        .join(PartnerKeyRow, PartnerKeyRow.partner_id == PartnerRow.id)
        .where(PartnerKeyRow.key_hash == hashed(key), _is_live(at))
    )
    return _partner(row) if row else None


def add_usage(session: Transaction, month: date, used: Mapping[tuple[str, str], int]) -> None:
    """Add to what was counted of a month, by partner and use."""
    there = select(_USAGE.c.partner_id, _USAGE.c.use, _USAGE.c.count).where(_USAGE.c.month == month)
    before = {(id_, use): count for id_, use, count in session.execute(there)}
    rows = [
        {"partner_id": id_, "use": use, "month": month, "count": before.get((id_, use), 0) + count}
        for (id_, use), count in used.items()
    ]
    put(session, _USAGE, rows)


def usage(session: Transaction, id_: str, months: int = 12) -> list[Used]:
    """The last months of a partner in which its keys were used, the newest first."""
    of = {use: func.sum(_USAGE.c.count).filter(_USAGE.c.use == use) for use in Use}
    rows = session.execute(
        select(_USAGE.c.month, of[Use.EMBED], of[Use.API])
        .where(_USAGE.c.partner_id == id_)
        .group_by(_USAGE.c.month)
        .order_by(_USAGE.c.month.desc())
        .limit(months)
    )
    return [Used(month, embed or 0, api or 0) for month, embed, api in rows]


def hashed(key: str) -> str:
    """What is kept of a key."""
    return sha256(key.encode()).hexdigest()


def _is_live(at: datetime) -> ColumnElement[bool]:
    return or_(PartnerKeyRow.expires_at.is_(None), PartnerKeyRow.expires_at > at)


def _end(session: Transaction, key_id: int, at: datetime) -> None:
    session.get_one(PartnerKeyRow, key_id).expires_at = at
    session.flush()


def _partner(row: PartnerRow) -> Partner:
    return Partner.model_validate(row.document, context=STORED)
