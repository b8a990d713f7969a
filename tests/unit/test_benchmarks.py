"""The benchmarks run on today's code, and do not make figures of what went wrong."""

import importlib
import pkgutil
import sqlite3
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

import benchmarks
from benchmarks import results
from benchmarks.__main__ import RESULTS, SECTIONS
from benchmarks.bench import fill
from benchmarks.cache import Costs, _verdict
from benchmarks.clients import get, load
from benchmarks.growth import LEAST, SIZES, reaching_as_many
from benchmarks.indexing import bare_index
from directory.search.sqlite import SqliteEngine


@pytest.mark.parametrize("name", [each.name for each in pkgutil.iter_modules(benchmarks.__path__)])
def test_every_module_can_be_imported(name: str) -> None:
    """Also without the servers of requirements/bench.txt, which are run as programs only."""
    importlib.import_module(f"benchmarks.{name}")


class _Refusing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(503)

    def log_message(self, *_: object) -> None:
        """Nobody is told."""


def test_a_load_that_was_refused_is_none() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        Thread(target=server.serve_forever).start()
        with pytest.raises(AssertionError, match="503"):
            load(f"http://127.0.0.1:{server.server_port}", [get("/")], clients=2, seconds=5)
        server.shutdown()


def test_the_results_are_as_they_are_made() -> None:
    text = RESULTS.read_text()
    titles = [section.TITLE for section in SECTIONS.values()]
    assert results.file_of(titles, results.sections(text)) == text


def test_a_section_is_made_anew_beside_the_others() -> None:
    text = results.file_of(["A", "B", "C"], {"A": "1\n\n| 2 |\n", "B": "old\n"})
    again = results.file_of(["A", "B", "C"], results.sections(text) | {"B": "new\n"})
    assert results.sections(again) == {"A": "1\n\n| 2 |\n", "B": "new\n", "C": results.NOT_RUN}


def test_circles_reach_to_as_many_at_every_size() -> None:
    away = np.random.default_rng(1).uniform(0, 1_000, SIZES[-1])
    for wide_m, found in ((0.1, LEAST), (100.0, int((away[: SIZES[0]] <= 100.0).sum()))):
        for many, radius_m in reaching_as_many(away, wide_m).items():
            assert (away[:many] <= radius_m).sum() == found


def test_the_ceiling_of_the_embedded_index_has_all_its_tables_and_indexes(tmp_path: Path) -> None:
    fill(SqliteEngine(tmp_path / "ours.db"), 200)
    assert bare_index(tmp_path / "ours.db", tmp_path / "bare.db") > 0
    ours, bare = (_rows(tmp_path / name) for name in ("ours.db", "bare.db"))
    assert len(bare) > 10
    assert bare == {name: rows for name, rows in ours.items() if name.endswith("_1")}


def _rows(path: Path) -> dict[str, int | None]:
    """How many rows each table has, by its name; an index has none of its own."""
    db = sqlite3.connect(path)
    try:
        made = db.execute("SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        return {
            name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] if kind == "table" else None
            for kind, name in made
        }  # fmt: skip
    finally:
        db.close()


@pytest.mark.parametrize(
    ("share", "entries", "verdict"),
    [(0.25, 1_000, "saves too little"), (0.5, 1_000, "keep"), (0.5, 50_000, "takes too much")],
)
def test_answers_are_kept_by_the_rule(share: float, entries: int, verdict: str) -> None:
    costs = Costs(miss=10.0, hit=4.0, size=10_000.0)
    assert _verdict(costs, entries, share, process_mb=100.0) == verdict
