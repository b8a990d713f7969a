"""What a serving process does beside answering: publish changes, send letters, let time pass.

So an approved change is found within two seconds with no other process running; and where the
engine or the mail server is down, it follows once they are back.
"""

import logging
import threading
import time
from datetime import date

from directory.aging import grow_old
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


class Errands:
    """One thread of its own; `run_once` is its whole work."""

    def __init__(self, parts: Services) -> None:
        self._parts = parts
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="errands", daemon=True)
        self._published, self._looked = -1, 0.0
        self._reminded: date | None = None
        self._told = ""
        self._counted = time.monotonic()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, once what is under way is done."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        wait_s = EVERY_S
        while not self._stop.wait(wait_s):
            try:
                self.run_once()
                self._told, wait_s = "", EVERY_S
            except Stopped:
                break
            except (EngineUnavailable, StoreUnavailable) as error:
                self._tell(str(error))
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            except Exception as error:  # noqa: BLE001  # whatever it is, the next errand is due
                log.error("an errand failed: %s", wordless(error))
                wait_s = LONGEST_WAIT_S

    def run_once(self) -> None:
        """Send what is to be sent, let time pass, then bring the index up to date."""
        parts = self._parts
        now = parts.clock()
        mails.send_due(parts.database, parts.post, now, self._tell)
        if self._reminded != now.date():
            grow_old(parts.database, parts.clock, self._tell)
            remind(parts)
            with parts.database.writing() as session:
                retention.forget_old(session, now)
            self._reminded = now.date()
        if time.monotonic() > self._counted + COUNT_EVERY_S:
            self.count()
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

    def count(self) -> None:
        """Write down how often listings were seen, and keys used."""
        parts, taken = self._parts, self._parts.seen.take()
        if taken:
            try:
                with parts.database.writing() as session:
                    month = parts.clock().date().replace(day=1)
                    seen.add(session, month, taken.shown, taken.opened)
                    partners.add_usage(session, month, taken.used)
            except StoreUnavailable:
                parts.seen.put_back(taken)
                raise
        self._counted = time.monotonic()

    def _tell(self, what: str) -> None:
        if what != self._told:
            self._told = what
            log.warning("%s; trying again", what)
