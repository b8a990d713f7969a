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
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    if programs is None or not (programs / "initdb").exists():
        raise NodeUnavailable("PostgreSQL is not installed (apt-get install postgresql)")
    root = os.geteuid() == 0
    if root:
        shutil.chown(folder, USER)
    port, data = free_port(), folder / "data"

    def run(*command: str) -> None:
        subprocess.run(
            command, check=True, capture_output=True, cwd=folder, user=USER if root else None
        )

    run(str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
    control = str(programs / "pg_ctl")
    run(control, "start", "-w", "-D", str(data), "-o", options, "-l", str(folder / "log"))
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        run(control, "stop", "-D", str(data), "-m", "immediate")
