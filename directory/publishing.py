"""What the store has changed, brought into the search index: the one way in is the changefeed.

The index says up to which change it has come, so it goes on from there, wherever it was left: if it
was made from this store, and from the history that the store has now.
"""

import threading
from collections.abc import Callable, Iterator

from directory.listing import Change
from directory.search.engine import Engine
from directory.store import changefeed
from directory.store.database import Database

BATCH = 1_000


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
        engine.apply(batch, last, mark)
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
