"""What a partner's key opens, and what it does not: CORS, scope, limits, bulk access."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from directory.app import create_app
from directory.places import Places
from directory.publishing import publish
from directory.services import Services
from directory.settings import Settings
from directory.store import changefeed, listings
from directory.store.partners import KeyKind
from directory.web.limits import sender
from indexer.sources.csv import Csv
from tests.conftest import own_services
from tests.indexer.test_load import load
from tests.store.test_store import put
from tests.web.application import a_key, filled

ORIGIN, OTHER = "https://partner.example", "https://other.example"
TEXAN: dict[str, Any] = {"states": ["TX"], "professions": ["chiropractor", "physical-therapist"]}
AUSTIN = {"near": "Austin, TX"}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Iterator[Services]:
    """Services with the fictional listings."""
    made = filled(tmp_path_factory.mktemp("partners"), places)
    yield made
    made.close()


@pytest.fixture
def client(full: Services) -> FlaskClient:
    """Somebody far away."""
    return create_app(Settings(requests_a_minute=100_000), full).test_client()


def ask(client: FlaskClient, path: str, **headers: str) -> TestResponse:
    return client.get(path, headers={n.replace("_", "-"): v for n, v in headers.items()})


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_page_of_another_origin_needs_a_key_of_its_own(
    client: FlaskClient, full: Services
) -> None:
    key = a_key(full, KeyKind.PUBLIC, origins=[ORIGIN])
    path = "/api/v1/search?near=78701"
    for asked in (
        ask(client, path, Origin=ORIGIN, X_Directory_Key=key),
        ask(client, f"{path}&key={key}", Origin=ORIGIN),
    ):
        assert asked.status_code == 200
        assert asked.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "Access-Control-Allow-Credentials" not in asked.headers
        assert "Origin" in asked.headers["Vary"]
    # A page that some partner has may read what to do; others learn nothing.
    told = ask(client, path, Origin=ORIGIN, X_Directory_Key="pk_nobody")
    assert told.headers["Access-Control-Allow-Origin"] == ORIGIN
    for origin, sent in ((OTHER, key), ("http://[", key), ("null", key), (OTHER, "")):
        refused = ask(client, path, Origin=origin, **({"X_Directory_Key": sent} if sent else {}))
        assert refused.status_code == 403
        assert refused.content_type == "application/problem+json"
        assert "Access-Control-Allow-Origin" not in refused.headers
    assert ask(client, path, Origin=ORIGIN).status_code == 403
    assert ask(client, path).status_code == 200
    assert (
        ask(client, "/api/v1/openapi.json", Origin=OTHER).headers["Access-Control-Allow-Origin"]
        == "*"
    )
    assert ask(client, path, Origin="http://localhost").status_code == 200  # our own page
    unknown = ask(client, path, X_Directory_Key="pk_nobody")
    assert unknown.status_code == 401
    assert unknown.headers["WWW-Authenticate"] == "Bearer"
    assert unknown.get_json()["type"].endswith("/api/docs#not-signed-in")


def test_a_browser_may_ask_first(client: FlaskClient, full: Services) -> None:
    a_key(full, KeyKind.PUBLIC, origins=["https://first.example"])
    full.keys._all = (float("-inf"), [])  # a second later
    asks = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x"}
    right = client.options("/api/v1/search", headers={"Origin": "https://first.example", **asks})
    assert right.status_code == 204
    assert right.headers["Access-Control-Allow-Origin"] == "https://first.example"
    assert "Idempotency-Key" in right.headers["Access-Control-Allow-Headers"]
    assert "X-Directory-Key" in right.headers["Access-Control-Allow-Headers"]
    assert right.headers["Access-Control-Max-Age"] == "600"
    wrong = client.options("/api/v1/search", headers={"Origin": "https://no.example", **asks})
    assert wrong.status_code == 403


def test_a_secret_key_is_for_servers_alone(client: FlaskClient, full: Services) -> None:
    secret = a_key(full, KeyKind.SECRET, origins=[ORIGIN])
    public = a_key(full, KeyKind.PUBLIC, origins=[ORIGIN])
    path = "/api/v1/changes"
    assert client.get(path, headers=bearer(secret)).status_code == 200
    assert client.get(path, headers={**bearer(secret), "Origin": ORIGIN}).status_code == 403
    assert client.get(f"{path}?key={secret}").status_code == 401
    for key in (None, public):
        headers = bearer(key) if key else {}
        assert client.get(path, headers=headers).status_code == 401
        assert client.get("/api/v1/snapshot", headers=headers).status_code == 401
        assert (
            client.get("/api/v1/search?near=78701&format=csv", headers=headers).status_code == 401
        )


def test_a_key_opens_nothing_outside_of_its_scope(client: FlaskClient, full: Services) -> None:
    key = a_key(full, KeyKind.PUBLIC, **TEXAN, insurers=["aetna"])
    secret = a_key(full, KeyKind.SECRET, **TEXAN, insurers=["aetna"])

    def within(listing: dict[str, Any]) -> bool:
        return (
            listing["address"]["state"] == "TX"
            and listing["profession"] in TEXAN["professions"]
            and "aetna" in listing["insurance_accepted"]
        )

    everybody = client.get("/api/v1/search?near=Texas&limit=100").get_json()
    mine = client.get(f"/api/v1/search?near=Texas&limit=100&key={key}").get_json()
    assert 0 < mine["total"] < everybody["total"]
    assert all(map(within, mine["results"]))
    for facet in mine["facets"].values():
        assert sum(value["count"] for value in facet if value["value"] == "orthopedic-doctor") == 0
    far = client.get(f"/api/v1/search?near=Denver,+CO&radius=5&key={key}").get_json()
    assert far["total"] == 0
    assert far["beyond"]
    assert all(map(within, far["beyond"]))
    clusters = client.get(f"/api/v1/clusters?near=Texas&zoom=3&key={key}").get_json()
    assert sum(each["count"] for each in clusters["clusters"]) == mine["total"]
    for listing in everybody["results"]:
        status = client.get(f"/api/v1/listings/{listing['id']}?key={key}").status_code
        assert status == (200 if within(listing) else 404)
    names = client.get(f"/api/v1/suggest?q=pem&kind=what&key={key}").get_json()["suggestions"]
    assert not [each for each in names if each["kind"] in ("practitioner", "clinic")]
    lines = client.get("/api/v1/snapshot", headers=bearer(secret)).text.splitlines()
    assert {json.loads(line)["id"] for line in lines} == {each["id"] for each in mine["results"]}
    changes = client.get("/api/v1/changes?limit=1000", headers=bearer(secret)).get_json()["changes"]
    assert {each["id"] for each in changes if each["listing"]} == {
        each["id"] for each in mine["results"]
    }


def test_fhir_and_the_registry_s_api_keep_to_the_scope(client: FlaskClient, full: Services) -> None:
    texan = f"key={a_key(full, KeyKind.PUBLIC, **TEXAN)}"
    states: dict[str, set[str]] = {}
    for key in ("", texan):
        roles = client.get(
            f"/fhir/r4/PractitionerRole?_count=100&location.address-state=TX,CO&_include=PractitionerRole:location&{key}"
        ).get_json()
        places = [
            each["resource"]["address"]["state"]
            for each in client.get(
                f"/fhir/r4/Location?_count=100&address-state=TX,CO&{key}"
            ).get_json()["entry"]
        ]
        npis = client.get(
            f"/npi-registry/api/?version=2.1&last_name=pe*&limit=200&{key}"
        ).get_json()
        states[key] = {*places, *(r["addresses"][0]["state"] for r in npis["results"])}
        states[key] |= {
            each["resource"]["address"]["state"]
            for each in roles["entry"]
            if each["resource"]["resourceType"] == "Location"
        }
    assert len(states[""]) > 2
    assert states[texan] == {"TX"}
    (outside,) = client.get("/fhir/r4/Location?_count=1&address-state=CO").get_json()["entry"]
    path = f"/fhir/r4/Location/{outside['resource']['id']}"
    assert client.get(path).status_code == 200
    assert client.get(f"{path}?{texan}").status_code == 404


def test_the_links_of_a_scoped_search_stay_in_its_scope(
    client: FlaskClient, full: Services
) -> None:
    key = a_key(full, KeyKind.PUBLIC, **TEXAN)
    path = f"/fhir/r4/Location?_count=3&address-state=TX,CO&key={key}"
    posted = client.post(f"/fhir/r4/Location/_search?key={key}", data={"_count": "3"}).get_json()
    seen = []
    while path:
        bundle = client.get(path).get_json()
        seen += [each["resource"]["address"]["state"] for each in bundle["entry"]]
        urls = {each["relation"]: urlsplit(each["url"]) for each in bundle["link"]}
        assert parse_qs(urls["self"].query)["key"] == [key]
        path = f"{urls['next'].path}?{urls['next'].query}" if "next" in urls else ""
    assert len(seen) > 3
    assert set(seen) == {"TX"}
    first = urlsplit(posted["link"][-1]["url"])
    assert client.get(f"{first.path}?{first.query}").status_code == 200
    elsewhere = first.query.replace(f"key={key}", "")
    assert client.get(f"{first.path}?{elsewhere}").status_code == 400
    role = client.get(f"/fhir/r4/PractitionerRole?{first.query}")
    assert role.status_code == 400


def test_the_registry_s_cursor_belongs_to_its_scope(client: FlaskClient, full: Services) -> None:
    key = a_key(full, KeyKind.PUBLIC, **TEXAN)
    path = "/npi-registry/api/?version=2.1&city=Austin&limit=1"
    cursor = client.get(f"{path}&key={key}").get_json()["cursor"]
    assert client.get(f"{path}&key={key}&cursor={cursor}").get_json()["result_count"] == 1
    assert client.get(f"{path}&cursor={cursor}").get_json()["Errors"][0]["field"] == "cursor"


def test_scope_says_the_same_of_a_listing_as_the_engine(full: Services) -> None:
    key = a_key(full, KeyKind.PUBLIC, **TEXAN, insurers=["aetna", "medicare"])
    partner = full.keys.partner(key)
    assert partner
    client = create_app(Settings(), full).test_client()
    found = client.get(f"/api/v1/search?near=Texas&limit=100&key={key}").get_json()
    with full.database.reading() as session:
        feed = changefeed.changes(session, since=0, limit=10_000)
    by_hand = {c.id for c in feed if c.listing and partner.finds(c.listing)}
    assert {each["id"] for each in found["results"]} == by_hand


def test_replaying_the_changes_gives_the_snapshot(tmp_path: Path, places: Places) -> None:
    parts = own_services(tmp_path, places)
    client = create_app(Settings(), parts).test_client()
    headers = bearer(a_key(parts, KeyKind.SECRET))
    for id_ in ("ana", "ben", "cleo"):
        put(parts.database, id_, dry_needling="yes")
    known: dict[str, Any] = {}
    at = 0

    def read_on() -> int:
        nonlocal at
        read = 0
        while True:
            answer = client.get(f"/api/v1/changes?since={at}&limit=2", headers=headers).get_json()
            if answer["next"] == at:
                return read
            assert [c["number"] for c in answer["changes"]] == sorted(
                c["number"] for c in answer["changes"]
            )
            for change in answer["changes"]:
                read += 1
                known.pop(change["id"], None)
                if change["listing"]:
                    known[change["id"]] = change["listing"]
            at = answer["next"]

    def snapshot() -> dict[str, Any]:
        answer = client.get("/api/v1/snapshot", headers=headers)
        assert answer.mimetype == "application/x-ndjson"
        assert f"since={at}" in answer.headers["Link"]
        return {each["id"]: each for each in map(json.loads, answer.text.splitlines())}

    assert read_on() == 3
    assert known == snapshot()
    put(parts.database, "ben", dry_needling="no")
    put(parts.database, "dora", dry_needling="yes")
    assert read_on() == 2
    assert known == snapshot()
    assert set(known) == {"ana", "cleo", "dora"}
    parts.close()


def test_the_csv_file_loads_again_as_it_was(
    client: FlaskClient, full: Services, tmp_path: Path, places: Places
) -> None:
    secret = a_key(full, KeyKind.SECRET)
    answer = client.get("/api/v1/search?format=csv", headers=bearer(secret))
    total = client.get("/api/v1/search").get_json()["total"]
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == total > 500
    nobody = client.get(
        "/api/v1/search?near=Marfa,+TX&radius=0.1&format=csv", headers=bearer(secret)
    )
    assert nobody.text.splitlines() == answer.text.splitlines()[:1]
    part = client.get("/api/v1/search?format=csv&limit=2", headers=bearer(secret))
    assert part.status_code == 400
    cells = [
        cell for row in rows for name, cell in row.items() if cell and name not in ("lat", "lon")
    ]
    assert not [cell for cell in cells if cell[0] in "=+-@"]
    path = tmp_path / "again.csv"
    path.write_text(answer.text, encoding="utf-8")
    again = own_services(tmp_path, places)
    summary = load(again, Csv(), path)
    assert not summary.counts.get("rejected")
    left_out = {"provenance", "taxonomies", "certificates", "licence_check", "attestation"}
    with full.database.reading() as before, again.database.reading() as after:
        for row in rows:
            was, is_now = listings.find(before, row["id"]), listings.find(after, row["id"])
            assert was and was.listing and is_now and is_now.listing  # noqa: PT018
            one = was.listing.model_dump(exclude=left_out)
            other = is_now.listing.model_dump(exclude=left_out)
            if was.listing.area_only:
                one["address"]["line1"] = one["address"]["line2"] = None
            if was.listing.location.method == "gazetteer":
                one.pop("location"), other.pop("location")
            assert one == other
    again.close()


def test_geojson_is_what_the_search_found(client: FlaskClient) -> None:
    plain = client.get("/api/v1/search?near=78701&limit=7").get_json()
    for answer in (
        client.get("/api/v1/search?near=78701&limit=7&format=geojson"),
        ask(client, "/api/v1/search?near=78701&limit=7", Accept="application/geo+json"),
    ):
        assert answer.mimetype == "application/geo+json"
        found = answer.get_json()
        assert found["type"] == "FeatureCollection"
        assert [each["properties"] for each in found["features"]] == plain["results"]
        for each, listing in zip(found["features"], plain["results"], strict=True):
            place = listing["location"]
            assert each["geometry"] == {
                "type": "Point",
                "coordinates": [place["lon"], place["lat"]],
            }
        west, south, east, north = found["bbox"]
        assert west <= min(each["location"]["lon"] for each in plain["results"]) <= east
        assert south <= min(each["location"]["lat"] for each in plain["results"]) <= north
        assert found["next"] == plain["next"]
    nobody = client.get("/api/v1/search?near=Marfa,+TX&radius=0.1&format=geojson").get_json()
    assert nobody["features"] == []
    assert "bbox" not in nobody
    assert ask(client, "/api/v1/search?near=78701", Accept="image/png").status_code == 406
    assert ask(client, "/api/v1/search?near=78701", Accept="text/html, */*").status_code == 200


def test_a_tag_holds_until_the_index_changes(tmp_path: Path, places: Places) -> None:
    parts = filled(tmp_path, places)
    client = create_app(Settings(), parts).test_client()
    path = "/api/v1/search?near=78701"
    first = client.get(path)
    tag = first.headers["ETag"]
    assert tag.startswith('W/"')
    again = ask(client, path, If_None_Match=tag)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == tag
    for other in (f"{path}&limit=5", f"{path}&lang=es", "/api/v1/search?near=78702"):
        assert ask(client, other, If_None_Match=tag).status_code == 200
    secret = a_key(parts, KeyKind.SECRET, states=["TX"])
    scoped = client.get(path, headers={**bearer(secret), "If-None-Match": tag})
    assert scoped.status_code == 200
    put(parts.database, "nova", dry_needling="yes")
    publish(parts.database, parts.engine, parts.engine.status().position)  # type: ignore[union-attr]
    changed = ask(client, path, If_None_Match=tag)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag
    listing = client.get("/api/v1/listings/nova")
    assert (
        ask(client, "/api/v1/listings/nova", If_None_Match=listing.headers["ETag"]).status_code
        == 304
    )
    put(parts.database, "nova", dry_needling="yes", phone="512-555-0100")
    assert (
        ask(client, "/api/v1/listings/nova", If_None_Match=listing.headers["ETag"]).status_code
        == 200
    )
    parts.close()


def test_a_cursor_is_of_one_scope_and_links_keep_the_key(
    client: FlaskClient, full: Services
) -> None:
    key = a_key(full, KeyKind.PUBLIC, **TEXAN)
    first = client.get(f"/api/v1/search?near=Texas&limit=5&key={key}")
    everybody = client.get("/api/v1/search?near=Texas&limit=5").get_json()
    link = first.headers["Link"].rpartition("<")[2].partition(">")[0]
    second = client.get(link.removeprefix("http://127.0.0.1:8000")).get_json()
    assert second["total"] == first.get_json()["total"] < everybody["total"]
    cursor = first.get_json()["next"]
    for wrong in (
        f"/api/v1/search?near=Texas&limit=5&cursor={cursor}",
        f"/api/v1/search?near=Texas&limit=5&key={key}&cursor={everybody['next']}",
    ):
        assert client.get(wrong).get_json()["type"].endswith("#invalid-cursor")


def test_links_lead_from_page_to_page(client: FlaskClient) -> None:
    path, seen = "/api/v1/search?near=78701&limit=20", []
    while path:
        answer = client.get(path)
        seen += [each["id"] for each in answer.get_json()["results"]]
        links = {
            part.partition("; ")[2]: part.partition(">")[0].lstrip(" <")
            for part in answer.headers["Link"].split(",")
        }
        assert links['rel="first"'] == "http://127.0.0.1:8000/api/v1/search?near=78701&limit=20"
        path = links.get('rel="next"', "").removeprefix("http://127.0.0.1:8000")
    assert len(seen) == len(set(seen)) == answer.get_json()["total"]


def test_what_is_left_is_said_and_held_to(full: Services) -> None:
    app = create_app(Settings(requests_a_minute=3), full)
    client = app.test_client()
    address = {"REMOTE_ADDR": "2001:db8:1:2::1"}
    path = "/api/v1/places?q=78701"
    left = []
    for _ in range(3):
        answer = client.get(path, environ_base=address)
        assert answer.headers["RateLimit-Policy"] == '"minute";q=3;w=60'
        left.append(answer.headers["RateLimit"].partition(";t=")[0])
    assert left == ['"minute";r=2', '"minute";r=1', '"minute";r=0']
    # The same network is the same visitor; what it says of itself is not believed.
    for base, headers in (
        (address, {}),
        ({"REMOTE_ADDR": "2001:db8:1:2:ffff::9"}, {}),
        (address, {"X-Forwarded-For": "198.51.100.7"}),
    ):
        over = client.get(path, environ_base=base, headers=headers)
        assert over.status_code == 429
        assert 1 <= int(over.headers["Retry-After"]) <= 60
        assert over.get_json()["type"].endswith("#too-often")
    assert client.get(path, environ_base={"REMOTE_ADDR": "2001:db8:1:3::1"}).status_code == 200
    trusting = create_app(Settings(requests_a_minute=3, trusted_proxies=1), full).test_client()
    for number in range(9):  # a proxy that is trusted says who they are
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        assert trusting.get(path, environ_base=address, headers=headers).status_code == 200


def test_what_is_refused_is_counted_too(full: Services) -> None:
    client = create_app(Settings(requests_a_minute=3), full).test_client()
    paths = ("/api/v1/places?q=78701&key=pk_guess", "/oembed?url=http://[", "/embed/v1/frame?key=x")
    for number, (path, origin) in enumerate(
        [*((p, "") for p in paths), ("/api/v1/vocabulary", OTHER)]
    ):
        base = {"REMOTE_ADDR": f"198.51.100.{number + 1}"}
        headers = {"Origin": origin} if origin else {}
        statuses = [
            client.get(path, headers=headers, environ_base=base).status_code for _ in range(4)
        ]
        assert statuses[-1] == 429
        assert not {200, 500, 429} & set(statuses[:3])


@pytest.mark.parametrize(
    ("address", "same", "other"),
    [
        ("::ffff:203.0.113.5", "203.0.113.5", "::ffff:203.0.113.6"),
        ("203.0.113.7:4711", "203.0.113.7:4712", "203.0.113.8:4711"),
        ("[2001:db8:9:9::1]:80", "2001:db8:9:9:8::2", "2001:db8:9:8::1"),
        ("somebody", "somebody", "someone"),
    ],
)
def test_who_is_the_same_visitor(full: Services, address: str, same: str, other: str) -> None:
    app = create_app(Settings(), full)

    def seen(remote: str) -> str:
        with app.test_request_context(environ_base={"REMOTE_ADDR": remote}):
            return sender()

    assert seen(address) == seen(same) != seen(other)


def test_a_partner_has_an_allowance_of_its_own(full: Services) -> None:
    client = create_app(Settings(requests_a_minute=2), full).test_client()
    path = "/api/v1/places?q=78701"
    secret = a_key(full, KeyKind.SECRET, a_minute=5)
    there = {"REMOTE_ADDR": "203.0.113.99"}
    statuses = [
        client.get(path, headers=bearer(secret), environ_base=there).status_code for _ in range(6)
    ]
    assert statuses == [200] * 5 + [429]
    public = a_key(full, KeyKind.PUBLIC, a_minute=2)
    for number in range(3):  # nobody uses up what is others'
        base = {"REMOTE_ADDR": f"203.0.113.{100 + number}"}
        answers = [client.get(f"{path}&key={public}", environ_base=base) for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 429]


@pytest.mark.parametrize("path", ["/", "/search?near=78701", "/api/v1/search?near=78701", "/guide",
                                  "/api/docs", "/api/v1/openapi.json", "/sitemap.xml", "/nowhere",
                                  "/embed/v1.js", "/embed/v1/frame", "/listings/demo-0000",
                                  "/opensearch.xml", "/robots.txt"])  # fmt: skip
def test_no_header_puts_another_host_into_an_answer(client: FlaskClient, path: str) -> None:
    """What a cache may keep is the same whatever an attacker says of the host."""
    usual = client.get(path)
    for name in (
        "Host",
        "X-Forwarded-Host",
        "X-Host",
        "X-Original-URL",
        "Forwarded",
        "X-Rewrite-URL",
    ):
        value = "host=evil.example" if name == "Forwarded" else "evil.example"
        answer = client.get(path, headers={name: value})
        assert answer.status_code == usual.status_code
        assert b"evil.example" not in answer.data
        assert "evil.example" not in str(answer.headers)
        cached = answer.headers.get("Cache-Control", "")
        assert "public" not in cached or answer.data == usual.data


@pytest.mark.parametrize("name", ["_scheme", "_external", "_anchor", "_method", "endpoint", "id_"])
@pytest.mark.parametrize("path", ["/", "/search", "/api/docs", "/nowhere", "//evil.example/x"])
def test_no_parameter_breaks_a_page(client: FlaskClient, path: str, name: str) -> None:
    answer = client.get(f"{path}?{name}=evil.example&near=78701", headers={"Host": "evil.example"})
    assert answer.status_code in (200, 308, 404)
    assert "//evil.example" not in answer.text.replace("=evil.example", "")
    assert "evil.example" not in answer.headers.get("Location", "").partition("?")[0]


def test_every_answer_has_a_number_of_its_own(client: FlaskClient) -> None:
    good, bad = client.get("/api/v1/vocabulary"), client.get("/api/v1/search?nera=78701")
    assert good.headers["X-Request-Id"] != bad.headers["X-Request-Id"]
    assert bad.get_json()["instance"] == f"urn:uuid:{bad.headers['X-Request-Id']}"
    sent = client.get("/api/v1/vocabulary", headers={"X-Request-Id": "mine\u00e9"})
    assert sent.headers["X-Request-Id"] != "mine"


def test_the_use_of_keys_is_counted(full: Services) -> None:
    client = create_app(Settings(), full).test_client()
    full.seen.take()
    key = a_key(full, KeyKind.PUBLIC, origins=[ORIGIN])
    partner = full.keys.partner(key)
    assert partner
    person = {"User-Agent": "Mozilla/5.0"}
    client.get(f"/embed/v1/frame?key={key}", headers=person)
    client.get(f"/embed/v1/frame?key={key}", headers={"User-Agent": "curl/8"})
    client.get(f"/api/v1/search?near=78701&key={key}", headers={"Origin": ORIGIN})
    client.get(
        f"/api/v1/suggest?q=aus&kind=where&key={key}", headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert full.seen.take().used == {(partner.id, "embed"): 1, (partner.id, "api"): 1}
