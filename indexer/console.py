"""What the commands share: where they write, their exit codes, and how what goes wrong ends."""

import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console

from directory.places.place import PlacesUnavailable
from directory.search.engine import EngineUnavailable
from directory.services import Services, services
from directory.settings import InvalidSettings, settings
from directory.store.database import StoreUnavailable
from indexer.sources.files import SourceError
from indexer.sync import Shrunk, Unfit

REJECTED, FAILED, NOT_IN_STEP = 3, 1, 4
"""Exit codes beside 0 (all done), 2 (wrong use) and 128 and the number of the signal that ended it:
some records were rejected; something could not be done; the index is missing or behind."""

_EXPECTED = (
    EngineUnavailable, StoreUnavailable, PlacesUnavailable, InvalidSettings, SourceError, Shrunk,
    Unfit, OSError,
)  # fmt: skip
_ASKED_TO_END = (signal.SIGINT, signal.SIGTERM)
_out = Console(highlight=False, markup=False, soft_wrap=True)
err = Console(highlight=False, markup=False, soft_wrap=True, stderr=True)


def say(line: str) -> None:
    """Print a line of what was asked for."""
    _out.print(line)


def complain(error: object) -> None:
    """Print what went wrong, beside it."""
    err.print(f"Error: {error}")


def fail(error: object) -> NoReturn:
    """Print what went wrong, and end."""
    complain(error)
    sys.exit(FAILED)


@contextmanager
def opened() -> Iterator[Services]:
    """The services, with the store's tables up to date; what goes wrong ends in one line."""
    try:
        found = services(settings())
        found.database.migrate()
        try:
            yield found
        finally:
            found.close()
    except _EXPECTED as error:
        fail(error)


class _Stopped(KeyboardInterrupt):
    """This signal asked for the end; drivers let go of their connections as at Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def stoppable(word: str) -> Iterator[Callable[[], None]]:
    """Let Ctrl-C and SIGTERM end what is done here with a word; the second ends it at once.

    What it gives is to be called now and then: Python drops what is raised in the middle of a
    destructor or a weak reference's callback, of which the store's driver has many.
    """
    asked: list[int] = []

    def check() -> None:
        if asked:
            raise _Stopped(asked[0])

    def stop(number: int, _: object) -> None:
        asked.append(number)
        for each in _ASKED_TO_END:
            signal.signal(each, signal.SIG_DFL)
        check()

    for each in _ASKED_TO_END:
        signal.signal(each, stop)
    sys.unraisablehook = _not_of_a_stop
    try:
        yield check
    except _Stopped as stopped:
        err.print(word)
        sys.exit(128 + stopped.number)


def _not_of_a_stop(dropped: "sys.UnraisableHookArgs") -> None:
    """Python tells of what it drops, but for what ends it all: `check` raises that again."""
    if not isinstance(dropped.exc_value, _Stopped):
        sys.__unraisablehook__(dropped)


def told_to_stop() -> threading.Event:
    """Set once the process is asked to end."""
    stop = threading.Event()
    for number in _ASKED_TO_END:
        signal.signal(number, lambda *_: stop.set())
    return stop


def no_garbage_collection() -> None:
    """What a batch makes is freed without it; looking for cycles doubled the time of a load.

    Memory stays flat (benchmarks/indexing.md): there are hardly any cycles.
    """
    gc.freeze()
    gc.disable()
