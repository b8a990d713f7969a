"""Preparing records in a second process, while the first stores those before."""

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial

from indexer.prepare import Prepared, Preparer
from indexer.sources.files import Part, SourceError
from indexer.sources.record import Passed, Record

BATCH = 2_000
"""Records a transaction: others wait for the store no longer than about a fifth of a second."""

SMALL_BYTES = 8_000_000
"""Smaller files are done before a second process would pay."""

_AHEAD = 3
_LOOKED_FOR_S = 0.5
_LOST = """\
the process that prepares the records was ended from outside (is memory short?); run it again"""

Batch = list[tuple[Record | Passed, Prepared | None]]
Prepare = Callable[[Iterator[Record | Passed]], Iterator[Batch]]
"""The records of a stream as they are to be stored, in order and in batches.

What was read before an error comes before it.
"""

_preparer: list[Preparer] = []
"""The second process's own, from its start."""


@contextmanager
def preparing(prepare: Preparer, parts: Sequence[Part]) -> Iterator[Prepare]:
    """How the records of these parts are prepared.

    It is to be begun before any thread is started (a progress bar's, one that unpacks) and before
    any transaction: the second process is forked here, and a lock that a thread held then would be
    held in it for ever.
    """
    if all(part.size < SMALL_BYTES for part in parts):
        yield partial(_in_this_process, prepare)
        return
    prepare.places.middle({})  # the gazetteer is made once, and forked
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, fork, _start, (prepare, os.getpid())) as second:
        with _lost_as_source_error():
            second.submit(os.getpid).result()
        yield partial(_in_second_process, second)


def _in_this_process(prepare: Preparer, stream: Iterator[Record | Passed]) -> Iterator[Batch]:
    for batch in _batches(stream):
        yield list(zip(batch, _prepare_all(prepare, _records(batch)), strict=True))


def _in_second_process(
    second: ProcessPoolExecutor, stream: Iterator[Record | Passed]
) -> Iterator[Batch]:
    waiting: deque[tuple[list[Record | Passed], Future[list[Prepared | None]]]] = deque()
    failed: SourceError | None = None
    with _lost_as_source_error():
        try:
            for batch in _batches(stream):
                waiting.append((batch, second.submit(_prepare_there, _records(batch))))
                if len(waiting) > _AHEAD:
                    yield _joined(*waiting.popleft())
        except SourceError as error:
            failed = error
        while waiting:
            yield _joined(*waiting.popleft())
    if failed:
        raise failed


@contextmanager
def _lost_as_source_error() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as error:
        raise SourceError(_LOST) from error


def _batches(stream: Iterator[Record | Passed]) -> Iterator[list[Record | Passed]]:
    batch: list[Record | Passed] = []
    failed: SourceError | None = None
    try:
        for each in stream:
            batch.append(each)
            if len(batch) == BATCH:
                yield batch
                batch = []
    except SourceError as error:
        failed = error
    if batch:
        yield batch
    if failed:
        raise failed


def _joined(batch: list[Record | Passed], prepared: "Future[list[Prepared | None]]") -> Batch:
    return list(zip(batch, prepared.result(), strict=True))


def _records(batch: Sequence[Record | Passed]) -> list[Record | None]:
    return [each if isinstance(each, Record) else None for each in batch]


def _start(prepare: Preparer, parent: int) -> None:
    _preparer.append(prepare)
    for number in (signal.SIGINT, signal.SIGTERM):  # they go to both; the first ends this one
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End when the first process has been killed: it holds both ends of the pipe itself."""
    while os.getppid() == parent:
        time.sleep(_LOOKED_FOR_S)
    os._exit(1)


def _prepare_there(records: Sequence[Record | None]) -> list[Prepared | None]:
    return _prepare_all(_preparer[-1], records)


def _prepare_all(prepare: Preparer, records: Sequence[Record | None]) -> list[Prepared | None]:
    return [prepare(record) if record else None for record in records]
