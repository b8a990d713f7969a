"""The JSON API, version 1: the same search as the page, listings, places, the vocabulary."""

from typing import Any

from flask import Blueprint, Response, request

from directory.credentials import notes
from directory.language import gettext
from directory.places.place import coordinates
from directory.search.find import find
from directory.search.query import InvalidQuery, ParameterError, parse
from directory.vocabulary import Kind, vocabulary
from directory.web import present
from directory.web.context import listing_or_abort, services
from directory.web.responses import json_response

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

SUGGESTED, LONGEST = 8, 100
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


@blueprint.get("/suggest")
def suggest() -> Response:
    """What a text may become as it is typed on: places (kind=where) or terms (kind=what)."""
    typed = _only("q", "kind")
    if typed["kind"] == "where":
        found = services().places.beginning_with(typed["q"], SUGGESTED)
        several = [{"text": place.label, "kind": place.kind} for place in found]
    elif typed["kind"] == "what":
        terms = vocabulary().beginning_with(typed["q"], SUGGESTED)
        several = [{"text": gettext(term.label), "kind": str(term.kind)} for term in terms]
    else:
        wrong = gettext("must be one of %(values)s", values="where, what")
        raise InvalidQuery([ParameterError("kind", f"kind: {wrong}.")])
    return _private(json_response({"suggestions": several}))


@blueprint.get("/nearest")
def nearest() -> Response:
    """The ZIP nearest to a point: whoever wants to be found need not say more than that.

    The point is rounded to a hundredth of a degree, about a kilometre, in case it was not yet.
    """
    typed = _only("lat", "lon")
    try:
        point = coordinates(f"{typed['lat']},{typed['lon']}")
    except ValueError as error:
        raise InvalidQuery([ParameterError("lat", f"{error}.")]) from error
    if not point:
        raise InvalidQuery([ParameterError("lat", gettext("Give lat and lon in degrees."))])
    latitude, longitude = (round(each, 2) for each in point)
    return _private(json_response(present.place(services().places.nearest((latitude, longitude)))))


def _only(*names: str) -> dict[str, str]:
    """These parameters, each once; InvalidQuery where one is missing or another is there."""
    given = request.args.to_dict(flat=False)
    unknown = [name for name in given if name not in names]
    errors = [
        ParameterError(name, gettext("There is no parameter “%(name)s”.", name=name), unknown=True)
        for name in unknown
    ]
    for name in names:
        if len(given.get(name, ())) != 1 or len(given[name][0]) > LONGEST:
            said = gettext("Give %(name)s exactly once, with at most 100 characters.", name=name)
            errors.append(ParameterError(name, said))
    if errors:
        raise InvalidQuery(errors)
    return {name: given[name][0] for name in names}


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
