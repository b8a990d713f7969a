"""A patient reports a mistake and keeps the address of the receipt."""

import urllib.error
import urllib.parse
import urllib.request

import pytest
from playwright.sync_api import Browser

from directory.app import create_app
from directory.services import Services
from directory.settings import Settings
from directory.store import reports
from directory.store.reports import Outcome
from tests.store.test_store import put
from tests.web.conftest import Site, elsewhere
from tests.web.screen import PHONE, all_can_use

FORM = "/listings/demo-0001/report"


def send(site: Site, path: str = FORM, **fields: str) -> tuple[int, str, str]:
    """Status, address in the end, and text."""
    body = urllib.parse.urlencode(fields).encode()
    try:
        request = urllib.request.Request(f"{site.url}{path}", body, elsewhere())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.url, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.url or "", error.read().decode()


def test_a_report_is_kept_and_its_receipt_is_for_its_sender(site: Site) -> None:
    text = "The number is <b>555</b>\nsince May"
    status, address, page = send(site, field="phone", text=text)
    assert status == 200
    assert "/reports/" in address
    assert "&lt;b&gt;555&lt;/b&gt;" in page
    assert send(site, field="phone", text=text)[1] != address
    assert site.get(address.removeprefix(site.url)).status == 200
    assert site.get("/reports/guessed").status == 404
    assert "555" not in site.log.replace("555 ", "")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "Choose what is wrong."),
        ({"field": "secret"}, "Choose what is wrong."),
        ({"field": "other", "text": "  "}, "Say what is wrong."),
        ({"field": "phone", "text": "x" * 1_001}, "at most 1000 letters"),
        ({"field": "phone", "text": "a\x00b"}, "plain text"),
    ],
)
def test_what_is_missing_is_said_at_the_field(
    site: Site, fields: dict[str, str], says: str
) -> None:
    status, _, page = send(site, **fields)
    assert status == 400
    assert says in page
    assert "Error: Report a mistake" in page


def test_nothing_can_be_reported_where_there_is_nothing(site: Site) -> None:
    assert send(site, "/listings/nobody-there/report", field="phone")[0] == 404
    assert send(site, field="phone", text="x" * 200_000)[0] == 413


def test_a_mistake_is_reported_in_a_browser(site: Site, browser: Browser) -> None:
    page = browser.new_page(viewport=PHONE, bypass_csp=True, extra_http_headers=elsewhere())
    page.goto(f"{site.url}/listings/demo-0001")
    page.get_by_role("link", name="Report a mistake").click()
    all_can_use(page)
    page.get_by_role("button", name="Send").click()
    assert page.title().startswith("Error: ")
    all_can_use(page)
    page.get_by_role("link", name="Choose what is wrong.").click()
    assert page.evaluate("document.activeElement.id") == "field"
    page.get_by_label("What is wrong?").select_option("Telephone")
    page.get_by_label("What should it say?").fill("It rings nowhere")
    page.get_by_role("button", name="Send").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Your report was received"
    assert "It rings nowhere" in page.get_by_role("main").inner_text()
    all_can_use(page)
    page.close()


def test_three_reports_bring_a_warning_until_they_are_answered(parts: Services) -> None:
    put(parts.database, "ana", dry_needling="yes")
    client = create_app(Settings(), parts).test_client()
    warning = "Several mistakes were reported here"

    def report(address: str) -> int:
        base = {"REMOTE_ADDR": address}
        said = {"field": "phone", "text": ""}
        return client.post("/listings/ana/report", data=said, environ_base=base).status_code

    # One and the same cannot bring it about.
    assert [report("198.51.100.77") for _ in range(3)] == [303, 303, 429]
    assert warning not in client.get("/listings/ana").text
    assert report("198.51.100.78") == 303
    assert warning in client.get("/listings/ana").text
    with parts.database.writing() as session:
        first, *_ = reports.unanswered(session)
        reports.answer(session, first.reference, Outcome.MENDED, "", "mod", parts.clock())
    assert warning not in client.get("/listings/ana").text
