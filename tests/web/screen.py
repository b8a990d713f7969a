"""What a person's screen is here: its sizes, where pictures of it go, and whether all can use it."""

import time
from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

BUILD = Path(__file__).parents[2] / "build" / "screenshots"
PHONE, DESKTOP, NARROW = (
    {"width": 390, "height": 844},
    {"width": 1280, "height": 900},
    {"width": 320, "height": 640},
)
STRICT = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


def wait_until(page: Page, holds: Callable[[], bool]) -> None:
    """Let the page go on until something holds; fail where it does not within ten seconds."""
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until, "it did not come to that within ten seconds"
        page.wait_for_timeout(20)


def all_can_use(page: Page) -> None:
    """Fail with axe's report if it finds anything; a page is judged once its stylesheet is in."""
    page.wait_for_load_state("load")
    found = Axe().run(page, options=STRICT)
    assert found.violations_count == 0, found.generate_report()
