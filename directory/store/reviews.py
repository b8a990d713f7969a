"""Changes that owners made at once: looked at by a moderator afterwards."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from directory.listing import Source
from directory.store.bulk import put, table_of
from directory.store.database import Transaction
from directory.store.history import Revision, revisions
from directory.store.models import ModeratorRow, ReviewRow, RevisionRow

_REVIEW = table_of(ReviewRow)
_MOST = 100


def to_review(session: Transaction) -> list[tuple[str, Revision]]:
    """What owners have changed and nobody has looked at, the oldest first, with the listing's id.

    An owner's word that all is still right changes nothing that is to be looked at.
    """
    rows = session.execute(
        select(RevisionRow.listing_id, RevisionRow.id)
        .where(
            RevisionRow.source == Source.CLINIC,
            RevisionRow.id.not_in(select(ReviewRow.revision_id)),
            RevisionRow.author.not_in(select(ModeratorRow.email)),
        )
        .order_by(RevisionRow.id)
        .limit(_MOST)
    ).all()
    past = {id_: revisions(session, id_) for id_ in dict.fromkeys(row.listing_id for row in rows)}
    by_id = {each.id: each for several in past.values() for each in several}
    return [
        (row.listing_id, by_id[row.id])
        for row in rows
        if {each.field for each in by_id[row.id].changes} - {"attestation"}
    ]


def reviewed(session: Transaction, revision_ids: Sequence[int], by: str, at: datetime) -> None:
    """Keep that a moderator has looked at these."""
    put(session, _REVIEW, [{"revision_id": id_, "by": by, "at": at} for id_ in revision_ids])
