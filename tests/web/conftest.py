"""The site as a visitor meets it: `directory serve`, over HTTP, on the fictional listings."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from fixtures import generate
from tests.builders import TODAY
from tests.conftest import not_here
from tests.elasticsearch_node import ROOT, free_port

PROGRAMS = Path(sys.executable).parent


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

    def get(self, path: str, *, accept_language: str = "en", **parameters: Any) -> Answer:
        query = urllib.parse.urlencode(parameters, doseq=True)
        url = f"{self.url}{path}{'?' + query if query else ''}"
        try:
            request = urllib.request.Request(url, headers={"Accept-Language": accept_language})
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
        return (self.folder / "site.log").read_text()


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


@pytest.fixture(scope="session", params=["sqlite", "elasticsearch"])
def site(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str],
) -> Iterator[Site]:
    """The site on each engine, filled by the commands that an operator uses."""
    folder = tmp_path_factory.mktemp("site")
    if request.param == "elasticsearch":
        url = request.getfixturevalue("elasticsearch_url")
        environment = {**environment, "DIRECTORY_SEARCH_URL": f"{url}/test-site-{os.getpid()}"}
    lines = [json.dumps(listing) for listing in generate.listings(TODAY)]
    (folder / "listings.jsonl").write_text("\n".join(lines))
    for command in (
        ["indexer", "load", "jsonl", "listings.jsonl"],
        ["python", "-m", "fixtures.check", "listings.jsonl"],
        ["indexer", "sync"],
    ):
        done = run(folder, {**environment, "PYTHONPATH": str(ROOT)}, *command)
        assert done.returncode == 0, done.stderr
    port = free_port()
    with (folder / "site.log").open("w") as log:
        server = subprocess.Popen(
            [PROGRAMS / "directory", "serve", "--port", str(port)],
            cwd=folder, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    running = Site(f"http://127.0.0.1:{port}", folder)
    try:
        for _ in range(200):
            try:
                if running.get("/readyz").status == 200:
                    break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail(f"the site did not start: {running.log}")
        yield running
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
