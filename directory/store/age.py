"""What time does: attestations and licence checks run out, and pauses end."""

from datetime import timedelta

from sqlalchemy import and_, or_, select

from directory.listing import LAPSE_DAYS
from directory.store.database import Transaction
from directory.store.listings import Made, Status, counts
from directory.store.models import ListingRow
from directory.store.record import let_lapse

MOST_LAPSED = 0.05
"""A run that would hide a larger share than this stops: rather a wrong clock than so many."""


class TooManyLapsed(Exception):
    """A run would hide more listings than can be right; nothing was changed."""


def age(session: Transaction, made: Made, *, accept: bool = False) -> int:
    """Act on what time has done, and say how many listings left the results.

    Those attested more than 180 days ago leave, and come back if it was the clock that was wrong;
    licence checks that have expired count no more, and who paused takes new patients again.
    Raises TooManyLapsed, unless accepted, where more than one in twenty of those published would
    leave; nothing is changed then.
    """
    since = made.today - timedelta(days=LAPSE_DAYS)
    due = session.execute(
        select(ListingRow.id, ListingRow.attested_on).where(
            or_(
                and_(
                    ListingRow.status == Status.PUBLISHED,
                    or_(ListingRow.attested_on < since, ListingRow.true_until < made.today),
                ),
                and_(ListingRow.status == Status.LAPSED, ListingRow.attested_on >= since),
            )
        )
    ).all()
    lapsing = {row.id for row in due if row.attested_on and row.attested_on < since}
    published = counts(session)[Status.PUBLISHED]
    if len(lapsing) > MOST_LAPSED * published and not accept:
        raise TooManyLapsed(
            f"{len(lapsing)} of {published} published listings were attested before {since}. "
            "Is the clock right? If it is, accept with --accept-lapses."
        )
    return let_lapse(session, (row.id for row in due), lapsing, made)
