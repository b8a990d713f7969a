"""How often listings are shown and opened, and keys used: sums, and nothing of who looked.

They are counted in memory, as a search needs no store, and written down once a minute
(errands.py): a process that is killed loses its last minute.
"""

import re
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

_PROGRAMS = re.compile(r"bot|crawl|spider|slurp|curl|wget|python|monitor", re.IGNORECASE)


def is_person(user_agent: str) -> bool:
    """Whether a browser seems to ask: programs that name themselves are not counted."""
    return bool(user_agent) and not _PROGRAMS.search(user_agent)


@dataclass(frozen=True)
class Counts:
    """Times by listing id; `used` by partner and use (store/partners.py)."""

    shown: Counter[str] = field(default_factory=Counter)
    opened: Counter[str] = field(default_factory=Counter)
    used: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.shown or self.opened or self.used)


class Seen:
    """What was seen since it was last taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = Counts()

    def shown(self, ids: Iterable[str]) -> None:
        """Listings stood on a page of results."""
        with self._lock:
            self._counts.shown.update(ids)

    def opened(self, id_: str) -> None:
        """A listing's own page was opened."""
        with self._lock:
            self._counts.opened[id_] += 1

    def used(self, partner: str, use: str) -> None:
        """A partner's key was used."""
        with self._lock:
            self._counts.used[partner, use] += 1

    def take(self) -> Counts:
        """What was seen; counting begins anew."""
        with self._lock:
            taken, self._counts = self._counts, Counts()
        return taken

    def put_back(self, counts: Counts) -> None:
        """What was taken could not be written down."""
        with self._lock:
            self._counts.shown.update(counts.shown)
            self._counts.opened.update(counts.opened)
            self._counts.used.update(counts.used)
