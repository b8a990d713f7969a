"""The FHIR service as its callers meet it: reading, pages, errors, outages."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from directory.app import create_app
from directory.fhir.elements import Record
from directory.fhir.page import page
from directory.fhir.parameters import PARAMETERS
from directory.fhir.resources import LINKS, Type
from directory.fhir.search import read
from directory.listing import Change, Source
from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.engine import Engine
from directory.search.lookup import LookedUp, Lookup
from directory.services import Services
from directory.settings import Settings
from directory.store import record
from directory.store.database import Database
from directory.store.listings import Made
from tests.builders import a_listing
from tests.counted import Counted
from tests.fhir.test_search import SITE, entries, fill, links
from tests.fhir.worlds import a_world
from tests.indexer.test_fhir import an_npi
from tests.store.test_store import put
from tests.web.conftest import Site

FHIR = "application/fhir+json"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NPI = an_npi(7)
MANY_WORDS = "+".join(f"{first}{second}" for first in "abcdef" for second in "abcdefghijk")
"""66 of them."""


@pytest.fixture
def client(parts: Services) -> FlaskClient:
    return create_app(Settings(requests_a_minute=100_000), parts).test_client()


def outcome(answer: Any, status: int, code: str) -> str:
    """The diagnostics of an error, after a look at its shape."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == FHIR
    assert answer.headers["Cache-Control"] == "no-store"
    content = get_fhir_model_class("OperationOutcome").model_validate_json(answer.text)
    (issue,) = content.issue
    assert issue.code == code
    return str(issue.diagnostics)


def test_the_capability_statement_says_what_is_read(client: FlaskClient) -> None:
    answer = client.get("/fhir/r4/metadata")
    assert (answer.status_code, answer.content_type) == (200, FHIR)
    statement = get_fhir_model_class("CapabilityStatement").model_validate_json(answer.text)
    assert statement.instantiates is None
    assert statement.software.version
    (rest,) = statement.rest
    assert [each.type for each in rest.resource] == list(Type)
    for resource in rest.resource:
        names = [each.name for each in resource.searchParam]
        assert names == list(PARAMETERS[Type(resource.type)])
        assert {each.code for each in resource.interaction} == {"read", "search-type"}
    assert sum(len(each.searchInclude or []) for each in rest.resource) == len(LINKS)
    assert sum(len(each.searchRevInclude or []) for each in rest.resource) == len(LINKS)


def test_a_bundle_is_fhir_and_its_resources_can_be_read(
    parts: Services, client: FlaskClient
) -> None:
    fill(parts.engine, a_world(3, 60))
    for type_ in Type:
        answer = client.get(f"/fhir/r4/{type_}", query_string={"_count": "100"})
        assert answer.headers["Cache-Control"] == "private, max-age=60"
        get_fhir_model_class("Bundle").model_validate_json(answer.text)
        rows = entries(answer.json, "match")
        assert rows
        for row in rows:
            read = client.get(urlsplit(row["fullUrl"]).path)
            assert read.json == row["resource"]
            assert (read.content_type, read.headers["Cache-Control"]) == (
                FHIR,
                "private, max-age=60",
            )


@pytest.mark.parametrize("type_", list(Type))
def test_pages_are_the_whole_in_the_same_order(
    parts: Services, client: FlaskClient, type_: Type
) -> None:
    fill(parts.engine, a_world(4, 90))
    whole = [
        row["fullUrl"] for row in entries(client.get(f"/fhir/r4/{type_}?_count=100").json, "match")
    ]
    assert len(whole) > 15
    for count in (1, 7, 30):
        bundle = client.get(f"/fhir/r4/{type_}?_count={count}&unknown=1").json
        seen, sizes = [], []
        while True:
            rows = entries(bundle, "match")
            seen += [row["fullUrl"] for row in rows]
            sizes.append(len(rows))
            assert bundle.get("total") in (len(whole), None)
            if "next" not in links(bundle):
                break
            assert "unknown" not in links(bundle)["next"] + links(bundle)["self"]
            url = urlsplit(links(bundle)["next"])
            bundle = client.get(f"{url.path}?{url.query}").json
            assert links(bundle)["self"].endswith(url.query)
        assert seen == whole
        assert set(sizes[:-1]) <= {count}


