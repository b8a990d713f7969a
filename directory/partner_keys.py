"""Whose a key is: asked of the store once a minute, and remembered while the store is down.

A search needs no store, and so neither does one that a partner's page embeds. A key that was ended
goes on for as long as it is remembered: a minute.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime

from cachetools import LRUCache

from directory.partner import Partner
from directory.store import partners
from directory.store.database import Database, StoreUnavailable

REMEMBERED_S = 60.0
_MOST_KEYS, _LONGEST_KEY = 10_000, 100
_NEWS_S = 1.0
"""How soon the origin of a new partner is known."""


class PartnerKeys:
    """The partners as they are known to this process."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._known: LRUCache[str, tuple[float, Partner]] = LRUCache(_MOST_KEYS)
        self._unknown: LRUCache[str, float] = LRUCache(_MOST_KEYS)
        self._all: tuple[float, list[Partner]] = (-REMEMBERED_S, [])

    def partner(self, key: str) -> Partner | None:
        """Whose key it is, while it is live. StoreUnavailable where that was never known."""
        if not key or len(key) > _LONGEST_KEY:
            return None
        hashed, now = partners.hashed(key), time.monotonic()
        with self._lock:
            asked_at, before = self._known.get(hashed, (-REMEMBERED_S, None))
            unknown_at = self._unknown.get(hashed, -REMEMBERED_S)
        if now < max(asked_at, unknown_at) + REMEMBERED_S:
            return before if asked_at > unknown_at else None
        try:
            with self._database.reading() as session:
                found = partners.of_key(session, key, self._clock())
        except StoreUnavailable:
            if not before:
                raise
            found = before  # and the store is left in peace for a minute
        with self._lock:
            # What nobody knows is kept apart: guesses push no partner out.
            if found:
                self._known[hashed] = (now, found)
            else:
                self._known.pop(hashed, None)
                self._unknown[hashed] = now
        return found

    def remembers(self, key: str) -> bool:
        """Whether it is known without asking the store that this is somebody's key."""
        with self._lock:
            asked_at, _ = self._known.get(partners.hashed(key), (-REMEMBERED_S, None))
        return time.monotonic() < asked_at + REMEMBERED_S

    def may_ask(self, origin: str) -> bool:
        """Whether any partner has this origin: what a browser asks before it sends a key."""
        asked_at, known = self._all
        found, now = any(each.allows(origin) for each in known), time.monotonic()
        if now < asked_at + (REMEMBERED_S if found else _NEWS_S):
            return found
        try:
            with self._database.reading() as session:
                known = partners.partners(session)
        except StoreUnavailable:
            pass  # what was known a while ago
        self._all = (now, known)
        return any(each.allows(origin) for each in known)
