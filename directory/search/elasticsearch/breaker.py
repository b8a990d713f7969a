"""What keeps a search engine that is down from holding every thread of the site.

Each search would wait its two seconds; with eight threads, four searches a second are enough to
keep all other pages waiting as well.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from directory.search.engine import EngineUnavailable

IN_A_ROW, SILENT_S = 3, 2.0
"""One slow search says nothing of the next; three in a row do, if nothing was answered for as long
as a patient waits. Of some that fail at once, one that was answered shortly before says more."""

PROBE_EVERY_S = 3.0
"""Longer than a call takes to fail, so that one at a time finds out whether the engine is back."""


class NoAnswer(EngineUnavailable):
    """No node has answered, or only in part."""


class Breaker:
    """Lets calls through until some in a row had no answer; then one every few seconds, as a probe.

    The first one that is answered lets them all through again. Any thread may use it.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._unanswered = 0
        self._answered_at = -math.inf
        self._probe_at = -math.inf

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Counts a NoAnswer within it; EngineUnavailable, at once, where there were too many."""
        self._admit()
        try:
            yield
        except NoAnswer:
            self._count(answered=False)
            raise
        except EngineUnavailable:
            self._count(answered=True)
            raise
        self._count(answered=True)

    def _admit(self) -> None:
        now = self._now()
        with self._lock:
            if self._unanswered < IN_A_ROW or now < self._answered_at + SILENT_S:
                return
            if now < self._probe_at:
                raise EngineUnavailable("the search engine does not answer; it is asked again soon")
            self._probe_at = now + PROBE_EVERY_S

    def _count(self, *, answered: bool) -> None:
        with self._lock:
            if answered:
                self._unanswered, self._answered_at = 0, self._now()
            else:
                self._unanswered += 1
