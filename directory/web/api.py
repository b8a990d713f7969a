"""The JSON API, version 1: the same search as the page, listings, places, the vocabulary."""

from typing import Any

from flask import Blueprint, Response, request

from directory.credentials import notes
from directory.language import gettext
from directory.search.find import find
from directory.search.query import InvalidQuery, ParameterError, parse
from directory.vocabulary import Kind, vocabulary
from directory.web import present
from directory.web.context import listing_or_abort, services
from directory.web.responses import json_response

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

_NOT_OF_THE_API = frozenset({"page"})


@blueprint.get("/search")
def search() -> Response:
    """Practitioners near a place; parameters as search/query.py declares them."""
    query = parse(request.args.to_dict(flat=False), without=_NOT_OF_THE_API)
    return _private(json_response(present.search_page(find(query, services().finder))))


@blueprint.get("/listings/<id_>")
def listing(id_: str) -> Response:
    """One listing with its credential notes; 410 once it is withdrawn."""
    found, shown = listing_or_abort(id_)
    return json_response(present.stored_listing(found.status, shown, notes(shown)))


@blueprint.get("/places")
def places() -> Response:
    """The places that a text may mean, the likeliest first; an unknown one is an error."""
    typed = request.args.to_dict(flat=False)
    if set(typed) != {"q"}:
        raise InvalidQuery(
            [ParameterError("q", gettext("Give exactly one parameter: q, a place."))]
        )
    query = parse({"near": typed["q"]}, without=_NOT_OF_THE_API)
    found = services().places.locate(query.near or "")
    several = [present.place(place) for place in (found, *found.alternatives)]
    return _private(json_response({"places": several}))


@blueprint.get("/vocabulary")
def terms() -> Response:
    """Every term by kind: what the filters' values mean."""
    content: dict[str, list[dict[str, Any]]] = {
        kind.value: [present.term(term) for term in vocabulary().terms(kind)] for kind in Kind
    }
    return json_response(content)


def _private(response: Response) -> Response:
    """Where somebody looks is for that person alone: no shared cache may keep it."""
    response.headers["Cache-Control"] = "private, max-age=60"
    return response