def test_a_page_that_is_mostly_not_meant_is_short_and_leads_on(
    parts: Services, client: FlaskClient
) -> None:
    fill(
        parts.engine,
        [
            Record(a_listing(f"l{n:04}", clinic="Clinic" if n == 2_100 else None), NOON)
            for n in range(2_200)
        ],
    )
    first = client.get("/fhir/r4/Organization").json
    assert entries(first, "match") == []
    assert "total" not in first
    url = urlsplit(links(first)["next"])
    second = client.get(f"{url.path}?{url.query}").json
    assert [row["resource"]["id"] for row in entries(second, "match")] == ["l2100"]
    assert client.get("/fhir/r4/Organization?_summary=count").json["total"] == 1


def test_who_has_more_listings_than_are_read_for_a_page_is_there_once(
    parts: Services, client: FlaskClient
) -> None:
    many = [Record(a_listing(f"l{n:04}", npi=NPI), NOON) for n in range(2_100)]
    fill(parts.engine, [*many, Record(a_listing("another", npi=an_npi(8)), NOON)])
    bundle = client.get("/fhir/r4/Practitioner?_count=5").json
    ids = [row["resource"]["id"] for row in entries(bundle, "match")]
    assert sorted(ids) == sorted([f"npi.{NPI}", f"npi.{an_npi(8)}"])
    assert "next" not in links(bundle)
    assert client.get("/fhir/r4/Practitioner?_summary=count").json["total"] == 2


def test_a_cursor_belongs_to_its_query(parts: Services, client: FlaskClient) -> None:
    fill(parts.engine, a_world(4, 30))
    query = dict(
        parse_qsl(
            urlsplit(
                links(client.get("/fhir/r4/Location?_count=2&address-city=a").json)["next"]
            ).query
        )
    )
    assert client.get("/fhir/r4/Location", query_string=query | {"_count": "5"}).status_code == 200
    for wrong in ({"address-city": "b"}, {"_cursor": query["_cursor"][:-2]}, {"_cursor": "x"}):
        said = outcome(client.get("/fhir/r4/Location", query_string=query | wrong), 400, "invalid")
        assert "cursor" in said


