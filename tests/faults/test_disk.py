"""A disk that is full: a small one of memory is filled to the last byte, and then freed."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from directory.listing import Source
from directory.search.engine import EngineUnavailable
from directory.search.sqlite import SqliteEngine
from directory.store.database import Database, StoreUnavailable
from indexer import sync
from tests.conftest import not_here
from tests.faults.site import served, until
from tests.faults.test_refused import AtOnce
from tests.faults.test_server import post
from tests.indexer.test_sync import indexed, stored
from tests.store.test_store import put

SIZE = "24m"
PATHS = ("/", "/guide", "/privacy", "/clinics/", "/clinics/new", "/clinics/sign-in", "/quality",
         "/api/docs", "/api/v1/vocabulary", "/api/v1/openapi.json", "/fhir/r4/metadata",
         "/robots.txt", "/listings/ana", "/search?near=78701")  # fmt: skip
"""Each is counted in a place of its own."""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)]
    done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if done.returncode:
        not_here(f"no disk can be mounted here (it needs root): {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill_up(disk: Path) -> Path:
    """Leave no room on a disk, in a file that is deleted to make some."""
    path = disk / "filling"
    with path.open("wb", buffering=0) as file:
        for size in (1_000_000, 4_096, 1):
            try:
                while True:
                    file.write(os.urandom(size))
            except OSError:
                continue
    return path


def test_nothing_is_acknowledged_that_is_not_kept(small: Path) -> None:
    store = Database(f"sqlite:///{small / 'store.db'}")
    store.migrate()
    put(store, "before")
    filling, kept = fill_up(small), []
    with pytest.raises(StoreUnavailable):
        for number in range(2_000):
            put(store, f"l{number:04}", Source.FILE, about="long " * 100)
            kept.append(f"l{number:04}")
    filling.unlink()
    put(store, "after")
    assert stored(store).keys() == {"before", "after", *kept}
    store.close()


def test_the_index_catches_up_once_there_is_room(small: Path, tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    engine = SqliteEngine(small / "search.db")
    put(store, "before")
    sync.sync(store, engine)
    assert indexed(engine) == {"before": None}  # now it is open, as of every site that runs
    filling = fill_up(small)
    for number in range(300):
        put(store, f"l{number:04}", about="long " * 100)
    for work in (sync.sync, sync.rebuild):
        with pytest.raises(EngineUnavailable):
            work(store, engine, stop=AtOnce())
        assert indexed(engine) == {"before": None}
    filling.unlink()
    sync.sync(store, engine)
    assert indexed(engine) == stored(store)
    assert sync.status(store, engine).left_out == 0
    engine.close()
    store.close()


def test_a_site_whose_disk_is_full_says_so_and_recovers(small: Path) -> None:
    """Store, index, letters, log and temporary files are all on it; who searches notices nothing.

    Nor does a process end, or one that begins anew fail: what is counted has its room, or none.
    """
    store, engine = Database(f"sqlite:///{small / 'store.db'}"), SqliteEngine(small / "search.db")
    store.migrate()
    put(store, "ana", dry_needling="yes")
    sync.sync(store, engine)
    engine.close()
    store.close()
    with served(small, TMPDIR=str(small)) as site:
        first = site.workers()
        assert post(site.port, 0) == 202
        assert site.status("/api/v1/search?near=78701") == 200
        filling = fill_up(small)
        answers = [post(site.port, number) for number in range(1, 15)]
        assert 503 in answers
        assert set(answers) <= {202, 503}
        assert site.status("/api/v1/search?near=78701") == 200
        for number in range(2 * len(PATHS)):
            assert site.status(PATHS[number % len(PATHS)]) == 200
        assert site.workers() == first
        os.kill(min(first), signal.SIGKILL)
        until(lambda: len(site.workers() - {min(first)}) == len(first))
        for _ in range(20):
            assert site.status("/metrics") == 200
        filling.unlink()
        until(lambda: post(site.port, 50) == 202)
