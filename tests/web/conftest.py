"""The site as a visitor meets it: `directory serve`, over HTTP, on the fictional listings."""

import json
import os
import random
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from fixtures import generate
from tests.builders import TODAY
from tests.conftest import not_here
from tests.elasticsearch_node import ROOT, free_port
from tests.web.mailbox import Mailbox, mailbox

MODERATOR = "moderator@example.org"
PROGRAMS = Path(sys.executable).parent


def elsewhere() -> dict[str, str]:
    """What a proxy says of a visitor whom nobody has met: forms are counted by network address."""
    return {"X-Forwarded-For": str(IPv6Address(random.getrandbits(128)))}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Site:
    """A running site: its address, its working folder, and what it wrote to its log."""

    url: str
    folder: Path
    mail: Mailbox
    store_url: str

    def get(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        accept_language: str = "en",
        **parameters: Any,
    ) -> Answer:
        query = urllib.parse.urlencode(parameters, doseq=True)
        url = f"{self.url}{path}{'?' + query if query else ''}"
        try:
            headers = {"Accept-Language": accept_language, **elsewhere(), **(headers or {})}
            request = urllib.request.Request(url, headers=headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read().decode())

    def post(self, path: str, content: object, **more: str) -> Answer:
        """Send JSON."""
        url, body = f"{self.url}{path}", json.dumps(content).encode()
        headers = {"Content-Type": "application/json", **elsewhere(), **more}
        try:
            request = urllib.request.Request(url, body, headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read().decode())

    def api(self, **parameters: Any) -> Any:
        answer = self.get("/api/v1/search", **parameters)
        assert answer.status == 200, answer.text
        return answer.json

    @property
    def log(self) -> str:
        """Without the numbers of requests and how long they took: any digits may be in them."""
        written = (self.folder / "site.log").read_text()
        return re.sub(r" [0-9.]+ ms [0-9a-f-]{36}$", "", written, flags=re.MULTILINE)


def run(
    folder: Path, environment: dict[str, str], *command: str
) -> subprocess.CompletedProcess[str]:
    program, *arguments = command
    return subprocess.run(
        [PROGRAMS / program, *arguments], cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("DIRECTORY_")}


@pytest.fixture(scope="session")
def letters() -> Iterator[Mailbox]:
    """A real SMTP server."""
    with mailbox() as box:
        yield box


@pytest.fixture(scope="session", params=["sqlite", "elasticsearch"])
def site(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str],
) -> Iterator[Site]:
    """The site on its own, and on Elasticsearch and PostgreSQL; filled as an operator does."""
    folder = tmp_path_factory.mktemp("site")
    if request.param == "elasticsearch":
        url = request.getfixturevalue("elasticsearch_url")
        environment = {
            **environment,
            "DIRECTORY_SEARCH_URL": f"{url}/test-site-{os.getpid()}",
            "DIRECTORY_DATABASE_URL": request.getfixturevalue("fresh_postgresql")(),
        }
    with running(folder, environment, request.getfixturevalue("letters")) as started:
        yield started


@contextmanager
def running(folder: Path, environment: dict[str, str], box: Mailbox) -> Iterator[Site]:
    """A site, filled as an operator does it, and served."""
    environment = {
        **environment, "DIRECTORY_MAIL_URL": box.url, "DIRECTORY_TRUSTED_PROXIES": "1",
    }  # fmt: skip
    lines = [json.dumps(listing) for listing in generate.listings(TODAY)]
    (folder / "listings.jsonl").write_text("\n".join(lines))
    for command in (
        ["indexer", "load", "jsonl", "listings.jsonl"],
        ["python", "-m", "fixtures.check", "listings.jsonl"],
        ["indexer", "sync"],
        ["directory", "moderator", "add", MODERATOR],
    ):
        done = run(folder, {**environment, "PYTHONPATH": str(ROOT)}, *command)
        assert done.returncode == 0, done.stderr
    port = free_port()
    with (folder / "site.log").open("w") as log:
        server = subprocess.Popen(
            [PROGRAMS / "directory", "serve", "--port", str(port)],
            cwd=folder, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    store = environment.get("DIRECTORY_DATABASE_URL", f"sqlite:///{folder}/var/directory.db")
    started = Site(f"http://127.0.0.1:{port}", folder, box, store)
    try:
        for _ in range(200):
            try:
                if started.get("/readyz").status == 200:
                    break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail(f"the site did not start: {started.log}")
        yield started
    finally:
        server.terminate()
        assert server.wait(30) == 0


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's own Chromium."""
    if not Path("/usr/bin/chromium").exists():
        not_here("Chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield started
        started.close()
