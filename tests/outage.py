"""A wire to a real server that can be cut and mended, as a network or a restart would do it.

What the server says can be altered on its way, held up, or let through in drops.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.elasticsearch_node import free_port

DROP_S = 0.2


class Wire:
    """Forwards connections to one server; `url` is where it listens.

    `alter` is given each piece of what the server says and gives what is passed on; where that is
    shorter, the connection ends with it. Where `drops` is not zero, so many bytes pass at a time,
    and none for a moment.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "", parts.port or 0)
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._listening: socket.socket | None = None
        self._open: list[socket.socket] = []
        self.alter: Callable[[bytes], bytes] = bytes
        self.drops = 0

    def mend(self) -> None:
        """Take connections."""
        listening = socket.create_server(("127.0.0.1", self._port))
        self._listening = listening
        threading.Thread(target=self._take, args=(listening,), daemon=True).start()

    def cut(self) -> None:
        """Take none any more, and end those that there are."""
        if self._listening:
            with contextlib.suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def _take(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                server = socket.create_connection(self._server)
                self._open += [client, server]
                altered = lambda said: self.alter(said)  # noqa: E731  # as it is by then
                for ends in ((client, server, bytes), (server, client, altered)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(
        self, one: socket.socket, other: socket.socket, alter: Callable[[bytes], bytes]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                passed = alter(data)
                step = self.drops or len(passed) or 1
                for at in range(0, len(passed), step):
                    other.sendall(passed[at : at + step])
                    time.sleep(DROP_S if self.drops else 0)
                if len(passed) < len(data):
                    break
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)


@contextmanager
def wire(url: str) -> Iterator[Wire]:
    made = Wire(url)
    made.mend()
    try:
        yield made
    finally:
        made.cut()
