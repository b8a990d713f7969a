"""Measures the search on the machine at hand, and writes benchmarks/results.md.

    make bench            500,000 listings, and 5,000,000 for growth: about an hour, with the indexer
    make bench QUICK=1    50,000 listings: five minutes, and nothing is written
    python -m benchmarks engines api      some sections only, and nothing is written

Only the ratios count: whatever is compared is asked in turn, in the same minutes, on the same
machine. The indexer has a benchmark of its own, indexing.py, and the cluster cluster.py.
"""

import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks import api, cache, engines, growth, pages, stacks, suggest
from benchmarks.bench import LISTINGS, QUICK, Bench
from tests import elasticsearch_node

SECTIONS = {
    "engines": engines, "api": api, "pages": pages, "suggest": suggest, "cache": cache,
    "stacks": stacks, "growth": growth,
}  # fmt: skip
RESULTS = Path(__file__).with_name("results.md")


def report(bench: Bench, chosen: list[str]) -> Iterator[str]:
    """The lines of the report, as they come."""
    yield f"# Measurements\n\n{LISTINGS:,} fictional listings. {_processor()}, {os.cpu_count()} cores, "
    yield f"Python {platform.python_version()}, numpy {np.__version__}, SQLite {sqlite3.sqlite_version}, "
    yield f"Flask {version('flask')}, gunicorn {version('gunicorn')}, Elasticsearch "
    yield f"{elasticsearch_node.VERSION} (a heap of 1 GB). `make bench` makes this file.\n\n"
    for name in chosen:
        yield from SECTIONS[name].section(bench)


def _processor() -> str:
    names = (
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    )
    return next(names, platform.machine()).partition(": ")[2]


def main() -> None:
    """Measure, and write the results as they come."""
    chosen = sys.argv[1:] or list(SECTIONS)
    if "engines" not in chosen:
        chosen.insert(0, "engines")  # it fills both engines
    text = ""
    with tempfile.TemporaryDirectory(prefix="directory-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with elasticsearch_node.node(folder / "node") as url:
            for line in report(Bench(folder, url), chosen):
                text += line
                sys.stdout.write(line)
                sys.stdout.flush()
    if not QUICK and chosen == list(SECTIONS):
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
