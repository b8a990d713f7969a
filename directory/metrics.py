"""What is counted and timed for Prometheus: requests and the engine, by all serving processes.

Labels are route templates, methods, status codes and the names of questions to the engine: nothing
that somebody typed. With counts that processes share, a request costs 14 µs, a question as much.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from directory.search.engine import EngineUnavailable

log = logging.getLogger("directory.metrics")

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Whatever else a client calls its method is text of its own."""

_ROOM = {"histogram": 4 << 20, "counter": 1 << 16}
"""Bytes of a process: a route, method and status take 2.8 kB, so this is room for 1,500."""


CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Gauge:
    """What is measured when somebody looks: values by those of the labels."""

    name: str
    said: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]

    @classmethod
    def of(cls, name: str, said: str, value: float) -> "Gauge":
        """One value, without labels."""
        return cls(name, said, (), {(): value})


class Metrics:
    """Counts of this process; with a folder, of all that share it.

    Where the folder has no room any more, this process counts alone, and says so in the log.
    """

    def __init__(self, folder: Path | None = None) -> None:
        if folder and not _has_room(folder):
            log.warning("no room in %s: this process counts for itself alone", folder)
            folder = None
        if folder:
            # The library looks for it when it is imported, so that comes afterwards.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        from prometheus_client import CollectorRegistry, Counter, Histogram
        from prometheus_client.multiprocess import MultiProcessCollector

        self._registry = CollectorRegistry()
        own = None if folder else self._registry
        if folder:
            MultiProcessCollector(self._registry, path=str(folder))  # type: ignore[no-untyped-call]
        self._requests = Histogram(
            "directory_request_seconds", "Requests by route template, method and status.",
            ("method", "route", "status"), buckets=_SECONDS, registry=own,
        )  # fmt: skip
        self._asked = Histogram(
            "directory_engine_seconds", "Questions to the search engine.",
            ("question",), buckets=_SECONDS, registry=own,
        )  # fmt: skip
        self._failed = Counter(
            "directory_engine_failures", "Questions that the engine could not answer.",
            ("question",), registry=own,
        )  # fmt: skip

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        known = method if method in METHODS else "other"
        self._requests.labels(known, route, status).observe(seconds)

    @contextmanager
    def asking(self, question: str) -> Iterator[None]:
        """Time a question to the engine, and count it where it fails."""
        began = perf_counter()
        try:
            yield
        except EngineUnavailable:
            self._failed.labels(question).inc()
            raise
        finally:
            self._asked.labels(question).observe(perf_counter() - began)

    def page(self, gauges: Iterable[Gauge]) -> bytes:
        """All that was counted, and these, in Prometheus's text format."""
        from prometheus_client import generate_latest
        from prometheus_client.core import GaugeMetricFamily

        families = []
        for each in gauges:
            family = GaugeMetricFamily(each.name, each.said, labels=each.labels)
            for labels, value in each.values.items():
                family.add_metric(labels, value)
            families.append(family)
        return generate_latest(self._registry) + generate_latest(_Collected(families))


def _has_room(folder: Path) -> bool:
    """Take the room for what this process counts, in the files that the library is about to map.

    It would make them without any, and the system kills a process that writes where none is left.
    """
    files = {folder / f"{kind}_{os.getpid()}.db": size for kind, size in _ROOM.items()}
    try:
        for path, size in files.items():
            path.write_bytes(bytes(size))
    except OSError:
        for path in files:
            path.unlink(missing_ok=True)
        return False
    return True


class _Collected:
    """Families as a registry of them."""

    def __init__(self, families: list[Any]) -> None:
        self._families = families

    def collect(self) -> Iterator[Any]:
        yield from self._families
