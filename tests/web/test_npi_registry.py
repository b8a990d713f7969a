"""The NPI Registry API: judged by brute force on both engines, and asked by other people's clients."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from directory.app import create_app
from directory.listing import Listing, Provenance, Source
from directory.places import Places
from directory.search.engine import Engine
from directory.services import Services
from directory.settings import Settings
from directory.store.database import Database
from tests.builders import AUSTIN, NOW, TODAY, a_listing
from tests.conftest import own_services
from tests.contract.strategies import a_dated_corpus
from tests.contract.test_lookups import fill
from tests.elasticsearch_node import ROOT
from tests.judge import Dated, distance, in_order
from tests.web.conftest import Site

PATH = "/npi-registry/api/"
MILE = 1609.344
ANA, BEN = "1234567893", "1245319599"
CLIENTS = ROOT / ".cache"

Json = dict[str, Any]


@pytest.fixture(scope="module")
def without_store(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Services:
    """Services whose store is down."""
    down = Database("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    parts = own_services(tmp_path_factory.mktemp("registry"), places)
    parts.close()
    return replace(parts, database=down)


def on(engine: Engine, parts: Services) -> FlaskClient:
    asked_often = Settings(requests_a_minute=100_000)
    return create_app(asked_often, replace(parts, engine=engine)).test_client()


@pytest.fixture
def registry(engine: Engine, without_store: Services) -> Iterator[FlaskClient]:
    """The site on each engine in turn, with no index yet."""
    with on(engine, without_store) as made:
        yield made


def ask(registry: FlaskClient, **parameters: object) -> Json:
    answer = registry.get(f"{PATH}?{urlencode({'version': '2.1', **parameters}, doseq=True)}")
    assert answer.status_code == 200
    found: Json = answer.json  # type: ignore[assignment]
    return found


def numbers(registry: FlaskClient, **parameters: object) -> list[str]:
    found = ask(registry, **parameters)
    assert "Errors" not in found, found
    assert found["result_count"] == len(found["results"])
    return [result["number"] for result in found["results"]]


def by_cursor(registry: FlaskClient, **parameters: object) -> list[Json]:
    """Every result, page after page."""
    page = ask(registry, **parameters)
    results = list(page["results"])
    while page["cursor"]:
        page = ask(registry, **parameters, cursor=page["cursor"])
        results += page["results"]
    return results


# The judge: what each parameter means, said once more and otherwise.

SAME_NAME = [{"bill", "william"}, {"bob", "robert", "bud"}]
NAMES_OF_CODES = {
    "225100000X": ["physical therapist"],
    "2251X0800X": ["physical therapist", "orthopedic", "physical therapist orthopedic"],
    "2251S0007X": ["physical therapist", "sports", "physical therapist sports"],
    "111N00000X": ["chiropractor"],
    "207X00000X": ["orthopaedic surgery"],
}
CODE_OF = {"physical-therapist": "225100000X", "chiropractor": "111N00000X",
           "orthopedic-doctor": "207X00000X"}  # fmt: skip


def said(text: str | None) -> str:
    return " ".join(in_order(text or ""))


def fits(text: str, wanted: str) -> bool:
    folded = said(wanted)
    return bool(folded) and (
        text.startswith(folded) if wanted.endswith("*") else text == folded
    )  # fmt: skip


def matches(listing: Listing, name: str, wanted: str) -> bool:
    address = listing.address
    postal_code = address.postal_code[:5] if listing.area_only else address.postal_code
    match name:
        case "number":
            return listing.npi == wanted
        case "first_name":
            mine = said(listing.name.given)
            same = [group for group in SAME_NAME if said(wanted) in group and "*" not in wanted]
            return fits(mine, wanted) or any(mine in group for group in same)
        case "last_name":
            return fits(said(listing.name.family), wanted)
        case "organization_name":
            return fits(said(listing.clinic), wanted)
        case "city":
            return fits(said(address.city), wanted)
        case "state":
            return address.state == wanted.upper()
        case "postal_code":
            digits, typed = postal_code.replace("-", ""), wanted.rstrip("*").replace("-", "")
            begins = wanted.endswith("*") or len(typed) == 5
            return digits.startswith(typed) if begins else digits == typed
        case "taxonomy_description":
            codes = [each.code for each in listing.taxonomies]
            named = [text for code in codes for text in NAMES_OF_CODES[code]]
            own = [*NAMES_OF_CODES[CODE_OF[listing.profession]], said(listing.profession)]
            return any(fits(text, wanted) for text in (*named, *own))
        case "enumeration_type":
            return wanted == "NPI-1"
    raise AssertionError(name)


def expected(corpus: Sequence[Dated], asked: Json) -> list[str]:
    """The NPIs in order: by number, or by the nearest practice for which all holds."""
    criteria = {n: v for n, v in asked.items() if n not in ("lat", "lon", "radius")}
    centre = (float(asked["lat"]), float(asked["lon"])) if "lat" in asked else None
    first: dict[str, tuple[float, str]] = {}
    for listing, _ in corpus:
        away = distance(centre, listing.location.point) if centre else 0.0
        near = not centre or away <= float(asked["radius"]) * MILE
        if listing.npi and near and all(matches(listing, n, v) for n, v in criteria.items()):
            key = (away, listing.id)
            first[listing.npi] = min(first.get(listing.npi, key), key)
    return sorted(first, key=lambda npi: first[npi] if centre else npi)


def a_query(rng: Random, corpus: Sequence[Dated]) -> Json:
    listing = rng.choice(corpus)[0]
    address, name = listing.address, listing.name
    codes = [text for each in listing.taxonomies for text in NAMES_OF_CODES[each.code]]
    full = {
        "number": listing.npi or ANA,
        "first_name": name.given,
        "last_name": name.family,
        "organization_name": listing.clinic or "Nobody's",
        "city": address.city,
        "state": rng.choice([address.state, address.state.lower()]),
        "postal_code": address.postal_code,
        "taxonomy_description": rng.choice([*codes, "Chiropractor", "Physical Therapist"]),
        "enumeration_type": "NPI-1",
    }
    asked = {n: full[n] for n in rng.sample(sorted(full), rng.choice([1, 1, 2, 3]))}
    for wild in {"first_name", "last_name", "organization_name", "city"} & asked.keys():
        if rng.random() < 0.5 and len(said(asked[wild]).replace(" ", "")[:3]) > 2:
            asked[wild] = asked[wild][:4] + "*"
    if "postal_code" in asked:
        asked["postal_code"] = rng.choice([address.postal_code, address.postal_code[:5], "787*"])
    if asked.keys() <= {"state", "enumeration_type"} or rng.random() < 0.3:
        at = rng.choice([listing.location.point, (30.2713, -97.7426)])
        asked |= {"lat": f"{at[0]:.6f}", "lon": f"{at[1]:.6f}", "radius": rng.choice([1, 50, 500])}
    return asked


def test_every_query_finds_what_the_judge_finds(registry: FlaskClient, engine: Engine) -> None:
    found = 0
    for seed in range(4):
        corpus = a_dated_corpus(seed, 60)
        fill(engine, corpus)
        rng = Random(seed)
        for _ in range(25):
            asked = a_query(rng, corpus)
            whole = numbers(registry, **asked, limit=200)
            judged = expected(corpus, asked)
            assert sorted(whole) == sorted(judged), asked
            if "lat" not in asked:
                assert whole == judged, asked
            else:
                assert_nearest_first(ask(registry, **asked, limit=200)["results"], corpus, asked)
            size = rng.choice([1, 3, 7] if len(whole) < 9 else [7])
            assert [r["number"] for r in by_cursor(registry, **asked, limit=size)] == whole
            paged = [numbers(registry, **asked, limit=size, skip=at) for at in range(0, 9, size)]
            assert [number for page in paged for number in page] == whole[: len(paged) * size]
            found += len(whole)
    assert found > 150


def assert_nearest_first(results: Sequence[Json], corpus: Sequence[Dated], asked: Json) -> None:
    away = [result["distance"]["value"] for result in results]
    assert away == sorted(away)
    centre = (float(asked["lat"]), float(asked["lon"]))
    for result in results:
        criteria = {n: v for n, v in asked.items() if n not in ("lat", "lon", "radius")}
        nearest = min(
            distance(centre, listing.location.point)
            for listing, _ in corpus
            if listing.npi == result["number"]
            and all(matches(listing, n, v) for n, v in criteria.items())
        )
        assert result["distance"]["value"] * MILE == pytest.approx(nearest, abs=1.0)


@pytest.fixture(scope="module")
def known_by(engines: tuple[Engine, Engine]) -> tuple[Engine, Engine]:
    """Ana at two practices, one as the registry has it; Ben hides his; Cy has no NPI."""
    nppes = Provenance(source=Source.NPPES, as_of=TODAY)
    ana = a_listing(
        "ana-a", npi=ANA, letters=["PT", "DPT"], gender="female", clinic="Neck & Back",
        phone="+15125550100", taxonomies=[{"code": "2251X0800X", "primary": True,
        "licence_number": "T1", "licence_state": "TX"}],
    )  # fmt: skip
    ana = ana.model_copy(update={"provenance": {**ana.provenance, "npi": nppes}})
    dallas = {"line1": "2 Elm St", "line2": "Suite 3", "city": "Dallas", "state": "TX",
              "postal_code": "75201-1234"}  # fmt: skip
    listings = [
        ana,
        a_listing("ana-b", npi=ANA, point=(32.78, -96.8), address=dallas),
        a_listing(
            "ben", npi=BEN, name={"given": "Bob", "family": "O'Brien"}, area_only=True,
            profession="chiropractor",
            location={"lat": 30.27, "lon": -97.74, "precision": "postal_code"},
        ),
        a_listing("cy-nunez", name={"given": "Cy", "family": "Núñez"}),
    ]  # fmt: skip
    for engine in engines:
        fill(engine, [(listing, NOW) for listing in listings])
    return engines


@pytest.fixture(params=[0, 1], ids=["sqlite", "elasticsearch"])
def known(
    request: pytest.FixtureRequest, known_by: tuple[Engine, Engine], without_store: Services
) -> Iterator[FlaskClient]:
    """The site on each engine in turn, with Ana, Ben and Cy."""
    with on(known_by[request.param], without_store) as made:
        yield made


def test_a_record_has_the_registrys_shape(known: FlaskClient) -> None:
    (ana,) = ask(known, number=ANA)["results"]
    assert ana["basic"] == {
        "name": "Ana Núñez", "name_prefix": "", "first_name": "Ana", "middle_name": "",
        "last_name": "Núñez", "name_suffix": "", "credential": "PT, DPT", "gender": "F",
        "sex": "F", "status": "A", "enumeration_date": "", "last_updated": "2026-11-24",
        "source": "Dry Needling Directory, http://127.0.0.1:8000",
    }  # fmt: skip
    (here,), (there,) = ana["addresses"], ana["practiceLocations"]
    assert (here["city"], here["telephone_number"]) == ("Austin", "512-555-0100")
    assert here["organization_name"] == "Neck & Back"
    assert (there["address_1"], there["address_2"]) == ("2 Elm St", "Suite 3")
    assert (there["postal_code"], there["address_purpose"]) == ("752011234", "LOCATION")
    assert ana["taxonomies"] == [
        {"code": "2251X0800X", "taxonomy_group": "", "desc": "Physical Therapist, Orthopedic",
         "state": "TX", "license": "T1", "primary": True}
    ]  # fmt: skip
    assert ana["identifiers"] == ana["endpoints"] == ana["other_names"] == []
    assert ana["enumeration_type"] == "NPI-1"
    assert "distance" not in ana


def test_what_a_practitioner_says_is_not_the_registrys(known: FlaskClient) -> None:
    (ben,) = ask(known, number=BEN)["results"]
    assert ben["basic"]["status"] == ""
    assert ben["basic"]["source"].startswith("Dry Needling Directory")
    assert ben["taxonomies"][0]["code"] == ""
    assert ben["taxonomies"][0]["desc"] == "Chiropractor"
    assert ben["addresses"][0]["address_1"] == ""


def test_each_practitioner_once_at_the_practice_that_was_found(known: FlaskClient) -> None:
    assert numbers(known, state="TX", last_name="nunez") == [ANA]
    (ana,) = ask(known, city="Dallas")["results"]
    assert ana["addresses"][0]["city"] == "Dallas"
    assert [each["city"] for each in ana["practiceLocations"]] == ["Austin"]
    near = {"lat": AUSTIN[0], "lon": AUSTIN[1], "radius": 500}
    assert numbers(known, **near) == [ANA, BEN]
    first, second = (ask(known, **near, limit=1), ask(known, **near, limit=1, skip=1))
    assert first["results"][0]["distance"] == {"value": 0.0, "units": "mi", "approximate": False}
    assert second["results"][0]["distance"]["approximate"]
    assert [r["number"] for r in by_cursor(known, **near, limit=1)] == [ANA, BEN]


def test_who_has_no_npi_is_not_served(known: FlaskClient) -> None:
    assert numbers(known, first_name="Cy") == []
    assert "Cy" not in str(by_cursor(known, state="TX", city="Austin", limit=1))


def test_other_names_of_one_first_name(known: FlaskClient) -> None:
    assert numbers(known, first_name="Robert") == numbers(known, first_name="bud") == [BEN]
    assert numbers(known, first_name="Robert", use_first_name_alias="False") == []
    assert numbers(known, first_name="Bob", use_first_name_alias="False") == [BEN]
    assert numbers(known, first_name="Robert*") == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"last_name": "O'Brien"},
        {"last_name": "OBRI*"},
        {"taxonomy_description": "chiro*"},
        {"postal_code": "78701", "taxonomy_description": "Chiropractor"},
        {"number": BEN, "country_code": "us", "address_purpose": "primary"},
        {"number": BEN, "name_purpose": "PROVIDER", "pretty": "true", "city": ""},
    ],
)
def test_ben_is_found(known: FlaskClient, parameters: Json) -> None:
    assert numbers(known, **parameters) == [BEN]


@pytest.mark.parametrize(
    "parameters",
    [
        {"number": BEN, "enumeration_type": "NPI-2"},
        {"number": BEN, "country_code": "CA"},
        {"city": "Austin", "address_purpose": "MAILING"},
        {"number": BEN, "name_purpose": "AO"},
        {"last_name": "👍"},
        {"last_name": "OBRI"},
        {"number": "1003000126"},
    ],
)
def test_nobody_is_found(known: FlaskClient, parameters: Json) -> None:
    assert numbers(known, **parameters) == []


@pytest.mark.parametrize(
    ("parameters", "field", "number"),
    [
        ({}, "generic", "04"),
        ({"state": "TX"}, "state", "07"),
        ({"country_code": "US"}, "country_code", "07"),
        ({"enumeration_type": "NPI-1"}, "enumeration_type", "09"),
        ({"last_name": "s*"}, "last_name", "03"),
        ({"last_name": "'s*"}, "last_name", "03"),
        ({"last_name": "sm*th"}, "last_name", "05"),
        ({"last_name": "*"}, "last_name", "03"),
        ({"last_name": ["Smith", "Jones"]}, "last_name", "05"),
        ({"last_name": "x" * 101}, "last_name", "05"),
        ({"lastname": "Smith"}, "lastname", "05"),
        ({"number": "123"}, "number", "06"),
        ({"number": "१२३४५६७८९३"}, "number", "06"),
        ({"last_name": "Smith", "version": "2.0"}, "version", "17"),
        ({"last_name": "Smith", "version": ""}, "version", "17"),
        ({"last_name": "Smith", "limit": "0"}, "limit", "05"),
        ({"last_name": "Smith", "limit": "-1"}, "limit", "05"),
        ({"last_name": "Smith", "skip": "1001"}, "skip", "05"),
        ({"last_name": "Smith", "state": "Texas"}, "state", "05"),
        ({"last_name": "Smith", "enumeration_type": "NPI-3"}, "enumeration_type", "05"),
        ({"last_name": "Smith", "cursor": "abc"}, "cursor", "05"),
        ({"last_name": "Smith", "cursor": "abc", "skip": "1"}, "cursor", "05"),
        ({"lat": "30", "lon": "-97"}, "radius", "05"),
        ({"lat": "91", "lon": "-97", "radius": "5"}, "lat", "05"),
        ({"lat": "..", "lon": "-97", "radius": "5"}, "lat", "05"),
        ({"lat": "30", "lon": "-97", "radius": "501"}, "radius", "05"),
        ({"lat": "30", "lon": "-97", "radius": "0.09"}, "radius", "05"),
        ({"lat": "30", "lon": "-97", "radius": "nan"}, "radius", "05"),
    ],
)
def test_what_cannot_be_asked_is_refused_as_the_registry_does(
    known: FlaskClient, parameters: Json, field: str, number: str
) -> None:
    refused = ask(known, **parameters)
    assert [(e["field"], e["number"]) for e in refused["Errors"]] == [(field, number)]
    assert all(error["description"] for error in refused["Errors"])
    assert "results" not in refused


def test_a_cursor_goes_on_with_its_own_query_alone(known: FlaskClient) -> None:
    cursor = ask(known, city="Austin", limit=1)["cursor"]
    assert numbers(known, city="Austin", cursor=cursor, limit=200) == [BEN]
    for other in ({"city": "Dallas"}, {"city": "Austin", "state": "TX"}):
        assert ask(known, **other, cursor=cursor)["Errors"][0]["field"] == "cursor"
    assert ask(known, city="Austin", cursor=cursor[:-2])["Errors"][0]["field"] == "cursor"
    assert "Errors" not in ask(known, city="Austin", limit=999)


def test_answers_are_for_one_and_mistakes_for_nobody(known: FlaskClient) -> None:
    answer = known.get(f"{PATH}?version=2.1&number={ANA}&pretty=on")
    assert answer.headers["Cache-Control"] == "private, max-age=60"
    assert answer.text.startswith('{\n  "result_count": 1')
    assert known.get(PATH).headers["Cache-Control"] == "no-store"
    assert known.post(PATH).headers["Content-Type"] == "application/problem+json"


def test_a_practice_says_whether_it_is_confirmed(registry: FlaskClient, engine: Engine) -> None:
    fresh, old = (TODAY - timedelta(days=days) for days in (90, 91))
    clinic = {"on": fresh, "by": "Ana", "method": "form"}
    here = a_listing("ana-a", npi=ANA, dry_needling="yes", attestation=clinic)
    there = a_listing("ana-b", npi=ANA, attestation={**clinic, "on": old, "by": "Ben"})
    nobody = a_listing("ana-c", npi=ANA)
    nppes = Provenance(source=Source.NPPES, as_of=old)
    nobody = nobody.model_copy(update={"provenance": {**nobody.provenance, "profession": nppes}})
    fill(engine, [(listing, NOW) for listing in (here, there, nobody)])
    (ana,) = ask(registry, number=ANA)["results"]
    names = ["dry_needling", "evidence", "source", "as_of", "attested_on", "attested_by", "stale"]
    said = [[each[n] for n in names] for each in (*ana["addresses"], *ana["practiceLocations"])]
    today = TODAY.isoformat()
    assert said == [
        ["yes", "stated", "clinic", today, fresh.isoformat(), "Ana", False],
        ["unknown", "unknown", "clinic", today, old.isoformat(), "Ben", True],
        ["unknown", "unknown", "nppes", old.isoformat(), "", "", True],
    ]


def test_the_address_needs_no_slash_at_its_end(known: FlaskClient) -> None:
    answer = known.get(f"/npi-registry/api?version=2.1&number={ANA}")
    assert answer.json == ask(known, number=ANA)


def test_without_an_index_it_says_so(
    registry: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = registry.get(f"{PATH}?version=2.1&number={ANA}")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.json["Errors"][0]["field"] == "generic"  # type: ignore[index]
    assert "EngineUnavailable" in caplog.text


NAMES = [
    "version", "number", "enumeration_type", "taxonomy_description", "first_name", "last_name",
    "use_first_name_alias", "organization_name", "address_purpose", "city", "state", "country_code",
    "postal_code", "limit", "skip", "pretty", "lat", "lon", "radius", "cursor", "name_purpose", "x",
]  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=30),
    st.integers().map(str),
    st.floats().map(repr),
    st.sampled_from(
        ["2.1", "TX", "sm*", "78701", "30.27", "-97.74", "5", "1e5", "1e400", "\0", "'"]
    ),
)


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=300)
@given(
    st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=7), st.binary(max_size=20)
)  # fmt: skip
@example([("limit", "9" * 5000), ("last_name", "x")], b"")
@example([("lat", "30"), ("lon", "-97"), ("radius", "5."), ("skip", "0001000")], b"")
@example([("last_name", "ana")], b"&last_name=%ff%fe&first_name=%ed%a0%80")
def test_no_input_breaks_it(known: FlaskClient, pairs: list[tuple[str, str]], more: bytes) -> None:
    text = urlencode([("version", "2.1"), *pairs], errors="replace").encode() + more
    answer = known.get(PATH, query_string=text.decode("latin-1"))
    if b"%00" in text or b"\0" in text:
        assert answer.status_code == 400
        return
    assert answer.status_code == 200
    content: Json = answer.json  # type: ignore[assignment]
    if "Errors" in content:
        assert all(set(e) == {"description", "field", "number"} for e in content["Errors"])
    else:
        assert content["result_count"] == len(content["results"])


# Over HTTP, by other people's clients.


def client_says(site: Site, name: str, program: str) -> Any:
    """What a client prints as JSON, in its own environment."""
    python = CLIENTS / name / "bin" / "python"
    if not python.exists():
        pytest.fail(f"{python} is missing: run `make test`, which installs it")
    done = subprocess.run(
        [python, "-c", program, f"{site.url}{PATH}"],
        capture_output=True, text=True, check=False, cwd=Path(site.folder),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


NPYI = """
import json, sys, npyi.npi
from npyi.exceptions import NPyIException
npyi.npi.BASE_URI = sys.argv[1]
found = npyi.npi.search({"city": "Austin", "taxonomy_description": "Physical*"}, limit=5, skip=1)
try:
    npyi.npi.search({"state": "CA"})
