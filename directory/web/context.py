"""What a request reaches: the running application's services, and a listing that may be shown."""

from dataclasses import replace
from typing import TYPE_CHECKING

from flask import abort, current_app, g, request

from directory.fields import LISTING_ID
from directory.language import gettext
from directory.listing import Listing, published
from directory.partner import Partner
from directory.places.place import coordinates
from directory.search.cursor import Cursors
from directory.search.engine import Answering
from directory.search.find import Finder
from directory.search.measured import Measured
from directory.search.query import InvalidQuery, ParameterError
from directory.search.scope import EVERYTHING, Scope
from directory.search.scoped import Scoped
from directory.seen import is_person
from directory.services import Services
from directory.store import listings
from directory.store.listings import Status, StoredListing

if TYPE_CHECKING:
    from directory.traces import Traces


def services() -> Services:
    """The services of the running application."""
    found: Services = current_app.extensions["services"]
    return found


def scope() -> Scope:
    """What the key that comes with the request may find; without one, everything."""
    partner: Partner | None = g.get("partner")
    if not partner:
        return EVERYTHING
    wanted = (("profession", partner.professions), ("insurance", partner.insurers))
    return Scope(partner.states, tuple((facet, values) for facet, values in wanted if values))


def engine() -> Answering:
    """The engine, within the scope of the key that comes with the request."""
    asked: Answering = Measured(services().engine, current_app.extensions["metrics"].asking)
    traces: Traces | None = current_app.extensions["traces"]
    if traces:
        asked = Measured(asked, traces.asking)
    within = scope()
    return asked if within == EVERYTHING else Scoped(asked, within)


def finder() -> Finder:
    """What a search needs, within the scope of the key that comes with the request."""
    return replace(services().finder, engine=engine(), cursors=cursors("search"))


def cursors(surface: str) -> Cursors:
    """The cursors of a surface, within the scope of the key that comes with the request."""
    return services().cursors.belonging_to(surface, scope())


def may_see(listing: Listing) -> bool:
    """Whether a listing is within what the key that comes with the request may find."""
    partner: Partner | None = g.get("partner")
    return not partner or partner.finds(listing)


def is_counted() -> bool:
    """Whether what this request looks at counts as seen."""
    return request.method == "GET" and is_person(request.headers.get("User-Agent", ""))


def point_or_wrong(lat: str, lon: str) -> tuple[float, float]:
    """A point that was sent (degrees), rounded to a hundredth, about a kilometre, if need be.

    Raises InvalidQuery where it is none.
    """
    try:
        point = coordinates(f"{lat},{lon}")
    except ValueError as error:
        raise InvalidQuery([ParameterError("lat", f"{error}.")]) from error
    if not point:
        raise InvalidQuery([ParameterError("lat", gettext("Give lat and lon in degrees."))])
    return round(point[0], 2), round(point[1], 2)


def listing_or_abort(id_: str) -> tuple[StoredListing, Listing]:
    """The listing with where it stands: 404 if there is none to show, 410 once it has gone."""
    found = None
    if LISTING_ID.fullmatch(id_):
        with services().database.reading() as session:
            found = listings.find(session, id_)
    if not found or found.status is Status.HELD:
        abort(404, gettext("There is no such listing."))
    if found.status in (Status.WITHDRAWN, Status.NOT_OFFERED) or not found.listing:
        abort(410, gettext("This listing was withdrawn."))
    if not may_see(found.listing):
        abort(404, gettext("There is no such listing."))
    return found, published(found.listing)
