"""Telling how work goes on: a bar on a terminal, a line now and then elsewhere."""

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from indexer.geocode import Upgrade
from indexer.summary import Result, Summary

LINE_EVERY_S = 15.0
"""Where there is no terminal; what is through sooner says nothing but its result."""


class Reporter:
    """Reports one piece of work; `total` is what it is measured by, None where nobody knows."""

    def __init__(self, console: Console, what: str, total: int | None) -> None:
        self._what = what
        self._console = console
        self._started = self._told = time.monotonic()
        self._bar = Progress(
            TextColumn(what), BarColumn(), TextColumn("{task.fields[said]}"), TimeElapsedColumn(),
            TimeRemainingColumn(), console=console, disable=not console.is_terminal,
        )  # fmt: skip
        self._task: TaskID = self._bar.add_task(what, total=total, said="")
        self._applied = 0

    def __enter__(self) -> "Reporter":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def loaded(self, read_bytes: int, summary: Summary) -> None:
        """So much of a load is done."""
        rejected = summary.counts[Result.REJECTED]
        self._tell(read_bytes, f"{self._rate(summary.read)}, {rejected:,} rejected")

    def geocoded(self, done: Upgrade) -> None:
        """So many addresses were asked for."""
        self._tell(done.asked, f"{self._rate(done.asked)}, {done.moved:,} moved")

    def advanced(self, applied: int) -> None:
        """So many more listings were indexed."""
        self._applied += applied
        self._tell(self._applied, self._rate(self._applied))

    def _rate(self, rows: int) -> str:
        return f"{rows:,} ({rows / max(time.monotonic() - self._started, 0.001):,.0f}/s)"

    def _tell(self, completed: int, said: str) -> None:
        self._bar.update(self._task, completed=completed, said=said)
        if not self._console.is_terminal and time.monotonic() - self._told > LINE_EVERY_S:
            self._told = time.monotonic()
            self._console.print(f"{self._what}: {said}")
