"""What is nobody else's business stands in no answer, and what is typed in no line of the log."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from gunicorn.config import Config

from directory.app import create_app
from directory.mail import Letter, MailUnavailable, post
from directory.places import Places
from directory.settings import Settings
from directory.web.log import GunicornLog
from tests.elasticsearch_node import free_port
from tests.security.test_every_address import addresses, names
from tests.security.worlds import HIDDEN, MODERATOR, World, world


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Iterator[World]:
    made = world(tmp_path_factory.mktemp("leaks"), places)
    yield made
    made.parts.close()


@pytest.fixture
def app(here: World) -> Flask:
    return create_app(Settings(requests_a_minute=10**6), here.parts)


MORE = (
    "/search?near=Austin,+TX&confirmed=yes&confirmed=no",
    "/api/v1/search?near=78701&explain=1",
    "/api/v1/search?near=78701&format=geojson",
    "/api/v1/search?near=78701&format=csv",
    "/api/v1/clusters?near=Texas&zoom=3",
    "/api/v1/suggest?q=nun&kind=what",
    "/api/v1/suggest?q=zqh&kind=what",
    "/api/v1/listings/ben",
    "/listings/ben",
    "/listings/ben.vcf",
    "/compare?id=ana&id=ben",
    "/fhir/r4/PractitionerRole?_include=*",
    "/fhir/r4/Practitioner",
    "/fhir/r4/Location",
    "/npi-registry/api/?version=2.1&city=austin",
    "/npi-registry/api/?version=2.1&number=1234567893",
)


def test_nobody_reads_what_is_kept_about_clinics_and_patients(here: World, app: Flask) -> None:
    """Every address, as anybody and with a partner's secret key: pages, API, FHIR, feeds, errors."""
    asked = [("GET", path) for path in MORE]
    for endpoint, method, path in addresses(app, here.fitting):
        # Whoever has the link of a letter is its receiver, and is told for whom it is.
        if not endpoint.startswith(("links.", "drafts.")) and endpoint != "static":
            asked.append((method, path))
    read, answered = 0, 0
    client, key = app.test_client(), {"Authorization": f"Bearer {here.secret_key}"}
    for method, path in asked:
        headers = key if "/api/v1/" in path else {}
        answer = client.open(path, method=method, headers=headers)
        said = answer.text + str(answer.headers)
        assert not [word for word in HIDDEN if word.lower() in said.lower()], (method, path)
        answered += answer.status_code == 200
        read += "Núñez" in said
    assert answered > 40
    assert read > 15


def test_a_moderator_reads_it(here: World, app: Flask) -> None:
    """The sentinels stand where they are meant to: else the test above would find nothing."""
    client = app.test_client()
    client.set_cookie("session", str(here.parts.sessions.dumps(MODERATOR)))
    pages = (
        "/moderation/", f"/moderation/reports/{here.report}", "/partners/ana",
        f"/moderation/submissions/{here.submission}", "/clinics/listings/ana/history",
        "/clinics/listings/ana/export",
    )  # fmt: skip
    said = "".join(client.get(path).text for path in pages)
    assert [word for word in HIDDEN if word in said] == [w for w in HIDDEN if "Zqhidden" not in w]


TYPED = "zqtyped"


@pytest.mark.parametrize("fault", [False, True])
def test_no_line_of_the_log_holds_what_was_typed(
    here: World, app: Flask, caplog: pytest.LogCaptureFixture, *, fault: bool
) -> None:
    """A sentinel in every path, parameter, field and header; with a fault of ours, too."""
    caplog.set_level(logging.INFO, "directory")
    if fault:

        def breaks(text: str) -> object:
            raise RuntimeError(f"cannot read {text}")

        broken = replace(here.parts, places=_Broken(breaks))  # type: ignore[arg-type]
        app = create_app(Settings(requests_a_minute=10**6, trusted_proxies=1), broken)
        app.testing = False
    client = app.test_client()
    nasty = f"{TYPED}\r\n2026-11-24 directory.access GET /forged 200 \x1b[31m"
    sent = dict.fromkeys(names(), nasty) | {"near": TYPED, "q": f"{TYPED} pain"}
    headers = dict.fromkeys(("User-Agent", "Referer", "X-Request-Id", "Cookie", "Origin", "Authorization", "Accept-Language", "X-Directory-Key", "If-None-Match", "X-Forwarded-For"), TYPED)  # fmt: skip
    faults = 0
    for _, method, path in addresses(app, lambda _: TYPED):
        more = {"query_string": sent} if method == "GET" else {"data": sent}
        faults += client.open(path, method=method, **more).status_code >= 500
        client.open(path, method=method, headers=headers, json=sent)
    client.get("/search?near=30.2672,-97.7431")
    lines = caplog.text
    assert "GET /search " in lines
    assert bool(faults) == fault == ("RuntimeError" in lines)
    assert TYPED not in lines
    assert "forged" not in lines
    assert "\x1b" not in lines
    assert "30.26" not in lines


class _Refusing:
    """A mail server that repeats at one step whom it does not know."""

    def __init__(self, step: str) -> None:
        setattr(self, f"handle_{step}", self._refuse)

    async def _refuse(self, *_: object) -> str:
        return f"550 5.1.1 <{TYPED}@example.org> is not known here"


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_mail_server_s_words_are_not_written_down(step: str) -> None:
    controller = Controller(_Refusing(step), hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        hand_over = post(f"smtp://127.0.0.1:{controller.port}", "Us <us@example.org>")
        with pytest.raises(MailUnavailable) as raised:
            hand_over(Letter(f"{TYPED}@example.org", "Hello", "text", "<p>text</p>"))
    finally:
        controller.stop()
    assert TYPED not in str(raised.value)
    assert "refuses the recipient" in str(raised.value) or "550" in str(raised.value)


def test_a_fault_of_the_server_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    """What fails outside of the site's own handler: gunicorn names the address that was asked."""
    chosen = Config()
    chosen.set("errorlog", None)
    told = GunicornLog(chosen)
    try:
        raise RuntimeError(f"cannot read {TYPED}")
    except RuntimeError:
        told.exception("Error handling request %s %s", "GET", f"/search?near={TYPED}")
    told.warning("Invalid request from ip=203.0.113.7: Invalid Method '%s'", TYPED)
    told.warning("Worker %s is gone", 7)
    assert "RuntimeError" in caplog.text
    assert "Worker 7 is gone" in caplog.text
    assert len(caplog.records) == 3
    assert TYPED not in caplog.text
    assert "203.0.113.7" not in caplog.text


class _Broken:
    """Places that fail with what was typed in the message, as many a library does."""

    def __init__(self, breaks: object) -> None:
        self._breaks = breaks

    def __getattr__(self, _: str) -> object:
        return self._breaks
