"""Whatever is sent to whatever address by whomever: an answer, and never a fault of ours."""

import re
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from directory.app import create_app
from directory.fhir.parameters import PARAMETERS
from directory.places import Places
from directory.search.query import SearchQuery
from directory.settings import Settings
from directory.store.database import Database
from directory.web import npi_query
from tests.security.worlds import MODERATOR, World, world

WEB = Path(__file__).parents[2] / "directory" / "web"

NASTY = [
    "\0", "a\0b", "²", "٣", "9" * 12, "9" * 40, "9" * 5_000, "-1", "1e309", "nan", "",
    "'; DROP TABLE listing; --", "\" OR 1=1 --", "%27", "{{7*7}}", "${jndi:ldap://x}",
    "../../etc/passwd", "<script>alert(1)</script>", "javascript:alert(1)",
    "a\r\nSet-Cookie: x=1", "\u202eevil", "e" + "\u0301" * 500, "\U0001f489" * 50, "*:*",
    "_exists_:id", "a" * 5_000, "(" * 900, "[" * 900, "2026-02-30", "ana",
]  # fmt: skip
NEVER = {"clinics.forget", "owners.erase", "owners.give_up", "owners.leave"}
"""What ends the one who asks, or the listing: tests/web/ looks at these."""

FEW = NASTY[::7]

FREE = Settings(requests_a_minute=10**6)
"""Who asks so much is not slowed down."""


@pytest.fixture(scope="module")
def here(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, places: Places
) -> Iterator[World]:
    database = None
    if request.param == "postgresql":
        make: Callable[[], str] = request.getfixturevalue("fresh_postgresql")
        database = Database(make())
        database.migrate()
    made = world(tmp_path_factory.mktemp("security"), places, database)
    yield made
    made.parts.close()


SENT = re.compile(r'(?:form\.get(?:list)?\(|args\.get(?:list)?\(| name=)"([a-z][\w.]*)"')


def names() -> list[str]:
    """Every name that a form or a page of ours sends."""
    files = [*WEB.glob("*.py"), *(WEB / "templates").glob("*.html")]
    return sorted({name for path in files for name in SENT.findall(path.read_text("utf-8"))})


def asked_of(app: Flask, endpoint: str) -> list[str]:
    """Names that an address reads from its query, as far as its module says them."""
    module = sys.modules[app.view_functions[endpoint].__module__]
    return SENT.findall(Path(module.__file__ or "").read_text("utf-8"))


def addresses(app: Flask, value: Callable[[str], str]) -> Iterator[tuple[str, str, str]]:
    """Endpoint, method and path of every address; `value` says what stands in its parts."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<int:\w+>", "1", rule.rule)
        for name in re.findall(r"<(?:path:)?(\w+)>", path):
            said = value(name).replace("%", "%25").replace("/", "%2F").replace("?", "%3F")
            path = re.sub(rf"<(?:path:)?{name}>", said.replace("\\", "\\\\") or "x", path)
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            yield rule.endpoint, method, path


@pytest.mark.parametrize(
    ("here", "who", "values"),
    [
        ("sqlite", MODERATOR, NASTY),
        ("postgresql", MODERATOR, NASTY),
        ("postgresql", "nobody", FEW),
    ],
    indirect=["here"],
    ids=["sqlite", "postgresql", "nobody"],
)
def test_nothing_that_is_sent_is_a_fault_of_ours(here: World, who: str, values: list[str]) -> None:
    """Every field and every part of a path has each value once, wherever the path leads to."""
    app, fields, faults, seen = create_app(FREE, here.parts), names(), [], set()
    assert {"q", "near", "seen", "revision", "reference", "email"} <= set(fields)
    app.config["MAX_CONTENT_LENGTH"] = 10**6  # all fields together are longer than a form may be
    fitting = [each for each in addresses(app, here.fitting) if each[0] not in NEVER]
    for turn, nasty in enumerate(values):
        everywhere = addresses(app, lambda _, nasty=nasty: nasty)
        strange = [each for each in everywhere if each[1] == "GET" and each not in fitting]
        for number, (endpoint, method, path) in enumerate([*fitting, *strange]):
            client = app.test_client()
            if who != "nobody":
                client.set_cookie("session", str(here.parts.sessions.dumps(who)))
            is_form = method == "POST"
            sent = dict.fromkeys(fields if is_form else asked_of(app, endpoint), nasty)
            more = {"data" if is_form else "query_string": sent}
            base = {"REMOTE_ADDR": f"10.{turn}.{number // 250}.{number % 250}"}
            answer = client.open(path, method=method, environ_base=base, **more)
            seen.add((method, answer.status_code))
            if answer.status_code >= 500:
                faults.append(f"{method} {path[:80]!r} with {nasty[:20]!r}: {answer.status}")
            assert "Set-Cookie" not in answer.headers or who != "nobody" or "sign-out" in path
            if answer.mimetype == "text/html":
                assert "<script>alert" not in answer.text
            answer.close()
    assert not faults, "\n".join(faults)
    assert {("GET", 200), ("GET", 400), ("GET", 404), ("POST", 303), ("POST", 400)} <= seen


@pytest.mark.parametrize("here", ["sqlite"], indirect=True)
def test_no_parameter_is_a_fault_of_ours(here: World) -> None:
    """Each by itself, beside what makes sense: of the page, the API, FHIR and the registry."""
    client, faults = create_app(FREE, here.parts).test_client(), []
    key = {"Authorization": f"Bearer {here.secret_key}"}
    for path, (sound, parameters) in asked(client).items():
        headers = key if path.startswith("/api/") else {}
        assert client.get(path, query_string=sound, headers=headers).status_code == 200, path
        for name, nasty in product(parameters, NASTY):
            answer = client.get(path, query_string={**sound, name: nasty}, headers=headers)
            if answer.status_code >= 500:
                faults.append(f"{path} {name}={nasty[:20]!r}: {answer.status}")
    assert not faults, "\n".join(faults)


def asked(client: FlaskClient) -> dict[str, tuple[dict[str, str], list[str]]]:
    """What takes parameters: with some that make sense, and the names of all."""
    sound = {
        "/api/v1/search": {"near": "78701"}, "/api/v1/places": {"q": "austin"},
        "/api/v1/suggest": {"q": "a", "kind": "where"}, "/api/v1/changes": {"since": "0"},
        "/api/v1/clusters": {"near": "Texas", "zoom": "3"},
    }  # fmt: skip
    described = client.get("/api/v1/openapi.json").json["paths"]
    found = {
        path: (asks, [each["name"] for each in described[path]["get"]["parameters"]])
        for path, asks in sound.items()
    }
    of_the_page = [*SearchQuery.model_fields, "page", "lang"]
    of_the_registry = sorted(npi_query._KNOWN)
    return {
        **found,
        "/search": ({"near": "78701"}, of_the_page),
        "/npi-registry/api/": ({"version": "2.1", "city": "austin"}, of_the_registry),
        **{
            f"/fhir/r4/{type_}": ({}, [*parameters, "_count", "_elements", "_cursor", "_include"])
            for type_, parameters in PARAMETERS.items()
        },
    }
