"""Every page in every state: axe finds nothing, 320 pixels are enough, the keyboard is, too."""

import gzip
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.web.conftest import Site
from tests.web.screen import BUILD, DESKTOP, NARROW, PHONE, all_can_use

pytestmark = pytest.mark.parametrize("site", ["sqlite"], indirect=True, scope="session")
"""A page is a view of one answer, whichever engine has given it (tests/contract)."""

STATES = {
    "home": "/",
    "results": "/search?near=78701",
    "results-in-a-state": "/search?near=Texas",
    "results-filtered": "/search?near=78701&q=chiro+cash&accepting=yes&max_price=200",
    "nothing-found": "/search?near=78701&radius=1&q=N%C3%BA%C3%B1ez&insurance=tricare",
    "unknown-place": "/search?near=Nowhereville",
    "two-errors": "/search?near=99&radius=9999&profession=wizard",
    "ambiguous": "/search?near=Springfield",
    "second-page": "/search?near=78701&confirmed=yes&confirmed=no&page=2",
    "listing": "/listings/demo-0001",
    "compare": "/compare?id=demo-0001&id=demo-0002&id=demo-0003",
    "cities": "/dry-needling",
    "city": "/dry-needling/tx/austin",
    "guide": "/guide",
    "results-with-care": "/search?near=78701&q=pregnant+neck+pain",
    "accessibility": "/accessibility",
    "privacy": "/privacy",
    "not-found": "/listings/nobody-there",
}


@pytest.fixture(params=["phone-light-en", "desktop-dark-es"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    device, scheme, language = request.param.split("-")
    context = browser.new_context(
        viewport=PHONE if device == "phone" else DESKTOP,
        color_scheme=scheme,
        locale=language,
        bypass_csp=True,  # for axe itself
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(
    site: Site, page: Page, state: str, request: pytest.FixtureRequest
) -> None:
    page.goto(site.url + STATES[state])
    all_can_use(page)
    BUILD.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=BUILD / f"{state}-{request.node.callspec.params['page']}.png")


@pytest.mark.parametrize("state", STATES)
def test_a_narrow_screen_needs_no_sideways_scrolling(
    site: Site, browser: Browser, state: str
) -> None:
    """320 pixels, which is also 1,280 at 400 %, with wide letters (WCAG 1.4.10, 1.4.12)."""
    context = browser.new_context(viewport=NARROW, bypass_csp=True, forced_colors="active")
    page = context.new_page()
    page.goto(site.url + STATES[state])
    page.add_style_tag(
        content="* { letter-spacing: 0.12em !important; line-height: 1.5 !important }"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    context.close()


def test_the_keyboard_alone_finds_a_practitioner(site: Site, browser: Browser) -> None:
    page = browser.new_page(viewport=DESKTOP, bypass_csp=True)  # for what is waited for
    page.goto(site.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    while page.evaluate("document.activeElement.id") != "near":
        page.keyboard.press("Tab")
    page.keyboard.type("78701")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?**")
    while not page.evaluate("document.activeElement.matches('[name=accepting][value=yes]')"):
        assert page.evaluate("document.activeElement.matches('.card a')") is False
        page.keyboard.press("Tab")
    with page.expect_response("**/search?**"):
        page.keyboard.press("Space")
    page.wait_for_function("!document.querySelector('#found[aria-busy]')")
    assert "accepting=yes" in page.url
    assert page.evaluate("document.activeElement.matches('[name=accepting][value=yes]')")
    total = page.get_by_role("heading", level=1).inner_text()
    page.go_back()
    page.wait_for_function("!location.search.includes('accepting')")
    page.wait_for_function(f"document.querySelector('h1').innerText !== {total!r}")
    page.close()


def test_filters_apply_without_a_full_reload_and_stand_in_the_address(
    site: Site, browser: Browser
) -> None:
    page = browser.new_page(viewport=DESKTOP, bypass_csp=True)
    page.goto(f"{site.url}/search?near=78701&q=chiro+that+takes+aetna")
    page.evaluate("window.stays = true")
    before = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name="Remove Aetna").click()
    page.wait_for_function(f"document.querySelector('h1').innerText !== {before!r}")
    assert page.evaluate("window.stays")
    assert page.url.endswith("/search?near=78701&q=chiro+that+takes")
    shown = page.get_by_role("heading", level=1).inner_text()
    page.goto(page.url)
    assert page.get_by_role("heading", level=1).inner_text() == shown
    page.close()


def test_a_first_page_of_results_is_small_and_asks_nobody_else(
    site: Site, browser: Browser
) -> None:
    """At most 45 kB of HTML, CSS and JavaScript as gzip, and six requests, before the map."""
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    answers = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{site.url}/search?near=78701", wait_until="networkidle")
    assert all(answer.url.startswith(site.url) for answer in answers)
    assert len(answers) <= 6
    text = [a for a in answers if a.headers["content-type"].startswith(("text/", "application/"))]
    assert all(answer.headers.get("content-encoding") == "gzip" for answer in text)
    assert sum(len(gzip.compress(answer.body(), 5)) for answer in text) <= 45_000
    assert context.cookies() == []
    context.close()


@pytest.mark.parametrize("state", ["listing", "compare"])
def test_it_prints_on_one_sheet_with_the_telephone(
    site: Site, browser: Browser, state: str
) -> None:
    page = browser.new_page()
    page.goto(site.url + STATES[state])
    margins = dict.fromkeys(("top", "bottom", "left", "right"), "12mm")
    sheets = page.pdf(format="Letter", margin=margins)
    assert len(re.findall(rb"/Type\s*/Page\b", sheets)) == 1
    page.emulate_media(media="print")
    assert page.get_by_role("link", name=re.compile("Call|555")).first.is_visible()
    page.close()


def test_a_slow_telephone_shows_the_results_within_a_second(site: Site, browser: Browser) -> None:
    """With the processor slowed down four times: first paint under 1 s, and nothing moves."""
    page = browser.new_page(viewport=PHONE)
    slow = page.context.new_cdp_session(page)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    paints = []
    for _ in range(3):
        page.goto(f"{site.url}/search?near=78701", wait_until="networkidle")
        paints.append(
            page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        )
    shift = page.evaluate(
        """() => new Promise(done => new PerformanceObserver(list => done(
            list.getEntries().reduce((sum, each) => sum + each.value, 0)
        )).observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done(0), 500))"""
    )
    assert sorted(paints)[1] < 1_000
    assert shift < 0.05
    page.close()
