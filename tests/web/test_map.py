"""The map of the results: ours alone, linked to the list, and the list is whole without it."""

import base64
import json
import re
import threading
from collections.abc import Iterator
from hashlib import sha384
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import ValidationError
from werkzeug.serving import make_server

from directory.app import create_app
from directory.services import Services
from directory.settings import Settings
from tests.builders import a_listing
from tests.contract.test_engines import fill
from tests.elasticsearch_node import free_port
from tests.web.conftest import Site
from tests.web.screen import BUILD, DESKTOP, PHONE, all_can_use, wait_until
from tests.web.test_reports import send

VENDOR = Path(__file__).parents[2] / "directory" / "web" / "static" / "vendor"


@pytest.fixture(params=["phone", "desktop"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    viewport = PHONE if request.param == "phone" else DESKTOP
    context = browser.new_context(viewport=viewport, bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(5_000)
    yield page
    context.close()


def test_what_is_vendored_is_what_was_published() -> None:
    for package in json.loads((VENDOR / "MANIFEST.json").read_text()):
        assert package["licence"]
        for name, digest in package["files"].items():
            found = sha384((VENDOR / name).read_bytes()).digest()
            assert digest == f"sha384-{base64.b64encode(found).decode()}"


@pytest.mark.parametrize("near", ["78701", "Texas"])
def test_the_map_shows_the_results_and_asks_nobody_else(
    site: Site, page: Page, near: str, request: pytest.FixtureRequest
) -> None:
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda each: asked.append(each.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{site.url}/search?near={near}")
    assert not any("leaflet" in url or "basemap" in url for url in asked)
    button = page.get_by_role("button", name="Map")
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".pin").first).to_be_attached()
    total = int((page.get_by_role("heading", level=1).inner_text()).split()[0].replace(",", ""))
    assert total > page.get_by_role("article").count()
    wait_until(page, lambda: on_the_map(page) == total)
    expect(page.locator(".town").first).to_be_attached()
    all_can_use(page)
    page.screenshot(path=BUILD / f"map-{request.node.callspec.id}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    assert all(url.startswith(site.url) for url in asked)
    assert faults == []
    button.click()
    expect(page.locator(".pin")).to_have_count(0)
    expect(button).to_have_attribute("aria-expanded", "false")


def on_the_map(page: Page) -> int:
    counts = map(int, page.locator(".pin.many").all_inner_texts())
    return sum(counts) + page.locator(".pin.one").count()


def test_the_area_that_is_looked_at_can_be_searched(
    site: Site, page: Page, request: pytest.FixtureRequest
) -> None:
    asked: list[str] = []
    page.on("request", lambda each: asked.append(each.url))
    page.goto(f"{site.url}/search?near=78701&q=chiro&accepting=yes&lang=es&units=km&page=1")
    button = page.get_by_role("button", name="Buscar en esta zona")
    page.get_by_role("button", name="Mapa").click()
    expect(page.locator(".pin").first).to_be_attached()
    expect(button).to_be_hidden()
    page.get_by_role("button", name="Zoom out").click()
    button.click()
    page.wait_for_url(re.compile(r"/search\?.*#map$"))
    found = parse_qs(urlsplit(page.url).query)
    assert re.fullmatch(r"7\d{4}", found["near"][0])
    assert 10 <= float(found["radius"][0]) <= 200
    assert {name: found[name] for name in ("q", "accepting", "lang", "units")} == {
        "q": ["chiro"], "accepting": ["yes"], "lang": ["es"], "units": ["km"],
    }  # fmt: skip
    expect(page.locator(".pin").first).to_be_attached()
    assert not any(re.search(r"\b30\.|97\.", url) for url in asked)
    page.screenshot(path=BUILD / f"map-area-{request.node.callspec.id}.png")


def test_the_map_can_be_skipped_by_the_keyboard(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/search?near=78701")
    page.get_by_role("button", name="Map").click()
    expect(page.locator(".pin").first).to_be_attached()
    skip = page.get_by_role("link", name="Skip the map")
    skip.focus()
    skip.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.map-area')") is None
    assert page.evaluate("document.activeElement.form?.getAttribute('id')") == "compare"


@pytest.mark.parametrize(
    "wrong", [{"lat": "x", "lon": "1"}, {"lat": "91", "lon": "0"}, {"radius": "5"}]
)
def test_an_area_that_is_none_is_said(site: Site, wrong: dict[str, str]) -> None:
    assert send(site, "/search/area?near=78701", **wrong)[0] == 400


def test_counts_are_of_everything_that_is_found(site: Site) -> None:
    total = site.api(near="Texas")["total"]
    for zoom in ("0", "6", "14"):
        answer = site.get("/api/v1/clusters", near="Texas", zoom=zoom)
        assert sum(each["count"] for each in answer.json["clusters"]) == total
        assert answer.headers["Cache-Control"].startswith("private")
    for wrong in ({"zoom": "15"}, {"zoom": "-1"}, {}, {"zoom": "6", "page": "2"}):
        assert site.get("/api/v1/clusters", near="Texas", **wrong).status in (400, 422)


def test_counts_go_as_far_as_the_search_goes(site: Site) -> None:
    """Where few are near, a search goes on to a wider circle, and so does the map."""
    found = site.get("/api/v1/search", near="Amarillo, TX").json
    assert found["widened"]
    counted = site.get("/api/v1/clusters", near="Amarillo, TX", zoom=9).json["clusters"]
    assert sum(each["count"] for each in counted) == found["total"]


def test_an_operators_tiles_are_drawn_and_named(parts: Services, browser: Browser) -> None:
    fill(parts.engine, [a_listing("ana", dry_needling="yes"), a_listing("ben", dry_needling="yes")])
    port = free_port()
    tiles = "https://tiles.example.org/{z}/{x}/{y}.png"
    app = create_app(Settings(map_tiles_url=tiles, map_tiles_credit="© Mappers"), parts)
    server = make_server("127.0.0.1", port, app)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page, asked = browser.new_page(), []
    page.route(
        "https://tiles.example.org/**", lambda route: (asked.append(route.request), route.abort())
    )
    page.goto(f"http://127.0.0.1:{port}/search?near=78701")
    page.get_by_role("button", name="Map").click()
    expect(page.get_by_text("© Mappers")).to_be_visible()
    expect(page.get_by_text("come from tiles.example.org")).to_be_visible()
    expect(page.locator(".pin").first).to_be_attached()
    page.wait_for_timeout(200)
    server.shutdown()
    assert asked
    assert all("referer" not in each.headers for each in asked)
    page.close()


@pytest.mark.parametrize(
    "wrong", ["ftp://a/{x}{y}{z}", "https:///{x}/{y}/{z}", "https://a.org/{z}/{x}"]
)
def test_tiles_without_an_address_are_refused(wrong: str) -> None:
    with pytest.raises(ValidationError, match="map_tiles_url"):
        Settings(map_tiles_url=wrong)


def test_pins_and_cards_are_linked_by_the_keyboard(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/search?near=78701")
    page.get_by_role("button", name="Map").click()
    pin = page.locator(".pin.one").first
    pin.focus()
    number = (pin.get_attribute("title") or "").partition(".")[0]
    card = page.locator(f'.card[data-number="{number}"]')
    expect(card).to_have_class("card linked")
    pin.press("Enter")
    name = card.get_attribute("data-title") or ""
    popup = page.locator(".leaflet-popup").get_by_role("link", name=f"{number}. {name}")
    assert popup.get_attribute("href") == card.locator("h2 a").evaluate("link => link.href")
    card.locator("h2 a").focus()
    expect(pin).to_have_class(re.compile(r"\blinked\b"))


def test_pins_that_lie_together_come_apart_at_a_press(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/search?near=78701")
    page.get_by_role("button", name="Map").click()
    several = page.locator(".pin.many").first
    expect(several).to_be_attached()
    page.wait_for_load_state("networkidle")  # the other pages' counts are there
    before = page.locator(".pin").count()
    several.focus()
    several.press("Enter")
    expect(page.locator(".pin").nth(before)).to_be_attached()


def test_the_map_follows_the_filters(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/search?near=78701&q=chiro+aetna")
    page.get_by_role("button", name="Map").click()
    expect(page.locator(".pin").first).to_be_attached()
    page.get_by_role("link", name="Remove Aetna").click()
    expect(page.locator(".card[data-number]").nth(4)).to_be_attached()
    expect(page.get_by_role("button", name="Map")).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".pin").first).to_be_attached()


def test_without_javascript_there_is_no_button(site: Site, browser: Browser) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{site.url}/search?near=78701")
    assert page.get_by_role("button", name="Map").count() == 0
    assert page.get_by_role("article").count() == 20
    page.close()
