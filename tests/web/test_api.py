"""The API over real HTTP, on both engines."""

from typing import Any

import pytest

from directory.search.entry import FACET_VALUES
from tests.judge import distance
from tests.web.conftest import Site

AUSTIN = {"near": "Austin, TX", "radius": "25"}


def test_a_search_answers_in_the_shape_that_was_promised(site: Site) -> None:
    found = site.api(**AUSTIN)
    assert set(found) == {
        "query", "place", "total", "results", "facets", "widened", "beyond", "without", "next",
    }  # fmt: skip
    assert found["place"]["label"] == "Austin, TX"
    assert found["place"]["kind"] == "city"
    assert found["total"] > 20 == len(found["results"])
    first = found["results"][0]
    assert {"id", "npi", "location", "distance", "name", "confirmed", "evidence"} <= set(first)
    assert set(first["location"]) == {"lat", "lon", "precision", "method"}
    assert set(first["distance"]) == {"value", "units", "approximate"}
    assert all(
        set(value) == {"value", "label", "count", "selected"}
        for values in found["facets"].values()
        for value in values
    )
    values = [(name, v["value"]) for name, several in found["facets"].items() for v in several]
    assert values == list(FACET_VALUES)


def test_results_are_nearest_first_within_the_radius(site: Site) -> None:
    found = site.api(**AUSTIN, limit=100)
    away = [result["distance"]["value"] for result in found["results"]]
    assert away == sorted(away)
    assert away[-1] <= 25
    centre = (found["place"]["lat"], found["place"]["lon"])
    for result in found["results"]:
        point = (result["location"]["lat"], result["location"]["lon"])
        assert result["distance"]["value"] * 1609.344 == pytest.approx(
            distance(centre, point), abs=1
        )


def test_cursors_lead_to_the_last_result_once(site: Site) -> None:
    parameters: dict[str, Any] = {**AUSTIN, "limit": 7}
    page = site.api(**parameters)
    seen = [result["id"] for result in page["results"]]
    while page["next"]:
        page = site.api(**parameters, cursor=page["next"])
        seen += [result["id"] for result in page["results"]]
    assert len(seen) == len(set(seen)) == page["total"]


def test_kilometres(site: Site) -> None:
    miles, km = site.api(**AUSTIN), site.api(near="Austin, TX", radius="40.2336", units="km")
    assert miles["total"] == km["total"]
    one, other = miles["results"][0]["distance"], km["results"][0]["distance"]
    assert other["value"] == pytest.approx(one["value"] * 1.609344, abs=0.001)


def test_unknown_is_never_yes(site: Site) -> None:
    for name, field in ("accepting", "accepting"), ("cash_pay", "cash_pay"):
        yes = site.api(near="Texas", limit=100, **{name: "yes"})
        assert {result[field] for result in yes["results"]} == {"yes"}
        either = site.api(near="Texas", limit=100, **{name: ["yes", "unknown"]})
        assert either["total"] > yes["total"]
    insured = site.api(near="Texas", insurance="aetna", limit=100)
    assert all("aetna" in result["insurance_accepted"] for result in insured["results"])
    cheap = site.api(near="Texas", max_price=100, limit=100)
    assert all(result["first_visit_price"]["most"] <= 100 for result in cheap["results"])


def test_a_state_is_searched_whole_and_without_distances(site: Site) -> None:
    found = site.api(near="Vermont")
    assert found["place"]["kind"] == "state"
    assert {result["address"]["state"] for result in found["results"]} == {"VT"}
    assert {result["distance"] for result in found["results"]} == {None}
    assert found["query"]["radius"] is None


def test_nothing_found_is_an_answer(site: Site) -> None:
    found = site.api(near="Glasgow, MT", radius=1, confirmed="yes")
    assert found["total"] == 0
    assert len(found["beyond"]) == 5
    assert found["without"] == {"confirmed": 0}


