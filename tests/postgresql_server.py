"""Starts a real PostgreSQL server for the tests, as an unprivileged user on a free port."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.certificates import Authority
from tests.elasticsearch_node import NodeUnavailable, free_port

USER = "postgres"


@contextmanager
def server(folder: Path, authority: Authority | None = None, password: str = "") -> Iterator[str]:
    """The SQLAlchemy URL of a server whose files lie in a folder; it is stopped at the end.

    With an authority it takes connections over TLS alone, and the password of user postgres.
    """
    if os.geteuid() == 0:
        shutil.chown(folder, USER)
    port, data, log = free_port(), str(folder / "data"), str(folder / "log")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
    initdb = ("initdb", "-D", data, "-U", "postgres", "--no-sync")
    if authority:
        (folder / "password").write_text(password)
        _run(folder, *initdb, "--auth=scram-sha-256", f"--pwfile={folder / 'password'}")
        for name in ("certificate", "key"):
            own = shutil.copy(getattr(authority, name), data)
            if os.geteuid() == 0:
                shutil.chown(own, USER)
            Path(own).chmod(0o600)
        (folder / "data" / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        options += " -c ssl=on -c ssl_cert_file=server.pem -c ssl_key_file=server.key"
    else:
        _run(folder, *initdb, "--auth=trust")
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
