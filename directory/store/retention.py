"""What is deleted once nobody needs it any more, every day (errands.py); /privacy says so."""

from datetime import datetime, timedelta

from sqlalchemy import delete

from directory.store.database import Transaction
from directory.store.models import LinkRow, ReportRow, SubmissionRow
from directory.store.submissions import State

UNFINISHED_DAYS = 30
"""Of what was begun and never sent or proved, and of links once they have ended."""

DECIDED_DAYS = 365
"""Of what was decided, and of reports once they were answered: whoever asks again is remembered."""


def forget_old(session: Transaction, at: datetime) -> int:
    """Delete what has been kept long enough; says how many rows those were.

    What waits for an answer is kept until it has one; what came of it stays in the history of the
    listing.
    """
    unfinished, decided = (at - timedelta(days=days) for days in (UNFINISHED_DAYS, DECIDED_DAYS))
    never_sent = SubmissionRow.state.in_([State.DRAFT, State.UNPROVED])
    old = (
        delete(LinkRow).where(LinkRow.expires_at < unfinished),
        delete(SubmissionRow).where(never_sent, SubmissionRow.made_at < unfinished),
        delete(SubmissionRow).where(
            SubmissionRow.state.in_([State.APPROVED, State.REJECTED]),
            SubmissionRow.decided_at < decided,
        ),
        delete(ReportRow).where(ReportRow.outcome.is_not(None), ReportRow.answered_at < decided),
    )
    return sum(session.connection().execute(each).rowcount for each in old)
