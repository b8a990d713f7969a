"""A node, asked over connections that are kept open.

The client's own way of speaking HTTP took a quarter of what the web tier spends on an answer: most
of it to read headers and chunks in Python. Here httptools does that, which is the parser of
uvicorn (docs/decisions/023-web-tier.md).
"""

import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping
from typing import ClassVar, cast

import httptools
from elastic_transport import (
    ApiResponseMeta,
    BaseNode,
    ConnectionTimeout,
    HttpHeaders,
    NodeConfig,
    TlsError,
)
from elastic_transport import ConnectionError as NoConnection
from elastic_transport._node import NodeApiResponse
from elastic_transport.client_utils import DEFAULT, DefaultType

_PORTION = 65_536
_FIRST_FINAL = 200
"""HTTP statuses below are of answers that another one follows."""


class Node(BaseNode):
    """One node. Any thread may ask it, each over a connection of its own for as long as it does.

    Of what else a node could be told (NodeConfig) it takes the authorities' file alone.
    """

    _CLIENT_META_HTTP_CLIENT: ClassVar[tuple[str, str]] = ("ht", httptools.__version__)

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self._tls = _tls(config)
        self._idle: deque[socket.socket] = deque()
        host = f"[{config.host}]" if ":" in config.host else config.host
        self._own = _lines({"Host": f"{host}:{config.port}", **self.headers})

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: float | DefaultType | None = DEFAULT,
    ) -> NodeApiResponse:
        """What the node answers, all of it within so many seconds, which must be given.

        Only to resolve its name takes as long as it takes. ConnectionTimeout where it does not
        answer; other TransportErrors where it cannot be reached, ends before its answer does, or
        says anything beside one answer. There is no HEAD: its answer would be waited for.
        """
        begun = time.monotonic()
        ends = begun + cast("float", request_timeout)
        connection = None
        try:
            connection = self._kept() or self._connect(ends)
            self._send(connection, ends, f"{method} {self.path_prefix}{target}", headers, body)
            answer = _received(connection, ends)
            if answer.may_be_followed:
                self._idle.append(connection)
                connection = None
        except TimeoutError as error:
            raise ConnectionTimeout("there was no answer in time", errors=(error,)) from error
        except ssl.SSLError as error:
            raise TlsError(str(error), errors=(error,)) from error
        except (OSError, httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise NoConnection(str(error), errors=(error,)) from error
        finally:
            if connection:
                connection.close()
        took = time.monotonic() - begun
        meta = ApiResponseMeta(answer.status, "1.1", answer.headers, took, self.config)
        return NodeApiResponse(meta, b"".join(answer.body))

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def _kept(self) -> socket.socket | None:
        """A connection that is open and idle; one that has something to say has been ended."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            poll = select.poll()
            poll.register(connection, select.POLLIN)
            if not poll.poll(0):
                return connection
            connection.close()
        return None

    def _connect(self, ends: float) -> socket.socket:
        """A new connection to one of the node's addresses; all of them share the time."""
        failed = OSError(f"{self.host} has no address")
        for family, kind, _, _, address in socket.getaddrinfo(
            self.host, self.port, type=socket.SOCK_STREAM
        ):
            connection = socket.socket(family, kind)
            try:
                connection.settimeout(_left(ends))
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if not self._tls:
                    return connection
                connection.settimeout(_left(ends))
                return self._tls.wrap_socket(connection, server_hostname=self.host)
            except OSError as error:
                connection.close()
                failed = error
        raise failed

    def _send(
        self,
        connection: socket.socket,
        ends: float,
        what: str,
        headers: HttpHeaders | None,
        body: bytes | None,
    ) -> None:
        """Head and body in one piece: the node would be woken for each."""
        length = f"Content-Length: {len(body or b'')}"
        head = f"{what} HTTP/1.1\r\n{self._own}{_lines(headers or {})}{length}\r\n\r\n"
        connection.settimeout(_left(ends))
        connection.sendall(head.encode("latin-1") + (body or b""))


class _Answer:
    """What httptools tells of an answer as it comes."""

    def __init__(self) -> None:
        self.status = 0
        self.headers = HttpHeaders()
        self.body: list[bytes] = []
        self.begun = 0
        self.is_whole = False

    @property
    def may_be_followed(self) -> bool:
        """Whether the connection may be asked again."""
        return "close" not in (self.headers.get("connection") or "").lower()

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_header(self, name: bytes, value: bytes) -> None:
        named, said = name.decode("latin-1"), value.decode("latin-1")
        before = self.headers.get(named)
        self.headers[named] = f"{before}, {said}" if before else said

    def on_body(self, portion: bytes) -> None:
        self.body.append(portion)

    def on_message_complete(self) -> None:
        self.is_whole = True


def _received(connection: socket.socket, ends: float) -> _Answer:
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    while not answer.is_whole:
        connection.settimeout(_left(ends))
        if not (portion := connection.recv(_PORTION)):
            raise ConnectionError("the connection ended before the answer")
        parser.feed_data(portion)
    answer.status = parser.get_status_code()
    # What is not the one answer, on its way or behind it, would be read as that to the next call.
    if answer.begun != 1 or answer.status < _FIRST_FINAL:
        raise ConnectionError("the node said more than one answer")
    return answer


def _lines(headers: Mapping[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


def _left(ends: float) -> float:
    """Seconds; a time-out of nothing would mean none."""
    if (left := ends - time.monotonic()) <= 0:
        raise TimeoutError("the time is over")
    return left


def _tls(config: NodeConfig) -> ssl.SSLContext | None:
    if config.scheme != "https":
        return None
    return ssl.create_default_context(cafile=config.ca_certs)
