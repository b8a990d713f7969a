"""The base image where no registry of images is reached: Debian with its own Python."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.elasticsearch_node import NodeUnavailable

PACKAGES = "python3-venv,ca-certificates"
CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")


def bootstrap(folder: Path) -> None:
    """Make a root file system in a folder, from the mirror that this machine's apt uses.

    What the machine trusts, the image trusts too: its packages may come by way of a proxy.
    """
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise NodeUnavailable(
            "a base image needs root and debootstrap (apt-get install debootstrap)"
        )
    mirror, release = _mirror()
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, folder, mirror],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    for kept in folder.glob("var/cache/apt/archives/*.deb"):
        kept.unlink()
    if (Path("/") / CERTIFICATES).exists():
        shutil.copyfile(Path("/") / CERTIFICATES, folder / CERTIFICATES)


def _mirror() -> tuple[str, str]:
    """The address and the release that apt is configured with."""
    wanted = ["--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages", "Component: main"]
    found = subprocess.run(
        ["apt-get", "indextargets", *wanted], check=True, capture_output=True, text=True
    )
    system = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text().split("\n") if line
    )
    release = system["VERSION_CODENAME"].strip('"')
    for address, codename in (line.split() for line in found.stdout.splitlines()):
        if codename == release:
            return address, release
    raise NodeUnavailable(f"apt names no mirror of {release}")
