"""The pages over real HTTP, and in a real browser at the end."""

import html
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.web.conftest import Site
from tests.web.screen import BUILD


def heading(text: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.DOTALL)
    assert found
    return " ".join(html.unescape(found[1]).split())


def test_a_search_page(site: Site) -> None:
    answer = site.get("/search", near="Austin, TX", radius="25")
    assert answer.status == 200
    assert re.fullmatch(r"\d+ practitioners of dry needling near Austin, TX", heading(answer.text))
    assert answer.text.count('<article class="card"') == 20
    assert "have not said whether they do dry needling" in answer.text
    assert answer.headers["Cache-Control"].startswith("private")


def test_everybody_is_one_press_away(site: Site) -> None:
    first = site.get("/search", near="Austin, TX", radius="25")
    (link,) = re.findall(
        r'<a href="([^"]*confirmed=yes[^"]*confirmed=no)">Show them too', first.text
    )
    everybody = site.get(html.unescape(link))
    assert int(heading(everybody.text).split()[0]) > int(heading(first.text).split()[0])


def test_where_nobody_is_confirmed_all_are_shown_with_the_reason(site: Site) -> None:
    answer = site.get("/search", near="Honolulu, HI", profession="physical-therapist", radius="100")
    assert "has confirmed that they do dry needling" in answer.text


def test_numbered_pages_hold_everybody_once(site: Site) -> None:
    first = site.get("/search", near="Texas", confirmed=["yes", "no"])
    pages = int(re.findall(r"Page 1 of (\d+)", first.text)[0])
    seen: list[str] = []
    for number in range(1, pages + 1):
        page = site.get("/search", near="Texas", confirmed=["yes", "no"], page=str(number))
        seen += re.findall(r'<h2><a href="/listings/([^"]+)"', page.text)
    assert len(seen) == len(set(seen)) == int(heading(first.text).split()[0])


@pytest.mark.parametrize(
    ("parameters", "status", "says"),
    [
        ({"near": "Austn"}, 422, "Austin, TX"),
        ({"near": "Austin", "radius": "900"}, 400, "between 0.1 and 500 mi"),
        ({"near": "95,1"}, 400, "latitude goes from"),
        ({"near": "", "q": ""}, 200, "Find someone"),
        ({"near": "Austin", "utm_source": "x"}, 200, "near Austin, TX"),
        ({"near": "Austin", "page": "51"}, 400, "50"),
        ({"near": "<script>alert(1)</script>"}, 422, "&lt;script&gt;"),
    ],
)
def test_what_is_typed_wrong_is_said_on_the_page(
    site: Site, parameters: dict[str, str], status: int, says: str
) -> None:
    answer = site.get("/search", **parameters)
    assert answer.status == status
    assert says in answer.text
    assert "<script>alert" not in answer.text


def test_another_place_keeps_the_filters_but_what_was_wrong(site: Site) -> None:
    for parameters, kept in (
        ({"near": "78701", "accepting": "yes", "page": "1"}, {"accepting": ["yes"]}),
        (
            {"near": "Nowhereville", "insurance": ["aetna", "cigna"]},
            {"insurance": ["aetna", "cigna"]},
        ),
        ({"near": "78701", "radius": "x", "cash_pay": "yes"}, {"cash_pay": ["yes"]}),
    ):
        text = site.get("/search", **parameters).text
        form = re.search(r'<form class="search".*?</form>', text, re.DOTALL)
        assert form
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[0])
        found: dict[str, list[str]] = {}
        for name, value in hidden:
            found.setdefault(name, []).append(value)
        assert found == kept


def test_pages_that_are_not_there(site: Site) -> None:
    assert site.get("/nowhere").status == 404
    assert "Search for a practitioner" in site.get("/listings/nobody-there").text
    assert site.get("/api/v1/nothing").json["status"] == 404


def test_headers_protect(site: Site) -> None:
    for path in ("/", "/search?near=Austin", "/healthz", "/nowhere"):
        headers = site.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in headers


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    BUILD.mkdir(parents=True, exist_ok=True)
    page = browser.new_page(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    yield page
    page.close()


def test_a_patient_finds_a_practitioner_in_a_browser(site: Site, browser_page: Page) -> None:
    """On a phone, with JavaScript off, and nobody else is told of it."""
    asked: list[str] = []
    browser_page.on("request", lambda request: asked.append(request.url))
    browser_page.goto(site.url)
    browser_page.get_by_label("Where").fill("78701")
    browser_page.get_by_label("What").fill("chiro")
    browser_page.get_by_role("button", name="Search").click()
    browser_page.screenshot(path=BUILD / "search-phone.png", full_page=True)
    title = browser_page.get_by_role("heading", level=1)
    assert "near 78701 (Austin, TX)" in title.inner_text()
    first = browser_page.get_by_role("article").first
    assert "Chiropractor" in first.inner_text()
    name = first.get_by_role("link").first.inner_text()
    first.get_by_role("link").first.click()
    assert browser_page.get_by_role("heading", level=1).inner_text() == name
    assert "What the credentials mean" in browser_page.content()
    browser_page.screenshot(path=BUILD / "listing-phone.png", full_page=True)
    assert browser_page.evaluate("document.documentElement.scrollWidth") <= 390
    assert all(url.startswith(site.url) for url in asked)
    browser_page.set_viewport_size({"width": 1280, "height": 900})
    browser_page.goto(f"{site.url}/search?near=Austin, TX")
    browser_page.screenshot(path=BUILD / "search-desktop.png")
