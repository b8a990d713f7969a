"""Starts the site as it ships, or the same application on another server, and counts its cost."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clients import Client, get
from tests.elasticsearch_node import free_port

BIN = Path(sys.executable).parent
_APPLICATION = "benchmarks.application:create()"
STACKS: dict[str, Sequence[str]] = {
    "gunicorn gthread, 2 × 4 (ships)": (
        "gunicorn", "-b", "127.0.0.1:{port}", "-k", "gthread", "-w", "2", "--threads", "4",
        "--log-level", "warning", _APPLICATION,
    ),
    "gunicorn gthread, 1 × 8": (
        "gunicorn", "-b", "127.0.0.1:{port}", "-k", "gthread", "-w", "1", "--threads", "8",
        "--log-level", "warning", _APPLICATION,
    ),
    "gunicorn gevent, 2": (
        "gunicorn", "-b", "127.0.0.1:{port}", "-k", "gevent", "-w", "2",
        "--log-level", "warning", _APPLICATION,
    ),
    "granian, 2 × 4": (
        "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}",
        "--workers", "2", "--blocking-threads", "4", "--no-log", "--factory",
        "benchmarks.application:create",
    ),
    "waitress, 1 × 8": (
        "waitress-serve", "--listen=127.0.0.1:{port}", "--threads=8", "--call",
        "benchmarks.application:create",
    ),
}  # fmt: skip
START_S = 60


@dataclass(frozen=True)
class Server:
    """A server that runs: where it answers, how long it took to, and its process."""

    url: str
    started_s: float
    pid: int


@contextmanager
def serving(folder: Path, search_url: str, stack: Sequence[str] = ()) -> Iterator[Server]:
    """The site over an engine, its store and letters in a folder; `directory serve` by default."""
    port = free_port()
    command = [each.format(port=port) for each in stack] or [
        "directory",
        "serve",
        "--port",
        str(port),
    ]
    environment = {
        **os.environ,
        "DIRECTORY_SEARCH_URL": search_url,
        "DIRECTORY_DATABASE_URL": f"sqlite:///{folder / 'directory.db'}",
        "DIRECTORY_MAIL_URL": f"file:{folder / 'mail'}",
        "DIRECTORY_SECRET_FILE": str(folder / "secret.key"),
        "DIRECTORY_REQUESTS_A_MINUTE": "1000000000",
    }  # fmt: skip
    begun = time.perf_counter()
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [BIN / command[0], *command[1:]], env=environment, stdout=log, stderr=log
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(f"{url}/api/v1/search?near=78701&radius=25", process)
            yield Server(url, time.perf_counter() - begun, process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    """Until the first search is answered."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=30):
                return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"the server did not answer at {address}")


def node_pid(url: str) -> int:
    """The process of the Elasticsearch node that answers at an address."""
    with Client(url) as node:
        _, answer = node.ask(get("/_nodes/_local/process?filter_path=nodes.*.process.id"))
    return int(answer.rpartition(b'"id":')[2].split(b"}")[0])


def cpu_s(pid: int) -> float:
    """The processor time that a process and its children have used, seconds."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_s(int(child)) for child in children)


def memory_mb(pid: int) -> list[float]:
    """The memory of each process of a server, what several share counted in parts (Pss, MB)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [own / 1000, *(mb for child in children for mb in memory_mb(int(child)))]
