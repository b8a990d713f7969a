"""Letters that are to be sent: kept with what they are about in one transaction, then sent."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select

from directory.mail import Letter, MailUnavailable
from directory.store.database import Database, Transaction, utc
from directory.store.models import OutgoingMailRow

_AT_ONCE = 20
_AGAIN = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=1)
_GIVE_UP = timedelta(days=3)


def keep(session: Transaction, letter: Letter, at: datetime) -> None:
    """Have a letter sent once this transaction is durable."""
    session.add(
        OutgoingMailRow(
            recipient=letter.recipient, subject=letter.subject, text=letter.text,
            html=letter.html, made_at=at, try_at=at, tries=0,
        )
    )  # fmt: skip


def waiting(session: Transaction) -> int:
    """How many letters are still to be sent."""
    return session.scalars(select(func.count()).select_from(OutgoingMailRow)).one()


def send_due(
    database: Database,
    post: Callable[[Letter], None],
    at: datetime,
    failed: Callable[[str], object],
) -> int:
    """Send what is due, and say how many letters went out.

    A letter is put off before it is sent, so that no second process sends it, too, and is gone once
    it was handed over. One that fails is tried again ever more seldom, for three days.
    """
    with database.reading() as session:
        if not session.scalar(select(OutgoingMailRow.id).where(OutgoingMailRow.try_at <= at)):
            return 0
    due: list[tuple[int, Letter]] = []
    with database.writing() as session:
        rows = session.scalars(
            select(OutgoingMailRow)
            .where(OutgoingMailRow.try_at <= at)
            .order_by(OutgoingMailRow.id)
            .limit(_AT_ONCE)
        )
        for row in rows:
            row.try_at = at + min(_AGAIN * 2**row.tries, _LONGEST_WAIT)
            row.tries += 1
            due.append((row.id, Letter(row.recipient, row.subject, row.text, row.html)))
    sent = []
    for id_, letter in due:
        try:
            post(letter)
            sent.append(id_)
        except MailUnavailable as error:
            failed(str(error))
    with database.writing() as session:
        for id_, _ in due:
            tried = session.get(OutgoingMailRow, id_)
            if tried and (id_ in sent or at - utc(tried.made_at) > _GIVE_UP):
                session.delete(tried)
    return len(sent)
