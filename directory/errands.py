"""What a serving process does beside answering: publish changes, send letters, let time pass.

Each has a thread of its own, so that none keeps another from being done: neither a mail server that
takes ten seconds for each answer nor a listing that cannot be read. An approved change is found
within two seconds with no other process running; and where the engine or the mail server is down,
what it was to do follows once it is back.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date

from directory.aging import grow_old
from directory.mail import MailUnavailable
from directory.publishing import OTHER_HISTORY, Stopped, publish
from directory.reminders import remind
from directory.search.engine import EngineUnavailable
from directory.services import Services
from directory.store import changefeed, mails, partners, retention, seen
from directory.store.database import StoreUnavailable
from directory.wordless import wordless

log = logging.getLogger("directory.errands")

EVERY_S, LONGEST_WAIT_S, COUNT_EVERY_S = 0.5, 5.0, 60.0

LOOK_EVERY_S = 5.0
"""What the index has is looked at even if the store has nothing new: it may be another index by
now, that a rebuild or a step back has put in."""

STOP_S = 10.0
"""How long what is under way may take once the errands are to end."""


class Errands:
    """Each errand is a method that does once what is due; from `start` to `stop` all are repeated.

    A store that could not be reached at the start, and may lack tables, gets them first.
    """

    def __init__(self, parts: Services) -> None:
        self._parts = parts
        self._stop = threading.Event()
        self._published, self._looked = -1, 0.0
        self._passed_on: date | None = None
        every_s = {
            self.publish: EVERY_S, self.send: EVERY_S, self.let_time_pass: EVERY_S,
            self.count: COUNT_EVERY_S,
        }  # fmt: skip
        self._threads = [
            threading.Thread(target=self._repeat, args=each, name=each[0].__name__, daemon=True)
            for each in every_s.items()
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, once what is under way is done, and write down what was counted."""
        self._stop.set()
        with suppress(StoreUnavailable):
            self.count()
        until = time.monotonic() + STOP_S
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _repeat(self, errand: Callable[[], None], every_s: float) -> None:
        is_migrated, told, wait_s = False, "", every_s
        while not self._stop.wait(wait_s):
            try:
                if not is_migrated:
                    self._parts.database.migrate()
                    is_migrated = True
                errand()
                told, wait_s = "", every_s
            except Stopped:
                break
            except (EngineUnavailable, MailUnavailable, StoreUnavailable) as error:
                if told != str(error):
                    told = str(error)
                    log.warning("%s: %s; trying again", errand.__name__, told)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            except Exception as error:  # noqa: BLE001  # whatever it is, it may do better next time
                log.error("%s failed: %s", errand.__name__, wordless(error))
                wait_s = LONGEST_WAIT_S

    def publish(self) -> None:
        """Bring the index up to date, if there is one that this version can read."""
        parts = self._parts
        with parts.database.reading() as session:
            position = changefeed.position(session)
        if position == self._published and time.monotonic() < self._looked + LOOK_EVERY_S:
            return
        self._looked = time.monotonic()
        served = parts.engine.status()
        if not served or not served.current:
            return
        with parts.database.reading() as session:
            is_ours = changefeed.has_history(session, served.position, served.mark)
        if not is_ours:
            raise EngineUnavailable(OTHER_HISTORY)
        publish(parts.database, parts.engine, served.position, stop=self._stop)
        self._published = position

    def send(self) -> None:
        """Send the letters that are due; MailUnavailable where some could not be sent."""
        parts, failed = self._parts, list[str]()
        mails.send_due(parts.database, parts.post, parts.clock(), failed.append, self._stop)
        if failed:
            raise MailUnavailable(failed[0])

    def let_time_pass(self) -> None:
        """Once a day forget what was kept long enough, let listings grow old and remind owners."""
        parts, now = self._parts, self._parts.clock()
        if self._passed_on == now.date():
            return
        with parts.database.writing() as session:
            retention.forget_old(session, now)
        grow_old(parts.database, parts.clock, log.warning)
        remind(parts)
        self._passed_on = now.date()

    def count(self) -> None:
        """Write down how often listings were seen, and keys used."""
        parts, taken = self._parts, self._parts.seen.take()
        if not taken:
            return
        try:
            with parts.database.writing() as session:
                month = parts.clock().date().replace(day=1)
                seen.add(session, month, taken.shown, taken.opened)
                partners.add_usage(session, month, taken.used)
        except StoreUnavailable:
            parts.seen.put_back(taken)
            raise