def test_counting_and_showing_less(parts: Services, client: FlaskClient) -> None:
    world = a_world(4, 60)
    fill(parts.engine, world)
    for type_ in Type:
        for query in ("_summary=count", "_count=0"):
            counted = client.get(f"/fhir/r4/{type_}?{query}").json
            assert "entry" not in counted
            assert counted["total"] == len(
                entries(client.get(f"/fhir/r4/{type_}?_count=100").json, "match")
            )
    (row, *_) = entries(client.get("/fhir/r4/Location?_elements=name,address").json, "match")
    assert set(row["resource"]) == {"resourceType", "id", "meta", "name", "address"}
    assert row["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert links(client.get("/fhir/r4/Location?_count=5000").json)["self"].endswith("_count=100")


def test_a_posted_search_is_the_same(parts: Services, client: FlaskClient) -> None:
    fill(parts.engine, a_world(4, 60))
    form = {"address-city": "austin", "_count": "5"}
    posted = client.post("/fhir/r4/Location/_search", data=form)
    assert posted.json == client.get("/fhir/r4/Location", query_string=form).json
    assert client.post("/fhir/r4/Location/_search").json["total"] == 60
    keyed = client.post("/fhir/r4/Location/_search", data={**form, "key": "pk_x"})
    assert "address" in outcome(keyed, 400, "invalid")
    outcome(client.post("/fhir/r4/Location/_search", json=form), 415, "not-supported")
    much = client.post("/fhir/r4/Location/_search", data={"address": "x" * 200_000})
    outcome(much, 413, "too-long")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/fhir/r4/Patient", 404, "not-found"),
        ("/fhir/r4/Location/nobody", 404, "not-found"),
        ("/fhir/r4/Location/A!", 404, "not-found"),
        ("/fhir/r4/Practitioner/npi.1", 404, "not-found"),
        ("/fhir/r4/", 404, "not-found"),
        ("/fhir/r3/Location", 404, "not-found"),
        ("/fhir/r4/Location?near=91|0|5", 400, "invalid"),
        ("/fhir/r4/Location?near=5", 400, "invalid"),
        ("/fhir/r4/Location?near=1|1|5&near=2|2|5", 400, "invalid"),
        ("/fhir/r4/Location?near=1|1|5,2|2|5", 400, "invalid"),
        (
            "/fhir/r4/Practitioner?_has:PractitionerRole:practitioner:location.near=1|1|5",
            400,
            "invalid",
        ),
        (
            "/fhir/r4/PractitionerRole?practitioner._has:PractitionerRole:practitioner:role=pt",
            400,
            "invalid",
        ),
        ("/fhir/r4/Practitioner?family:exact=a", 400, "invalid"),
        ("/fhir/r4/PractitionerRole?practitioner.family:contains=a", 400, "invalid"),
        ("/fhir/r4/PractitionerRole?practitioner:Patient=a", 400, "invalid"),
        ("/fhir/r4/Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|", 400, "invalid"),
        ("/fhir/r4/PractitionerRole?specialty=http://nucc.org/provider-taxonomy|", 400, "invalid"),
        ("/fhir/r4/Location?_lastUpdated=yesterday", 400, "invalid"),
        ("/fhir/r4/Location?_lastUpdated=2026,2025", 400, "invalid"),
        ("/fhir/r4/Location?_count=-1", 400, "invalid"),
        ("/fhir/r4/Location?_count=1&_count=2", 400, "invalid"),
        (f"/fhir/r4/Location?address={'x' * 201}", 400, "invalid"),
        (f"/fhir/r4/Location?{'address=x,y&' * 51}", 400, "invalid"),
        (f"/fhir/r4/Location?{'address=x&' * 51}", 400, "invalid"),
        (f"/fhir/r4/Practitioner?name={MANY_WORDS}", 400, "invalid"),
        (f"/fhir/r4/PractitionerRole?{f'practitioner.name={MANY_WORDS}&' * 30}", 400, "invalid"),
        ("/fhir/r4/Practitioner?name=Ana+Núñez,Zed", 400, "invalid"),
        (f"/fhir/r4/Practitioner/npi.{NPI}-", 404, "not-found"),
        ("/fhir/r4/Practitioner/npi.1%00", 400, "invalid"),
        ("/fhir/r4/Location?key=pk_nobody", 401, "login"),
        ("/fhir/r4/Location?_format=xml", 406, "not-supported"),
        ("/fhir/r4/metadata?_format=application/fhir%2Bxml", 406, "not-supported"),
    ],
)
def test_errors_are_outcomes(
    parts: Services, client: FlaskClient, path: str, status: int, code: str
) -> None:
    fill(parts.engine, [Record(a_listing("ana"), NOON)])
    assert outcome(client.get(path), status, code)


def test_an_error_names_its_parameter_and_what_to_do(client: FlaskClient) -> None:
    answer = client.get("/fhir/r4/Location?near=30.2|-197|5")
    assert answer.json["issue"] == [{  # type: ignore[index]
        "severity": "error", "code": "invalid", "expression": ["http.near"],
        "diagnostics": "near: the longitude must be a number from -180 to 180.",
    }]  # fmt: skip


def test_what_is_not_known_is_passed_over_unless_one_is_strict(
    parts: Services, client: FlaskClient
) -> None:
    fill(parts.engine, [Record(a_listing("ana"), NOON)])
    for unknown in (
        "radios=5",
        "address=",
        "network.name=x",
        "location.partof=x",
        "_sort=name",
        "_has:Patient:x:y=z",
        "_summary=text",
        "_summary=",
        "_include=PractitionerRole:nothing",
        "_include=Location:organization",
        "_include=PractitionerRole:location:Patient",
        "_include:recurse=PractitionerRole:location",
        "_revinclude=HealthcareService:location",
        "_format=",
        f"{'location._has:PractitionerRole:location:' * 5_000}role=x",
    ):
        path = f"/fhir/r4/PractitionerRole?{unknown}&role=pt"
        lenient = client.get(path, headers={"Prefer": "handling=lenient"})
        assert [each["resource"]["id"] for each in entries(lenient.json, "match")] == ["ana"]
        assert links(lenient.json)["self"].endswith("/PractitionerRole?role=pt")
        outcome(
            client.get(path, headers={"Prefer": "return=minimal, handling=strict"}), 400, "invalid"
        )


