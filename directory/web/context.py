"""What a request reaches: the running application's services, and a listing that may be shown."""

from flask import abort, current_app

from directory.fields import LISTING_ID
from directory.language import gettext
from directory.listing import Listing, published
from directory.services import Services
from directory.store import listings
from directory.store.listings import Status, StoredListing


def services() -> Services:
    """The services of the running application."""
    found: Services = current_app.extensions["services"]
    return found


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
    return found, published(found.listing)
