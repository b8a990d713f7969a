"""Letters that are to be sent: kept with what they are about in one transaction, then sent."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from directory.mail import Letter, MailUnavailable
from directory.store.database import Database, Transaction, utc
from directory.store.models import OutgoingMailRow

_LEASE = timedelta(minutes=5)
"""For so long a letter is with the process that sends it. A server may take 10 s for each of its
dozen answers (mail.TIMEOUT_S)."""

_AGAIN, _DOUBLED_MOST = timedelta(seconds=30), 120
"""After one try and before the next: doubled each time, up to an hour."""

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
    stop: threading.Event | None = None,
) -> int:
    """Send what is due, one letter after another, and say how many went out.

    A letter is taken before it is sent, so that no second process sends it, too, and is gone once
    it was handed over. One that fails keeps no other back; it is tried again ever more seldom, for
    three days. Where the process ends or the store is lost after a letter was handed over and
    before that was noted, it is sent once more, five minutes later: rather twice than never.
    """
    started, sent = time.monotonic(), 0

    def now() -> datetime:
        return at + timedelta(seconds=time.monotonic() - started)

    while not (stop and stop.is_set()) and (taken := _take(database, at, now() + _LEASE)):
        id_, letter = taken
        try:
            post(letter)
        except MailUnavailable as error:
            failed(str(error))
            _put_off(database, id_, now())
        except Exception as error:  # noqa: BLE001  # whatever is wrong with it, the next is due
            failed(f"a letter cannot be sent: {type(error).__name__}")
            _put_off(database, id_, now())
        else:
            _forget(database, id_)
            sent += 1
    return sent


def _take(database: Database, at: datetime, until: datetime) -> tuple[int, Letter] | None:
    """The letter that was due first, which is nobody else's until then; None where none is due."""
    due = (
        select(OutgoingMailRow)
        .where(OutgoingMailRow.try_at <= at)
        .order_by(OutgoingMailRow.try_at, OutgoingMailRow.id)
        .limit(1)
    )
    with database.reading() as session:  # mostly nothing is due, and no writer has to wait for that
        if not session.scalar(due):
            return None
    with database.writing() as session:
        row = session.scalar(due)
        if not row:
            return None
        row.try_at = until
        row.tries += 1
        return row.id, Letter(row.recipient, row.subject, row.text, row.html)


def _put_off(database: Database, id_: int, at: datetime) -> None:
    with database.writing() as session:
        row = session.get(OutgoingMailRow, id_)
        if not row:
            return  # its address was erased meanwhile
        if at - utc(row.made_at) > _GIVE_UP:
            session.delete(row)
        else:
            row.try_at = at + _AGAIN * min(2 ** (row.tries - 1), _DOUBLED_MOST)


def _forget(database: Database, id_: int) -> None:
    with database.writing() as session:
        session.execute(delete(OutgoingMailRow).where(OutgoingMailRow.id == id_))