def test_only_json_is_spoken(parts: Services, client: FlaskClient) -> None:
    fill(parts.engine, [Record(a_listing("ana"), NOON)])
    path = "/fhir/r4/Location/ana"
    for accepted in (
        FHIR, "application/json", "*/*", "text/html,application/xml;q=0.9,*/*;q=0.8", "application/*",
        f"{FHIR};fhirVersion=4.0", f"{FHIR}; charset=utf-8", f"application/fhir+xml, {FHIR};q=0.5",
    ):  # fmt: skip
        assert client.get(path, headers={"Accept": accepted}).content_type == FHIR
    for accepted in ("application/fhir+xml", f"application/fhir+xml, {FHIR};q=0", "text/html"):
        outcome(client.get(path, headers={"Accept": accepted}), 406, "not-supported")
    wanted = {"Accept": "application/fhir+xml"}
    assert (
        client.get("/fhir/r4/Location?_format=application/fhir%2Bjson", headers=wanted).status_code
        == 200
    )
    for said in ("json", "JSON", "text/json", "Application/FHIR%2BJSON;charset=utf-8"):
        assert client.get(f"/fhir/r4/Location?_format={said}", headers=wanted).status_code == 200
    outcome(client.get("/fhir/r4/Location?_format=", headers=wanted), 406, "not-supported")
    assert client.get(path, headers={"Accept": "Application/FHIR+JSON"}).status_code == 200


def test_nothing_can_be_written(client: FlaskClient) -> None:
    for method, path in (
        ("POST", "Location"),
        ("PUT", "Location/ana"),
        ("DELETE", "Location/ana"),
        ("PATCH", "Location/ana"),
    ):
        answer = client.open(f"/fhir/r4/{path}", method=method, json={})
        outcome(answer, 405, "not-supported")
        assert "GET" in answer.headers["Allow"]


def test_what_the_index_does_not_have_the_store_tells(parts: Services, client: FlaskClient) -> None:
    fill(parts.engine, [])
    old = {"on": "2026-01-01", "by": "Ana", "method": "form"}
    put(parts.database, "old", attestation=old, dry_needling="yes", npi=NPI)
    put(parts.database, "new", clinic="New")
    put(parts.database, "not", dry_needling="no")
    put(parts.database, "ana")
    with parts.database.writing() as session:
        record.withdraw(session, Source.FILE, "file-ana", Made("Ana", NOON, "moved"))
    assert client.get("/fhir/r4/PractitionerRole/old").json["active"] is False  # type: ignore[index]
    assert client.get(f"/fhir/r4/Practitioner/npi.{NPI}").json["active"] is False  # type: ignore[index]
    assert client.get("/fhir/r4/Organization/new").json["active"] is True  # type: ignore[index]
    for type_ in Type:
        for gone in ("not", "ana"):
            outcome(client.get(f"/fhir/r4/{type_}/{gone}"), 410, "deleted")
        outcome(client.get(f"/fhir/r4/{type_}/nobody"), 404, "not-found")
    # A person who has an NPI goes by it, and who names no clinic has none.
    outcome(client.get("/fhir/r4/Practitioner/old"), 404, "not-found")
    outcome(client.get("/fhir/r4/Organization/old"), 404, "not-found")


def test_what_is_down_is_not_said_to_be_gone(parts: Services) -> None:
    fill(parts.engine, [Record(a_listing("ana"), NOON)])
    no_store = Database("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    site = create_app(
        Settings(requests_a_minute=100_000), replace(parts, database=no_store)
    ).test_client()
    assert site.get("/fhir/r4/Location/ana").status_code == 200
    assert site.get("/fhir/r4/Location").json["total"] == 1  # type: ignore[index]
    answer = site.get("/fhir/r4/Location/nobody")
    outcome(answer, 503, "transient")
    assert int(answer.headers["Retry-After"]) > 0
    no_engine = ElasticsearchEngine("http://127.0.0.1:9/nothing")
    site = create_app(
        Settings(requests_a_minute=100_000), replace(parts, engine=no_engine)
    ).test_client()
    for path in ("Location", "Location/ana", "Practitioner?_summary=count"):
        outcome(site.get(f"/fhir/r4/{path}"), 503, "transient")
    assert site.get("/fhir/r4/metadata").status_code == 200


def ids(client: FlaskClient, path: str) -> list[str]:
    return [row["resource"]["id"] for row in entries(client.get(f"/fhir/r4/{path}").json, "match")]


