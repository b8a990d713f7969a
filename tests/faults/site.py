"""The site under fire: `directory serve` as a process of its own that a test may do anything to."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.elasticsearch_node import free_port

PROGRAMS = Path(sys.executable).parent
DEADLINE_S = 120


@dataclass(frozen=True)
class Served:
    """A site that runs: where it listens, and its process."""

    port: int
    process: subprocess.Popen[bytes]
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def workers(self) -> set[int]:
        """The processes that answer."""
        pid = self.process.pid
        return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def status(self, path: str, timeout_s: float = DEADLINE_S) -> int:
        """Of an answer that is no error."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=timeout_s) as answer:
            answer.read()
            return int(answer.status)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Of a command whose files all lie in a folder."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith("DIRECTORY_")}
    return {
        **ours,
        "DIRECTORY_DATABASE_URL": f"sqlite:///{folder / 'store.db'}",
        "DIRECTORY_SEARCH_URL": f"sqlite:///{folder / 'search.db'}",
        "DIRECTORY_MAIL_URL": f"file:{folder / 'mail'}",
        "DIRECTORY_SECRET_KEY": "a secret of the tests",
        "DIRECTORY_TRUSTED_PROXIES": "1",
        **more,
    }


@contextmanager
def served(folder: Path, host: str = "127.0.0.1", **more: str) -> Iterator[Served]:
    port = free_port()
    with (folder / "site.log").open("ab") as log:
        process = subprocess.Popen(
            [PROGRAMS / "directory", "serve", "--host", host, "--port", str(port)],
            cwd=folder, env=environment(folder, **more), stdout=log, stderr=log,
        )  # fmt: skip
    site = Served(port, process, host)
    try:
        until(lambda: _lives(site))
        yield site
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def _lives(site: Served) -> bool:
    try:
        return site.status("/healthz", 5) == 200
    except OSError:
        return False


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, f"it did not come to that within {DEADLINE_S} seconds"
        time.sleep(0.1)
