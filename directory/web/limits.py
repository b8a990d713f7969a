"""How often somebody may do something within a stretch of time, by each serving process."""

import re
import threading
import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from cachetools import LRUCache
from flask import request

_PLACES = 100_000
_PORT = re.compile(r"^(\[.*\]|[0-9.]+):\d+$")
"""Some proxies name the port, too."""


def sender() -> str:
    """The network address that a request comes from; of IPv6 its network, as one has it whole."""
    said = request.remote_addr or ""
    try:
        address = ip_address(_PORT.sub(r"\1", said).strip("[]"))
    except ValueError:
        return said
    if not isinstance(address, IPv6Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped or ip_network((address, 64), strict=False))


@dataclass(frozen=True)
class Allowance:
    """What is left of `most` until the stretch ends, in `resets_s` seconds; below 0, too much."""

    most: int
    left: int
    resets_s: int


class Limit:
    """Counts within stretches of `window_s` seconds, each begun by its first event."""

    def __init__(self, window_s: int) -> None:
        self.window_s = window_s
        self._lock = threading.Lock()
        self._counted: LRUCache[str, tuple[float, int]] = LRUCache(_PLACES)

    def take(self, what: str, most: int) -> Allowance:
        """Count one more."""
        now = time.monotonic()
        with self._lock:
            began, count = self._counted.get(what, (now, 0))
            if now >= began + self.window_s:
                began, count = now, 0
            self._counted[what] = (began, count + 1)
        return Allowance(most, most - count - 1, max(1, round(began + self.window_s - now)))
