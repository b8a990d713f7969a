"""What a page costs over the API's answer to the same search; how soon the server answers."""

import statistics
from collections.abc import Iterator

from benchmarks.bench import QUICK, Bench
from benchmarks.clients import Client, get
from benchmarks.queries import address, mix
from benchmarks.servers import memory_mb, serving
from benchmarks.tables import spread

TITLE = "Pages, and starting"
SEARCHES, ROUNDS, STARTS = (16, 2, 2) if QUICK else (64, 7, 7)


def section(bench: Bench) -> Iterator[str]:
    """Both over HTTP, in turn, on the embedded engine; targets: 3 ms more, and 1.5 s to start."""
    more, started, memory = [], [], []
    chosen = [{**each, "confirmed": ["yes"]} for each in mix(SEARCHES)]
    for number in range(STARTS):
        with serving(bench.folder, bench.embedded_url) as server:
            started.append(server.started_s)
            if number:
                continue
            with Client(server.url) as site:
                for round_ in range(ROUNDS + 1):
                    differences = [
                        site.ask(get(f"/search?{address(each)}"))[0]
                        - site.ask(get(f"/api/v1/search?{address(each)}"))[0]
                        for each in chosen
                    ]
                    if round_:
                        more.append(statistics.median(differences))
            memory = memory_mb(server.pid)
    yield f"A page of 20 results takes {spread(more)} ms more than the API's answer to the same search "
    yield "(target: 3).\n\n"
    yield f"From the command to the first search that is answered: {spread(started)} s (target: 1.5). "
    yield "Memory of the master and its workers after the pages above, what they share counted in "
    yield f"parts: {', '.join(f'{each:.0f}' for each in memory)} MB (target: 300 each).\n"
