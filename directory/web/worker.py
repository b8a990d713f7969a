"""A serving process that lends no thread to a client who has not asked for anything yet.

Gunicorn gives each connection a thread at once, which waits for the request: a few clients who send
a byte now and then have all threads soon. Here a connection waits beside the threads until the head
of its request is there. A body is still waited for by a thread, so a proxy that buffers belongs
before a site that anybody may reach (docs/reliability.md).
"""

import socket
import time
from functools import partial
from selectors import EVENT_READ

from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_S = 10.0
"""How long the head of a request may take, from its first byte or from the connection."""

MOST_CONNECTIONS = 900
"""Of one process. Many systems allow 1,024 open files, and a process needs some of them itself."""

_END = b"\r\n\r\n"
_LONGEST = 65_536
"""Bytes; a longer head is handed over as it is, and refused."""


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's worker with threads; connections wait outside of them for a whole head."""

    def enqueue_req(self, conn: TConn) -> None:
        """Hand a connection to a thread, or let it wait if the head is not whole.

        Gunicorn calls this for a new connection, and whenever there is something to read.
        """
        come = _come(conn.sock)
        # It was to be told only of more: if there is none, the client has ended.
        is_over = come is not None and len(come) == getattr(conn, "come", 0)
        is_read_already = conn.parser is not None and conn.parser.unreader.buf.getvalue()
        if is_read_already or is_over or _is_enough(come):
            conn.come, conn.waits_until, conn.data_ready = 0, None, True
            _wake_from(conn.sock, 1)
            super().enqueue_req(conn)
        else:
            conn.come = len(come or b"")
            self._wait(conn)

    def _wait(self, conn: TConn) -> None:
        conn.waits_until = getattr(conn, "waits_until", None) or time.monotonic() + HEAD_S
        conn.timeout = conn.waits_until
        conn.sock.setblocking(False)
        _wake_from(conn.sock, conn.come + 1)
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))


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
    try:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)
    except OSError:
        return  # it is closed already, which whoever reads it finds out
