"""What comes over the wire and what goes: clear requests alone, and to no other host."""

import re
import socket
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.web.conftest import Site
from tests.web.test_accessibility import STATES
from tests.web.test_clinics import within

pytestmark = pytest.mark.parametrize("site", ["sqlite"], indirect=True, scope="session")


def said_to(site: Site, request: bytes) -> bytes:
    """What the server answers to bytes."""
    where = urlsplit(site.url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=60) as line:
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while part := line.recv(65_536):
                answer += part
        except ConnectionResetError:
            pass
    return answer


BOTH = b"POST /clinics/sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        BOTH,
        BOTH.replace(b"chunked", b"xchunked"),
        BOTH.replace(b"Transfer-Encoding", b"Transfer-Encoding "),
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
def test_what_is_no_clear_request_ends_the_connection(site: Site, request_: bytes) -> None:
    """One refusal, then nothing: no second request is read out of the first one's body."""
    answer = said_to(site, request_)
    assert re.match(rb"HTTP/1\.[01] (?:4\d\d|501|505) ", answer) or not answer, answer[:200]
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert b"smuggled" not in answer


TYPED = b"zqtyped"


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /search?near=78701&q=" + TYPED + b" pain HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /search?q=" + TYPED + b"\r\n\r\n",
        b"GET /links/" + TYPED + b" now HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Name " + TYPED + b": y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nCookie : session=" + TYPED + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + TYPED + b"\0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n " + TYPED + b"\r\n\r\n",
        b"GET / HTTP/" + TYPED + b"\r\nHost: x\r\n\r\n",
        TYPED + b"@ / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + TYPED + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + TYPED + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: " + TYPED + b"\r\n\r\n",
        b"POST /clinics/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        + TYPED + b"\r\n",
    ],
)  # fmt: skip
def test_what_is_refused_is_not_written_down(site: Site, request_: bytes) -> None:
    """Neither what a client sent nor who it was: the server alone saw it, as it never got further."""
    before = len(site.log)
    assert re.match(rb"HTTP/1\.[01] [45]\d\d ", said_to(site, request_))
    assert within(5, lambda: len(site.log) > before)
    written = site.log[before:]
    assert TYPED.decode() not in written
    assert "127.0.0.1" not in written


def test_no_page_asks_another_host_or_leaves_a_cookie(site: Site, browser: Browser) -> None:
    """In a browser that records every request: pages for visitors, and those for clinics."""
    context = browser.new_context(locale="en")
    page = context.new_page()
    elsewhere: list[str] = []
    told: list[str] = []
    page.on("request", lambda r: None if r.url.startswith(site.url) else elsewhere.append(r.url))
    page.on("request", lambda r: told.append(r.headers.get("referer", "")))
    more = ("/privacy", "/clinics/", "/clinics/new", "/clinics/sign-in", "/listings/demo-0001/claim",
            "/listings/demo-0001/report", "/quality", "/api/docs", "/nowhere")  # fmt: skip
    for path in (*STATES.values(), *more):
        page.goto(site.url + path)
    assert elsewhere == []
    assert context.cookies() == []
    assert not [each for each in told if "?" in each or "/search" in each]
    context.close()
