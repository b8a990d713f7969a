"""Preparing records in a second process, while the first stores those before."""

import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice

from indexer.prepare import Prepared, Preparer
from indexer.sources.files import Part
from indexer.sources.record import Passed, Record

BATCH = 2_000
"""Records a transaction: others wait for the store no longer than about a fifth of a second."""

SMALL_BYTES = 8_000_000
"""A smaller file is done before a second process would pay."""

_AHEAD = 3
_LOOKED_FOR_S = 0.5

Batch = list[tuple[Record | Passed, Prepared | None]]

_preparer: list[Preparer] = []
"""The second process's own, from its start."""


def prepared_batches(
    part: Part, stream: Iterator[Record | Passed], prepare: Preparer
) -> Iterator[Batch]:
    """The records of a stream as they are to be stored, in order and in batches."""
    batches = iter(lambda: list(islice(stream, BATCH)), [])
    if part.size < SMALL_BYTES:
        for batch in batches:
            yield list(zip(batch, _prepare_all(prepare, _records(batch)), strict=True))
    else:
        yield from _in_second_process(batches, prepare)


def _in_second_process(
    batches: Iterator[list[Record | Passed]], prepare: Preparer
) -> Iterator[Batch]:
    prepare.places.middle({})  # the gazetteer is made once, and forked
    waiting: deque[tuple[list[Record | Passed], Future[list[Prepared | None]]]] = deque()
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, fork, _start, (prepare, os.getpid())) as second:
        second.submit(_prepare_here, []).result()  # forked before any thread is started
        for batch in batches:
            waiting.append((batch, second.submit(_prepare_here, _records(batch))))
            if len(waiting) > _AHEAD:
                yield _joined(*waiting.popleft())
        while waiting:
            yield _joined(*waiting.popleft())


def _joined(batch: list[Record | Passed], prepared: "Future[list[Prepared | None]]") -> Batch:
    return list(zip(batch, prepared.result(), strict=True))


def _records(batch: Sequence[Record | Passed]) -> list[Record | None]:
    return [each if isinstance(each, Record) else None for each in batch]


def _start(prepare: Preparer, parent: int) -> None:
    _preparer.append(prepare)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End when the first process has been killed: it holds both ends of the pipe itself."""
    while os.getppid() == parent:
        time.sleep(_LOOKED_FOR_S)
    os._exit(1)


def _prepare_here(records: Sequence[Record | None]) -> list[Prepared | None]:
    return _prepare_all(_preparer[-1], records)


def _prepare_all(prepare: Preparer, records: Sequence[Record | None]) -> list[Prepared | None]:
    return [prepare(record) if record else None for record in records]
