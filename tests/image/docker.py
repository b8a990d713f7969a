"""Builds and starts the image with the container engine that runs here."""

import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from tests.elasticsearch_node import ROOT


def runs_here() -> bool:
    """Whether there is an engine, and not only its client."""
    return (
        bool(shutil.which("docker"))
        and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
    )


class DockerImage:
    """An image of the engine, and a copy of its files in a folder of this machine."""

    def __init__(self, tag: str, root: Path) -> None:
        self.tag = tag
        self.root = root

    def started(self, var: Path, command: Sequence[str] = ()) -> subprocess.Popen[str]:
        """A running container; its client passes signals on. By default it does what the image says."""
        options = ["--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "host",
                   "--security-opt", "no-new-privileges", "--volume", f"{var}:/srv/var"]  # fmt: skip
        return subprocess.Popen(["docker", "run", *options, self.tag, *command],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip


def build(tag: str, folder: Path) -> DockerImage:
    """Build the image of the working tree on the base that the Dockerfile names."""
    subprocess.run(["docker", "build", "--no-cache", "-q", "-t", tag, str(ROOT)], check=True)
    container = _docker("create", tag)
    subprocess.run(["docker", "export", "-o", str(folder / "files.tar"), container], check=True)
    _docker("rm", container)
    with tarfile.open(folder / "files.tar") as files:
        files.extractall(folder / "root", filter="tar")
    return DockerImage(tag, folder / "root")


def _docker(*arguments: str) -> str:
    return subprocess.run(
        ["docker", *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()
