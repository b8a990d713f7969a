"""The image as it is deployed: built, read-only, unprivileged, loaded, searched and stopped."""

import hashlib
import json
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from directory.web.server import DRAIN_S
from fixtures.generate import listings
from tests.conftest import not_here
from tests.elasticsearch_node import ROOT, NodeUnavailable
from tests.image import buildah, docker

pytestmark = [pytest.mark.image, pytest.mark.timeout(1800)]
Image = buildah.BuildahImage | docker.DockerImage
SITE = "http://127.0.0.1:8000"
USER_ID = 10001
BOOT_S = 300


def built(tag: str, folder: Path) -> Image:
    try:
        return docker.build(tag, folder) if docker.runs_here() else buildah.build(tag)
    except NodeUnavailable as error:
        not_here(str(error))
        raise


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    made = built("directory-test", tmp_path_factory.mktemp("image"))
    yield made
    if isinstance(made, buildah.BuildahImage):
        buildah.discard()


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """A folder that only the image's user may write to."""
    folder = tmp_path / "var"
    folder.mkdir()
    subprocess.run(["chown", f"{USER_ID}:{USER_ID}", folder], check=True)
    return folder


def said(image: Image, var: Path, *command: str) -> str:
    """What a command in a container says; it must succeed."""
    running = image.started(var, command)
    output, _ = running.communicate(timeout=BOOT_S)
    assert running.returncode == 0, output
    return output


@contextmanager
def serving(image: Image, var: Path) -> Iterator[subprocess.Popen[str]]:
    """A container that does what the image does by default, once it answers."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 8000)) == 0:
            not_here("another program listens on port 8000, which is the image's")
    running = image.started(var)
    try:
        deadline = time.monotonic() + BOOT_S
        while not answers("/healthz"):
            assert running.poll() is None, running.communicate()[0]
            assert time.monotonic() < deadline, "the site does not answer"
            time.sleep(0.5)
        yield running
    finally:
        running.kill()
        running.communicate()


def answers(path: str) -> bytes:
    """What the site answers, or nothing where it does not."""
    try:
        with urllib.request.urlopen(f"{SITE}{path}", timeout=30) as answer:
            body: bytes = answer.read()
            return body
    except OSError:
        return b""


def tree(image: Image) -> dict[str, str]:
    """Every file of the site with what is in it, or where it leads."""
    found = {}
    for path in sorted((image.root / "srv").rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(image.root))] = f"-> {path.readlink()}"
        elif path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path.relative_to(image.root))] = f"{content} {path.stat().st_mode:o}"
    return found


def test_a_listing_that_was_loaded_is_found_and_the_site_stops_when_told(
    image: Image, var: Path
) -> None:
    lines = (json.dumps(each) for each in listings(datetime.now(UTC).date()))
    (var / "some.jsonl").write_text("\n".join(lines))
    said(image, var, "indexer", "load", "jsonl", "var/some.jsonl")
    said(image, var, "indexer", "sync")
    with serving(image, var) as running:
        found = json.loads(answers("/api/v1/search?near=Austin,+TX&radius=25"))
        assert found["total"] > 0
        assert found["results"][0]["distance"]["value"] <= 25
        check = re.search(
            r"CMD (\[.*\])", (ROOT / "Dockerfile").read_text().split("HEALTHCHECK")[1]
        )
        assert check
        said(image, var, *json.loads(check[1]))
        asked = time.monotonic()
        running.terminate()
        running.communicate(timeout=DRAIN_S + 60)
        print(f"stopped {time.monotonic() - asked:.1f} s after SIGTERM, may take {DRAIN_S}")
        assert running.returncode == 0
        assert not answers("/healthz")


def test_it_runs_as_nobody_who_could_write_anywhere_but_to_its_folder(
    image: Image, var: Path
) -> None:
    tried = (
        "import os\n"
        "def writes(path):\n"
        "    try: open(path, 'w').close()\n"
        "    except OSError as error: return error.errno\n"
        "closed = os.statvfs('/srv').f_flag & os.ST_RDONLY\n"
        "print([os.getuid(), os.getgid(), closed, [writes(f'{each}/x') for each in "
        "('/srv/var', '/tmp', '/srv', '/srv/venv', '/etc')]])"
    )
    uid, gid, closed, written = json.loads(
        said(image, var, "python", "-c", tried).replace("None", "null")
    )
    assert (uid, gid, closed) == (USER_ID, USER_ID, 1)
    assert written[:2] == [None, None]
    assert all(written[2:])


def test_nothing_is_left_of_the_building(image: Image) -> None:
    site = tree(image)
    assert "srv/venv/bin/directory" in site
    packages = {
        path.split("site-packages/")[1].split("/")[0] for path in site if "site-packages/" in path
    }
    assert not {
        each for each in packages if re.match(r"pip|hatch|setuptools|wheel|tests|fixtures", each)
    }
    assert not [path for path in site if "/.git/" in path or path.endswith("/.git")]
    programs = {
        each.name
        for folder in ("bin", "usr/bin", "usr/local/bin")
        for each in (image.root / folder).glob("*")
    }
    assert not programs & {"gcc", "cc", "g++", "make", "git", "pip", "pip3"}
    assert not (image.root / "root/.cache").exists()
    assert not (image.root / "etc/pip.conf").exists()
    print(f"{megabytes(image.root)} MB in all, {megabytes(image.root / 'srv')} of them in /srv")


def megabytes(folder: Path) -> str:
    done = subprocess.run(["du", "-sm", folder], check=True, capture_output=True, text=True)
    return done.stdout.split()[0]


def test_two_builds_of_the_same_inputs_hold_the_same_files(image: Image, tmp_path: Path) -> None:
    once, again = tree(image), tree(built("directory-test-again", tmp_path))
    assert {
        path for path in once.keys() | again.keys() if once.get(path) != again.get(path)
    } == set()
