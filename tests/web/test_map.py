"""The map of the results: ours alone, linked to the list, and the list is whole without it."""

import base64
import json
import re
from collections.abc import Iterator
from hashlib import sha384
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.web.conftest import Site
from tests.web.test_accessibility import BUILD, DESKTOP, PHONE, STRICT

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
    numbers = page.locator(".pin").all_inner_texts()
    on_the_map = sum(int(each[:-1]) if each.endswith("+") else 1 for each in numbers)
    assert on_the_map == page.get_by_role("article").count()
    expect(page.locator(".town").first).to_be_attached()
    assert Axe().run(page, options=STRICT).violations_count == 0
    page.screenshot(path=BUILD / f"map-{request.node.callspec.id}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    assert all(url.startswith(site.url) for url in asked)
    assert faults == []
    button.click()
    expect(page.locator(".pin")).to_have_count(0)
    expect(button).to_have_attribute("aria-expanded", "false")


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
    before = page.locator(".pin.one").count()
    several.focus()
    several.press("Enter")
    page.wait_for_timeout(600)  # Leaflet's own animation
    assert page.locator(".pin.one").count() > before


def test_the_map_follows_the_filters(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/search?near=78701&q=chiro+aetna")
    page.get_by_role("button", name="Map").click()
    expect(page.locator(".pin").first).to_be_attached()
    page.get_by_role("link", name="Remove Aetna").click()
    expect(page.get_by_role("button", name="Map")).to_have_attribute("aria-expanded", "false")
    page.get_by_role("button", name="Map").click()
    expect(page.locator(".pin").first).to_be_attached()
    assert page.locator(".card[data-number]").count() > 3


def test_without_javascript_there_is_no_button(site: Site, browser: Browser) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{site.url}/search?near=78701")
    assert page.get_by_role("button", name="Map").count() == 0
    assert page.get_by_role("article").count() == 20
    page.close()
