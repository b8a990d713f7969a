"""The longer ways of clinics, moderators and patients, in Chromium, on both engines and stores."""

import os
import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from directory.store.database import Database, utc
from directory.store.models import LinkRow
from tests.outage import wire
from tests.web.conftest import Site, running
from tests.web.mailbox import Mailbox, link_in
from tests.web.screen import DESKTOP, PHONE
from tests.web.test_clinics import LIST, SOON_S, fresh, moderator, published, within


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A telephone on the site of one machine, a large window on that of a nation."""
    viewport = PHONE if site.store_url.startswith("sqlite") else DESKTOP
    context = browser.new_context(viewport=viewport, locale="en")
    page, faults = context.new_page(), []
    page.set_default_timeout(5_000)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    assert faults == []
    context.close()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def ask_for_link(site: Site, page: Page, email: str) -> str:
    site.mail.letters.clear()
    page.goto(f"{site.url}/clinics/sign-in")
    page.get_by_label("Your e-mail address").fill(email)
    page.locator("main form button.primary").click()
    return site.url + link_in(site.mail.to(email, subject="sign in"))


def sign_in(site: Site, page: Page, email: str) -> None:
    page.goto(ask_for_link(site, page, email))
    page.locator("main form button.primary").click()
    expect(page).to_have_url(re.compile("/clinics/$"))


def as_moderator(site: Site, browser: Browser) -> Page:
    context = browser.new_context(viewport=DESKTOP)
    (cookie,) = moderator(site).jar
    context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": site.url}])
    page = context.new_page()
    page.set_default_timeout(5_000)
    return page


def test_a_link_that_is_too_old_says_so_and_another_is_near(site: Site, page: Page) -> None:
    email = fresh()
    published(site, email, f"Old{uuid.uuid4().hex[:6]}")
    link = ask_for_link(site, page, email)
    store = Database(site.store_url)
    with store.writing() as session:
        (row,) = session.scalars(select(LinkRow).filter_by(email=email, state="open")).all()
        past = utc(row.expires_at) - timedelta(hours=2)
        session.execute(update(LinkRow).where(LinkRow.email == email).values(expires_at=past))
    store.close()
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("This link is too old")
    expect(page.locator("main form button.primary")).to_have_count(0)
    page.locator("main").get_by_role("link", name="Write me a link").click()
    expect(page.get_by_label("Your e-mail address")).to_be_visible()


def test_two_at_once_lose_nothing(site: Site, page: Page) -> None:
    email = fresh()
    id_ = published(site, email, f"Two{uuid.uuid4().hex[:6]}")
    sign_in(site, page, email)
    page.goto(f"{site.url}/clinics/listings/{id_}")
    other = page.context.new_page()
    other.goto(page.url)
    other.locator("#clinic").fill("The first")
    press(other, "Save")
    expect(other.get_by_text("Saved.")).to_be_visible()
    page.locator("#phone").fill("512 555 0199")
    press(page, "Save")
    expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed this listing")
    expect(page.locator("ins")).to_have_text("+15125550199")
    expect(page.locator("#clinic")).to_have_value("The first")
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    shown = site.get(f"/api/v1/listings/{id_}").json
    assert (shown["clinic"], shown["phone"]) == ("The first", "+15125550199")


def test_a_list_with_errors_is_mended_and_applied(site: Site, page: Page, tmp_path: Path) -> None:
    email, family = fresh(), f"Bulk{uuid.uuid4().hex[:6]}"
    published(site, email, family)
    sign_in(site, page, email)
    right = f"Ana,{family},PT;OCS,physical therapist,1 Main St,Marfa,TX,79843,512 555 0123,yes\n"
    wrong = right.replace("Ana", "Bea").replace("79843", "1").replace("0123", "0124")
    file = tmp_path / "list.csv"
    file.write_text(LIST + right + wrong)
    page.get_by_role("link", name="Upload a list").click()
    page.locator("#file").set_input_files(file)
    press(page, "See what it would do")
    expect(page.get_by_text("Row 3")).to_be_visible()
    expect(page.locator("ins")).to_have_text("PT; OCS")
    with page.expect_download() as download:
        page.get_by_role("link", name="Get these rows as a file").click()
    mended = download.value.path().read_text(encoding="utf-8-sig").replace(",1,", ",79843,")
    file.write_text(mended)
    page.goto(f"{site.url}/clinics/upload")
    page.locator("#file").set_input_files(file)
    press(page, "See what it would do")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("new, to be looked at")
    press(page, "Do it, all of it")
    expect(page).to_have_url(re.compile("/clinics/$"))
    assert f"New listing: Bea {family}" in moderator(site).get("/moderation/").text


def test_a_report_is_answered_where_it_was_made(site: Site, page: Page, browser: Browser) -> None:
    email = fresh()
    id_ = published(site, email, f"Rings{uuid.uuid4().hex[:6]}")
    page.goto(f"{site.url}/listings/{id_}/report")
    page.get_by_label("What is wrong?").select_option("Telephone")
    page.locator("#text").fill("It rings elsewhere")
    press(page, "Send")
    expect(page.get_by_text("It is answered by")).to_be_visible()
    receipt = page.url
    owner = browser.new_context(viewport=PHONE).new_page()
    sign_in(site, owner, email)
    owner.goto(f"{site.url}/clinics/listings/{id_}")
    expect(owner.get_by_text("It rings elsewhere")).to_be_visible()
    owner.locator("#phone").fill("512 555 0166")
    press(owner, "Save")
    decider = as_moderator(site, browser)
    decider.goto(f"{site.url}/moderation/")
    decider.keyboard.press("j")
    expect(decider.locator("[data-entry] a").first).to_be_focused()
    decider.get_by_role("link", name=re.compile(id_)).first.click()
    decider.get_by_label("It was wrong and is mended.").check()
    decider.locator("#answer").fill("The new number is there.")
    press(decider, "Answer")
    page.goto(receipt)
    expect(page.get_by_text("The new number is there.")).to_be_visible()
    assert site.get(f"/api/v1/listings/{id_}").json["phone"] == "+15125550166"
    for each in (owner, decider):
        each.context.close()


def test_a_listing_is_claimed_with_evidence(site: Site, page: Page, browser: Browser) -> None:
    id_ = published(site, fresh(), f"Mine{uuid.uuid4().hex[:6]}")
    email = fresh()
    page.goto(f"{site.url}/listings/{id_}")
    page.get_by_role("link", name="Is this your listing?").click()
    page.locator("#email").fill(email)
    page.locator("main form button.primary").click()
    expect(page.get_by_role("alert")).to_contain_text("Say how we can see that it is yours")
    page.locator("#note").fill("I am Ana: call the practice")
    page.locator("main form button.primary").click()
    page.goto(site.url + link_in(site.mail.to(email, subject="Confirm")))
    page.locator("main form button.primary").click()
    decider = as_moderator(site, browser)
    decider.goto(f"{site.url}/moderation/")
    decider.get_by_role("link", name=re.compile(f"Claim:\\s+{id_}")).click()
    expect(decider.get_by_text("call the practice")).to_be_visible()
    press(decider, "Approve")
    expect(decider).to_have_url(re.compile("/moderation/$"))
    sign_in(site, page, email)
    expect(page.locator("main section h2 a")).to_have_attribute(
        "href", re.compile(f"/clinics/listings/{id_}$")
    )
    decider.context.close()


def test_the_pin_is_moved_and_the_card_follows(site: Site, page: Page) -> None:
    email = fresh()
    id_ = published(site, email, f"Door{uuid.uuid4().hex[:6]}")
    sign_in(site, page, email)
    page.goto(f"{site.url}/clinics/listings/{id_}")
    map_ = page.locator(".pin-map")
    expect(map_).to_be_visible()
    map_.scroll_into_view_if_needed()
    box = map_.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2)
    expect(page.locator("[id='location.lat']")).not_to_have_value("")
    expect(page.get_by_text("The pin is where you have set it.")).to_be_visible()
    page.locator("[id='first_visit_price.least']").fill("61")
    page.locator("[id='first_visit_price.most']").fill("61")
    expect(page.locator("[data-preview] .card")).to_contain_text("$61")
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    shown = site.get(f"/api/v1/listings/{id_}").json
    assert shown["location"]["precision"] == "rooftop"
    assert shown["first_visit_price"]["least"] == 61


def test_elasticsearch_stops_in_the_middle(
    tmp_path: Path, environment: dict[str, str], letters: Mailbox, elasticsearch_url: str,
    fresh_postgresql: object, browser: Browser,
) -> None:  # fmt: skip
    """A listing is sent, proved and approved while the engine is down; it is found once it is up."""
    assert callable(fresh_postgresql)
    with wire(elasticsearch_url) as line:
        environment = {
            **environment,
            "DIRECTORY_SEARCH_URL": f"{line.url}/test-journey-{os.getpid()}",
            "DIRECTORY_DATABASE_URL": fresh_postgresql(),
        }
        with running(tmp_path, environment, letters) as site:
            email, family = fresh(), f"Down{uuid.uuid4().hex[:6]}"
            page = browser.new_context(viewport=PHONE, locale="en").new_page()
            page.set_default_timeout(5_000)
            decider = as_moderator(site, browser)
            line.cut()
            page.goto(f"{site.url}/clinics/new")
            page.locator("#email").fill(email)
            for fields in (
                {"name.given": "Ana", "name.family": family},
                {"address.city": "Marfa", "address.state": "TX", "address.postal_code": "79843"},
            ):
                page.locator("main form button.primary").last.click()
                for name, value in fields.items():
                    page.locator(f"[id='{name}']").fill(value)
                if "name.given" in fields:
                    page.locator("#profession").select_option("chiropractor")
            page.locator("main form button.primary").last.click()
            page.locator("#dry_needling").select_option("yes")
            for _ in range(4):
                page.locator("main form button.primary").last.click()
            expect(page.get_by_role("heading", level=1)).not_to_contain_text("Check")
            page.goto(site.url + link_in(site.mail.to(email, subject="Confirm")))
            page.locator("main form button.primary").click()
            decider.goto(f"{site.url}/moderation/")
            decider.get_by_role("link", name=re.compile(family)).click()
            press(decider, "Approve")
            expect(decider).to_have_url(re.compile("/moderation/$"))
            assert site.get("/search", near="79843").status == 503
            line.mend()
            found = lambda: site.get("/api/v1/search", near="79843", q=f"ana {family}")  # noqa: E731
            assert within(5 * SOON_S, lambda: found().status == 200 and found().json["total"] == 1)
            for each in (page, decider):
                each.context.close()
