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

    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--no-sync"]
    if authority:
        (folder / "password").write_text(password)
        run(*initdb, "--auth=scram-sha-256", f"--pwfile={folder / 'password'}")
        for name in ("certificate", "key"):
            own = shutil.copy(getattr(authority, name), data)
            if root:
                shutil.chown(own, USER)
            Path(own).chmod(0o600)
        (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        options += " -c ssl=on -c ssl_cert_file=server.pem -c ssl_key_file=server.key"
    else:
        run(*initdb, "--auth=trust")
    control = str(programs / "pg_ctl")
    run(control, "start", "-w", "-D", str(data), "-o", options, "-l", str(folder / "log"))
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        run(control, "stop", "-D", str(data), "-m", "immediate")
