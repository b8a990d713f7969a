"""The search page: rendered here, whole without JavaScript."""

from http import HTTPStatus
from typing import Any

from flask import (
    Blueprint,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug import Response

from directory.places.place import PlaceNotFound
from directory.search.distance import METRES_PER
from directory.search.find import find
from directory.search.page import SearchPage
from directory.search.query import MAX_PAGE, InvalidQuery, SearchQuery, parse
from directory.store import retention
from directory.web import sentences
from directory.web.cards import card_of_result
from directory.web.context import finder, is_counted, point_or_wrong, services
from directory.web.embedding import embedding
from directory.web.guide import care
from directory.web.names import FACET_NAMES
from directory.web.rendering import Parameters, address_with
from directory.web.responses import problem

blueprint = Blueprint("pages", __name__)

_NOT_OF_THE_PAGE = frozenset({"cursor", "explain"})
_PARAMETERS = SearchQuery.model_fields.keys() - _NOT_OF_THE_PAGE
RADII = (5, 10, 25, 50, 100)

_FACET_ORDER = tuple(FACET_NAMES)
_OPEN_FACETS = ("confirmed", "profession", "accepting", "insurance")
"""What most people ask for first; the other filters unfold at a press."""


@blueprint.get("/")
def home() -> str:
    """The search box."""
    return render_template("home.html", asked={})


@blueprint.get("/accessibility")
def accessibility() -> str:
    """What is done for everybody to be able to use the site, what was tested, and what was not."""
    canonical = url_for("pages.accessibility", lang=None)
    return render_template("accessibility.html", canonical=canonical)


@blueprint.get("/privacy")
def privacy() -> str:
    """What the site learns of whoever uses it, and what it does not."""
    canonical = url_for("pages.privacy", lang=None)
    return render_template("privacy.html", canonical=canonical, kept=retention)


@blueprint.get("/search")
def search() -> Response:
    """Results, or what is wrong with the search, at the fields that it concerns."""
    return answer(_asked())


def answer(asked: Parameters) -> Response:
    """The page of a search: results, what is wrong with it, or just the form."""
    if not asked.get("near") and not asked.get("q"):
        return _private(make_response(render_template("home.html", asked=asked)))
    try:
        query = parse(asked, without=_NOT_OF_THE_PAGE)
        page = find(query, finder(), prefer_confirmed=True)
    except (InvalidQuery, PlaceNotFound) as error:
        found = problem(error)
        shown = render_template("home.html", asked=asked, problem=found)
        return _private(make_response(shown, found.status))
    return _private(make_response(shown_results(page, asked)))


@blueprint.post("/search/area")
def area() -> Response:
    """What is around a point of the map: the same search around the nearest ZIP.

    The point is posted, so that no coordinate stands in an address.
    """
    sent = request.form
    point = point_or_wrong(sent.get("lat", ""), sent.get("lon", ""))
    zip_ = services().places.nearest(point).label.split(" ")[0]
    asked = {**_asked(), "near": [zip_], "radius": [sent.get("radius", "")]}
    return redirect(f"{address_with(asked)}#map", HTTPStatus.SEE_OTHER)


def shown_results(page: SearchPage, asked: Parameters, canonical: str | None = None) -> str:
    """A search's answer as a page; search engines keep only one with a `canonical` address."""
    if is_counted():
        services().seen.shown(each.hit.key.id for each in page.results)
    here = embedding()
    return render_template(
        "search.html",
        page=page,
        asked=asked,
        canonical=canonical,
        cards=[card_of_result(each, page.query.units) for each in page.results],
        beyond=[card_of_result(each, page.query.units) for each in page.beyond],
        is_embedded=here is not None,
        fixed_here=here.locked if here else (),
        pages=min(MAX_PAGE, -(-page.total // page.query.limit)),
        radii=RADII,
        names=FACET_NAMES,
        facets=sorted(page.facets, key=lambda facet: _FACET_ORDER.index(facet.name)),
        open_facets=_OPEN_FACETS,
        care=care(page.query.q),
        area=url_for("pages.area", **_without(asked, "near", "page", "radius")),
        clusters=url_for("api.clusters", **_clusters(page, asked), key=_key()),
        headline=sentences.headline(page),
        searched=sentences.searched(page),
        unsaid=sentences.unsaid(page),
    )


def _clusters(page: SearchPage, asked: Parameters) -> dict[str, Any]:
    """The parameters of all that this search has found, on whatever page of it."""
    found = _without(asked, "page", "sort", "limit")
    if page.radius_m is not None:
        found["radius"] = page.radius_m / METRES_PER[page.query.units]
    if page.only_confirmed:
        found["confirmed"] = "yes"
    return found


def _key() -> str | None:
    """The key of the partner in whose page this is: the map counts what it may find."""
    here = embedding()
    return here.asks.get("key") if here else None


def _without(asked: Parameters, *names: str) -> dict[str, Any]:
    return {name: list(values) for name, values in asked.items() if name not in names}


def _asked() -> dict[str, list[str]]:
    return asked_of(request.args.to_dict(flat=False))


def asked_of(given: Parameters) -> dict[str, list[str]]:
    """The parameters that the page knows, without the empty ones that a form sends."""
    filled = {name: [v for v in values if v.strip()] for name, values in given.items()}
    return {name: values for name, values in filled.items() if values and name in _PARAMETERS}


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-cache"
    return response
