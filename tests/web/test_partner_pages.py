"""A partner's own page: made by a moderator, used by the partner, in Chromium."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.conftest import MODERATOR, Site
from tests.web.screen import all_can_use
from tests.web.test_clinics import signed_in
from tests.web.visitor import Visitor

pytestmark = pytest.mark.parametrize("site", ["sqlite"], indirect=True, scope="session")

PARTNER = "pat@example.com"
KEY = re.compile(r'<code class="key">(\w\w_[\w-]+)</code>')


@pytest.fixture(scope="module")
def partner(site: Site) -> Visitor:
    """A moderator lets a site embed; whoever it belongs to signs in."""
    moderator = signed_in(site, MODERATOR)
    moderator.get("/partners/")
    wrong = moderator.post("/partners/", name="Back Pain Weekly", origins="example.org")
    assert wrong.status == 400
    assert "no origin" in wrong.text
    assert 'value="example.org"' in wrong.text
    made = moderator.post(
        "/partners/", name="Back Pain Weekly", origins="https://example.org", email=PARTNER,
        states="TX", professions=["chiropractor"], a_minute=50,
    )  # fmt: skip
    assert made.status == 200
    (key,) = KEY.findall(made.text)
    assert f"key=&#34;{key}&#34;" in made.text
    assert key not in moderator.get("/partners/back-pain-weekly").text
    return signed_in(site, PARTNER)


def test_keys_are_shown_once_and_end(site: Site, partner: Visitor) -> None:
    assert partner.get("/partners/").status == 200
    assert partner.url == "/partners/back-pain-weekly"
    assert "Chiropractor, in TX" in partner.page.text
    (secret,) = KEY.findall(partner.post("/partners/back-pain-weekly/keys", kind="sk").text)
    assert site.get("/api/v1/changes", {"Authorization": f"Bearer {secret}"}).status == 200
    partner.get("/partners/back-pain-weekly")
    assert secret not in partner.page.text
    assert secret[:7] in partner.page.text
    ends = re.findall(r'action="(/partners/back-pain-weekly/keys/\d+/end)"', partner.page.text)
    partner.post(ends[-1])
    assert secret[:7] not in partner.page.text


def test_a_partner_cannot_give_itself_more(partner: Visitor) -> None:
    more = partner.post("/partners/back-pain-weekly", name="x", origins="https://evil.example")
    assert more.status == 403
    assert partner.get("/moderation/").status == 403
    assert "evil" not in partner.get("/partners/back-pain-weekly").text


def test_a_look_that_cannot_be_read_is_refused(partner: Visitor) -> None:
    wrong = partner.post("/partners/back-pain-weekly/theme", accent="#ffff00")
    assert wrong.status == 400
    assert "contrast of 1.1" in wrong.text
    kept = partner.post("/partners/back-pain-weekly/theme", accent="#8a1f5c", scheme="light")
    assert kept.status == 200
    assert 'value="#8a1f5c"' in kept.text


@pytest.fixture(params=[("light", 390), ("dark", 1280)], ids=["phone", "desktop"])
def page(
    request: pytest.FixtureRequest, site: Site, partner: Visitor, browser: Browser
) -> Iterator[Page]:
    scheme, width = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True
    )
    (cookie,) = partner.jar
    context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": site.url}])
    yield context.new_page()
    context.close()


def test_the_preview_follows_the_form(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/partners/back-pain-weekly")
    frame = page.frame_locator(".preview-frame")
    expect(frame.locator(".card").first).to_be_attached()
    assert set(frame.locator(".card .who").evaluate_all(
        "all => all.map(each => each.textContent.trim().split(' ')[0])"
    )) == {"Chiropractor"}  # fmt: skip
    page.get_by_label("Surface").fill("#fff4e0")
    page.get_by_label("Light or dark").select_option("light")
    page.get_by_label("Surface").press("End")
    page.get_by_label("Corners").fill("0")
    expect(frame.locator("body")).to_have_css("background-color", "rgb(255, 244, 224)")
    all_can_use(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_docs_can_be_used_by_everybody(site: Site, browser: Browser, scheme: str) -> None:
    width = 390 if scheme == "light" else 1280
    page = browser.new_page(
        viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True
    )
    page.goto(f"{site.url}/api/docs")
    all_can_use(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for link in page.locator("main a[href^='#']").all():
        assert page.locator(f"[id='{(link.get_attribute('href') or '')[1:]}']").count() == 1
    examples = [
        link.get_attribute("href") for link in page.locator("main a[href*='/api/v1/']").all()
    ]
    assert len(examples) > 4
    for address in examples:
        if address and "/changes" not in address:  # it needs a secret key
            assert page.request.get(f"{site.url}{address}").ok
    page.close()


def test_what_programs_look_for(site: Site) -> None:
    search = site.get("/opensearch.xml")
    assert search.headers["Content-Type"].startswith("application/opensearchdescription+xml")
    assert 'template="http://127.0.0.1:8000/search?near={searchTerms}"' in search.text
    assert site.get("/.well-known/security.txt").status == 404
