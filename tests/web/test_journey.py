"""A patient's whole way: from a word typed on a telephone to the right door, and a mistake told.

On both engines and both stores, in both languages; each step is kept as a picture.
"""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.web.conftest import Site
from tests.web.screen import BUILD, DESKTOP, PHONE

WORDS = {
    "en": {
        "where": "Where", "what": "What", "search": "Search", "remove": "Remove Chiropractor",
        "map": "Map", "compare": "Compare those",
        "credentials": "What the credentials mean", "mistake": "Report a mistake",
        "guide": "What to know before dry needling",
    },
    "es": {
        "where": "Dónde", "what": "Qué", "search": "Buscar", "remove": "Quitar Quiropráctico",
        "map": "Mapa", "compare": "Comparar",
        "credentials": "Qué significan las credenciales", "mistake": "Avisar de un error",
        "guide": "Qué saber antes",
    },
}  # fmt: skip
TYPED = {"en": "chiro with evening hours", "es": "quiropráctico"}


@pytest.mark.parametrize("how", ["phone-light-en", "desktop-dark-es"])
def test_from_it_hurts_here_to_the_right_door(site: Site, browser: Browser, how: str) -> None:
    device, scheme, language = how.split("-")
    said = WORDS[language]
    context = browser.new_context(
        viewport=PHONE if device == "phone" else DESKTOP, color_scheme=scheme, locale=language
    )
    page = context.new_page()
    page.set_default_timeout(5_000)
    faults: list[str] = []
    elsewhere: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(site.url) else elsewhere.append(r.url))

    def picture(step: str) -> None:
        BUILD.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=BUILD / f"journey-{step}-{how}.png")

    page.goto(site.url)
    page.get_by_role("combobox", name=said["where"]).press_sequentially("austi")
    expect(page.get_by_role("option").first).to_have_text("Austin, TX")
    picture("1-place")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("combobox", name=said["what"]).fill(TYPED[language])
    page.get_by_role("button", name=said["search"], exact=True).click()
    heading = page.get_by_role("heading", level=1)
    expect(page.get_by_role("link", name=said["remove"])).to_be_visible()
    narrow = _count(heading.inner_text())
    picture("2-understood")
    page.get_by_role("link", name=said["remove"]).click()
    expect(page.get_by_role("link", name=said["remove"])).to_have_count(0)
    assert _count(heading.inner_text()) >= narrow
    if device == "phone":  # on a desktop they lie open
        page.locator("#filters > summary").click()
    before = page.url
    page.locator("#facet-accepting [value=yes]").click()
    expect(page).not_to_have_url(before)
    expect(page.locator("#found[aria-busy]")).to_have_count(0)
    picture("3-filtered")
    page.get_by_role("button", name=said["map"], exact=True).click()
    expect(page.locator(".pin").first).to_be_attached()
    page.locator(".map").scroll_into_view_if_needed()
    picture("4-map")
    for number in (0, 1):
        page.locator(".pick input").nth(number).check()
    first = page.locator(".card h2 a").first.inner_text()
    page.get_by_role("button", name=re.compile(said["compare"])).click()
    expect(page.get_by_role("link", name=first).first).to_be_visible()
    picture("5-compare")
    page.get_by_role("link", name=first).first.click()
    expect(heading).to_have_text(first)
    expect(page.get_by_role("heading", name=said["credentials"])).to_be_visible()
    assert page.locator('a[href^="tel:"]').count() >= 1
    picture("6-listing")
    page.get_by_role("link", name=re.compile(said["guide"])).click()
    expect(page).to_have_url(re.compile("/guide"))
    picture("7-guide")
    page.go_back()
    page.get_by_role("link", name=said["mistake"]).click()
    picture("8-report")
    page.locator("#field").select_option("phone")
    page.locator("#text").fill("555")
    page.locator("main form button[type=submit]").click()
    expect(page).to_have_url(re.compile("/reports/"))
    picture("9-receipt")
    assert faults == elsewhere == []
    assert context.cookies() == []
    context.close()


def _count(heading: str) -> int:
    found = re.search(r"[\d,.]+", heading)
    return int(re.sub(r"\D", "", found[0])) if found else 0
