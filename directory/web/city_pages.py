"""What search engines may keep: pages of cities that have listings, and the map of the site."""

from datetime import date
from functools import lru_cache

from flask import Blueprint, Response, abort, current_app, render_template, url_for

from directory.language import gettext
from directory.search.find import find
from directory.search.query import SearchQuery
from directory.services import Services
from directory.states import STATE_NAMES
from directory.store import listings
from directory.store.listings import City
from directory.vocabulary.words import words
from directory.web.context import finder, services
from directory.web.pages import shown_results

blueprint = Blueprint("cities", __name__)

MOST_IN_PART = 10_000
"""Addresses a file of the site's map; the protocol allows 50,000 (sitemaps.org, 2016-11-21)."""


_NOT_KEPT = ("/search", "/api/", "/compare")


@blueprint.get("/dry-needling/<state>/<city>")
def city(state: str, city: str) -> str:
    """The search around a city, where somebody has confirmed to do dry needling there."""
    found = next((each for each in _cities() if _path(each) == (state, city)), None)
    if not found:
        abort(404, gettext("There is no confirmed listing in this city."))
    near = f"{found.name}, {found.state}"
    query = SearchQuery(near=near)
    page = find(query, finder(), prefer_confirmed=True)
    canonical = url_for("cities.city", state=state, city=city, lang=None)
    return shown_results(page, {"near": [near]}, canonical)


@blueprint.get("/dry-needling")
def every_city() -> str:
    """All cities that have a page, by state."""
    by_state: dict[str, list[City]] = {}
    for each in _cities():
        by_state.setdefault(each.state, []).append(each)
    named = {STATE_NAMES[state]: cities for state, cities in sorted(by_state.items())}
    return render_template("cities.html", cities=named, path=_path)


@blueprint.get("/robots.txt")
def robots() -> Response:
    """What crawlers may read: not what people search for."""
    site_map = f"{current_app.config['BASE_URL']}{url_for('cities.site_map')}"
    rules = ("User-agent: *", *(f"Disallow: {each}" for each in _NOT_KEPT), f"Sitemap: {site_map}")
    return Response("\n".join(rules) + "\n", content_type="text/plain; charset=utf-8")


@blueprint.get("/sitemap.xml")
def site_map() -> Response:
    """The files of the site's map."""
    with services().database.reading() as session:
        confirmed = listings.count_confirmed(session)
    numbers = range(1, -(-confirmed // MOST_IN_PART) + 1)
    parts = [url_for("cities.site_map_of_listings", number=number) for number in numbers]
    return _xml("sitemapindex.xml", [url_for("cities.site_map_of_pages"), *parts])


@blueprint.get("/sitemap/pages.xml")
def site_map_of_pages() -> Response:
    """The pages that are no listings."""
    cities = (url_for("cities.city", state=s, city=c) for s, c in map(_path, _cities()))
    return _xml(
        "sitemap.xml",
        [url_for("pages.home"), url_for("guide.guide"), url_for("cities.every_city"), *cities],
    )


@blueprint.get("/sitemap/listings-<int:number>.xml")
def site_map_of_listings(number: int) -> Response:
    """The confirmed listings, in parts."""
    with services().database.reading() as session:
        ids = listings.confirmed_ids(session, (number - 1) * MOST_IN_PART, MOST_IN_PART)
    if not ids:
        abort(404)
    return _xml("sitemap.xml", [url_for("listings.listing", id_=id_) for id_ in ids])


def _cities() -> tuple[City, ...]:
    return _cities_on(services(), services().clock().date())


@lru_cache(1)
def _cities_on(parts: Services, _: date) -> tuple[City, ...]:
    """Those that the gazetteer knows, else no search could begin there.

    Counting them reads every listing, so it is done once a day and process.
    """
    with parts.database.reading() as session:
        found = listings.cities(session)
    return tuple(
        each for each in found if parts.places.middle({"city": each.name, "state": each.state})
    )


def _path(city: City) -> tuple[str, str]:
    return city.state.lower(), "-".join(words(city.name))


def _xml(template: str, addresses: list[str]) -> Response:
    text = render_template(template, addresses=addresses)
    return Response(text, content_type="application/xml; charset=utf-8")
