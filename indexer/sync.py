"""Keeping the index in step with the store: there is one way in, and it is the changefeed.

The index says up to which change it has come, so it catches up from there, wherever it was left:
killed, down, wiped, or fed the same changes twice.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import ValidationError

from directory.aging import Tell, grow_old
from directory.listing import Change, Listing
from directory.publishing import BATCH, Stopped, as_taken, batches, publish
from directory.search.engine import Ask, Engine, EngineStatus, EngineUnavailable, Generation
from directory.search.scope import Circle
from directory.services import Clock
from directory.store import changefeed
from directory.store.database import Database, StoreUnavailable
from directory.store.listings import Status as Standing
from directory.store.listings import counts
from directory.vocabulary import Clause
from directory.vocabulary.words import words

log = logging.getLogger("indexer.sync")

REBUILD_BATCH = 5_000
"""Changes read from the store at once."""

FOLLOW_S, LONGEST_WAIT_S = 1.0, 300.0
"""Between two looks at the store; after an error the wait doubles up to the second. A refused
rebuild reads the whole changefeed, and an engine that starts has other things to do."""

MOST_LOST = 0.4
"""A new index that lacks such a share of the old one's listings is not served unasked."""

SAMPLES, HERE_M = 20, 1.0
"""So many listings of a new index are looked for, each within so many metres of where it is."""

_STAYS = "the old index stays"

Progress = Callable[[int], None]
"""Told how many changes were applied since it was last told."""


@dataclass(frozen=True)
class Status:
    """How far the index is behind the store; None where there is no index of this version.

    `waiting_since` is when the oldest change was made that the index has not seen. `published` is
    how many listings the store has published and not changed since the index's position.
    """

    store_position: int
    generation: str | None = None
    index_position: int | None = None
    indexed: int | None = None
    waiting_since: datetime | None = None
    published: int = 0

    @property
    def behind(self) -> int | None:
        """How many change numbers the index is behind."""
        if self.index_position is None:
            return None
        return self.store_position - self.index_position

    @property
    def left_out(self) -> int | None:
        """How many listings the index should hold and does not; None while it is behind."""
        if self.indexed is None or self.behind:
            return None
        return max(0, self.published - self.indexed)


def status(database: Database, engine: Engine) -> Status:
    """Where store and index stand."""
    served = engine.status()
    is_there = served is not None and served.current
    with database.reading() as session:
        store_position = changefeed.position(session)
        seen = served.position if served and is_there else 0
        since = changefeed.first_after(session, seen)
        published, _ = changefeed.counts(session, seen)
    if not served or not is_there:
        return Status(store_position, waiting_since=since)
    return Status(
        store_position, served.generation, served.position, served.documents, since, published
    )


class Unfit(Exception):
    """A new index does not hold and find what the store has; the old one stays."""


class Shrunk(Exception):
    """A new index would hold so much less than the old one that something must be wrong."""


def sync(
    database: Database,
    engine: Engine,
    progress: Progress = lambda _: None,
    stop: threading.Event | None = None,
) -> int:
    """Apply every change that the index has not seen; says of how many listings.

    Without an index, or with one that was made for another version or from another history (as the
    store was restored from an older backup, or is another one), the index is rebuilt.
    """
    served = engine.status()
    if served is None or not served.current or not _is_of(database, served):
        return rebuild(database, engine, progress, stop=stop)
    return publish(database, engine, served.position, progress, stop)


def _is_of(database: Database, served: EngineStatus) -> bool:
    with database.reading() as session:
        return changefeed.has_history(session, served.position, served.mark)


def rebuild(
    database: Database,
    engine: Engine,
    progress: Progress = lambda _: None,
    *,
    accept_shrink: bool = False,
    stop: threading.Event | None = None,
) -> int:
    """Fill a new generation with the whole changefeed and swap it in; says how many it holds.

    It reads until there is nothing new, so what is written meanwhile is in. Searches are answered
    by the old generation until then; if anything fails, the old one stays. Raises Shrunk, unless
    accepted, where the new one would lack 40 % of the old one's listings, and Unfit where it does
    not hold and find what the store has.
    """
    served = engine.status()
    with engine.new_generation() as generation:
        filled = _fill(database, generation, progress, stop)
        with database.reading() as session:
            held = counts(session)[Standing.PUBLISHED] - len(filled.left_out)
        lost = served.documents - held if served else 0
        if served and 0 < MOST_LOST * served.documents <= lost and not accept_shrink:
            raise Shrunk(
                f"The new index would hold {held:,} listings, the old one has "
                f"{served.documents:,}. Is it the right store? If it is, use "
                "`indexer rebuild --accept-shrink`. The old index stays."
            )
        _check(database, generation, filled)
        with database.reading() as session:
            mark = changefeed.mark(session, filled.position)
        generation.serve(filled.position, mark)
    # What was published while it was checked went into the old generation alone.
    publish(database, engine, filled.position, stop=stop)
    return held


