"""The whole directory for partners' servers: a snapshot, and the changes after it.

So nobody has to scrape. Both need a secret key and keep to what it may find: a listing that leaves
that is a removal.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import orjson
from flask import Blueprint, Response, url_for

from directory.listing import Change
from directory.store import changefeed
from directory.web import present
from directory.web.caching import known_by_content
from directory.web.compression import stream
from directory.web.context import may_see, services
from directory.web.parameters import only, whole_number
from directory.web.partner_access import must_have_secret
from directory.web.rendering import absolute
from directory.web.shapes import ChangeShape

blueprint = Blueprint("bulk", __name__, url_prefix="/api/v1")

CHANGES, MOST_CHANGES = 500, 1_000
_AT_ONCE = 1_000

LAST_NUMBER = 2**53
"""What JSON's readers take as a whole number."""


@blueprint.get("/changes")
def changes() -> Response:
    """What has changed after a number (`since`), in order: each listing once, at its latest state.

    `listing` is None where it is not to be found any more. Read on from `next`; where that is
    `since`, there is nothing newer yet.
    """
    must_have_secret()
    typed = only(optional=("since", "limit"))
    since = whole_number("since", typed.get("since", "0"), 0, LAST_NUMBER)
    limit = whole_number("limit", typed.get("limit", str(CHANGES)), 1, MOST_CHANGES)
    with services().database.reading() as session:
        found = changefeed.changes(session, since=since, limit=limit)
    later = found[-1].number if found else since
    today = services().clock().date()
    return known_by_content({"changes": [_change(each, today) for each in found], "next": later})


@blueprint.get("/snapshot")
def snapshot() -> Response:
    """Every listing, one line of JSON each; the Link header leads to what changes from here on."""
    must_have_secret()
    only()
    with services().database.reading() as session:
        position = changefeed.position(session)
    answer = stream(_lines(services().clock().date()), "application/x-ndjson")
    later = absolute(url_for("bulk.changes", since=position))
    answer.headers["Link"] = f'<{later}>; rel="next"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _lines(today: date) -> Iterator[bytes]:
    since = 0
    while True:
        # A transaction of its own each: nobody who reads slowly holds one open.
        with services().database.reading() as session:
            found = changefeed.changes(session, since=since, limit=_AT_ONCE)
        if not found:
            return
        since = found[-1].number
        for each in found:
            if shown := _shown(each, today):
                yield orjson.dumps(shown) + b"\n"


def _change(change: Change, today: date) -> ChangeShape:
    return {"number": change.number, "id": change.id, "listing": _shown(change, today)}


def _shown(change: Change, today: date) -> dict[str, Any] | None:
    listing = change.listing
    return present.listing(listing, today) if listing and may_see(listing) else None