def test_nobody_goes_by_the_npi_of_another(parts: Services, client: FlaskClient) -> None:
    other = a_listing(f"npi-{NPI}", name={"given": "Zed", "family": "Zed"})
    fill(parts.engine, [Record(a_listing("ana", npi=NPI), NOON), Record(other, NOON)])
    assert sorted(ids(client, "Practitioner")) == [f"npi-{NPI}", f"npi.{NPI}"]
    for id_, family in ((f"npi-{NPI}", "Zed"), (f"npi.{NPI}", "Núñez")):
        person = client.get(f"/fhir/r4/Practitioner/{id_}").json
        assert person["name"][0]["family"] == family  # type: ignore[index]
        assert ids(client, f"Practitioner?_id={id_}") == [id_]
    for like in (f"npi.{NPI}-", f"npi.-{NPI}", f"npi.%20{NPI}"):
        assert ids(client, f"Practitioner?_id={like}") == []
        assert ids(client, f"Practitioner?_id={like},npi-{NPI}") == [f"npi-{NPI}"]
        assert ids(client, f"PractitionerRole?practitioner={like}") == []
        outcome(client.get(f"/fhir/r4/Practitioner/{like}"), 404, "not-found")


def test_a_name_may_have_many_words_and_each_counts_once(parts: Services, engine: Engine) -> None:
    family = MANY_WORDS.split("+")[:49]
    name = {"given": "Ana", "family": " ".join(family)}
    fill(engine, [Record(a_listing("ana", name=name), NOON)])
    parts.engine.close()
    site = create_app(
        Settings(requests_a_minute=100_000), replace(parts, engine=engine)
    ).test_client()
    whole = "+".join(["Ana"] * 8 + family)
    assert ids(site, f"Practitioner?name={whole}") == ["ana"]
    assert ids(site, f"Practitioner?name={whole[:-1]}x") == []
    assert ids(site, "Practitioner?name=zed,aab,ana") == ["ana"]


def test_what_comes_along_twice_is_looked_up_once(parts: Services) -> None:
    fill(parts.engine, [Record(a_listing("ana", npi=NPI), NOON)])
    lookups = []
    for times in (1, 40):
        counted = Counted(parts.engine)
        pairs = [("_include", "PractitionerRole:practitioner")] * times
        search = read(Type.ROLE, pairs, SITE, strict=True)
        assert len(page(counted, search, None).included) == 1
        lookups.append(counted.lookups)
    assert lookups[0] == lookups[1]


class Changing(Counted):
    """Changes the index after the first lookup."""

    def __init__(self, engine: Engine, change: Change) -> None:
        super().__init__(engine)
        self.change = lambda: engine.apply([change], position=change.number)

    def lookup(self, wanted: Lookup) -> LookedUp:
        found = super().lookup(wanted)
        if self.lookups == 1:
            self.change()
        return found


def test_who_changes_between_two_lookups_is_no_error(parts: Services) -> None:
    others = [Record(a_listing(id_, npi=an_npi(n)), NOON) for n, id_ in enumerate(("ana", "ben"))]
    fill(parts.engine, others)
    change = Change.of(9, a_listing("ana", npi=an_npi(1)), NOON)
    found = page(
        Changing(parts.engine, change), read(Type.PRACTITIONER, [], SITE, strict=True), None
    )
    assert [each.subject.id for each in found.matches] == [f"npi.{an_npi(1)}"]


@pytest.fixture(scope="module")
def both(engines: tuple[Engine, Engine]) -> tuple[Engine, Engine]:
    for engine in engines:
        fill(engine, a_world(9, 30))
    return engines


@pytest.fixture
def sites(parts: Services, both: tuple[Engine, Engine]) -> list[FlaskClient]:
    return [
        create_app(Settings(requests_a_minute=100_000), replace(parts, engine=engine)).test_client()
        for engine in both
    ]


NAMES = sorted({each for type_ in Type for each in PARAMETERS[type_]} | {"_count", "_cursor", "_summary", "_elements", "_include", "_revinclude", "_format"})  # fmt: skip
ODD = st.sampled_from(["", ",", "|", "\\", "\x00", "1|2|3|km", "0|0|20037", "90|180|1|ft", "ge2026", "lt0001", "9" * 30, "npi.", "~", "%", "*", "李", "\ud7ff", "PractitionerRole:location", "a" * 199])  # fmt: skip
VALUES = ODD | st.text(max_size=20) | st.lists(ODD, max_size=4).map(",".join)
LINKED = st.sampled_from(["", "location.", "practitioner.", "organization:Organization.", "_has:PractitionerRole:practitioner:", "_has:", "x."])  # fmt: skip
ASKED = st.lists(st.tuples(st.builds("{}{}{}".format, LINKED, st.sampled_from(NAMES) | st.text(max_size=8), st.sampled_from(["", "", ":exact", ":iterate"])), VALUES), max_size=5)  # fmt: skip