def roll_back(database: Database, engine: Engine) -> EngineStatus | None:
    """Answer from the index that a rebuild has replaced, brought up to date; None without one.

    That is done at once, from where it stood: a process that was just publishing goes on from where
    the other one was, and then this one would seem to have all that lies between.
    """
    served = engine.roll_back()
    if not served:
        return None
    if _is_of(database, served):
        publish(database, engine, served.position)
    return engine.status()


@dataclass(frozen=True)
class _Filled:
    """Up to which change a new generation was filled, and which listings it has refused."""

    position: int
    left_out: frozenset[str] = frozenset()


def _fill(
    database: Database,
    generation: Generation,
    progress: Progress,
    stop: threading.Event | None,
) -> _Filled:
    """Fill a generation in one stream; where that fails once more from the start, by batches.

    So only a store with a change that the engine refuses pays for finding it.
    """
    stream = _Stream(batches(database, 0, REBUILD_BATCH, stop), progress)
    try:
        generation.apply(stream)
    except (Stopped, StoreUnavailable):
        raise
    except Exception as error:  # noqa: BLE001  # whatever a refused change makes of an engine
        # An engine's words quote the field that it refuses.
        kind = type(error).__name__
        log.warning("the new index is filled once more, batch by batch: %s", kind)
    else:
        return _Filled(stream.position)
    left_out: set[str] = set()
    position = 0
    for batch in batches(database, 0, BATCH, stop):
        taken = as_taken(generation.apply, batch, stop)
        generation.apply(taken)
        left_out |= {a.id for a, b in zip(batch, taken, strict=True) if a.document != b.document}
        position = batch[-1].number
        progress(len(batch))
    return _Filled(position, frozenset(left_out))


def _check(database: Database, generation: Generation, filled: _Filled) -> None:
    """Unfit where a new generation lacks listings, or does not find them by place and name.

    What has changed behind its position may be in it or not: it comes with the next sync.
    """
    with database.reading() as session:
        position, left_out = filled.position, len(filled.left_out)
        published, later = changefeed.counts(session, position)
        ranks = range(0, position, max(1, position // SAMPLES))
        samples = [changefeed.changes(session, since=rank, limit=1) for rank in ranks]
    held = generation.search(Ask(limit=1)).total
    if not published - left_out <= held <= published + later:
        raise Unfit(f"The new index holds {held:,} listings, the store has {published:,}; {_STAYS}")
    for (change,) in filter(None, samples):
        is_in = change.number <= position and change.id not in filled.left_out
        if is_in and (listing := _readable(change)) and not _is_found(generation, listing):
            raise Unfit(f"The new index does not find {listing.id} where it is; {_STAYS}")


def _readable(change: Change) -> Listing | None:
    """The listing of a change; None where an engine has taken what is none to this version."""
    try:
        return change.listing
    except ValidationError:
        log.error("%s is not looked for: its document cannot be read", change.id)
        return None


def _is_found(generation: Generation, listing: Listing) -> bool:
    clauses = tuple(Clause((word,)) for word in words(str(listing.name)))
    here = Ask(area=Circle(listing.location.point, HERE_M), clauses=clauses, limit=100)
    found = generation.search(here)
    is_among_many = found.total > len(found.hits)
    return is_among_many or any(hit.key.id == listing.id for hit in found.hits)


class _Stream:
    """Changes one after another, and up to which they have gone."""

    def __init__(self, batches: Iterator[list[Change]], progress: Progress) -> None:
        self._batches = batches
        self._progress = progress
        self.position = 0

    def __iter__(self) -> Iterator[Change]:
        for batch in self._batches:
            yield from batch
            self.position = batch[-1].number
            self._progress(len(batch))


def follow(
    database: Database,
    engine: Engine,
    clock: Clock,
    tell: Tell,
    stop: threading.Event,
    *,
    accept_lapses: bool = False,
) -> None:
    """Keep the index in step until told to stop; what is down is tried again, ever more seldom.

    The same error is told once. It stops between two batches; a rebuild that is under way is given
    up, the old index stays.
    """
    aged_on: date | None = None
    told, wait_s = "", FOLLOW_S
    while not stop.is_set():
        try:
            if aged_on != clock().date():
                grow_old(database, clock, tell, accept_lapses=accept_lapses)
                aged_on = clock().date()
            if applied := sync(database, engine, stop=stop):
                tell(f"brought {applied:,} listings up to date")
            told, wait_s = "", FOLLOW_S
        except Stopped:
            break
        except (EngineUnavailable, StoreUnavailable, Shrunk, Unfit) as error:
            if told != str(error):
                told = str(error)
                tell(f"{error}; trying again, in {LONGEST_WAIT_S:.0f} seconds at the latest")
            stop.wait(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            continue
        stop.wait(FOLLOW_S)
    tell("stopped; what is not yet done is done at the next start")
