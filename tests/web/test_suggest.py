"""What is suggested while typing, to the keyboard and the screen reader, and where the visitor is."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.web.conftest import Site
from tests.web.test_accessibility import PHONE, STRICT


def suggested(site: Site, q: str, kind: str, **options: str) -> list[str]:
    answer = site.get("/api/v1/suggest", q=q, kind=kind, **options)
    assert answer.status == 200, answer.text
    assert answer.headers["Cache-Control"].startswith("private")
    return [each["text"] for each in answer.json["suggestions"]]


def test_places_are_suggested_the_largest_first(site: Site) -> None:
    assert suggested(site, "aus", "where")[0] == "Austin, TX"
    assert suggested(site, "springfield, il", "where") == ["Springfield, IL"]
    assert suggested(site, "St. Lou", "where")[0] == "Saint Louis, MO"
    assert suggested(site, "7870", "where")[0] == "78701 (Austin, TX)"
    assert "Texas" in suggested(site, "tex", "where")
    assert suggested(site, "zzzz", "where") == suggested(site, "!", "where") == []


def test_terms_are_suggested_in_the_language_that_is_spoken(site: Site) -> None:
    assert suggested(site, "nec", "what")[0] == "Neck pain"
    assert "Chiropractor" in suggested(site, "chiro", "what")
    assert suggested(site, "cuell", "what", accept_language="es") == ["Dolor de cuello"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"q": "a"}, {"kind": "where"}, {"q": "a", "kind": "who"}, {"q": "x" * 101, "kind": "what"},
        {"q": "a", "kind": "where", "more": "1"}, {"q": ["a", "b"], "kind": "where"},
    ],
)  # fmt: skip
def test_what_cannot_be_suggested_is_said(site: Site, parameters: dict[str, str]) -> None:
    answer = site.get("/api/v1/suggest", **parameters)
    assert answer.status in (400, 422)
    assert answer.json["errors"]


def test_every_suggested_place_can_be_searched(site: Site) -> None:
    for q in ("new", "san", "100", "wash", "st"):
        for text in suggested(site, q, "where"):
            assert site.get("/api/v1/places", q=text).status == 200, text


def test_the_nearest_zip_stands_for_a_point(site: Site) -> None:
    answer = site.get("/api/v1/nearest", lat="30.2711", lon="-97.7437")
    assert answer.json["label"] == "78701 (Austin, TX)"
    for lat, lon in (("91", "0"), ("x", "0"), ("30", "")):
        assert site.get("/api/v1/nearest", lat=lat, lon=lon).status in (400, 422)
    assert "30.27" not in site.log


@pytest.fixture
def page(site: Site, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(5_000)
    page.goto(site.url)
    yield page
    context.close()


def test_a_suggestion_is_chosen_by_the_keyboard_and_nothing_by_itself(page: Page) -> None:
    near = page.get_by_role("combobox", name="Where")
    near.fill("")
    near.press_sequentially("austi")
    options = page.get_by_role("option")
    expect(options.first).to_have_text("Austin, TX")
    expect(near).to_have_attribute("aria-expanded", "true")
    assert near.get_attribute("aria-activedescendant") is None
    assert Axe().run(page, options=STRICT).violations_count == 0
    near.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    near.press("ArrowUp")
    near.press("ArrowDown")
    near.press("Enter")
    expect(near).to_have_value("Austin, TX")
    expect(near).to_have_attribute("aria-expanded", "false")
    near.press_sequentially(" ")
    expect(options.first).to_be_visible()
    near.press("Escape")
    expect(options).to_have_count(0)
    near.press("Enter")
    page.wait_for_url(re.compile(r"/search\?.*near=Austin%2C\+TX"))


def test_a_suggestion_is_chosen_by_touch(page: Page) -> None:
    what = page.get_by_role("combobox", name="What")
    what.press_sequentially("neck")
    page.get_by_role("option", name="Neck pain").click()
    expect(what).to_have_value("Neck pain")
    expect(what).to_be_focused()


def test_searches_are_remembered_on_the_device_alone(page: Page, site: Site) -> None:
    asked: list[str] = []
    page.get_by_role("combobox", name="Where").fill("Dallas, TX")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/search?**")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site.url)
    page.get_by_role("combobox", name="Where").focus()
    expect(page.get_by_role("option")).to_have_text(["Dallas, TX"])
    assert not any("allas" in url for url in asked)
    assert page.context.cookies() == []


def test_a_location_leaves_the_browser_as_a_kilometre_and_becomes_a_zip(
    site: Site, browser: Browser
) -> None:
    context = browser.new_context(
        viewport=PHONE,
        geolocation={"latitude": 30.271234, "longitude": -97.743456},
        permissions=["geolocation"],
    )
    page, asked = context.new_page(), []
    page.set_default_timeout(5_000)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site.url)
    assert not any("nearest" in url for url in asked)  # only on a press
    page.get_by_role("button", name="Use my location").click()
    expect(page.get_by_role("combobox", name="Where")).to_have_value("78701")
    assert [url for url in asked if "nearest" in url] == [
        f"{site.url}/api/v1/nearest?lat=30.27&lon=-97.74"
    ]
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/search?**")
    assert "30.27" not in page.url
    assert all(url.startswith(site.url) for url in asked)
    context.close()


def test_a_browser_that_does_not_tell_leaves_the_field_to_type_in(page: Page) -> None:
    page.get_by_role("button", name="Use my location").click()
    expect(page.get_by_text("Your browser does not tell where you are.")).to_be_visible()
