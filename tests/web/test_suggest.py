"""What is suggested while typing, to the keyboard and the screen reader, and where the visitor is."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.conftest import Site
from tests.web.screen import PHONE, all_can_use, wait_until


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
    assert suggested(site, "cuell", "what", lang="es") == ["Dolor de cuello"]
    spanish = suggested(site, "dolor de", "what", lang="es")
    assert spanish == sorted(spanish)
    assert len(suggested(site, "p", "what", limit="3")) == 3


def test_names_are_suggested_after_the_terms(site: Site) -> None:
    listing = site.api(near="78701", limit=1)["results"][0]
    name = f"{listing['name']['given']} {listing['name']['family']}"
    answer = site.get("/api/v1/suggest", q=name[:-1], kind="what")
    assert "practitioner" in {each["kind"] for each in answer.json["suggestions"]}
    assert any(name.split()[0] in text for text in suggested(site, name[:-1], "what"))
    clinics = suggested(site, "pemberlane", "what")
    assert any(text.startswith("Pemberlane") for text in clinics)
    assert suggested(site, "physical", "what", limit="1") == ["Physical therapist"]
    assert all(len(suggested(site, q, "what")) <= 8 for q in ("an", "ana", "pem"))


def test_what_is_typed_stays_out_of_the_log(site: Site) -> None:
    for kind in ("what", "where"):
        suggested(site, "quillfeather", kind)
    site.get("/api/v1/suggest", q="quillfeather", kind="who")
    site.post("/api/v1/nearest", {"lat": 30.27, "lon": -97.74})
    assert "/api/v1/suggest" in site.log
    assert "quillfeather" not in site.log
    assert "30.27" not in site.log


@pytest.mark.parametrize(
    "parameters",
    [
        {"q": "a"}, {"kind": "where"}, {"q": "a", "kind": "who"}, {"q": "x" * 101, "kind": "what"},
        {"q": "a", "kind": "where", "more": "1"}, {"q": ["a", "b"], "kind": "where"},
        {"q": "a", "kind": "where", "limit": "0"}, {"q": "a", "kind": "where", "limit": "21"},
        {"q": "a", "kind": "where", "limit": "many"},
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
    answer = site.post("/api/v1/nearest", {"lat": 30.2711, "lon": -97.7437})
    assert answer.json["label"] == "78701 (Austin, TX)"
    for wrong in ({"lat": 91, "lon": 0}, {"lat": "x", "lon": 0}, {"lat": 30}, [], "30,1", None):
        assert site.post("/api/v1/nearest", wrong).status == 400
    assert site.get("/api/v1/nearest", lat="30", lon="-97").status == 405


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
    all_can_use(page)
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
    page.get_by_role("combobox", name="Where").fill("x")
    expect(page.get_by_role("option")).to_have_count(0)
    page.get_by_role("combobox", name="Where").fill("")
    expect(page.get_by_role("option")).to_have_text(["Dallas, TX"])
    page.get_by_role("button", name="Forget the searches").click()
    expect(page.get_by_text("This device has forgotten your searches.")).to_be_visible()
    expect(page.get_by_role("option")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("button", name="Forget the searches")).to_be_hidden()
    page.get_by_role("combobox", name="Where").focus()
    expect(page.get_by_role("option")).to_have_count(0)


@pytest.mark.parametrize("kept", ["5", "{}", "[1, null]", "no json", "null"])
def test_what_else_the_device_keeps_does_no_harm(page: Page, kept: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.evaluate("kept => localStorage.setItem('searches', kept)", kept)
    page.reload()
    page.get_by_role("combobox", name="Where").focus()
    expect(page.get_by_role("option")).to_have_count(0)
    page.get_by_role("combobox", name="Where").fill("Dallas, TX")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/search?**")
    assert page.evaluate("localStorage.getItem('searches')") == '["Dallas, TX"]'
    assert faults == []


@pytest.mark.parametrize("leaving", ["Tab", "Escape"])
def test_who_has_left_the_field_is_not_followed_by_a_list(page: Page, leaving: str) -> None:
    """Neither by what was about to be asked, nor by an answer that comes late."""
    near = page.get_by_role("combobox", name="Where")
    near.press_sequentially("aus")
    near.press(leaving)
    page.wait_for_timeout(400)
    expect(page.get_by_role("option")).to_have_count(0)
    held = []
    page.route("**/api/v1/suggest**", lambda route: held.append(route))  # no built-in is taken
    near.fill("dal")
    wait_until(page, lambda: len(held) == 1)
    near.press(leaving)
    for route in held:
        route.fulfill(json={"suggestions": [{"text": "Dallas, TX"}]})
    page.wait_for_timeout(200)
    expect(page.get_by_role("option")).to_have_count(0)


def test_an_older_answer_does_not_take_the_newer_ones_place(page: Page) -> None:
    near = page.get_by_role("combobox", name="Where")
    held = []
    page.route(
        "**/api/v1/suggest?q=aus&**", lambda route: held.append(route)
    )  # no built-in is taken
    near.fill("aus")
    wait_until(page, lambda: len(held) == 1)
    near.fill("dalla")
    expect(page.get_by_role("option").first).to_have_text("Dallas, TX")
    held[0].abort()
    page.wait_for_timeout(200)
    expect(page.get_by_role("option").first).to_have_text("Dallas, TX")


def test_the_chosen_language_is_the_suggestions_too(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/?lang=es")
    page.locator("#q").press_sequentially("cuell")
    expect(page.get_by_role("option")).to_have_text(["Dolor de cuello"])


def test_without_javascript_the_fields_are_plain_and_search(site: Site, browser: Browser) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url)
    assert page.get_by_role("combobox").count() == 0
    assert page.get_by_role("button").all_inner_texts() == ["Search"]
    page.get_by_role("textbox", name="Where").fill("Austin, TX")
    page.get_by_role("button", name="Search").click()
    assert page.get_by_role("article").count() == 20
    context.close()


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
    sent: list[str | None] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("request", lambda r: sent.append(r.post_data) if "nearest" in r.url else None)
    page.goto(site.url)
    assert sent == []  # only on a press
    page.get_by_role("button", name="Use my location").click()
    expect(page.get_by_role("combobox", name="Where")).to_have_value("78701")
    assert sent == ['{"lat":30.27,"lon":-97.74}']
    assert not any("30.2" in url or "97.7" in url for url in asked)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/search?**")
    assert "30.27" not in page.url
    assert all(url.startswith(site.url) for url in asked)
    context.close()


def test_a_location_that_takes_too_long_is_said_so(page: Page) -> None:
    late = "navigator.geolocation.getCurrentPosition = (_, failed) => failed({ code: 3 })"
    page.evaluate(f"() => {{ {late} }}")
    page.get_by_role("button", name="Use my location").click()
    expect(page.get_by_text("Finding where you are took too long.")).to_be_visible()


def test_a_browser_that_does_not_tell_leaves_the_field_to_type_in(page: Page) -> None:
    page.get_by_role("button", name="Use my location").click()
    expect(page.get_by_text("Your browser does not tell where you are.")).to_be_visible()
