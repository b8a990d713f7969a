"""How often somebody may do something within a stretch of time, and who that is."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from flask import current_app, request
from werkzeug.exceptions import TooManyRequests

from directory.counters import Counters

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

    def enforce(self, said: str) -> None:
        """Answer 429 with these words where there was too much."""
        if self.left < 0:
            raise TooManyRequests(said, retry_after=self.resets_s)


def take(what: str, most: int, window_s: int) -> Allowance:
    """Count one more of these, in all serving processes together.

    By stretches of another length the same is counted apart: what somebody asks within a minute
    says nothing of the forms of an hour.
    """
    counters: Counters = current_app.extensions["counters"]
    count, resets_s = counters.add(f"{window_s} {what}", window_s)
    return Allowance(most, most - count, max(1, round(resets_s)))
