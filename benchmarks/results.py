"""The file of results: one section a measurement, each with what it was measured on."""

import os
import platform
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.bench import LISTINGS
from tests import elasticsearch_node

HEAD = """# Measurements

Made by `make bench`; `python -m benchmarks engines api` makes two sections anew and leaves the others.
Only the ratios count: whatever is compared is asked in turn, in the same minutes, on the same machine.
"""
NOT_RUN = "Not run yet.\n"


def measured_on() -> str:
    """A line with day, listings, machine and versions."""
    return (
        f"*{datetime.now(UTC).date()}, {LISTINGS:,} fictional listings; {_processor()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}, SQLite "
        f"{sqlite3.sqlite_version}, Flask {version('flask')}, gunicorn {version('gunicorn')}, "
        f"Elasticsearch {elasticsearch_node.VERSION} (a heap of 1 GB).*\n\n"
    )


def sections(text: str) -> dict[str, str]:
    """The sections of such a file by their titles."""
    _, *parts = text.split("\n## ")
    split = (part.partition("\n\n") for part in parts)
    return {title: f"{said.strip()}\n" for title, _, said in split}


def file_of(titles: Iterable[str], measured: Mapping[str, str]) -> str:
    """The file with these sections, in this order; of those that were never measured it says so."""
    parts = (f"\n## {title}\n\n{measured.get(title, NOT_RUN).strip()}\n" for title in titles)
    return "".join((HEAD, *parts))


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line for line in lines if "model name" in line)
    return next(names, platform.machine()).partition(": ")[2]
