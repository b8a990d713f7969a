"""The server that ships: gunicorn, configured here instead of in a file of its own."""

import gc
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from gunicorn.app.base import BaseApplication

from directory.app import create_app
from directory.counters import Counters
from directory.errands import Errands
from directory.metrics import Metrics
from directory.services import services
from directory.settings import Settings
from directory.web import log
from directory.web.worker import MOST_CONNECTIONS, Worker

if TYPE_CHECKING:
    from directory.traces import Traces

WORKERS, THREADS = 2, 4
"""Two processes share two cores, four threads each wait for the engine. No other WSGI server was
measurably faster (docs/decisions/005-server.md)."""

_IN_MEMORY = "/dev/shm"  # noqa: S108  # gunicorn makes a file of its own there, without a name

DRAIN_S = 20
"""How long requests that were accepted may take once the server is told to stop."""


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Serves the site. Every worker opens its own services: connections do not survive a fork.

    Gunicorn's own access log stays off, as it would hold what people search for.
    """

    def __init__(self, settings: Settings, bind: str) -> None:
        log.configure(settings.log_format)
        self._settings = settings
        self._bind = bind
        self._errands: Errands | None = None
        self._traces: Traces | None = None
        self._counters = Counters()  # before the workers are forked, so that they share them
        self._shared = Path(tempfile.mkdtemp(prefix="directory-metrics-"))
        super().__init__()

    def load_config(self) -> None:
        """Gunicorn asks for its configuration."""
        chosen = {
            "bind": self._bind,
            "workers": WORKERS,
            "threads": THREADS,
            "worker_class": f"{Worker.__module__}.{Worker.__name__}",
            "worker_connections": MOST_CONNECTIONS,
            "worker_exit": self._end,
            # A worker touches a file at every turn to show that it lives: that is no disk's affair.
            "worker_tmp_dir": _IN_MEMORY if Path(_IN_MEMORY).is_dir() else None,
            "logger_class": log.GunicornLog,
            "sendfile": False,  # it waits for a reader without an end, and our files are small
            # Else a proxy nearby could let a client say under which path the site lies.
            "forwarder_headers": "",
            "accesslog": None,
            "errorlog": None,
            "loglevel": "warning",
            "graceful_timeout": DRAIN_S,
            "on_exit": lambda _: shutil.rmtree(self._shared, ignore_errors=True),
        }
        for key, value in chosen.items():
            self.cfg.set(key, value)

    def load(self) -> Flask:
        """Gunicorn asks each worker for its application."""
        self._traces = traces = _traces(self._settings.traces_url)
        parts = services(self._settings, transaction=traces.transaction if traces else None)
        parts.places.matches("")  # makes the gazetteer before the first visitor comes
        self._errands = Errands(parts)
        self._errands.start()
        metrics = Metrics(self._shared)
        app = create_app(self._settings, parts, self._counters, metrics, traces)
        # What is here by now stays: to look through it for cycles stops every thread for 40 ms.
        gc.freeze()
        return app

    def end_errands(self) -> None:
        """Let the errands end, while requests that were accepted are still answered."""
        if self._errands:
            threading.Thread(target=self._errands.stop, daemon=True).start()

    def _end(self, _arbiter: object, _worker: object) -> None:
        """Gunicorn tells a worker that it ends, once the requests are through."""
        if self._errands:
            self._errands.stop()
        if self._traces:
            self._traces.end()


def _traces(url: str) -> "Traces | None":
    """Where spans go to, by its URL; None where that is empty."""
    if not url:
        return None
    from directory.traces import Traces  # 0.1 s of a start, and of packages that are optional

    return Traces(url)
