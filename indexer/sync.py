"""Keeping the index in step with the store: there is one way in, and it is the changefeed.

The index says up to which change it has come, so it catches up from there, wherever it was left:
killed, down, wiped, or fed the same changes twice.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from directory.listing import Change
from directory.search.engine import Engine, EngineUnavailable
from directory.services import Clock
from directory.store import changefeed
from directory.store.database import Database, StoreUnavailable
from directory.store.listings import Made, TooManyLapsed, age

BATCH = 1_000
REBUILD_BATCH = 5_000
"""Larger: the embedded engine rewrites each cell that a batch touches, once a batch."""

FOLLOW_S = 1.0

LEAST_SHARE = 0.6
"""A new index with a smaller share of the old one's listings is not served unasked."""

Progress = Callable[[int], None]
"""Told how many changes were applied since it was last told."""

Tell = Callable[[str], object]
"""Told, in a line, what happened."""


@dataclass(frozen=True)
class Status:
    """How far the index is behind the store; None where there is no index of this version."""

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
    if not served or not served.current:
        return Status(store_position, None, None)
    return Status(store_position, served.position, served.documents)


class Shrunk(Exception):
    """A new index would hold so much less than the old one that something must be wrong."""


def sync(database: Database, engine: Engine, progress: Progress = lambda _: None) -> int:
    """Apply every change that the index has not seen; says of how many listings.

    Without an index, or with one that was made for another version or is ahead of the store (which
    was then restored from an older backup), the index is rebuilt.
    """
    served = engine.status()
    with database.reading() as session:
        latest = changefeed.position(session)
    if served is None or not served.current or served.position > latest:
        return rebuild(database, engine, progress)
    applied = 0
    for batch in _batches(database, served.position, BATCH):
        engine.apply(batch, batch[-1].number)
        applied += len(batch)
        progress(len(batch))
    return applied


def rebuild(
    database: Database,
    engine: Engine,
    progress: Progress = lambda _: None,
    *,
    accept_shrink: bool = False,
) -> int:
    """Fill a new generation with the whole changefeed and swap it in; says how many it holds.

    It reads until there is nothing new, so what is written meanwhile is in. Searches are answered
    by the old generation until then; if anything fails, the old one stays. Raises Shrunk, unless
    accepted, where the new one would hold less than 60 % of the old one's listings.
    """
    served = engine.status()
    position = 0
    held_ids: set[str] = set()
    with engine.new_generation() as generation:
        for batch in _batches(database, 0, REBUILD_BATCH):
            generation.apply(batch)
            held_ids -= {change.id for change in batch}
            held_ids |= {change.id for change in batch if change.listing}
            position = batch[-1].number
            progress(len(batch))
        held = len(held_ids)
        if served and held < LEAST_SHARE * served.documents and not accept_shrink:
            raise Shrunk(
                f"The new index would hold {held:,} listings, the old one has "
                f"{served.documents:,}. Is it the right store? If it is, use "
                "`indexer rebuild --accept-shrink`. The old index stays."
            )
        generation.serve(position)
    return held


def follow(
    database: Database, engine: Engine, clock: Clock, tell: Tell, *, accept_lapses: bool = False
) -> NoReturn:
    """Keep the index in step for ever; what is down now is tried again a second later."""
    aged_on: date | None = None
    while True:
        try:
            if aged_on != clock().date():
                grow_old(database, clock, tell, accept_lapses=accept_lapses)
                aged_on = clock().date()
            if applied := sync(database, engine):
                tell(f"brought {applied:,} listings up to date")
        except (EngineUnavailable, StoreUnavailable, Shrunk) as error:
            tell(f"{error}; trying again")
        time.sleep(FOLLOW_S)


def grow_old(database: Database, clock: Clock, tell: Tell, *, accept_lapses: bool = False) -> bool:
    """Act in the store on what time has done (listings.age); False where it would be too much."""
    made = Made("the clock", clock(), "time has passed")
    try:
        with database.writing() as session:
            lapsed = age(session, made, accept=accept_lapses)
    except TooManyLapsed as error:
        tell(f"Nothing was hidden: {error}")
        return False
    if lapsed:
        tell(f"{lapsed:,} listings are out of date and left the results")
    return True


def _batches(database: Database, position: int, size: int) -> Iterator[list[Change]]:
    """The changes after a position, until there are none."""
    while True:
        with database.reading() as session:
            batch = changefeed.changes(session, since=position, limit=size)
        if not batch:
            return
        yield batch
        position = batch[-1].number
