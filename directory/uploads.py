"""What an uploaded list would do, row by row, and doing it: all of it or nothing.

Rows of listings that are the sender's change them at once; new ones, and changes of who somebody
is, go to the moderators; rows of other people's listings are wrong.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from directory import keeping
from directory.lists import ListRow
from directory.places import Places
from directory.store import listings, owners, submissions
from directory.store.database import Transaction
from directory.store.history import FieldChange
from directory.store.keys import keys_of
from directory.store.listings import Made, StoredListing
from directory.store.matching import Matcher
from directory.store.submissions import Asked, Kind, State


class Fate(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    CHANGED = "changed"
    LOOKED_AT = "looked_at"
    UNCHANGED = "unchanged"
    NOT_YOURS = "not_yours"
    TWICE = "twice"


WRONG = (Fate.NOT_YOURS, Fate.TWICE)


@dataclass(frozen=True)
class Planned:
    """A row with what becomes of it: the listing that it changes, and in what."""

    row: ListRow
    fate: Fate
    found: StoredListing | None = None
    changes: tuple[FieldChange, ...] = ()


def plan(session: Transaction, rows: Sequence[ListRow], email: str) -> list[Planned]:
    """What each row would do, if this address sends it."""
    keys = [keys_of(row.fields) for row in rows]
    matcher = Matcher(session, keys)
    planned, seen = [], set[str]()
    for row, its in zip(rows, keys, strict=True):
        id_ = row.id or matcher.match(row.fields, its)
        if id_ in seen:
            planned.append(Planned(row, Fate.TWICE))
            continue
        found = listings.find(session, id_) if id_ else None
        planned.append(_planned(session, row, found, email))
        name = id_ or f"row {row.row}"
        seen.add(name)
        matcher.add(name, row.fields, its)
    return planned


def _planned(
    session: Transaction, row: ListRow, found: StoredListing | None, email: str
) -> Planned:
    if not found or not found.listing:
        return Planned(row, Fate.NEW if not row.id else Fate.NOT_YOURS)
    if not owners.is_owner(session, found.id, email):
        return Planned(row, Fate.NOT_YOURS, found)
    changes = keeping.wanted_changes(found, row.fields)
    if not changes:
        return Planned(row, Fate.UNCHANGED, found)
    is_risky = any(each.field in keeping.HIGH_RISK for each in changes)
    return Planned(row, Fate.LOOKED_AT if is_risky else Fate.CHANGED, found, changes)


def counts(planned: Sequence[Planned]) -> Counter[Fate]:
    """How many rows have which fate."""
    return Counter(each.fate for each in planned)


def apply(
    session: Transaction, planned: Sequence[Planned], language: str, made: Made, places: Places
) -> None:
    """Do what was planned, in this transaction; pydantic's ValidationError where it cannot be."""
    for each in planned:
        match each.fate, each.found:
            case Fate.NEW, _:
                asked = Asked(Kind.NEW, made.by, language, each.row.fields)
                submissions.keep(session, asked, State.WAITING, made.at)
            case Fate.LOOKED_AT, StoredListing(id=id_):
                asked = Asked(Kind.CHANGE, made.by, language, each.row.fields, id_)
                submissions.keep(session, asked, State.WAITING, made.at)
            case Fate.CHANGED, StoredListing(id=id_, change_number=seen):
                keeping.change(session, id_, each.row.fields, seen, made, places)
            case _:
                pass
