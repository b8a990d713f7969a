"""Measures the product on the machine at hand.

    make bench            500,000 listings, and 5,000,000 for growth: two hours
    make bench QUICK=1    10,000 listings: five minutes, and nothing is written
    python -m benchmarks engines api      some of it only

The sections share one node and go into benchmarks/results.md, each as soon as it is done; the
programs start what they need and write reports of their own.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from benchmarks import (
    api,
    cache,
    cluster,
    engines,
    growth,
    indexing,
    pages,
    results,
    sizing,
    stacks,
    suggest,
)
from benchmarks.bench import QUICK, Bench, filled
from tests import elasticsearch_node


class Section(Protocol):
    """A module that measures something on the shared node."""

    TITLE: str

    def section(self, bench: Bench) -> Iterator[str]:
        """What it found, in markdown, as it comes."""


class Program(Protocol):
    """A module that measures by itself, and writes its report."""

    def main(self) -> None: ...


SECTIONS: Mapping[str, Section] = {
    "engines": engines, "api": api, "pages": pages, "suggest": suggest, "cache": cache,
    "stacks": stacks, "growth": growth,
}  # fmt: skip
PROGRAMS: Mapping[str, Program] = {"indexing": indexing, "sizing": sizing, "cluster": cluster}
RESULTS = Path(__file__).with_name("results.md")


def measure(chosen: Sequence[str]) -> None:
    """Run sections on one node, and write each into the file of results."""
    with tempfile.TemporaryDirectory(prefix="directory-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with elasticsearch_node.node(folder / "node") as url:
            with told("filling both engines"):
                bench = filled(folder, url)
            for each in chosen:
                with told(each):
                    write(SECTIONS[each].TITLE, results.measured_on() + run(each, bench))


def run(name: str, bench: Bench) -> str:
    """What a section says, which is also printed as it comes."""
    text = ""
    print(f"## {SECTIONS[name].TITLE}\n")
    for line in SECTIONS[name].section(bench):
        text += line
        sys.stdout.write(line)
        sys.stdout.flush()
    return text


def write(title: str, text: str) -> None:
    """Put a section into the file of results, beside what was measured before; a quick one not."""
    if not QUICK:
        measured = results.sections(RESULTS.read_text()) | {title: text}
        titles = [section.TITLE for section in SECTIONS.values()]
        RESULTS.write_text(results.file_of(titles, measured))


@contextmanager
def told(what: str) -> Iterator[None]:
    """Print how long it takes."""
    begun = time.monotonic()
    yield
    print(f"\n({what}: {time.monotonic() - begun:.0f} s)\n", flush=True)


def main(names: Sequence[str]) -> None:
    """Measure what is named, or everything."""
    chosen = names or [*SECTIONS, *PROGRAMS]
    if unknown := set(chosen) - {*SECTIONS, *PROGRAMS}:
        sys.exit(f"there is no {', '.join(unknown)}, but {', '.join((*SECTIONS, *PROGRAMS))}")
    with told("all"):
        if sections := [name for name in SECTIONS if name in chosen]:
            measure(sections)
        for name in PROGRAMS:
            if name in chosen:
                with told(name):
                    PROGRAMS[name].main()


if __name__ == "__main__":
    main(sys.argv[1:])
