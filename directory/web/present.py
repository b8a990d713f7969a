"""A SearchPage and a Listing as JSON; nothing is worked out here that was not found."""

from datetime import date
from typing import Any, Literal

import orjson

from directory.credentials import CredentialNote
from directory.listing import Listing, fresh_since
from directory.places.place import Place
from directory.search.distance import METRES_PER
from directory.search.engine import Cluster
from directory.search.entry import Score
from directory.search.page import Result, SearchPage, Widened
from directory.search.query import FACET_PARAMETERS, SearchQuery
from directory.store.listings import Status
from directory.vocabulary import Term
from directory.web.shapes import (
    Clusters,
    Distance,
    Feature,
    FeatureCollection,
    Json,
    PlaceShape,
    ScoreShape,
    SearchAnswer,
    TermShape,
    WidenedShape,
)


def search_page(page: SearchPage, today: date) -> SearchAnswer:
    """The answer to a search."""
    units = page.query.units
    return {
        "query": _query(page),
        "place": place(page.place) if page.place else None,
        "total": page.total,
        "results": [_result(result, units, today) for result in page.results],
        "facets": {
            facet.name: [
                {"value": v.value, "label": v.label, "count": v.count, "selected": v.selected}
                for v in facet.values
            ]
            for facet in page.facets
        },
        "widened": _widened(page.widened, units) if page.widened else None,
        "beyond": [_result(result, units, today) for result in page.beyond],
        "without": {each.filter: each.count for each in page.without},
        "next": page.next,
    }


def _widened(widened: Widened, units: Literal["mi", "km"]) -> WidenedShape:
    return {
        "from": length(widened.from_m, units),
        "to": length(widened.to_m, units),
        "units": units,
    }


def geojson(page: SearchPage, today: date) -> FeatureCollection:
    """The answer to a search as a FeatureCollection (RFC 7946): longitude first, degrees."""
    units = page.query.units
    found: FeatureCollection = {
        "type": "FeatureCollection",
        "features": [_feature(result, units, today) for result in page.results],
        "total": page.total,
        "next": page.next,
    }
    points = [each["geometry"]["coordinates"] for each in found["features"]]
    if points:
        lons, lats = zip(*points, strict=True)
        found["bbox"] = [min(lons), min(lats), max(lons), max(lats)]
    return found


def _feature(result: Result, units: Literal["mi", "km"], today: date) -> Feature:
    location = orjson.loads(result.hit.document.json)["location"]
    return {
        "type": "Feature",
        "id": result.hit.key.id,
        "geometry": {"type": "Point", "coordinates": [location["lon"], location["lat"]]},
        "properties": _result(result, units, today),
    }


def clusters(zoom: int, found: tuple[Cluster, ...]) -> Clusters:
    """Counts by the tiles of a map, the fullest first; points to a metre."""
    return {
        "zoom": zoom,
        "clusters": [
            {
                "tile": list(each.tile),
                "lat": round(each.centre[0], 5),
                "lon": round(each.centre[1], 5),
                "count": each.count,
            }
            for each in found
        ],
    }


def place(found: Place) -> PlaceShape:
    """A place, with the others that its name may mean."""
    latitude, longitude = found.point
    return {
        "label": found.label,
        "kind": found.kind,
        "state": found.state,
        "lat": latitude,
        "lon": longitude,
        "alternatives": [each.label for each in found.alternatives],
    }


def listing(shown: Listing, today: date) -> Json:
    """A listing as anybody may see it; `stale` where nobody has confirmed it within 90 days."""
    return {
        **shown.model_dump(mode="json"),
        "confirmed": shown.confirmed,
        "evidence": shown.evidence,
        "stale": shown.is_stale(today),
    }


def stored_listing(
    status: Status, shown: Listing, notes: tuple[CredentialNote, ...], today: date
) -> Json:
    """A listing of the store, with where it stands and what its credentials mean."""
    return {
        **listing(shown, today),
        "status": status,
        "credential_notes": [
            {
                "about": note.about,
                "text": note.text,
                "basis": note.basis,
                "source": note.source,
                "as_of": note.as_of,
                "detail": note.detail,
            }
            for note in notes
        ],
    }


def term(shown: Term) -> TermShape:
    """A term of the vocabulary."""
    return {
        "value": shown.value,
        "label": shown.label,
        "synonyms": list(shown.synonyms),
        "nucc_prefix": shown.nucc_prefix,
    }


def length(metres: float, units: str) -> float:
    """Metres in miles or kilometres, to about a sixth of a metre."""
    return round(metres / METRES_PER[units], 4)


def _query(page: SearchPage) -> Json:
    """What was understood: what was asked, with everything that was filled in."""
    query: SearchQuery = page.query
    asked = {name: list(getattr(query, name)) for name in FACET_PARAMETERS}
    return {
        "near": query.near,
        "radius": None if page.radius_m is None else length(page.radius_m, query.units),
        "units": query.units,
        "q": query.q,
        "understood": [
            {"words": " ".join(c.words), "terms": [t.token for t in c.terms]} for c in page.clauses
        ],
        **asked,
        "max_price": query.max_price,
        "sort": page.sort,
        "limit": query.limit,
    }


def _result(result: Result, units: Literal["mi", "km"], today: date) -> Any:  # noqa: ANN401  # JSON
    """A listing as `listing` shows it, with what it is in this answer behind its own JSON."""
    document = result.hit.document
    here: Json = {
        "confirmed": document.evidence != "unknown",
        "evidence": document.evidence,
        "stale": document.attested_on < fresh_since(today).isoformat(),
        "distance": None if result.distance_m is None else _distance(result, units),
    }
    if result.score:
        here["score"] = _score(result.score)
    return orjson.Fragment(document.json[:-1] + b"," + orjson.dumps(here)[1:])


def _distance(result: Result, units: Literal["mi", "km"]) -> Distance:
    return {
        "value": length(result.distance_m or 0, units),
        "units": units,
        "approximate": result.hit.document.approximate,
    }


def _score(score: Score) -> ScoreShape:
    return {
        "match": score.match,
        "confirmed": score.confirmed,
        "fresh": score.fresh,
        "licence_checked": score.licence_checked,
        "total": score.total,
    }
