"""Three real Elasticsearch nodes as one cluster on loopback, any of which can be killed."""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.elasticsearch_node import Running, Server, free_port, running

NAMES = ("one", "two", "three")


@dataclass
class Cluster:
    """The nodes by their names; each may be master, and each holds data."""

    server: Server
    heap: str
    nodes: dict[str, Running]

    @property
    def url(self) -> str:
        """All of them, as DIRECTORY_SEARCH_URL takes them, without an alias."""
        return "http://" + ",".join(f"127.0.0.1:{each.port}" for each in self.nodes.values())

    @property
    def alive(self) -> list[str]:
        """Who still runs."""
        return [name for name, each in self.nodes.items() if each.process.poll() is None]

    def master(self) -> str:
        """The name of the elected master."""
        found: str = self._ask("/_cat/master?format=json")[0]["node"]
        return found

    def holder(self, index: str) -> str:
        """The name of a node that is not the master and holds a primary shard of an index."""
        master, shards = self.master(), self._ask(f"/_cat/shards/{index}?format=json")
        return next(
            each["node"] for each in sorted(shards, key=lambda each: each["prirep"] != "p")
            if each["node"] != master
        )  # fmt: skip

    def kill(self, name: str) -> None:
        """End a node without warning."""
        self.nodes[name].kill()

    def start(self, name: str) -> None:
        """Start a node again that was killed, as what restarts services would."""
        one = self.nodes[name]
        one.process = self.server.start(one.own, self.heap)

    def seconds_to(self, status: str, nodes: int, patience_s: float = 240) -> float:
        """How long it takes until so many nodes are of a status; TimeoutError after a while."""
        started = time.monotonic()
        while time.monotonic() - started < patience_s:
            health: dict[str, Any] = {}
            with suppress(OSError):  # no master at the moment, or a node that starts
                health = self._ask("/_cluster/health?timeout=1s")
            if (health.get("status"), health.get("number_of_nodes")) == (status, nodes):
                return time.monotonic() - started
            time.sleep(0.05)
        raise TimeoutError(f"the cluster is not {status}")

    def _ask(self, path: str) -> Any:
        """What the first node that answers says; the OSError of the last one where none does."""
        last: OSError = ConnectionError("no node runs")
        for name in self.alive:
            try:
                url = f"http://127.0.0.1:{self.nodes[name].port}{path}"
                with urllib.request.urlopen(url, timeout=10) as answer:
                    return json.load(answer)
            except OSError as error:
                last = error
        raise last


@contextmanager
def cluster(folder: Path, heap: str = "512m") -> Iterator[Cluster]:
    """A cluster whose files lie in a folder; what runs of it is stopped at the end."""
    server = Server(folder)
    transport = {name: free_port() for name in NAMES}
    hosts = [f"127.0.0.1:{port}" for port in transport.values()]
    with ExitStack() as stack:
        made = Cluster(server, heap, {})
        for name in NAMES:
            options = {
                "node.name": name, "cluster.name": "three", "transport.port": transport[name],
                "discovery.seed_hosts": json.dumps(hosts), "xpack.security.enabled": "false",
                "cluster.initial_master_nodes": json.dumps(NAMES),
            }  # fmt: skip
            made.nodes[name] = stack.enter_context(running(server, name, options, heap))
        for each in made.nodes.values():
            each.wait(f"http://127.0.0.1:{each.port}", nodes=len(NAMES))
        yield made
