"""A client that costs next to nothing: it shares two cores with the server and the engine."""

import socket
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from urllib.parse import urlsplit


def get(path: str, *lines: str) -> bytes:
    """A GET request as it goes over the line, with further header lines."""
    head = (f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json", *lines, "", "")
    return "\r\n".join(head).encode()


def post(path: str, body: bytes) -> bytes:
    """A POST request as it goes over the line."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Client:
    """One connection that is kept open."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: bytes, status: bytes = b"200") -> tuple[float, bytes]:
        """How long the whole answer took (ms), and the answer; another status is an error."""
        started = time.perf_counter()
        self._socket.sendall(request)
        answer = self._socket.recv(1 << 18)
        while not _is_whole(answer):
            more = self._socket.recv(1 << 18)
            assert more, f"cut short: {answer[:300]!r}"
            answer += more
        took = (time.perf_counter() - started) * 1000
        assert answer.startswith(b"HTTP/1.1 " + status), answer[:500]
        return took, answer


def _is_whole(answer: bytes) -> bool:
    head, parted, rest = answer.partition(b"\r\n\r\n")
    if not parted:
        return False
    if head.startswith(b"HTTP/1.1 304"):
        return True
    lowered = head.lower()
    if b"transfer-encoding: chunked" in lowered:
        return rest.endswith(b"0\r\n\r\n")
    length = lowered.partition(b"content-length:")[2].split(b"\r\n")[0]
    return len(rest) >= int(length or 0)


@dataclass(frozen=True)
class Load:
    """What a stretch of load came to: answers a second, and how long each took (ms)."""

    a_second: float
    times: list[float]

    @property
    def p50(self) -> float:
        return statistics.median(self.times)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.times, n=20)[-1]


def load(url: str, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    """Ask with so many clients at once, each going round the requests from a place of its own.

    What a client raises is raised: those that were left would have had the server to themselves.
    """
    begun = time.perf_counter()
    until = begun + seconds

    def go(number: int) -> list[float]:
        times = []
        with Client(url) as client:
            start = number * len(requests) // clients
            for request in islice(cycle(requests), start, None):
                if time.perf_counter() > until:
                    break
                times.append(client.ask(request)[0])
        return times

    with ThreadPoolExecutor(clients) as pool:
        times = [took for each in pool.map(go, range(clients)) for took in each]
    return Load(len(times) / (time.perf_counter() - begun), times)
