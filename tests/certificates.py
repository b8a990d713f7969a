"""A certificate authority of a test, and a certificate that it gives to 127.0.0.1."""

import ssl
import subprocess
from pathlib import Path

from tests.elasticsearch_node import NodeUnavailable


class Authority:
    """Its files in a folder: `ca` is what clients trust, `certificate` and `key` a server's."""

    def __init__(self, folder: Path) -> None:
        self.ca, self.certificate, self.key = (
            folder / name for name in ("ca.pem", "server.pem", "server.key")
        )
        new = ["-newkey", "rsa:2048", "-nodes", "-days", "2"]
        ca_key, named = folder / "ca.key", ["-addext", "subjectAltName=IP:127.0.0.1"]
        _openssl("-x509", *new, "-subj", "/CN=authority", "-keyout", ca_key, "-out", self.ca)
        _openssl(
            "-x509", *new, "-subj", "/CN=127.0.0.1", *named, "-keyout", self.key,
            "-out", self.certificate, "-CA", self.ca, "-CAkey", ca_key,
            "-addext", "basicConstraints=critical,CA:false",
        )  # fmt: skip

    def trusting(self) -> ssl.SSLContext:
        """How a client trusts it alone."""
        return ssl.create_default_context(cafile=str(self.ca))

    def serving(self) -> ssl.SSLContext:
        """How a server shows its certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def _openssl(*arguments: str | Path) -> None:
    try:
        subprocess.run(["openssl", "req", *arguments], check=True, capture_output=True)
    except FileNotFoundError as error:
        raise NodeUnavailable("openssl is not installed (apt-get install openssl)") from error
