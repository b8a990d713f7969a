"""Whatever is sent to whatever address by whomever: an answer, and never a fault of ours."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from directory.app import create_app
from directory.places import Places
from directory.settings import Settings
from directory.store.database import Database
from tests.security.worlds import MODERATOR, World, world

WEB = Path(__file__).parents[2] / "directory" / "web"

NASTY = [
    "\0", "a\0b", "²", "٣", "9" * 12, "9" * 40, "9" * 5_000, "-1", "1e309", "nan", "",
    "'; DROP TABLE listing; --", "\" OR 1=1 --", "%27", "{{7*7}}", "${jndi:ldap://x}",
    "../../etc/passwd", "<script>alert(1)</script>", "javascript:alert(1)",
    "a\r\nSet-Cookie: x=1", "\u202eevil", "e" + "\u0301" * 500, "\U0001f489" * 50, "*:*",
    "_exists_:id", "a" * 5_000, "(" * 900, "[" * 900, "2026-02-30", "ana",
]  # fmt: skip
NEVER = {"clinics.forget", "owners.erase", "owners.give_up"}
"""What ends the one who asks: tests/web/test_keeping.py looks at these."""


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


def names() -> list[str]:
    """Every name that a form or a page of ours sends."""
    sent = re.compile(r'(?:form\.get(?:list)?\(|args\.get\(| name=)"([a-z][\w.]*)"')
    files = [*WEB.glob("*.py"), *(WEB / "templates").glob("*.html")]
    return sorted({name for path in files for name in sent.findall(path.read_text("utf-8"))})


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
    ("here", "who"),
    [("sqlite", MODERATOR), ("postgresql", MODERATOR), ("postgresql", "nobody")],
    indirect=["here"],
)
def test_nothing_that_is_sent_is_a_fault_of_ours(here: World, who: str) -> None:
    """Each field has another nasty value in each turn; every other turn the path leads somewhere."""
    app, fields, seen = create_app(Settings(requests_a_minute=10**6), here.parts), names(), set()
    assert {"q", "near", "seen", "revision", "reference", "email"} <= set(fields)
    faults = []
    for turn in range(4):
        sent = {name: NASTY[(at + 7 * turn) % len(NASTY)] for at, name in enumerate(fields)}
        path_value = here.fitting if turn % 2 else lambda _, turn=turn: NASTY[7 * turn % len(NASTY)]
        for number, (endpoint, method, path) in enumerate(addresses(app, path_value)):
            if endpoint in NEVER:
                continue
            client = app.test_client()
            if who != "nobody":
                client.set_cookie("session", str(here.parts.sessions.dumps(who)))
            more = {"data" if method == "POST" else "query_string": sent}
            base = {"REMOTE_ADDR": f"10.0.{turn}.{number % 250}"}
            answer = client.open(path, method=method, environ_base=base, **more)
            seen.add(answer.status_code)
            if answer.status_code >= 500:
                faults.append(f"{method} {path[:80]!r} in turn {turn}: {answer.status}")
            assert "Set-Cookie" not in answer.headers or who != "nobody" or "sign-out" in path
            if answer.mimetype == "text/html":
                assert "<script>alert" not in answer.text
    assert not faults, "\n".join(faults)
    assert {200, 303, 400, 404} <= seen
