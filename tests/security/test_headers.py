"""What every page tells the browser to keep out, and what does not come in at the door."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from directory.app import create_app
from directory.places import Places
from directory.settings import Settings
from tests.security.test_every_address import NEVER, addresses
from tests.security.worlds import MODERATOR, WEBSITE, World, world


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Iterator[World]:
    made = world(tmp_path_factory.mktemp("headers"), places)
    yield made
    made.parts.close()


def app_of(here: World, base_url: str = "http://127.0.0.1:8000") -> Flask:
    return create_app(Settings(requests_a_minute=10**6, base_url=base_url), here.parts)


@pytest.fixture(scope="module")
def client(here: World) -> FlaskClient:
    """Nobody in particular."""
    return app_of(here).test_client()


SHARED = {"embed.script", "docs.document", "docs.opensearch", "quality.quality"}
"""What is the same for everybody, and may lie in caches between."""


def test_every_page_keeps_scripts_and_frames_out(here: World) -> None:
    """No page has a script or a style of its own in it, so the policy needs no exception."""
    app, seen = app_of(here), 0
    client = app.test_client()
    client.set_cookie("session", str(here.parts.sessions.dumps(MODERATOR)))
    for endpoint, method, path in addresses(app, here.fitting):
        if endpoint in {*NEVER, "links.sign_out", "static"}:
            continue
        answer = client.open(path, method=method)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; "), path
        assert "unsafe" not in policy
        assert "base-uri 'none'" in policy
        assert "form-action 'self'" in policy
        framed = {"embed.frame", "partners.preview"}
        assert ("frame-ancestors 'none'" in policy) or endpoint in framed, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        if answer.status_code >= 400 and method == "GET":
            assert "no-store" in answer.headers["Cache-Control"], path
        if "public" in answer.headers.get("Cache-Control", ""):
            assert "Set-Cookie" not in answer.headers, path
            assert endpoint in SHARED, path
        if answer.mimetype != "text/html":
            continue
        seen += 1
        for tag, inside in re.findall(r"<script([^>]*)>(.*?)</script>", answer.text, re.DOTALL):
            assert (" src=" in tag and not inside) or 'type="application/ld+json"' in tag, path
        assert "<style" not in answer.text, path
        assert not re.search(r"<[^>]*\s(?:on\w+|style)\s*=\s*[\"']", answer.text), path
        for address in re.findall(
            r'<(?:script|link|img|iframe)[^>]*(?:src|href)="([^"]+)"', answer.text
        ):
            assert not urlsplit(address).netloc or address.startswith("http://127.0.0.1:8000/"), (
                path
            )
    assert seen > 40


def test_a_link_to_elsewhere_says_nothing_of_us(client: FlaskClient) -> None:
    """Whatever a clinic gives as its website opens without a way back to the page."""
    tags = re.findall(r'<a [^>]*href="https?://[^>]*>', client.get("/listings/ana").text)
    assert [tag for tag in tags if f'href="{WEBSITE}"' in tag]
    for tag in tags:
        assert "noopener" in tag or "127.0.0.1" in tag, tag


def test_https_is_kept_to_where_it_is_spoken(here: World) -> None:
    client = app_of(here, "https://dir.example.org").test_client()
    for path in ("/", "/api/v1/vocabulary", "/nowhere", "/fhir/r4/metadata"):
        told = client.get(path).headers["Strict-Transport-Security"]
        assert told == "max-age=31536000"
    assert "Strict-Transport-Security" not in app_of(here).test_client().get("/").headers


HOSTS = [
    ("dir.example.org", 200),
    ("dir.example.org:8443", 200),
    ("DIR.example.org", 200),
    ("127.0.0.1:8000", 200),
    ("localhost", 200),
    ("evil.example", 400),
    ("dir.example.org.evil.example", 400),
    ("evil.example/dir.example.org", 400),
    ("dir.example.org@evil.example", 400),
    ("[::1", 400),
    ("10.0.0.7", 400),
    ("", 400),
]


def test_only_our_own_host_is_answered(here: World) -> None:
    client = app_of(here, "https://dir.example.org").test_client()
    for host, status in HOSTS:
        for path in ("/", "/api/v1/vocabulary", "/fhir/r4/metadata"):
            answer = client.get(path, headers={"Host": host})
            assert answer.status_code == status, (host, path)
            assert "evil" not in answer.text + str(answer.headers)
        assert client.get("/healthz", headers={"Host": host}).status_code == 200
    forwarded = {"Host": "dir.example.org", "X-Forwarded-Host": "evil.example"}
    assert client.get("/", headers=forwarded).status_code == 200


DEEP = 100_000


@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEEP,
        b'{"a":' * (DEEP // 6),
        b'{"email": "a@example.org", "email": "b@example.org", "listing": {}}',
        b'{"email": "a@example.org", "listing": {"npi": 1, "npi": 2}}',
        b'{"email": "a@example.org", "listing": {"visit_minutes": {"least": NaN}}}',
        b'{"email": "a@example.org", "listing": {"visit_minutes": {"least": -Infinity}}}',
        b'{"email": "a@example.org", "listing": {"visit_minutes": ' + b"9" * 90_000 + b"}}",
        b'{"email": "a@example.org", "listing": {"about": 1e999}}',
        b'{"email": "a\\u0000@example.org", "listing": {}}',
        b'{"email": "\\ud800@example.org", "listing": {"about": "\\ud800"}}',
        b'{"email": "a@example.org", "listing": {"\\u0000": 1}}',
        b"\xff\xfe{}", b"", b"null", b'"x"', b"{" * 5,
    ],
)  # fmt: skip
def test_json_that_is_a_bomb_or_no_clear_word_is_refused(client: FlaskClient, body: bytes) -> None:
    for path in ("/api/v1/submissions", "/api/v1/nearest"):
        sender = {"REMOTE_ADDR": f"10.1.{len(body) % 250}.{sum(body) % 250}"}
        answer = client.post(path, data=body, content_type="application/json", environ_base=sender)
        assert answer.status_code in (400, 422), answer.text
        assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("path", ["/a\0b", "/search?near=a%00b", "/listings/a%00b", "/api/v1/search?near=%00",
                                  "/fhir/r4/Location?name=%00", "/npi-registry/api/?city=a%00"])  # fmt: skip
def test_nul_in_an_address_is_refused(client: FlaskClient, path: str) -> None:
    assert client.get(path.replace("\0", "%00")).status_code == 400


def test_more_than_is_taken_is_refused(here: World) -> None:
    """By its length, by its fields, and by its parts; on the page of lists, too."""
    client = app_of(here).test_client()
    client.set_cookie("session", str(here.parts.sessions.dumps(MODERATOR)))
    edge = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    parts = (edge * 10_000 + "--x--\r\n").encode()
    of_parts = "multipart/form-data; boundary=x"
    for path, body, kind in (
        ("/clinics/sign-in", b"email=" + b"a" * 200_000, "application/x-www-form-urlencoded"),
        ("/clinics/sign-in", parts, of_parts),
        ("/clinics/upload", parts, of_parts),
        ("/api/v1/submissions", b'"' + b"a" * 200_000 + b'"', "application/json"),
    ):
        assert client.post(path, data=body, content_type=kind).status_code == 413, path
    name = 'filename="../../x\r\nX: 1\0.csv"'
    odd = f'--x\r\nContent-Disposition: form-data; name="file"; {name}\r\n\r\na\r\n--x--\r\n'
    answer = client.post("/clinics/upload", data=odd.encode(), content_type=of_parts)
    assert answer.status_code == 400


def test_other_methods_do_nothing(client: FlaskClient) -> None:
    paths = ("/", "/search", "/listings/ana", "/api/v1/search", "/fhir/r4/Location")
    for method in ("TRACE", "PUT", "DELETE", "PATCH", "CONNECT", "PROPFIND", "QUACK"):
        for path in paths:
            answer = client.open(path, method=method, headers={"X-Sent": "an echo"})
            assert answer.status_code == 405
            assert "an echo" not in answer.text
    overridden = {"X-HTTP-Method-Override": "DELETE"}
    assert client.get("/listings/ana", headers=overridden).status_code == 200
    assert client.get("/listings/ana").status_code == 200


@pytest.mark.parametrize("path", ["/.git/config", "/.env", "/static/../app.py", "/static/%2e%2e/app.py",
                                  "/console", "/static/search.js.map", "/api/v0/search", "/api/v2/search",
                                  "/static//etc/passwd", "/debug", "/server-status"])  # fmt: skip
def test_nothing_of_the_workshop_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_sign_in_is_never_taken_from_the_visitor(here: World) -> None:
    """Who brings a session along gets no right by it, and none after another has signed in."""
    client = app_of(here).test_client()
    client.set_cookie("session", "chosen-by-somebody-else")
    assert client.get("/clinics/listings/ana").status_code == 401
    evil = {"Origin": "https://evil.example"}
    assert client.post("/links/x", headers=evil).status_code == 403
    assert client.post("/clinics/sign-out").headers["Set-Cookie"].startswith("session=;")
