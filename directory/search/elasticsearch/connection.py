"""Where the nodes are, and as whom they are spoken to."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from elastic_transport import OrjsonSerializer
from elasticsearch import Elasticsearch

from directory.search.elasticsearch.node import Node
from directory.search.elasticsearch.patience import OtherNodes, PatientTransport


def alias_of(url: str) -> str:
    """The alias that a URL's path names; `listings` by default."""
    return urlsplit(url).path.strip("/") or "listings"


def connect(url: str, api_key: str = "", ca_file: Path | None = None) -> Elasticsearch:
    """A client of the nodes that a URL names, and of no others; nothing is connected to yet.

    The URL is `http(s)://[user:password@]host[:port][,host[:port]…]/alias`, the port 9200 by
    default. An API key stands for user and password; the CA file (PEM) for the authorities that the
    system trusts. Raises ValueError where one of them cannot be.
    """
    parts = urlsplit(url)
    account, _, hosts = parts.netloc.rpartition("@")
    user, _, password = account.partition(":")
    given: dict[str, Any] = {}
    if account:
        given["basic_auth"] = (unquote(user), unquote(password))
    if api_key:
        if not (api_key.isascii() and api_key.isprintable()):
            raise ValueError("the API key has what cannot stand in a header, a new line perhaps")
        given["api_key"] = api_key
    if ca_file:
        if not ca_file.is_file():  # which the client would only notice at the first call
            raise ValueError(f"there is no file {ca_file}")
        given["ca_certs"] = str(ca_file)
    # Where OpenTelemetry is installed the client has spans of its own: with the texts of errors,
    # and with what was searched where a variable wants it. Ours are around the question.
    os.environ["OTEL_PYTHON_INSTRUMENTATION_ELASTICSEARCH_ENABLED"] = "false"
    return Elasticsearch(
        [_node(parts.scheme, host) for host in hosts.split(",")],
        node_class=Node,
        transport_class=PatientTransport,
        node_pool_class=OtherNodes,
        serializer=OrjsonSerializer(),
        **given,
    )


def _node(scheme: str, host: str) -> str:
    parts = urlsplit(f"{scheme}://{host}")
    if not parts.hostname:
        raise ValueError("the search engine's URL has a comma too many: it names no host")
    return parts.geturl() if parts.port else f"{parts.geturl()}:9200"
