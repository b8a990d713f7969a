"""Keeping the index in step with the store: there is one way in, and it is the changefeed.

The index says up to which change it has come, so it catches up from there, wherever it was left:
killed, down, wiped, or fed the same changes twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from directory.listing import Change
from directory.search.engine import Engine
from directory.store import changefeed
from directory.store.database import Database

BATCH = 1_000
REBUILD_BATCH = 5_000
"""Larger: the embedded engine rewrites each cell that a batch touches, once a batch."""

Progress = Callable[[int], None]
"""Told how many changes (or listings) were applied since it was last told."""


@dataclass(frozen=True)
class Status:
    """How far the index is behind the store. `indexed` is None where there is no index."""

    store_position: int
    index_position: int | None
    indexed: int | None

    @property
    def behind(self) -> int | None:
        """How many change numbers the index is behind."""
        if self.index_position is None:
            return None
        return self.store_position - self.index_position


def status(database: Database, engine: Engine) -> Status:
    """Where store and index stand."""
    with database.reading() as session:
        store_position = changefeed.position(session)
    served = engine.status()
    if not served:
        return Status(store_position, None, None)
    return Status(store_position, served.position, served.documents)


def sync(database: Database, engine: Engine, progress: Progress = lambda _: None) -> int:
    """Apply every change that the index has not seen; says how many.

    Without an index, or with one that is ahead of the store (the store was restored from an older
    backup), the index is rebuilt.
    """
    served = engine.status()
    with database.reading() as session:
        latest = changefeed.position(session)
    if served is None or served.position > latest:
        return rebuild(database, engine, progress)
    applied, position = 0, served.position
    while batch := _changes(database, position):
        position = batch[-1].number
        engine.apply(batch, position)
        applied += len(batch)
        progress(len(batch))
    return applied


def rebuild(database: Database, engine: Engine, progress: Progress = lambda _: None) -> int:
    """Fill a new generation from the store and swap it in; says how many listings it holds.

    Searches are answered by the old generation until the new one has all that the store has,
    what was written meanwhile included. If anything fails, the old one stays.
    """
    with engine.new_generation() as generation:
        with database.reading() as session:
            position = changefeed.position(session)
            count = 0
            stream = changefeed.published(session)
            for batch in iter(lambda: list(islice(stream, REBUILD_BATCH)), []):
                generation.apply(batch)
                count += len(batch)
                progress(len(batch))
        while meanwhile := _changes(database, position):
            generation.apply(meanwhile)
            position = meanwhile[-1].number
        generation.serve(position)
    return count


def _changes(database: Database, since: int) -> list[Change]:
    with database.reading() as session:
        return changefeed.changes(session, since=since, limit=BATCH)