@pytest.mark.parametrize(
    ("parameters", "status", "parameter"),
    [
        ({"near": "Austin", "radios": "5"}, 422, "radios"),
        ({"near": "Austin", "page": "2"}, 422, "page"),
        ({"near": "Nowhereville"}, 422, "near"),
        ({"near": "Austin", "radius": "501"}, 400, "radius"),
        ({"near": "95,0"}, 400, "near"),
        ({"near": "Austin", "limit": "101"}, 400, "limit"),
        ({"near": "Austin", "cursor": "abc"}, 400, "cursor"),
        ({"near": ["Austin", "Dallas"]}, 400, "near"),
        ({"sort": "distance"}, 400, "sort"),
        ({"near": ""}, 400, "near"),
    ],
)
def test_bad_input_is_named(
    site: Site, parameters: dict[str, Any], status: int, parameter: str
) -> None:
    answer = site.get("/api/v1/search", **parameters)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert [error["parameter"] for error in answer.json["errors"]] == [parameter]
    assert all(error["detail"] for error in answer.json["errors"])


def test_an_unknown_place_suggests_others(site: Site) -> None:
    answer = site.get("/api/v1/search", near="Austn")
    assert answer.json["suggestions"][0] == "Austin, TX"


def test_a_listing_with_its_notes(site: Site) -> None:
    id_ = site.api(**AUSTIN, confirmed="yes")["results"][0]["id"]
    listing = site.get(f"/api/v1/listings/{id_}").json
    assert (listing["id"], listing["status"]) == (id_, "published")
    assert all({"text", "basis", "source", "as_of"} <= set(n) for n in listing["credential_notes"])
    assert site.get("/api/v1/listings/nobody-there").status == 404


def test_what_hides_its_street_shows_it_nowhere(site: Site) -> None:
    hidden = [
        result
        for state in ("Texas", "Illinois", "New York", "Colorado")
        for result in site.api(near=state, limit=100)["results"]
        if result["area_only"]
    ]
    assert hidden
    for result in hidden:
        (known,) = site.get("/api/v1/places", q=result["address"]["postal_code"]).json["places"]
        assert (result["location"]["lat"], result["location"]["lon"]) == (
            known["lat"],
            known["lon"],
        )
        assert result["address"]["line1"] is None
        page = site.get(f"/listings/{result['id']}").text
        one = site.get(f"/api/v1/listings/{result['id']}").json
        assert one["address"]["line1"] is None
        assert "Area only" in page or "its area only" in page


def test_places_and_vocabulary(site: Site) -> None:
    places = site.get("/api/v1/places", q="Springfield").json["places"]
    assert [place["label"] for place in places[:2]] == ["Springfield, MA", "Springfield, IL"]
    assert site.get("/api/v1/places", q="Nowhereville").status == 422
    (point,) = site.get("/api/v1/places", q="30.27,-97.74").json["places"]
    assert (point["kind"], point["lat"]) == ("point", 30.27)
    assert site.get("/api/v1/places").status == 400
    professions = site.get("/api/v1/vocabulary").json["profession"]
    assert {term["nucc_prefix"] for term in professions} == {"207X", "111N", "2251"}


def test_what_a_moderator_has_checked_is_found(site: Site) -> None:
    for state in ("Texas", "Illinois"):
        checked = site.api(near=state, licence_checked="yes", limit=100)["results"]
        assert checked
        assert {r["provenance"]["licence_check"]["source"] for r in checked} == {"moderator"}
        everybody = site.api(near=state, confirmed="yes", limit=100)["results"]
        assert {r["evidence"] for r in everybody} == {"verified", "stated"}


def test_health(site: Site) -> None:
    assert site.get("/healthz").json == {"status": "ok"}
    ready = site.get("/readyz").json
    assert ready["status"] == "ready"
    assert ready["engine"]["listings"] > 600


def test_explain(site: Site) -> None:
    found = site.api(near="Austin", q="chiro", explain="1")
    assert found["results"]
    for result in found["results"]:
        parts = result["score"]
        assert parts["total"] == sum(value for name, value in parts.items() if name != "total")


def test_the_log_holds_routes_and_nothing_that_was_searched(site: Site) -> None:
    site.get("/search", near="Bozeman, MT", q="pelvic pain")
    site.api(near="45.6770,-111.0429")
    assert "GET /search 200" in site.log
    for secret in ("Bozeman", "pelvic", "45.67", "111.04"):
        assert secret not in site.log
