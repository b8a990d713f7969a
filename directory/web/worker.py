"""The serving process: gunicorn's, with two limits on what a client can make it wait for.

Gunicorn gives each connection a thread at once, which waits for the request: a few clients who send
a byte now and then have all threads soon. Here a connection waits beside the threads until the head
of its request is there. A thread still waits for a body, and for its answer to be taken; but not
for a client that is silent meanwhile. One that drips has its thread as long as it likes, so a proxy
that buffers belongs before a site that anybody may reach (docs/reliability.md).

The other way round, a thread stays with a client that asks again at once, as a proxy does: to give
the connection back and to take it again wakes two threads more, which took 0.2 ms of each answer.
"""

import socket
import struct
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_S = 10.0
"""How long the head of a request may take, from its first byte or from the connection."""

SILENCE_S = 10
"""How long a thread waits for the next byte to come or to go."""

AT_ONCE_S = 0.01
"""How long a thread waits for the next request of a client, if another thread is free then. It asks
that once only: who comes meanwhile may wait for as long, if the others are taken by then."""

MOST_CONNECTIONS = 900
"""Of one process. Many systems allow 1,024 open files, and a process needs some of them itself."""

_END = b"\r\n\r\n"
_LONGEST = 65_536
"""Bytes; a longer head is handed over as it is, and refused."""


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's worker with threads; connections wait outside of them for a whole head."""

    _taken = 0
    """Connections that have a thread or wait for one; only the main thread counts."""

    def enqueue_req(self, conn: TConn) -> None:
        """Hand a connection to a thread, or let it wait if the head is not whole.

        Gunicorn calls this for a new connection, and whenever there is something to read.
        """
        come = _come(conn.sock)
        # It was to be told only of more: if there is none, the client has ended.
        is_over = come is not None and len(come) == getattr(conn, "come", 0)
        if _is_read_already(conn) or is_over or _is_enough(come):
            conn.come, conn.waits_until, conn.data_ready = 0, None, True
            _wake_from(conn.sock, 1)
            _bear_no_silence(conn.sock)
            self._taken += 1
            super().enqueue_req(conn)
        else:
            conn.come = len(come or b"")
            self._wait(conn)

    def handle(self, conn: TConn) -> Any:  # noqa: ANN401  # gunicorn's affair
        """Answer a request, and the next ones of its client as long as they come at once."""
        while True:
            is_kept = super().handle(conn)
            if is_kept is not True or not self._has_next(conn):
                return is_kept

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """Take a connection back from its thread."""
        self._taken -= 1
        super().finish_request(conn, fs)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End as gunicorn does; the errands at once: they have the same time as the requests."""
        self.method_queue.defer(self.app.end_errands)
        super().handle_exit(sig, frame)

    def _has_next(self, conn: TConn) -> bool:
        """Whether the whole head of another request is there soon."""
        if self._taken >= self.cfg.threads or not self.alive or _is_read_already(conn):
            return False
        conn.sock.settimeout(AT_ONCE_S)
        try:
            return _is_enough(conn.sock.recv(_LONGEST, socket.MSG_PEEK))
        except OSError:
            return False

    def _wait(self, conn: TConn) -> None:
        now = time.monotonic()
        conn.waits_until = getattr(conn, "waits_until", None) or now + HEAD_S
        if now > conn.waits_until:  # gunicorn looks at who waits in front, and this one is behind
            self.nr_conns -= 1
            conn.close()
            return
        conn.timeout = conn.waits_until
        conn.sock.setblocking(False)
        _wake_from(conn.sock, conn.come + 1)
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))


def _is_read_already(conn: TConn) -> bool:
    """Whether gunicorn has taken some of the next request together with the last one."""
    return conn.parser is not None and bool(conn.parser.unreader.buf.getvalue())


def _come(client: socket.socket) -> bytes | None:
    """What has come, without taking it: None if nothing has, empty where nothing more will."""
    try:
        return client.recv(_LONGEST, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _is_enough(come: bytes | None) -> bool:
    return come is not None and (_END in come or len(come) >= _LONGEST)


def _wake_from(client: socket.socket, size: int) -> None:
    """Let the poller tell only of so many bytes: what is there already is no news."""
    _set(client, socket.SO_RCVLOWAT, size)


def _bear_no_silence(client: socket.socket) -> None:
    """Let what a thread reads or writes fail where nothing comes or goes for so long."""
    for way in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        _set(client, way, struct.pack("ll", SILENCE_S, 0))


def _set(client: socket.socket, option: int, value: int | bytes) -> None:
    # One that is closed already is found out by whoever reads it.
    with suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, option, value)
