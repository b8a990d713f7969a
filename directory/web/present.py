"""A SearchPage and a Listing as JSON; nothing is worked out here that was not found."""

from typing import Any

from directory.credentials import CredentialNote
from directory.listing import Listing
from directory.places.place import Place
from directory.search.distance import METRES_PER
from directory.search.page import Result, SearchPage
from directory.search.query import FACET_PARAMETERS, SearchQuery
from directory.store.listings import Status
from directory.vocabulary import Term

Json = dict[str, Any]


def search_page(page: SearchPage) -> Json:
    """The answer to a search."""
    units = page.query.units
    return {
        "query": _query(page),
        "place": place(page.place) if page.place else None,
        "total": page.total,
        "results": [_result(result, units) for result in page.results],
        "facets": {
            facet.name: [
                {"value": v.value, "label": v.label, "count": v.count, "selected": v.selected}
                for v in facet.values
            ]
            for facet in page.facets
        },
        "widened": page.widened
        and {
            "from": length(page.widened.from_m, units),
            "to": length(page.widened.to_m, units),
            "units": units,
        },
        "beyond": [_result(result, units) for result in page.beyond],
        "without": {each.filter: each.count for each in page.without},
        "next": page.next,
    }


def place(found: Place) -> Json:
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


def listing(shown: Listing) -> Json:
    """A listing as anybody may see it."""
    return {
        **shown.model_dump(mode="json"),
        "confirmed": shown.confirmed,
        "evidence": shown.evidence,
    }


def stored_listing(status: Status, shown: Listing, notes: tuple[CredentialNote, ...]) -> Json:
    """A listing of the store, with where it stands and what its credentials mean."""
    return {
        **listing(shown),
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


def term(shown: Term) -> Json:
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


def _result(result: Result, units: str) -> Json:
    shown = listing(result.listing)
    if result.distance_m is not None:
        shown["distance"] = {
            "value": length(result.distance_m, units),
            "units": units,
            "approximate": result.listing.location.precision.approximate,
        }
    else:
        shown["distance"] = None
    if result.score:
        score = result.score
        shown["score"] = {
            "match": score.match,
            "confirmed": score.confirmed,
            "fresh": score.fresh,
            "licence_checked": score.licence_checked,
            "total": score.total,
        }
    return shown
