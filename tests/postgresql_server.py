"""Starts a real PostgreSQL server for the tests, as an unprivileged user on a free port."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.elasticsearch_node import NodeUnavailable, free_port

USER = "postgres"


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The SQLAlchemy URL of a server whose files lie in a folder; it is stopped at the end."""
    if os.geteuid() == 0:
        shutil.chown(folder, USER)
    port, data = free_port(), str(folder / "data")
    _run(folder, "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
    log = str(folder / "log")
    _run(folder, "pg_ctl", "start", "-w", "-D", data, "-o", options, "-l", log)
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        _run(folder, "pg_ctl", "stop", "-D", data, "-m", "immediate")


def restart(folder: Path) -> None:
    """End the server whose files lie in a folder at once, as a crash would, and start it again."""
    log = str(folder / "log")
    _run(
        folder, "pg_ctl", "restart", "-w", "-D", str(folder / "data"), "-m", "immediate", "-l", log
    )


def _run(folder: Path, program: str, *arguments: str) -> None:
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    if programs is None or not (programs / "initdb").exists():
        raise NodeUnavailable("PostgreSQL is not installed (apt-get install postgresql)")
    subprocess.run(
        [programs / program, *arguments], check=True, capture_output=True, cwd=folder,
        user=USER if os.geteuid() == 0 else None,
    )  # fmt: skip
