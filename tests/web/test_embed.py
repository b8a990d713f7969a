"""The search in another site's page, in Chromium: a second origin embeds it."""

import gzip
import json
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from directory.partner import Partner
from directory.store import partners
from directory.store.database import Database
from directory.store.partners import KeyKind
from directory.web.embedding import LOCKS
from tests.web.conftest import Site

pytestmark = pytest.mark.parametrize("site", ["sqlite"], indirect=True, scope="session")
"""What answers the searches is no matter here; tests/contract holds the engines to each other."""

HEAD = "<!doctype html><html lang='{lang}'><title>A partner</title>{style}<body><h1>Ours</h1>"
EVENTS = """<script>
  window.events = [];
  for (const type of ["ready", "searched", "opened", "contact"])
    addEventListener("directory:" + type, ({ detail }) => events.push([type, detail]));
</script>"""


class Host:
    """A site of somebody else: whatever is put into `pages` is served at its address."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Answering, self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        port = self._server.server_port
        self.origin, self.other_origin = f"http://localhost:{port}", f"http://127.0.0.1:{port}"

    def put(self, body: str, *, lang: str = "en", style: str = "", policy: str = "") -> str:
        path = f"/{len(self.pages)}"
        self.pages[path] = (HEAD.format(lang=lang, style=style) + body, policy)
        return path

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Answering(BaseHTTPRequestHandler):
    def __init__(self, host: Host, *more: Any) -> None:
        self._host = host
        super().__init__(*more)

    def do_GET(self) -> None:
        body, policy = self._host.pages.get(self.path, ("", ""))
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if policy:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    started = Host()
    yield started
    started.close()


@pytest.fixture(scope="module")
def database(site: Site) -> Iterator[Database]:
    opened = Database(site.store_url)
    yield opened
    opened.close()


def a_key(database: Database, *origins: str, **more: Any) -> str:
    with database.writing() as session:
        id_ = partners.new_id(session, "A partner")
        made = Partner.model_validate(
            {"id": id_, "name": "A partner", "origins": origins, "a_minute": 100_000, **more}
        )
        partners.keep(session, made)
        return partners.make_key(session, id_, KeyKind.PUBLIC, datetime.now(UTC))


@pytest.fixture(scope="module")
def key(database: Database, host: Host) -> str:
    return a_key(database, host.origin)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 390, "height": 844})
    yield opened
    opened.close()


def element(site: Site, key: str, attributes: str = "", inside: str = "") -> str:
    link = inside or f'<a href="{site.url}/search?near=78701">Find a practitioner</a>'
    return (
        f'{EVENTS}<script async src="{site.url}/embed/v1.js"></script>'
        f'<practitioner-search key="{key}" {attributes}>{link}</practitioner-search>'
        "<p id=below>Below</p>"
    )


def shown(page: Page) -> FrameLocator:
    expect(page.locator("practitioner-search iframe")).to_have_css("visibility", "visible")
    return page.frame_locator("practitioner-search iframe")


def events(page: Page) -> list[tuple[str, Any]]:
    return [(type_, detail) for type_, detail in page.evaluate("events")]


def test_one_line_shows_the_search_as_high_as_it_is(
    site: Site, host: Host, key: str, page: Page
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(host.origin + host.put(element(site, key, 'near="78701"')))
    frame = shown(page)
    expect(frame.locator(".card").nth(4)).to_be_attached()
    expect(page.get_by_role("link", name="Find a practitioner")).to_be_hidden()
    inside = frame.locator("html").evaluate("html => html.getBoundingClientRect().height")
    outside = page.locator("practitioner-search iframe")
    expect(outside).to_have_css("height", f"{-(-inside // 1):.0f}px")
    assert inside > 1000
    assert outside.get_attribute("title") == "Find a practitioner of dry needling"
    assert {urllib.parse.urlsplit(url).netloc for url in asked} == {
        urllib.parse.urlsplit(each).netloc for each in (site.url, host.origin)
    }
    assert page.context.cookies() == []
    below = page.locator("#below").bounding_box()
    frame_box = outside.bounding_box()
    assert below
    assert frame_box
    assert below["y"] >= frame_box["y"] + frame_box["height"]


def test_it_tells_what_happens_and_nothing_of_who_searches(
    site: Site, host: Host, key: str, page: Page
) -> None:
    page.goto(host.origin + host.put(element(site, key)))
    frame = shown(page)
    frame.get_by_role("combobox", name="Where").fill("78701")
    frame.get_by_role("combobox", name="What").fill("neck pain")
    frame.get_by_role("combobox", name="What").press("Enter")
    expect(frame.locator(".card").first).to_be_attached()
    page.wait_for_function("events.some(([type]) => type === 'searched')")
    with page.context.expect_page() as opened:
        frame.locator(".card h2 a").first.click()
    opened.value.close()
    frame.locator(".card .call").first.evaluate("link => link.click()")
    page.wait_for_function("events.some(([type]) => type === 'contact')")
    told = events(page)
    assert [type_ for type_, _ in told if type_ != "ready"] == ["searched", "opened", "contact"]
    found = dict(told)
    assert set(found["searched"]) == {"total", "radius_m", "filters"}
    assert found["searched"]["total"] > 0
    assert found["contact"]["by"] == "telephone"
    assert found["opened"]["id"].startswith("demo-")
    assert not {"78701", "neck"} & set(json.dumps(told).replace('"', " ").split())


def test_filters_work_in_place_and_are_told_by_name(
    site: Site, host: Host, key: str, page: Page
) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(host.origin + host.put(element(site, key, 'near="78701"')))
    frame = shown(page)
    if not frame.get_by_label("Physical therapist").first.is_visible():
        frame.locator(".filters > summary").click()
    frame.get_by_label("Physical therapist").first.check()
    chip = frame.get_by_role("link", name="Remove the filter Profession: Physical therapist")
    expect(chip).to_be_visible()
    page.wait_for_function("events.filter(([type]) => type === 'searched').length > 1")
    assert events(page)[-1][1]["filters"] == ["profession"]
    chip.click()
    expect(chip).to_be_hidden()


def test_what_the_page_fixes_cannot_be_changed(
    site: Site, host: Host, key: str, page: Page
) -> None:
    fixed = 'near="78701" profession="chiropractor" lock="near profession" hide="map" lang="es"'
    page.goto(host.origin + host.put(element(site, key, fixed)))
    frame = shown(page)
    expect(frame.locator("html")).to_have_attribute("lang", "es")
    expect(frame.locator(".card").first).to_be_attached()
    assert frame.locator("#near").count() == 0
    assert frame.locator("#facet-profession").count() == 0
    assert frame.locator(".show-map").count() == 0
    assert frame.locator('.chip:has-text("Quiropráctic")').count() == 0
    assert "Quiropráctic" in frame.locator(".card .who").first.inner_text()
    frame.get_by_role("combobox", name="Qué").fill("cuello")
    frame.get_by_role("combobox", name="Qué").press("Enter")
    expect(frame.locator('.chip:has-text("cuello")')).to_be_visible()
    assert "Quiropráctic" in frame.locator(".card .who").first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_theme_is_taken_where_it_can_be_read(
    site: Site, host: Host, key: str, page: Page, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    paper = {"light": "#fffdf5", "dark": "#1b1020"}[scheme]
    style = (
        "<style>practitioner-search{--directory-accent:#8a1f5c;--directory-radius:3px;"
        f"--directory-surface:{paper};--directory-font:Georgia, serif}}</style>"
    )
    page.goto(
        host.origin + host.put(element(site, key, f'near="78701" scheme="{scheme}"'), style=style)
    )
    frame = shown(page)
    root = frame.locator("html")
    page.wait_for_timeout(200)
    colour = root.evaluate("html => getComputedStyle(html).getPropertyValue('--accent').trim()")
    seen = frame.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert seen == {"light": "rgb(255, 253, 245)", "dark": "rgb(27, 16, 32)"}[scheme]
    # On the dark paper that accent has a contrast of 2: ours stays.
    assert (colour == "#8a1f5c") == (scheme == "light")
    assert "Georgia" in frame.locator("body").evaluate("b => getComputedStyle(b).fontFamily")
    assert frame.locator(".card").first.evaluate("c => getComputedStyle(c).borderRadius") == "3px"
    ratio = root.evaluate(
        """html => {
          const style = getComputedStyle(html);
          const light = (name) => [1, 3, 5].map((at) => parseInt(
            style.getPropertyValue('--' + name).trim().slice(at, at + 2), 16) / 255)
            .map((p) => p <= 0.04045 ? p / 12.92 : ((p + 0.055) / 1.055) ** 2.4)
            .reduce((sum, p, n) => sum + p * [0.2126, 0.7152, 0.0722][n], 0);
          const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05)
            / (Math.min(light(a), light(b)) + 0.05);
          return Math.min(ratio('ink', 'surface'), ratio('soft', 'surface'),
            ratio('accent', 'surface'), ratio('on-accent', 'accent'), ratio('wrong', 'surface'));
        }"""
    )
    assert ratio >= 4.5


def test_a_page_of_another_origin_keeps_its_link(
    site: Site, host: Host, key: str, page: Page
) -> None:
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.clock.install()
    page.goto(host.other_origin + host.put(element(site, key, 'near="78701"')))
    expect(page.locator("practitioner-search iframe")).to_be_attached()
    page.clock.fast_forward(9_000)
    expect(page.locator("practitioner-search iframe")).to_have_count(0)
    expect(page.get_by_role("link", name="Find a practitioner")).to_be_visible()
    assert any("among the key's origins" in each for each in errors)
    assert events(page) == []


def test_who_lies_about_its_origin_is_shown_nothing(
    site: Site, host: Host, key: str, page: Page
) -> None:
    for origin in (host.origin, None):
        query = {"key": key, "near": "78701", **({"origin": origin} if origin else {})}
        address = f"{site.url}/embed/v1/frame?{urllib.parse.urlencode(query)}"
        page.goto(host.other_origin + host.put(f'<iframe src="{address}"></iframe>'))
        page.wait_for_timeout(500)
        assert [frame.url for frame in page.frames[1:]] == ["chrome-error://chromewebdata/"]


def test_a_plain_frame_works_without_any_script(
    site: Site, host: Host, key: str, browser: Browser
) -> None:
    page = browser.new_page(java_script_enabled=False)
    address = f"{site.url}/embed/v1/frame?key={key}&near=78701"
    page.goto(host.origin + host.put(f'<iframe title="Search" src="{address}"></iframe>'))
    frame = page.frame_locator("iframe")
    expect(frame.locator(".card").first).to_be_attached()
    frame.locator("a[rel=next]").click()
    expect(frame.locator("a[rel=prev]")).to_be_attached()
    frame.locator("#near").fill("Marfa, TX")
    frame.locator("form.search button.primary").click()
    expect(frame.locator("h1")).to_contain_text("Marfa")
    page.close()


def test_it_runs_under_a_strict_policy_of_the_page(
    site: Site, host: Host, key: str, page: Page
) -> None:
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    policy = (
        f"default-src 'none'; script-src {site.url}; frame-src {site.url}; "
        "require-trusted-types-for 'script'"
    )
    body = element(site, key, 'near="78701"').replace(EVENTS, "")
    page.goto(host.origin + host.put(body, policy=policy))
    expect(shown(page).locator(".card").first).to_be_attached()
    assert [each for each in wrong if "favicon" not in each] == []


def test_it_waits_until_it_is_nearly_seen(site: Site, host: Host, key: str, page: Page) -> None:
    far = element(site, key).replace(EVENTS, EVENTS + "<div style='height: 5000px'></div>")
    page.goto(host.origin + host.put(far))
    page.wait_for_timeout(500)
    assert page.locator("practitioner-search iframe").count() == 0
    page.mouse.wheel(0, 6000)
    expect(shown(page).get_by_role("combobox", name="Where")).to_be_visible()


@pytest.mark.parametrize(
    ("width", "height", "near"), [(390, "42rem", ""), (1280, "27rem", ""), (1280, "90rem", "78701")]
)
def test_nothing_jumps_where_the_page_keeps_the_room(
    site: Site, host: Host, key: str, page: Page, width: int, height: str, near: str
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    watch = """<script>
      window.moved = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) moved += entry.value;
      }).observe({ type: "layout-shift", buffered: true });
    </script>"""
    room = f"<style>practitioner-search{{display:block;min-height:{height}}}</style>"
    body = watch + element(site, key, f'near="{near}"' if near else "")
    page.goto(host.origin + host.put(body, style=room))
    shown(page)
    page.wait_for_timeout(300)
    assert page.evaluate("moved") < 0.02


def test_the_keyboard_goes_in_and_out(site: Site, host: Host, key: str, page: Page) -> None:
    body = "<button id=before>Before</button>" + element(site, key) + "<button id=end>End</button>"
    page.goto(host.origin + host.put(body))
    frame = shown(page)
    page.locator("#before").focus()
    page.keyboard.press("Tab")
    expect(frame.get_by_role("combobox", name="Where")).to_be_focused()
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "end":
            break
    assert page.evaluate("document.activeElement.id") == "end"


def test_the_script_passes_on_what_the_frame_takes(site: Site) -> None:
    script = site.get("/embed/v1.js").text
    presets = re.findall(r'"(\w+)"', script.partition("PRESETS = [")[2].partition("]")[0])
    assert tuple(presets) == LOCKS


def test_the_script_is_small_and_may_be_kept(site: Site) -> None:
    answer = site.get("/embed/v1.js")
    assert len(gzip.compress(answer.text.encode(), 9)) <= 3_000
    assert answer.headers["Cache-Control"] == "public, max-age=3600, stale-while-revalidate=86400"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in answer.headers
    again = site.get("/embed/v1.js", {"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", "null", "https://*.example.org", "https://example.org/",
        "https://a;script-src 'unsafe-inline'.example.org", "https://example.org.evil.example",
        "https://a.b.example.org", "http://a.example.org", "HTTPS://a.example.org",
    ],
)  # fmt: skip
def test_only_an_origin_exactly_as_it_was_allowed(
    site: Site, database: Database, origin: str
) -> None:
    key = a_key(database, "https://example.org", "https://*.example.org")
    for right in ("https://example.org", "https://a.example.org"):
        answer = site.get("/embed/v1/frame", key=key, origin=right)
        assert answer.status == 200
        assert answer.headers["Content-Security-Policy"].endswith(f"frame-ancestors {right}")
    answer = site.get("/embed/v1/frame", key=key, origin=origin)
    assert answer.status == 403
    assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors *")
    assert "evil" not in answer.text
    assert "<form" not in answer.text
    assert "<script" not in answer.text


def test_an_option_of_the_frame_is_one_of_ours_or_nothing(site: Site, key: str) -> None:
    odd = {name: f"near {name}-of-theirs<b>" for name in ("lock", "hide", "scheme", "locate")}
    page = site.get("/embed/v1/frame", key=key, near="78701", label="theirs", **odd).text
    assert "theirs" not in page
    assert 'name="lock" value="near"' in page


def test_a_scheme_that_was_chosen_goes_along(site: Site, database: Database) -> None:
    key = a_key(database, "https://example.org", theme={"scheme": "dark"})
    for chosen, kept in (({}, "dark"), ({"scheme": "auto"}, "auto"), ({"scheme": "x"}, "dark")):
        page = site.get("/embed/v1/frame", key=key, near="78701", **chosen).text
        assert f'data-scheme="{kept}"' in page
        assert f'name="scheme" value="{kept}"' in page


def test_nothing_but_the_search_can_be_framed(site: Site, key: str) -> None:
    for path in ("/", "/search?near=78701", "/clinics/", "/moderation/", "/partners/", "/guide"):
        answer = site.get(path + ("&" if "?" in path else "?") + f"key={key}")
        assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")


def test_a_partner_finds_only_its_own(site: Site, database: Database, host: Host) -> None:
    texan = a_key(database, host.origin, states=["TX"], professions=["chiropractor"])
    for near in ("Austin, TX", "Denver, CO", "Texas"):  # the nearest beyond are Texans, too
        page = site.get("/embed/v1/frame", key=texan, near=near).text
        assert page.count('<article class="card"') == page.count(", TX 7") > 0
        assert page.count('<p class="who">Chiropractor') == page.count('<p class="who">')


def test_oembed_gives_a_frame_for_an_address_with_a_key(
    site: Site, database: Database, host: Host, page: Page
) -> None:
    ours = "http://127.0.0.1:8000"
    key = a_key(database, host.origin)
    answer = site.get("/oembed", url=f"{ours}/search?near=78701&key={key}", maxwidth=500).json
    assert answer["type"] == "rich"
    assert answer["width"] == 500
    page.goto(host.origin + host.put(answer["html"].replace(ours, site.url)))
    expect(page.frame_locator("iframe").locator(".card").first).to_be_attached()
    link = site.get("/oembed", url=f"{ours}/search?near=78701").json
    assert link["type"] == "link"
    assert "html" not in link
    assert site.get("/oembed", url="https://evil.example/search").status == 404
    assert site.get("/oembed", url=f"{ours}/search", format="xml").status == 501
    shown = site.get("/search", near="78701").text
    assert 'type="application/json+oembed"' in shown
