"""A collector of traces, for tests to read what was sent to it: OTLP over HTTP."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """What has come, in the order of its coming."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []

    @property
    def said(self) -> str:
        """Every byte, as text."""
        return b"\n".join(self.bodies).decode("utf-8", "replace")

    @property
    def requests(self) -> list[ExportTraceServiceRequest]:
        return [ExportTraceServiceRequest.FromString(body) for body in list(self.bodies)]

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def names(self) -> list[str]:
        return sorted(span.name for span in self.spans)

    def span(self, name: str) -> Span:
        """The one of this name."""
        (found,) = (span for span in self.spans if span.name == name)
        return found

    def until(self, holds: Callable[[], bool], wait_s: float = 20) -> None:
        end = time.monotonic() + wait_s
        while not holds():
            assert time.monotonic() < end, self.names
            time.sleep(0.05)


def attributes(of: Span) -> dict[str, str | int]:
    return {each.key: _value(each) for each in of.attributes}


def _value(given: KeyValue) -> str | int:
    return given.value.string_value or given.value.int_value


@contextmanager
def collector() -> Iterator[Collector]:
    came = Collector()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            came.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        came.url = f"http://127.0.0.1:{server.server_port}/v1/traces"
        try:
            yield came
        finally:
            server.shutdown()
