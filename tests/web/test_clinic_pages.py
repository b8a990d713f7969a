"""The clinic's and the moderator's pages in Chromium: axe finds nothing, and pictures are kept."""

import re
import uuid

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.conftest import Site
from tests.web.mailbox import link_in
from tests.web.screen import BUILD, DESKTOP, NARROW, PHONE, all_can_use
from tests.web.test_clinics import fresh, moderator

pytestmark = pytest.mark.parametrize("site", ["sqlite"], indirect=True, scope="session")
"""The journeys (test_clinic_journeys.py) are on both engines."""


@pytest.mark.parametrize("how", ["phone-light-en", "desktop-dark-es"])
def test_a_listing_is_sent_proved_looked_at_and_found(
    site: Site, browser: Browser, how: str
) -> None:
    device, scheme, language = how.split("-")
    context = browser.new_context(
        viewport=PHONE if device == "phone" else DESKTOP, color_scheme=scheme, locale=language,
        bypass_csp=True,
    )  # fmt: skip
    page, email, family = context.new_page(), fresh(), f"Seen{uuid.uuid4().hex[:6]}"
    page.set_default_timeout(5_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    step = iter(range(1, 30))

    def looked_at(name: str) -> None:
        all_can_use(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
        BUILD.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=BUILD / f"clinic-{next(step):02}-{name}-{how}.png")

    def press() -> None:
        page.locator("main form button.primary").last.click()

    page.goto(f"{site.url}/clinics/")
    looked_at("start")
    page.locator("main a.primary").click()
    press()
    expect(page.get_by_role("alert")).to_be_visible()
    looked_at("error")
    page.get_by_role("link", name=re.compile("e-mail|electrónico")).first.click()
    expect(page.locator("#email")).to_be_focused()
    page.locator("#email").fill(email)
    press()
    page.locator("[id='name.given']").fill("Ana")
    page.locator("[id='name.family']").fill(family)
    page.locator("#profession").select_option("chiropractor")
    looked_at("who")
    press()
    page.locator("[id='address.city']").fill("Denver")
    page.locator("[id='address.state']").fill("CO")
    page.locator("[id='address.postal_code']").fill("80202")
    page.locator("#phone").fill("303 555 0123")
    looked_at("where")
    press()
    page.locator("#dry_needling").select_option("yes")
    looked_at("what")
    press()
    page.locator("[id='first_visit_price.least']").fill("95")
    looked_at("cost")
    press()
    looked_at("credentials")
    press()
    expect(page.locator(".card h2")).to_have_text(f"Ana {family}")
    expect(page.locator(".card")).to_contain_text("$95")
    looked_at("check")
    press()
    looked_at("sent")
    page.goto(site.url + link_in(site.mail.to(email, subject="Confirm")))
    looked_at("link")
    press()
    looked_at("thanks")
    _sign_in(site, page)
    page.goto(f"{site.url}/moderation/")
    looked_at("queue")
    page.get_by_role("link", name=re.compile(family)).click()
    looked_at("submission")
    page.get_by_role("button", name="Approve").press("Enter")
    expect(page).to_have_url(re.compile("/moderation/$"))
    page.goto(f"{site.url}/search?near=80202&q=ana+{family}")
    for _ in range(20):
        if page.locator(".card").count():
            break
        page.wait_for_timeout(100)
        page.reload()
    page.get_by_role("link", name=f"Ana {family}").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Ana {family}")
    assert faults == []
    context.close()


def _sign_in(site: Site, page: Page) -> None:
    """As the moderator, with the session that the other tests opened by a link."""
    (cookie,) = moderator(site).jar
    page.context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": site.url}])


def test_an_owner_s_pages_are_for_everybody(site: Site, browser: Browser) -> None:
    """Narrow, with wide letters: the form, the history, the list, the claim, the scorecard."""
    from tests.web.test_clinics import published, signed_in

    email = fresh()
    id_ = published(site, email, f"Narrow{uuid.uuid4().hex[:6]}")
    (cookie,) = signed_in(site, email).jar
    context = browser.new_context(viewport=NARROW, bypass_csp=True, forced_colors="active")
    page = context.new_page()
    page.context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": site.url}])
    paths = (
        "/clinics/", f"/clinics/listings/{id_}", f"/clinics/listings/{id_}/history",
        "/clinics/upload", f"/listings/{id_}/claim", "/quality", "/clinics/sign-in",
    )  # fmt: skip
    for path in paths:
        page.goto(site.url + path)
        all_can_use(page)
        page.add_style_tag(
            content="* { letter-spacing: 0.12em !important; line-height: 1.5 !important }"
        )
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"], path
        page.screenshot(path=BUILD / f"owner-{path.strip('/').split('/')[-1]}.png", full_page=True)
    context.close()
