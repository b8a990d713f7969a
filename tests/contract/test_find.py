"""A whole search on both engines, from parameters to page, against the judge."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

from directory.listing import Answer, Listing
from directory.places import Places
from directory.search.cursor import Cursors, InvalidCursor
from directory.search.engine import Ask, Engine, Sort
from directory.search.entry import FACET_VALUES
from directory.search.find import Finder, find
from directory.search.page import SearchPage
from directory.search.query import InvalidQuery, SearchQuery
from directory.search.scope import Circle
from directory.vocabulary import vocabulary
from directory.vocabulary.words import words
from tests.builders import AUSTIN, TODAY, a_listing
from tests.contract.strategies import FACETS, TEXTS, Point, a_point, corpora, rounds
from tests.contract.test_engines import WORLDS, fill
from tests.judge import Verdict

MILE = 1609.344
CORPORA, QUERIES = 25, 20

Found = tuple[str, float | None]


def a_query(seed: int, spots: list[Point]) -> SearchQuery:
    rng = Random(seed)
    lat, lon = rng.choice(spots) if spots and rng.random() < 0.7 else a_point(rng)
    near = rng.choice([f"{lat:.12f},{lon:.12f}"] * 4 + ["Texas", "AK", "Hawaii", None])
    radius = rng.choice([None, None, 0.1, 25, 500, round(rng.uniform(0.2, 300), 3)])
    if near is None or "," not in near:
        radius = None
    chosen = rng.sample(sorted(FACETS), rng.choice([0, 0, 1, 2]))
    fields: dict[str, Any] = {f: tuple(rng.sample(FACETS[f], rng.choice([1, 2]))) for f in chosen}
    return SearchQuery(
        near=near,
        radius=radius,
        units="mi",
        q=rng.choice([None, None, rng.choice([t for t in TEXTS if words(t)])]),
        max_price=rng.choice([None, None, None, 100]),
        sort=rng.choice([None, None, Sort.PRICE]),
        limit=rng.choice([1, 4, 20]),
        **fields,
    )


def judged(corpus: list[Listing], query: SearchQuery, page: SearchPage) -> None:
    """Holds a page to what the promises say of widening, beyond and without."""
    where = page.place.point if page.place and page.place.kind != "state" else None
    steps = [query.radius] if query.radius else [25, 50, 100]
    for miles in steps:
        area = Circle(where, miles * MILE) if where else page.place and page.place.state
        ask = Ask(
            area=area,
            clauses=vocabulary().understand(query.q or ""),
            facets=query.selected,
            max_price=query.max_price,
            fresh_since=TODAY - timedelta(90),
            sort=query.sort or (Sort.DISTANCE if where and not query.q else Sort.BEST),
        )
        verdict = Verdict(corpus, ask)
        if verdict.undecided:
            return
        if verdict.total >= 5 or not where:
            break
    assert page.total == verdict.total
    names = [facet.name for facet in page.facets]
    assert sorted(names) == sorted(set(names))
    assert [(f.name, v.value) for f in page.facets for v in f.values] == list(FACET_VALUES)
    counts = {(f.name, v.value): v.count for f in page.facets for v in f.values if v.count}
    assert counts == verdict.counts
    widened = bool(where and not query.radius and miles > 25)
    assert bool(page.widened) is widened
    if page.widened:
        assert page.widened.to_m == pytest.approx(miles * MILE)
    everywhere = replace(ask, area=Circle(where, None), sort=Sort.DISTANCE) if where else None
    beyond = Verdict(corpus, everywhere).ordered[:5] if everywhere and not page.total else []
    assert [r.distance_m for r in page.beyond] == pytest.approx(
        [away for _, away, _ in beyond], abs=1
    )
    if page.total:
        assert page.without == ()
        return
    expected = {}
    for facet, _ in query.selected:
        others = tuple(pair for pair in query.selected if pair[0] != facet)
        expected[facet] = Verdict(corpus, replace(ask, facets=others)).total
    if ask.clauses:
        expected["q"] = Verdict(corpus, replace(ask, clauses=())).total
    if query.max_price is not None:
        expected["max_price"] = Verdict(corpus, replace(ask, max_price=None)).total
    assert {each.filter: each.count for each in page.without} == expected


def to_the_end(query: SearchQuery, finder: Finder) -> tuple[SearchPage, list[Found]]:
    page = first = find(query, finder)
    found = [(r.listing.id, r.distance_m) for r in page.results]
    while page.next:
        assert len(page.results) == query.limit
        page = find(query.model_copy(update={"cursor": page.next}), finder)
        assert page.total == first.total
        assert page.facets == first.facets
        found += [(r.listing.id, r.distance_m) for r in page.results]
    return first, found


def finder_of(engine: Engine, places: Places, today: Callable[[], date] = lambda: TODAY) -> Finder:
    return Finder(engine, places, Cursors("secret"), today)


@settings(WORLDS, max_examples=CORPORA)
@given(corpus=corpora(), seeds=rounds(QUERIES))
def test_both_engines_give_the_judge_s_page(
    corpus: list[Listing], seeds: list[int], engines: tuple[Engine, Engine], places: Places
) -> None:
    for engine in engines:
        fill(engine, corpus)
    spots = [listing.location.point for listing in corpus]
    for query in (a_query(seed, spots) for seed in seeds):
        answers = []
        for engine in engines:
            page, found = to_the_end(query, finder_of(engine, places))
            judged(corpus, query, page)
            assert len(found) == page.total
            answers.append((page, found))
        (_, one), (_, other) = answers
        assert [id_ for id_, _ in one] == [id_ for id_, _ in other]
        assert [away or 0 for _, away in one] == pytest.approx([a or 0 for _, a in other], abs=1e-6)


@pytest.fixture(params=[0, 1], ids=["sqlite", "elasticsearch"])
def finder(
    request: pytest.FixtureRequest, engines: tuple[Engine, Engine], places: Places
) -> Finder:
    return finder_of(engines[request.param], places)


def near_austin(count: int, **fields: Any) -> list[Listing]:
    lat, lon = AUSTIN
    return [a_listing(f"n{n:02}", point=(lat + n / 1000, lon), **fields) for n in range(count)]


def test_a_cursor_goes_on_where_it_was_though_the_index_changes(finder: Finder) -> None:
    corpus = near_austin(9)
    fill(finder.engine, corpus)
    query = SearchQuery(near="78701", radius=25, limit=3)
    first = find(query, finder)
    assert [r.listing.id for r in first.results] == ["n00", "n01", "n02"]
    nearer = a_listing("new", point=AUSTIN)
    fill(finder.engine, [nearer, *corpus[:1], *corpus[2:]])
    second = find(query.model_copy(update={"cursor": first.next}), finder)
    assert [r.listing.id for r in second.results] == ["n03", "n04", "n05"]


def test_a_widened_search_keeps_its_radius_from_page_to_page(finder: Finder) -> None:
    corpus = [a_listing(f"w0{n}", point=(AUSTIN[0] + 0.25 * n, AUSTIN[1])) for n in range(5)]
    fill(finder.engine, corpus)
    first = find(SearchQuery(near="78701", limit=2), finder)
    assert first.widened
    assert first.total == 5
    fill(finder.engine, [*corpus, *near_austin(6)])
    second = find(SearchQuery(near="78701", limit=2, cursor=first.next), finder)
    assert second.radius_m == first.radius_m


@pytest.mark.parametrize("change", [{"q": "chiro"}, {"radius": 26.0}, {"accepting": (Answer.YES,)}])
def test_a_cursor_belongs_to_its_query(finder: Finder, change: dict[str, Any]) -> None:
    fill(finder.engine, near_austin(5))
    query = SearchQuery(near="78701", radius=25, limit=2)
    cursor = find(query, finder).next
    assert cursor
    with pytest.raises(InvalidCursor):
        find(query.model_copy(update={"cursor": cursor, **change}), finder)
    for altered in (cursor[:-1], cursor[1:], "A" + cursor, cursor.swapcase(), "", "é"):
        if altered:
            with pytest.raises(InvalidCursor):
                find(query.model_copy(update={"cursor": altered}), finder)
    assert find(query.model_copy(update={"cursor": cursor, "limit": 3}), finder).results


def test_a_city_and_a_zip_with_the_same_centre_give_the_same_list(finder: Finder) -> None:
    fill(
        finder.engine,
        near_austin(5, address={"city": "Luling", "state": "TX", "postal_code": "78648"}),
    )
    by_city, by_zip = (
        find(SearchQuery(near=n, radius=500), finder) for n in ("Luling, TX", "78648")
    )
    assert by_city.place
    assert by_zip.place
    assert by_city.place.point == by_zip.place.point
    assert by_city.results == by_zip.results


def test_confirmed_come_first_and_the_others_are_counted(finder: Finder) -> None:
    some = near_austin(6)
    fill(
        finder.engine,
        [*some[:4], *near_austin(6, dry_needling="yes")[4:]],
    )
    page = find(SearchQuery(near="78701", radius=25), finder, prefer_confirmed=True)
    assert page.only_confirmed
    assert page.total == 2
    assert page.count("confirmed", "no") == 4
    assert find(SearchQuery(near="78701", radius=25), finder).total == 6
    fill(finder.engine, some)
    nobody = find(SearchQuery(near="78701", radius=25), finder, prefer_confirmed=True)
    assert not nobody.only_confirmed
    assert nobody.total == 6


def test_explain_adds_up_and_money_takes_no_part(finder: Finder) -> None:
    fresh = {"on": TODAY, "by": "Ana", "method": "form"}
    price = {"least": 1, "most": 2}
    fill(
        finder.engine,
        [
            a_listing("plain"),
            a_listing(
                "paid", first_visit_price=price, cash_pay="yes", insurance_accepted=["aetna"]
            ),
            a_listing("sure", dry_needling="yes", attestation=fresh),
            a_listing("named", name={"given": "Chiro", "family": "Ng"}),
        ],
    )
    query = SearchQuery(near="78701", radius=25, q="physical therapist", explain=True)
    page = find(query, finder)
    scores = [r.score.total for r in page.results if r.score]
    assert scores == sorted(scores, reverse=True)
    by_id = {r.listing.id: r.score for r in page.results}
    assert by_id["paid"] == by_id["plain"]
    assert [r.listing.id for r in page.results] == ["sure", "named", "paid", "plain"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"near": "Texas", "radius": 10}, "radius"),
        ({"q": "chiro", "radius": 10}, "radius"),
        ({"near": "Texas", "sort": "distance"}, "sort"),
        ({"q": "chiro", "sort": "distance"}, "sort"),
    ],
)
def test_what_needs_a_centre_is_not_dropped_in_silence(
    finder: Finder, query: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(InvalidQuery) as raised:
        find(SearchQuery(**query), finder)
    assert [error.parameter for error in raised.value.errors] == [parameter]
