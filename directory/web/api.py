"""The JSON API, version 1: the same search as the page, listings, places, the vocabulary."""

from itertools import islice
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, request, url_for

from directory.credentials import notes
from directory.language import gettext
from directory.search import find
from directory.search.engine import EngineUnavailable, NamedAs
from directory.search.query import InvalidQuery, ParameterError, SearchQuery, parse
from directory.vocabulary import Kind, vocabulary
from directory.vocabulary.words import phrase
from directory.web import listing_csv, present
from directory.web.caching import index_tag, known_by_content, not_modified, tagged
from directory.web.context import engine, finder, listing_or_abort, point_or_wrong, services
from directory.web.parameters import asked, must_be_one_of, only, whole_number
from directory.web.partner_access import must_have_secret
from directory.web.rendering import absolute
from directory.web.responses import for_one, json_response
from directory.web.sent_json import sent_object

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

SUGGESTED, MOST_SUGGESTED = 8, 20
NAMES_FROM = 3
"""Letters: two would match a good part of all the names."""

DEEPEST = 14
"""Zoom level: tiles of a kilometre or two; what lies closer together is one circle."""

FORMATS = {
    "json": "application/json",
    "geojson": "application/geo+json",
    "csv": "text/csv",
}
MOST_ROWS = 10_000
"""Of a CSV file; the whole directory is a snapshot."""

_NOT_OF_THE_API = frozenset({"page"})
_NOT_OF_A_MAP = frozenset({"page", "cursor", "limit", "sort", "explain"})


@blueprint.get("/search")
def search() -> Response:
    """Practitioners near a place; parameters as search/query.py declares them.

    As JSON, as GeoJSON (`format=geojson`), or, with a secret key, all of them as CSV.
    """
    given = asked()
    wanted = _format(given.pop("format", []))
    query = parse(given, without=_NOT_OF_THE_API)
    if wanted == "csv":
        return _csv(query)
    tag = index_tag()
    if known := not_modified(tag):
        return known
    page = find.find(query, finder())
    shape = present.geojson if wanted == "geojson" else present.search_page
    content = shape(page, services().clock().date())
    answer = tagged(json_response(content, media_type=FORMATS[wanted]), tag)
    answer.headers["Link"] = ", ".join(_links(page.next))
    return answer


def _csv(query: SearchQuery) -> Response:
    must_have_secret()
    if query.cursor or "limit" in request.args:
        said = gettext("A file has all results: leave limit and cursor out.")
        raise InvalidQuery([ParameterError("limit", said)])
    found = (result.listing for result in find.every(query, finder()))
    file = "".join(listing_csv.lines(islice(found, MOST_ROWS)))
    answer = Response(file, content_type="text/csv; charset=utf-8; header=present")
    answer.headers["Content-Disposition"] = 'attachment; filename="practitioners.csv"'
    return for_one(answer)


def _links(next_: str | None) -> list[str]:
    """Where the first page of this search and the next one are (RFC 8288)."""
    asked = [(n, v) for n, v in request.args.items(multi=True) if n != "cursor"]
    here = absolute(url_for("api.search"))
    links = [f'<{here}?{urlencode(asked)}>; rel="first"']
    if next_:
        links.append(f'<{here}?{urlencode([*asked, ("cursor", next_)])}>; rel="next"')
    return links


def _format(named: list[str]) -> str:
    """The format that is asked for, by `format` or by the Accept header; 406 for another one."""
    if named:
        if len(named) > 1 or named[0] not in FORMATS:
            raise must_be_one_of("format", ", ".join(FORMATS))
        return named[0]
    of_type = {media_type: name for name, media_type in FORMATS.items()}
    best = request.accept_mimetypes.best_match(list(of_type), default=FORMATS["json"])
    if request.accept_mimetypes and not request.accept_mimetypes[best]:
        abort(406, gettext("There is %(formats)s.", formats=", ".join(of_type)))
    return of_type[best]


@blueprint.get("/clusters")
def clusters() -> Response:
    """What a search finds on all its pages, counted by the tiles of a map (`zoom`, 0 to 14)."""
    given = asked()
    zoom = whole_number("zoom", ",".join(given.pop("zoom", [""])), 0, DEEPEST)
    query = parse(given, without=_NOT_OF_A_MAP)
    return for_one(json_response(present.clusters(*find.clusters(query, finder(), zoom))))


@blueprint.get("/listings/<id_>")
def listing(id_: str) -> Response:
    """One listing with its credential notes; 410 once it is withdrawn."""
    only()
    found, shown = listing_or_abort(id_)
    today = services().clock().date()
    return known_by_content(present.stored_listing(found.status, shown, notes(shown), today))


@blueprint.get("/places")
def places() -> Response:
    """The places that a text may mean, the likeliest first; an unknown one is an error."""
    typed = asked()
    if set(typed) != {"q"}:
        raise InvalidQuery(
            [ParameterError("q", gettext("Give exactly one parameter: q, a place."))]
        )
    query = parse({"near": typed["q"]}, without=_NOT_OF_THE_API)
    found = services().places.locate(query.near or "")
    several = [present.place(place) for place in (found, *found.alternatives)]
    return for_one(json_response({"places": several}))


@blueprint.get("/suggest")
def suggest() -> Response:
    """What a text may become as it is typed on: places (kind=where), or terms and names (what)."""
    typed = only("q", "kind", optional=("limit",))
    text = typed["q"]
    limit = whole_number("limit", typed.get("limit", str(SUGGESTED)), 1, MOST_SUGGESTED)
    if typed["kind"] == "where":
        found = services().places.beginning_with(text, limit)
        several = [{"text": p.label, "kind": p.kind, "value": p.label} for p in found]
    elif typed["kind"] == "what":
        several = [
            {"text": gettext(term.label), "kind": str(term.kind), "value": term.value}
            for term in vocabulary().beginning_with(text, limit)
        ]
        several += [
            {"text": name.text, "kind": str(name.kind), "value": name.text}
            for name in _names(text, limit - len(several))
        ]
    else:
        raise must_be_one_of("kind", "where, what")
    return for_one(json_response({"suggestions": several}))


def _names(text: str, limit: int) -> tuple[NamedAs, ...]:
    """Practitioners and clinics, while the engine answers: nobody waits for a suggestion."""
    if limit < 1 or len(phrase(text)) < NAMES_FROM:
        return ()
    try:
        return engine().names(text, limit)
    except EngineUnavailable:
        return ()


@blueprint.post("/nearest")
def nearest() -> Response:
    """The ZIP nearest to a point (`lat`, `lon`, JSON): nobody who wants to be found says more.

    It is posted, so that no coordinate stands in an address.
    """
    only()
    given = sent_object() or {}
    point = point_or_wrong(str(given.get("lat")), str(given.get("lon")))
    return for_one(json_response(present.place(services().places.nearest(point))))


@blueprint.get("/vocabulary")
def terms() -> Response:
    """Every term by kind: what the filters' values mean."""
    only()
    content = {
        kind.value: [present.term(term) for term in vocabulary().terms(kind)] for kind in Kind
    }
    return known_by_content(content)
