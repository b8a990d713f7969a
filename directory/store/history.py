"""What was ever changed in a listing: who, when, why, and from what to what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from directory.listing import Source
from directory.store.database import Transaction, utc
from directory.store.listings import Status
from directory.store.models import RevisionRow
from directory.store.statement import Fields


@dataclass(frozen=True)
class FieldChange:
    """One field, as a source said it before and after; None where it said nothing."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Revision:
    """One change as it was made; without a source it was time that made it."""

    id: int
    at: datetime
    by: str
    reason: str
    source: Source | None
    status: Status
    changes: tuple[FieldChange, ...]
    fields: Fields | None


def revisions(session: Transaction, listing_id: str) -> list[Revision]:
    """Every revision of a listing, the newest first."""
    rows = session.scalars(
        select(RevisionRow).where(RevisionRow.listing_id == listing_id).order_by(RevisionRow.id)
    )
    before: dict[str | None, Fields] = {}
    found = []
    for row in rows:
        changes = differences(before.get(row.source, {}), row.fields or {}) if row.source else ()
        if row.source:
            before[row.source] = row.fields or {}
        found.append(
            Revision(
                row.id, utc(row.made_at), row.author, row.reason,
                Source(row.source) if row.source else None, Status(row.status), changes, row.fields,
            )
        )  # fmt: skip
    return found[::-1]


def differences(before: Fields, after: Fields) -> tuple[FieldChange, ...]:
    """What differs between two states of some fields; what was worked out from others does not."""
    names = [*before, *(name for name in after if name not in before)]
    return tuple(
        FieldChange(name, before.get(name), after.get(name))
        for name in names
        if _pinned(name, before.get(name)) != _pinned(name, after.get(name))
    )


def _pinned(name: str, value: Any) -> Any:  # noqa: ANN401  # a field of any kind
    """A field for comparing; a location only where somebody has set it."""
    if name == "location" and (not value or value.get("method", "given") != "given"):
        return None
    return plain(value)


def plain(value: Any) -> Any:  # noqa: ANN401  # a field of any kind
    """A field for comparing: what says nothing is None, in whatever way it does."""
    if isinstance(value, dict):
        return {n: p for n, each in value.items() if (p := plain(each)) is not None} or None
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value] or None
    return None if value in ("unknown", False) else value