except NPyIException as error:
    print(json.dumps([found, str(error)]))
"""
NPPES = """
import json, sys, requests
from nppes import get_nppes_data, nppes_df
get = requests.get
def here(url, **more):
    host, _, query = url.partition("?")
    assert host.endswith("/api/"), url
    return get(f"{sys.argv[1]}?{query}", **more)
requests.get = here
found = get_nppes_data(city="Austin", state="TX", limit="5")
frame = nppes_df(city="Austin", state="TX", limit="5")
print(json.dumps([found, json.loads(frame.to_json(orient="records"))]))
"""


def test_npyi_searches_and_hears_why_not(site: Site) -> None:
    found, refused = client_says(site, "npyi", NPYI)
    whole = site.get(PATH, version="2.1", city="Austin", taxonomy_description="Physical*").json
    assert found["results"] == whole["results"][1:6]
    assert len(found["results"]) == 5
    assert refused == "Field state requires additional search criteria"


def test_nppes_makes_a_table(site: Site) -> None:
    found, rows = client_says(site, "nppes", NPPES)
    assert found["result_count"] == 5
    assert {row["number"] for row in rows} == {each["number"] for each in found["results"]}
    for row in rows:
        assert row["basic.name"]
        assert row["city"] == "Austin"
        assert row["desc"]


def test_the_fictional_directory_leads_to_the_end(site: Site) -> None:
    """By cursor every practitioner around the middle of the country; nothing is logged of it."""
    near = {"version": "2.1", "lat": 39.5, "lon": -98.35, "radius": 500, "limit": 50}
    page = site.get(PATH, **near).json
    results = list(page["results"])
    while page["cursor"]:
        page = site.get(PATH, **near, cursor=page["cursor"]).json
        results += page["results"]
    seen = {result["number"] for result in results}
    assert len(seen) == len(results) > 100
    away = [result["distance"]["value"] for result in results]
    assert away == sorted(away)
    assert away[-1] <= 500
    page = site.api(near="39.5,-98.35", radius=500, limit=100)
    theirs = [listing["npi"] for listing in page["results"]]
    while page["next"]:
        page = site.api(near="39.5,-98.35", radius=500, limit=100, cursor=page["next"])
        theirs += [listing["npi"] for listing in page["results"]]
    assert seen == set(theirs) - {None}
    assert "GET /npi-registry/api/ 200" in site.log
    assert "39.5" not in site.log
