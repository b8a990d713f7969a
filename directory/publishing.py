"""What the store has changed, brought into the search index: the one way in is the changefeed.

The index says up to which change it has come, so it goes on from there, wherever it was left: if it
was made from this store, and from the history that the store has now. A change that the engine
never takes must not hold up those behind it: it is found by halving its batch, tried a few times
alone, and then its listing is taken out of the index instead. So nobody is shown a state of it that
the store has left behind, and its next change, or a rebuild, brings it back.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from directory.listing import Change
from directory.search.engine import Engine
from directory.store import changefeed
from directory.store.database import Database

log = logging.getLogger("directory.publishing")

BATCH = 1_000

TRIES, PAUSE_S = 3, 1.0
"""A change alone is tried so often; the pause between doubles, and varies by half."""

MOST_REFUSED = 20
"""If more changes of one batch are refused, it is the engine or the code, and not the changes."""


_HARMLESS = Change(1, "-", None, datetime(2000, 1, 1, tzinfo=UTC))
"""Deletes what no listing can be called: an engine that can write at all takes it."""


OTHER_HISTORY = "the search index was made from another history of the store: run `indexer sync`"


class Stopped(Exception):
    """The work was to stop, and did so between two batches; it goes on from there next time."""


def publish(
    database: Database,
    engine: Engine,
    position: int,
    progress: Callable[[int], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> int:
    """Apply every change after the position that the index has; says of how many listings."""
    applied = 0
    for batch in batches(database, position, BATCH, stop):
        last = batch[-1].number
        with database.reading() as session:
            mark = changefeed.mark(session, last)
        try:
            engine.apply(batch, last, mark)
        except Exception:  # noqa: BLE001  # what is not the fault of a change comes again
            put = partial(engine.apply, position=position)
            engine.apply(as_taken(put, batch, stop), last, mark)
        position = last
        applied += len(batch)
        progress(len(batch))
    return applied


def batches(
    database: Database, position: int, size: int, stop: threading.Event | None = None
) -> Iterator[list[Change]]:
    """The changes after a position, until there are none; Stopped where it is to stop."""
    while True:
        if stop and stop.is_set():
            raise Stopped
        with database.reading() as session:
            batch = changefeed.changes(session, since=position, limit=size)
        if not batch:
            return
        yield batch
        position = batch[-1].number


Put = Callable[[Sequence[Change]], object]
"""Takes changes into an index; those that it has taken before change nothing."""


def as_taken(
    put: Put, batch: Sequence[Change], stop: threading.Event | None = None
) -> list[Change]:
    """A batch in which a delete stands for each change that the engine refuses alone.

    The others are put on the way. Raises what `put` raises where the fault is not that of a few
    changes: the engine takes nothing at all, or refuses too many.
    """
    refused: dict[str, Exception] = {}
    parts = [batch]
    while parts:
        part = parts.pop()
        try:
            put(part)
        except Exception as error:
            if len(refused) == MOST_REFUSED or not _takes_anything(put):
                raise
            if len(part) > 1:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
            elif not _is_taken_at_last(put, part, stop):
                refused[part[0].id] = error
    for id_, why in refused.items():
        # An engine's words quote the field that it refuses, which may be a street.
        log.error("%s is left out of the index, which refuses it: %s", id_, type(why).__name__)
    return [replace(each, document=None) if each.id in refused else each for each in batch]


def _takes_anything(put: Put) -> bool:
    try:
        put([_HARMLESS])
    except Exception:  # noqa: BLE001  # the error that led here is the one to be told
        return False
    return True


def _is_taken_at_last(put: Put, part: Sequence[Change], stop: threading.Event | None) -> bool:
    waiting = stop or threading.Event()
    for tried in range(TRIES - 1):
        varied = random.uniform(0.5, 1.5)  # noqa: S311  # no secret
        if waiting.wait(PAUSE_S * 2**tried * varied):
            raise Stopped
        try:
            put(part)
        except Exception:  # noqa: BLE001, S112  # the first one is told, once the tries are over
            continue
        return True
    return False
