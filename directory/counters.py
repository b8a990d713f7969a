"""Counts that all serving processes share: how often something happened within a stretch of time.

They lie in memory that the processes have from the one that started them (web/server.py). So no
service and no file can be down or full, nothing is ever written to a disk, and all is gone once the
server stops. Names are network and e-mail addresses: only their hashes are kept, by a key that is
made anew with each server and known to nobody.
"""

import fcntl
import mmap
import os
import secrets
import struct
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

_SLOT = struct.Struct("=QdQ")
"""The hash of a name, when its stretch ends, and how often it was counted."""

_SETS, _WAYS = 16_384, 8
_SET_BYTES = _WAYS * _SLOT.size
"""131,072 names in 3 MB. A name may lie in any place of its set; where all are taken, the one that
ends first gives way. Nobody can choose whose: the sets follow from the key."""


class Counters:
    """Counts within stretches of time, each begun by its first event.

    Counting takes 16 us of a core that others use, too.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SETS * _SET_BYTES)
        self._key = secrets.token_bytes(16)
        self._turn = threading.Lock()
        with tempfile.TemporaryFile() as file:
            self._gate = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._gate)

    def add(self, what: str, window_s: float) -> tuple[int, float]:
        """Count one more; says how many there were, and in how many seconds the stretch ends."""
        digest = blake2b(what.encode(), digest_size=8, key=self._key).digest()
        name, now = int.from_bytes(digest, "big"), time.monotonic()
        first = name % _SETS * _SET_BYTES
        with self._alone():
            slots = list(_SLOT.iter_unpack(self._memory[first : first + _SET_BYTES]))
            place = min(range(_WAYS), key=lambda at: (slots[at][0] != name, slots[at][1]))
            found, ends, count = slots[place]
            if found != name or ends <= now:
                ends, count = now + window_s, 0
            _SLOT.pack_into(self._memory, first + place * _SLOT.size, name, ends, count + 1)
        return count + 1, ends - now

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One thread of one process at a time; the system lets go for a process that is killed."""
        with self._turn:
            fcntl.lockf(self._gate, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._gate, fcntl.LOCK_UN)
