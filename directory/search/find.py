"""A search from words to answer: the place, then the engine, then one SearchPage."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from directory.language import gettext, marked, speaking, spoken
from directory.listing import fresh_since
from directory.places import Places
from directory.places.place import Place
from directory.search.cursor import Cursor, Cursors
from directory.search.distance import METRES_PER
from directory.search.engine import (
    Answering,
    Ask,
    Cluster,
    Found,
    Hit,
    Sort,
)
from directory.search.entry import FACET_VALUES, FACETS, score
from directory.search.page import (
    Facet,
    FacetValue,
    Result,
    SearchPage,
    Widened,
    Without,
)
from directory.search.query import InvalidQuery, ParameterError, SearchQuery
from directory.search.scope import Circle, Scope
from directory.search.scoped import both
from directory.vocabulary import Kind, vocabulary

START_MI, WIDER_MI = 25, (50, 100)
ENOUGH = 5
"""With fewer than this, a search without a chosen radius goes on to the next wider one."""

BEYOND, FARTHER = 5, 4
"""The nearest five beyond an empty circle: within four times its radius, else anywhere."""

MOST_AT_ONCE = 100
MOST_CLUSTERS = 1_000
"""More circles than a map can show, and a telephone can draw at once."""

_FLAG_LABELS = {
    "yes": marked("Yes"), "no": marked("No"), "unknown": marked("Not stated"),
    "female": marked("Female"), "male": marked("Male"), "nonbinary": marked("Nonbinary"),
    "verified": marked("Certificate checked"), "stated": marked("Says so"),
}  # fmt: skip


@dataclass(frozen=True)
class Finder:
    """What a search needs, chosen once (services.py). `today` is the day, by the one clock."""

    engine: Answering
    places: Places
    cursors: Cursors
    today: Callable[[], date]


def find(query: SearchQuery, finder: Finder, *, prefer_confirmed: bool = False) -> SearchPage:
    """The answer to a query.

    `prefer_confirmed` holds a query that does not say otherwise to confirmed listings, if there
    are any. Raises PlaceNotFound, PlacesUnavailable, InvalidQuery, InvalidCursor and
    EngineUnavailable.
    """
    if prefer_confirmed and not query.confirmed:
        confirmed = _found(query.model_copy(update={"confirmed": ("yes",)}), finder)
        if confirmed.found.total:
            return replace(_page(confirmed, finder), query=query, only_confirmed=True)
    return _page(_found(query, finder), finder)


def every(query: SearchQuery, finder: Finder) -> Iterator[Result]:
    """All that a query finds, page by page, in order. Raises as `find` does, while it is read."""
    wide = query.model_copy(update={"limit": MOST_AT_ONCE})
    page = find(wide, finder)
    yield from page.results
    while page.next:
        page = find(wide.model_copy(update={"cursor": page.next}), finder)
        yield from page.results


def clusters(query: SearchQuery, finder: Finder, zoom: int) -> tuple[int, tuple[Cluster, ...]]:
    """What a query finds, on all its pages, counted by the tiles of a map.

    Where there would be too many tiles to draw, the map's next level is taken, and so on; the level
    comes first. Raises as `find` does.
    """
    place = finder.places.locate(query.near) if query.near else None
    ask = _ask(query, place, finder.today(), None)
    if ask.circle and not query.radius:
        _, ask, _ = _widening(finder.engine, ask, ask.circle)

    @cache
    def at(level: int) -> tuple[Cluster, ...]:
        return finder.engine.clusters(ask, level, MOST_CLUSTERS + 1)

    if len(at(zoom)) > MOST_CLUSTERS:
        # The deeper the level, the more tiles: the last one that is not too deep.
        zoom = bisect_left(range(zoom), True, key=lambda level: len(at(level)) > MOST_CLUSTERS) - 1
    return zoom, at(zoom)


@dataclass(frozen=True)
class _Searched:
    """A query, what was asked for it, and what was found."""

    query: SearchQuery
    place: Place | None
    today: date
    ask: Ask
    found: Found
    widened: Widened | None


def _found(query: SearchQuery, finder: Finder) -> _Searched:
    cursor = finder.cursors.read(query.cursor, query) if query.cursor else None
    today = cursor.today if cursor else finder.today()
    place = finder.places.locate(query.near) if query.near else None
    ask = _ask(query, place, today, cursor)
    widened = None
    if ask.circle and not query.radius and not cursor:
        found, ask, widened = _widening(finder.engine, ask, ask.circle)
    else:
        found = finder.engine.search(ask)
    return _Searched(query, place, today, ask, found, widened)


def _page(searched: _Searched, finder: Finder) -> SearchPage:
    query, ask, found = searched.query, searched.ask, searched.found
    return SearchPage(
        query=query,
        place=searched.place,
        radius_m=ask.circle.radius_m if ask.circle else None,
        sort=ask.sort,
        clauses=ask.clauses,
        total=found.total,
        results=_results(found.hits[: query.limit], ask, explain=query.explain),
        facets=_facets(found, query),
        widened=searched.widened,
        beyond=() if found.total else _beyond(finder.engine, ask),
        without=() if found.total else _without(finder.engine, ask),
        next=_next(searched, finder.cursors),
    )


def _ask(query: SearchQuery, place: Place | None, today: date, cursor: Cursor | None) -> Ask:
    clauses = vocabulary().understand(query.q) if query.q else ()
    area: Circle | str | None = place.state if place else None
    if place and place.kind != "state":
        radius = cursor.radius_m if cursor else query.radius_m
        area = Circle(place.point, START_MI * METRES_PER["mi"] if radius is None else radius)
    else:
        _needs_no_centre(query)
    by = query.sort or (Sort.BEST if query.q or not isinstance(area, Circle) else Sort.DISTANCE)
    return Ask(
        area=area,
        clauses=clauses,
        facets=query.selected,
        max_price=query.max_price,
        fresh_since=fresh_since(today),
        sort=by,
        limit=query.limit + 1,  # one more than is shown tells whether there is a next page
        offset=0 if cursor else (query.page - 1) * query.limit,
        after=cursor.key if cursor else None,
    )


def _needs_no_centre(query: SearchQuery) -> None:
    """A state, or everywhere, has neither a radius nor distances."""
    asked = {"radius": query.radius is not None, "sort": query.sort is Sort.DISTANCE}
    wrong = [
        ParameterError(
            name,
            gettext(
                "%(name)s: distances need a place with a center, not a whole state.", name=name
            ),
        )
        for name, is_asked in asked.items()
        if is_asked
    ]
    if wrong:
        raise InvalidQuery(wrong)


def _widening(engine: Answering, ask: Ask, circle: Circle) -> tuple[Found, Ask, Widened | None]:
    """Search wider and wider until there are enough; says so if it went beyond the start."""
    start = START_MI * METRES_PER["mi"]
    found = engine.search(ask)
    for miles in WIDER_MI:
        if found.total >= ENOUGH:
            break
        circle = Circle(circle.centre, miles * METRES_PER["mi"])
        ask = replace(ask, area=circle)
        found = engine.search(ask)
    reached = circle.radius_m or start
    return found, ask, Widened(start, reached) if reached > start else None


def _beyond(engine: Answering, ask: Ask) -> tuple[Result, ...]:
    """The nearest listings outside a circle in which nothing was found.

    The whole country is only read where too few are near it.
    """
    if not ask.circle:
        return ()
    start = ask.circle.radius_m or START_MI * METRES_PER["mi"]
    # Nobody counts here: what is selected is as good as a scope, which is looked at first.
    scope = both(ask.scope, Scope(facets=ask.facets))
    wider = replace(
        ask, scope=scope, facets=(), sort=Sort.DISTANCE, limit=BEYOND, offset=0, after=None
    )
    hits: tuple[Hit, ...] = ()
    for radius in (FARTHER * start, None):
        wider = replace(wider, area=Circle(ask.circle.centre, radius))
        hits = engine.search(wider).hits
        if len(hits) == BEYOND:
            break
    return _results(hits, wider, explain=False)


def _without(engine: Answering, ask: Ask) -> tuple[Without, ...]:
    """For each active filter, how many would be found without it."""
    relaxed = {
        facet: replace(ask, facets=tuple(f for f in ask.facets if f[0] != facet))
        for facet, _ in ask.facets
    }
    if ask.clauses:
        relaxed["q"] = replace(ask, clauses=())
    if ask.max_price is not None:
        relaxed["max_price"] = replace(ask, max_price=None)
    return tuple(Without(name, engine.count(each)) for name, each in relaxed.items())


def _results(hits: tuple[Hit, ...], ask: Ask, *, explain: bool) -> tuple[Result, ...]:
    return tuple(
        Result(
            hit,
            hit.key.distance_m if ask.circle else None,
            score(hit.listing, ask) if explain else None,
        )
        for hit in hits
    )


def _facets(found: Found, query: SearchQuery) -> tuple[Facet, ...]:
    selected, labels = dict(query.selected), _labels(spoken())
    facets = []
    for name, its_own in FACETS.items():
        chosen = selected.get(name, ())
        counted = zip(FACET_VALUES[its_own], labels[its_own], found.counts[its_own], strict=True)
        values = [FacetValue(value, label, n, value in chosen) for (_, value), label, n in counted]
        facets.append(Facet(name, tuple(values)))
    return tuple(facets)


@cache
def _labels(language: str) -> tuple[str, ...]:
    """What each of FACET_VALUES is called in a language."""
    with speaking(language):
        return tuple(_label(facet, value) for facet, value in FACET_VALUES)


def _label(facet: str, value: str) -> str:
    if facet in set(Kind) and vocabulary().has(Kind(facet), value):
        return gettext(vocabulary().label(Kind(facet), value))
    return gettext(_FLAG_LABELS[value])


def _next(searched: _Searched, cursors: Cursors) -> str | None:
    """A cursor behind the last result shown, if there is anything behind it."""
    hits, query, circle = searched.found.hits, searched.query, searched.ask.circle
    if len(hits) <= query.limit:
        return None
    last = Cursor(hits[query.limit - 1].key, circle.radius_m if circle else None, searched.today)
    return cursors.write(last, query)
