"""Upgrading approximate locations by the operator's geocoding service, in the background.

An address is asked for once: what was found, and that nothing was, is kept in the store at once, so
a run that is stopped goes on where it was. Only locations that we worked out ourselves are moved:
never a point that a clinic or a list has given, never one whose street is hidden.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from directory.places import FARTHEST_M, Places
from directory.places.exact import AddressFinder
from directory.places.street import is_po_box
from directory.services import Clock
from directory.store import addresses
from directory.store.addresses import AddressPoint
from directory.store.approximate import Approximate, approximate
from directory.store.batch import Recorded
from directory.store.database import Database, Transaction
from directory.store.listings import Made, Outcome
from directory.store.record import record_all
from directory.store.said import statements_said
from directory.store.statement import Fields

_PAGE = 500


@dataclass
class Upgrade:
    """What a run did: listings moved, addresses asked for, and those that nobody knew."""

    moved: int = 0
    asked: int = 0
    unknown: int = 0


Progress = Callable[[Upgrade], None]


def upgrade(
    database: Database,
    places: Places,
    finder: AddressFinder | None,
    clock: Clock,
    progress: Progress = lambda _: None,
    *,
    limit: int | None = None,
) -> Upgrade:
    """Move listings to the exact points of their addresses, as far as these are or become known.

    Without a finder only by what is known already; with a `limit` it asks no more often than that.
    PlacesUnavailable where the service does not answer: what was found until then is kept.
    """
    done, after = Upgrade(), ""
    while True:
        with database.reading() as session:
            page = approximate(session, after=after, limit=_PAGE)
            known = dict(addresses.points(session, {each.building for each in page}))
        if not page:
            return done
        after = page[-1].listing_id
        try:
            for each in page if finder else ():
                is_new = each.building not in known and not is_po_box(each.address)
                if finder and is_new and done.asked != limit:
                    known[each.building] = _found(database, places, finder, clock, each, done)
                    progress(done)
        finally:  # if the service is down now, what it said before still counts
            moving = [each for each in page if known.get(each.building)]
            made = Made("indexer geocode", clock(), "located")
            with database.writing() as session:
                done.moved += _move(session, moving, known, made)
        progress(done)


def _found(
    database: Database,
    places: Places,
    finder: AddressFinder,
    clock: Clock,
    each: Approximate,
    done: Upgrade,
) -> Fields | None:
    """Ask for the point of an address and keep the answer."""
    location = finder.find(each.address)
    if location:
        point = (location["lat"], location["lon"])
        metres = places.farness(each.address, point)
        if metres is None or metres > FARTHEST_M:
            location = None  # another town's street of that name
    done.asked += 1
    done.unknown += location is None
    with database.writing() as session:
        addresses.keep(session, [AddressPoint(each.building, location, finder.name, clock())])
    return location


def _move(
    session: Transaction,
    moving: list[Approximate],
    known: dict[str, Fields | None],
    made: Made,
) -> int:
    """Say anew what is still said of these listings, at the exact points; says how many moved.

    While the service was asked, some of it may have been said otherwise, or taken back.
    """
    names = ((s.source, s.key) for each in moving for s in each.statements)
    said = statements_said(session, names)
    sayings = []
    for each in moving:
        for statement in each.statements:
            now = said.get((statement.source, statement.key))
            if now and now.fields == statement.fields:
                fields = statement.fields | {"location": known[each.building]}
                moved = replace(statement, fields=fields, as_of=now.until)
                sayings.append((each.listing_id, moved))
    results = record_all(session, sayings, made, said)
    return len({
        result.listing_id for result in results
        if isinstance(result, Recorded) and result.outcome is not Outcome.UNCHANGED
    })  # fmt: skip
