"""Somebody at a browser, without the browser: cookies, forms, redirects."""

import html
import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from tests.web.conftest import Answer, Site, elsewhere


class Visitor:
    """Keeps cookies; follows redirects; `page` is what was seen last."""

    def __init__(self, site: Site, language: str = "en") -> None:
        self._site = site
        self._headers = {"Accept-Language": language, **elsewhere()}
        self.jar = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        self.url = ""
        self.page = Answer(0, {}, "")

    def get(self, path: str) -> Answer:
        return self._open(path, None)

    def post(self, path: str, headers: dict[str, str] | None = None, /, **fields: object) -> Answer:
        body = urllib.parse.urlencode(
            [(n.replace("__", "."), v) for n, vs in fields.items() for v in _several(vs)]
        ).encode()
        return self._open(path, body, headers)

    def send(self, path: str, fields: dict[str, object]) -> Answer:
        """As `post`, with names as they stand."""
        pairs = [(name, v) for name, values in fields.items() for v in _several(values)]
        return self._open(path, urllib.parse.urlencode(pairs).encode())

    def upload(self, path: str, name: str, content: str) -> Answer:
        """Send a file."""
        edge = "edgeofafile"
        head = (
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="a.csv"\r\n\r\n'
        )
        body = head.encode() + content.encode() + f"\r\n--{edge}--\r\n".encode()
        return self._open(path, body, {"Content-Type": f"multipart/form-data; boundary={edge}"})

    def filled(self, form: str) -> dict[str, object]:
        """What the form with this action on the page would send, as it stands."""
        (found,) = re.findall(
            rf'<form[^>]*action="{re.escape(form)}(?:\?[^"]*)?"[^>]*>(.*?)</form>',
            self.page.text,
            re.DOTALL,
        )
        values: dict[str, object] = {}
        for tag in re.findall(r"<input[^>]*>", found):
            name, value = _attribute(tag, "name"), _attribute(tag, "value")
            is_box = 'type="checkbox"' in tag or 'type="radio"' in tag
            if name and (not is_box or " checked" in tag):
                values.setdefault(name, [])
                values[name].append(value or "")  # type: ignore[attr-defined]
        for name, inside in re.findall(
            r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', found, re.DOTALL
        ):
            chosen = re.findall(r'<option value="([^"]*)" selected', inside)
            values[name] = [chosen[0] if chosen else ""]
        for name, inside in re.findall(
            r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', found, re.DOTALL
        ):
            values[name] = [html.unescape(inside)]
        return values

    def _open(self, path: str, body: bytes | None, headers: dict[str, str] | None = None) -> Answer:
        url = path if path.startswith("http") else f"{self._site.url}{path}"
        request = urllib.request.Request(url, body, {**self._headers, **(headers or {})})
        try:
            with self._opener.open(request, timeout=10) as answer:
                self.url = answer.url.removeprefix(self._site.url)
                self.page = Answer(answer.status, dict(answer.headers), answer.read().decode())
        except urllib.error.HTTPError as error:
            self.url = (error.url or "").removeprefix(self._site.url)
            self.page = Answer(error.code, dict(error.headers), error.read().decode())
        return self.page


def _several(values: object) -> list[str]:
    return [str(v) for v in values] if isinstance(values, (list, tuple)) else [str(values)]


def _attribute(tag: str, name: str) -> str | None:
    found = re.search(rf' {name}="([^"]*)"', tag)
    return html.unescape(found[1]) if found else None
