"""What is found as a FHIR searchset."""

from urllib.parse import urlencode

from directory.fhir.elements import Json, Site, coding, said
from directory.fhir.page import Match, Page
from directory.fhir.resources import Subject
from directory.fhir.search import CURSOR, Pairs, Search
from directory.fhir.terms import DISTANCE, SUBSETTED
from directory.fhir.values import Near

_UCUM = {"mi": "[mi_i]", "ft": "[ft_i]"}


def bundle(search: Search, page: Page, next_cursor: str | None, kept: Pairs, site: Site) -> Json:
    """A page of resources, what comes along with them, and where the next page is.

    `kept` is what the links carry on beside the search.
    """
    here = [pair for pair in search.pairs if pair[0] != CURSOR]
    links = [{"relation": "self", "url": _url(search, (*search.pairs, *kept), site)}]
    if next_cursor:
        there = _url(search, (*here, (CURSOR, next_cursor), *kept), site)
        links.append({"relation": "next", "url": there})
    found = [_match(each, search, site) for each in page.matches]
    along = [_entry(each, each.draw(site), {"mode": "include"}, site) for each in page.included]
    return said(
        resourceType="Bundle", type="searchset", total=page.total, link=links, entry=found + along
    )


def _url(search: Search, pairs: Pairs, site: Site) -> str:
    query = urlencode(pairs)
    return f"{site.fhir}/{search.type}{'?' + query if query else ''}"


def _match(match: Match, search: Search, site: Site) -> Json:
    shown, near = match.subject.draw(site), search.wanted.near
    is_near = near and match.distance_m is not None
    extensions = _distance(match, near, site) if near and is_near else []
    found = said(mode="match", extension=extensions)
    if search.elements:
        shown = _only(shown, search.elements)
    return _entry(match.subject, shown, found, site)


def _entry(subject: Subject, shown: Json, how: Json, site: Site) -> Json:
    return {"fullUrl": f"{site.fhir}/{subject.type}/{subject.id}", "resource": shown, "search": how}


def _distance(match: Match, near: Near, site: Site) -> list[Json]:
    """How far away it is, and whether that is from the middle of a ZIP or a city."""
    ucum = _UCUM.get(near.unit, near.unit)
    length = {
        "value": near.length(match.distance_m or 0.0),
        "unit": near.unit,
        "system": "http://unitsofmeasure.org",
        "code": ucum,
    }
    (record, *_) = match.subject.records
    is_approximate = record.listing.location.precision.approximate
    mark = [site.extension("distance-approximate", valueBoolean=True)] if is_approximate else []
    return [{"url": DISTANCE, "valueDistance": length}, *mark]


def _only(resource: Json, elements: frozenset[str]) -> Json:
    """The elements that were asked for, and what no resource can be without."""
    kept = elements | {"resourceType", "id", "meta"}
    shown = {name: value for name, value in resource.items() if name in kept}
    return shown | {"meta": {**shown["meta"], "tag": [coding(SUBSETTED, "SUBSETTED")]}}
