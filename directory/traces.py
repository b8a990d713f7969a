"""What each request did, and for how long: spans for a collector that speaks OpenTelemetry.

Imported only where a collector is set, as the packages are optional. A span holds route templates,
methods, status codes, the names of questions and transactions, kinds of errors and the request's
id: nothing that somebody typed. Errors are told without their text, which may quote it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from threading import Thread
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode, format_trace_id, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from directory.metrics import METHODS
from directory.store.database import StoreUnavailable

_LAST_SENT_S = 3
"""How long the end of a process may wait for a collector that does not answer."""


class Traces:
    """Spans of this process; a thread of its own sends them, so make it after the fork.

    Which requests are traced is for OpenTelemetry's own variables to say (OTEL_TRACES_SAMPLER).
    """

    def __init__(self, url: str) -> None:
        whose = {
            "service.name": "directory",
            "service.version": version("dry-needling-directory"),
        }
        # Ours alone, not the process's: no library adds spans that hold more than these do.
        self._provider = TracerProvider(resource=Resource.create(whose), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url)))
        self._tracer = self._provider.get_tracer("directory")

    def around(self, app: WSGIApplication) -> WSGIApplication:
        """The application, with a span around each request, until its answer begins to be sent."""

        def traced(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            # What was asked is told by `answered`: a method may be any text.
            with self._tracer.start_as_current_span(
                "request", _begun_by_caller(environ), SpanKind.SERVER,
                record_exception=False, set_status_on_exception=False,
            ):  # fmt: skip
                return app(environ, start_response)

        return traced

    def answered(self, method: str, route: str, status: int, request_id: str) -> str:
        """Say of this request's span what it was; gives the trace's id, 32 hexadecimal digits.

        The route is a template, empty where none was met.
        """
        span = get_current_span()
        known = method if method in METHODS else "_OTHER"
        span.update_name(f"{known} {route}".strip())
        span.set_attributes(
            {
                "http.request.method": known,
                "http.response.status_code": status,
                "directory.request_id": request_id,
                **({"http.route": route} if route else {}),
            }
        )
        if status >= 500:
            span.set_status(StatusCode.ERROR)
        return format_trace_id(span.get_span_context().trace_id)

    @contextmanager
    def asking(self, question: str) -> Iterator[None]:
        """A span around a question to the engine."""
        with self._part(f"engine {question}", Exception):
            yield

    @contextmanager
    def transaction(self, kind: str) -> Iterator[None]:
        """A span around a transaction of the store; what its block refuses is no error of it."""
        with self._part(f"store {kind}", StoreUnavailable):
            yield

    def end(self) -> None:
        """Send what is left, if the collector takes it soon."""
        last = Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(_LAST_SENT_S)

    @contextmanager
    def _part(self, name: str, failure: type[Exception]) -> Iterator[None]:
        """A span within that of the request; none outside of one, or of one that is not traced."""
        if not get_current_span().is_recording():
            yield
            return
        with self._tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except failure as error:
                span.set_status(StatusCode.ERROR)
                span.set_attribute("error.type", type(error).__qualname__)
                raise


def _begun_by_caller(environ: WSGIEnvironment) -> Context:
    """The span that the request names as its parent (W3C Trace Context).

    Its `tracestate` is left out: it is text of the caller's, and spans would carry it along.
    """
    carried = {"traceparent": environ.get("HTTP_TRACEPARENT", "")}
    return TraceContextTextMapPropagator().extract(carried, Context())