@example(Type.PRACTITIONER, [("name", MANY_WORDS.replace("+", " "))] * 90, False, "")
@settings(deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))
@given(
    type_=st.sampled_from(list(Type)),
    pairs=ASKED,
    strict=st.booleans(),
    id_=st.text(max_size=12) | ODD,
)
def test_whatever_is_asked_is_answered(
    sites: list[FlaskClient], type_: Type, pairs: list[tuple[str, str]], strict: bool, id_: str
) -> None:
    headers = {"Prefer": "handling=strict"} if strict else {}
    answers = [site.get(f"/fhir/r4/{type_}", query_string=pairs, headers=headers) for site in sites]
    assert {each.status_code for each in answers} <= {200, 400, 406}
    assert answers[0].text == answers[1].text
    posted = sites[0].post(f"/fhir/r4/{type_}/_search", data=dict(pairs), headers=headers)
    assert posted.status_code in (200, 400, 406)
    read = sites[0].get(f"/fhir/r4/{type_}/{id_}")
    assert read.status_code in ((400,) if "\0" in id_ else (200, 308, 404))


def test_over_http_and_nothing_that_was_searched_is_in_the_log(site: Site) -> None:
    near = "45.6770|-111.0429|80|mi"
    bundle = site.get(
        "/fhir/r4/PractitionerRole",
        **{"location.near": near, "_include": "PractitionerRole:practitioner"},
    ).json
    assert entries(bundle, "match")
    assert entries(bundle, "include")
    person = entries(bundle, "include")[0]["resource"]
    family = person["name"][0]["family"]
    assert site.get("/fhir/r4/Practitioner", family=family).json["entry"]
    assert (
        site.get("/fhir/r4/Practitioner", identifier=person["identifier"][0]["value"]).json["total"]
        == 1
    )
    assert "GET /fhir/r4/<type_> 200" in site.log
    for secret in ("45.67", "111.04", family):
        assert secret not in site.log


def test_what_hides_its_street_shows_it_nowhere(site: Site) -> None:
    bundle = site.get(
        "/fhir/r4/Location",
        **{"address-state": "TX", "_count": 100, "_revinclude": "PractitionerRole:location"},
    ).json
    hidden = [
        row["resource"] for row in entries(bundle, "match") if '/area-only"' in json.dumps(row)
    ]
    assert hidden
    for place in hidden:
        assert "position" not in place
        assert "line" not in place["address"]
        assert len(place["address"]["postalCode"]) == 5


def test_dry_needling_near_a_place_is_what_the_api_finds(site: Site) -> None:
    """FHIR and the site's own search agree on who is confirmed within 40 km of Austin."""
    api = site.api(near="30.2672,-97.7431", radius=40, units="km", confirmed="yes", limit=100)
    query = {
        "location.near": "30.2672|-97.7431|40|km",
        "service.service-type": "dry-needling",
        "_count": 100,
    }
    found = site.get("/fhir/r4/PractitionerRole", **query).json
    assert [row["resource"]["id"] for row in entries(found, "match")] == [
        each["id"] for each in api["results"]
    ]
    assert found["total"] == api["total"] > 10


def test_when_a_role_changed_says_nothing_of_the_person_s_newest(
    parts: Services, client: FlaskClient
) -> None:
    later = NOON.replace(hour=13)
    fill(
        parts.engine,
        [Record(a_listing("old", npi=NPI), NOON), Record(a_listing("new", npi=NPI), later)],
    )
    until = "=lt2026-11-24T12:30:00Z"
    assert ids(client, f"Practitioner?_has:PractitionerRole:practitioner:_lastUpdated{until}") == [
        f"npi.{NPI}"
    ]
    assert ids(client, f"Practitioner?_lastUpdated{until}") == []
    for query, total in (
        (f"_has:PractitionerRole:practitioner:_lastUpdated{until}", 1),
        (f"_lastUpdated{until}", 0),
    ):
        assert client.get(f"/fhir/r4/Practitioner?_summary=count&{query}").json["total"] == total  # type: ignore[index]
