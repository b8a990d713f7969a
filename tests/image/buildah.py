"""Builds and starts the image without a container engine: buildah builds, Linux confines.

What docker would set is set by hand: a root file system that nobody can write to, an empty /tmp, a
folder for /srv/var, the image's own user, environment and command, and no way to new privileges.
Processes, network and devices are the machine's.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.elasticsearch_node import CACHE, ROOT, NodeUnavailable
from tests.image.debian import bootstrap

STORE = CACHE / "image"
BASE = "localhost/directory-base"
CONFINE = (
    'root="$1" var="$2" user="$3"; shift 3; '
    'mount --bind "$root" "$root" && mount --rbind /dev "$root/dev" && '
    'mount -t proc proc "$root/proc" && mount -t tmpfs tmpfs "$root/tmp" && '
    'mount --bind "$var" "$root/srv/var" && mount -o remount,bind,ro "$root" && '
    'exec setpriv --no-new-privs chroot --userspec="$user" "$root" "$@"'
)


class BuildahImage:
    """The image, its files in a folder of this machine."""

    def __init__(self, root: Path, config: dict[str, Any]) -> None:
        self.root = root
        self.config = config

    def started(self, var: Path, command: Sequence[str] = ()) -> subprocess.Popen[str]:
        """A running container whose process is the one that is given; by default the image's."""
        where, user = str(self.config["WorkingDir"]), str(self.config["User"])
        inside = ["env", "-i", "-C", where, *self.config["Env"], *(command or self.config["Cmd"])]
        outer = ["unshare", "--mount", "sh", "-c", CONFINE, "sh", str(self.root), str(var), user]
        return subprocess.Popen(
            [*outer, *inside], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


def build(tag: str) -> BuildahImage:
    """Build the image of the working tree, on a base that is made once and kept in `.cache`."""
    if os.geteuid() != 0 or not shutil.which("buildah"):
        raise NodeUnavailable("no container engine, no buildah as root (apt-get install buildah)")
    if not _buildah("images", "--quiet", "--filter", f"reference={BASE}"):
        _make_base()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as pip:
        pip.write(_pip_configuration())
        pip.flush()
        _buildah(
            "bud", "--isolation", "chroot", "--format", "docker", "--layers=false",
            "--build-arg", f"BASE={BASE}", "--secret", f"id=pip,src={pip.name}", "-t", tag, str(ROOT),
        )  # fmt: skip
    container = _buildah("from", f"localhost/{tag}")
    described = json.loads(_buildah("inspect", "--type", "image", f"localhost/{tag}"))
    return BuildahImage(Path(_buildah("mount", container)), described["Docker"]["config"])


def discard() -> None:
    """Let go of every container, and of the images that a newer one took the name of."""
    _buildah("rm", "--all")
    _buildah("rmi", "--prune")


def _make_base() -> None:
    with tempfile.TemporaryDirectory(prefix="directory-base-") as folder:
        bootstrap(Path(folder))
        container = _buildah("from", "scratch")
        _buildah("copy", "--quiet", container, folder, "/")
        _buildah("commit", "--quiet", "--rm", container, BASE)


def _pip_configuration() -> str:
    """What pip is told on this machine, in files and in the environment, as one file."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    said = dict(line.split(".", 1)[1].split("=", 1) for line in listed.splitlines())
    return "[global]\n" + "".join(
        f"{key} = {value.strip(chr(39))}\n" for key, value in said.items()
    )


def _buildah(*arguments: str) -> str:
    folders = ("--root", str(STORE / "store"), "--runroot", str(STORE / "run"))
    done = subprocess.run(
        ["buildah", *folders, *arguments], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise AssertionError(f"buildah {arguments[0]}: {done.stdout[-2000:]}{done.stderr[-3000:]}")
    return done.stdout.strip()
