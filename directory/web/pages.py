"""The search page: rendered here, whole without JavaScript."""

from flask import Blueprint, Response, make_response, render_template, request

from directory.places.place import PlaceNotFound
from directory.search.find import find
from directory.search.page import SearchPage
from directory.search.query import MAX_PAGE, InvalidQuery, SearchQuery, parse
from directory.web import sentences
from directory.web.context import services
from directory.web.guide import care
from directory.web.names import FACET_NAMES
from directory.web.rendering import Parameters
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


@blueprint.get("/search")
def search() -> Response:
    """Results, or what is wrong with the search, at the fields that it concerns."""
    asked = _asked()
    if not asked.get("near") and not asked.get("q"):
        return _private(make_response(render_template("home.html", asked=asked)))
    try:
        query = parse(asked, without=_NOT_OF_THE_PAGE)
        page = find(query, services().finder, prefer_confirmed=True)
    except (InvalidQuery, PlaceNotFound) as error:
        found = problem(error)
        shown = render_template("home.html", asked=asked, problem=found)
        return _private(make_response(shown, found.status))
    return _private(make_response(shown_results(page, asked)))


def shown_results(page: SearchPage, asked: Parameters, canonical: str | None = None) -> str:
    """A search's answer as a page; search engines keep only one with a `canonical` address."""
    return render_template(
        "search.html",
        page=page,
        asked=asked,
        canonical=canonical,
        pages=min(MAX_PAGE, -(-page.total // page.query.limit)),
        radii=RADII,
        names=FACET_NAMES,
        facets=sorted(page.facets, key=lambda facet: _FACET_ORDER.index(facet.name)),
        open_facets=_OPEN_FACETS,
        care=care(page.query.q),
        headline=sentences.headline(page),
        searched=sentences.searched(page),
        unsaid=sentences.unsaid(page),
    )


def _asked() -> dict[str, list[str]]:
    """The parameters that the page knows, without the empty ones that a form sends."""
    given = request.args.to_dict(flat=False)
    filled = {name: [v for v in values if v.strip()] for name, values in given.items()}
    return {name: values for name, values in filled.items() if values and name in _PARAMETERS}


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-cache"
    return response
