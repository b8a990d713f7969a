"""A load that is killed at any moment and run again ends as if nothing had happened."""

import multiprocessing
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from directory.places import Places
from directory.services import Services
from directory.store.bulk import table_of
from directory.store.database import Database
from directory.store.models import (
    AddressPointRow,
    ChangeCounterRow,
    ClinicRow,
    ListingRow,
    LoadRow,
    RevisionRow,
    StatementRow,
)
from indexer import workers
from indexer.load import Loader
from indexer.sources.clinics import Clinics
from indexer.sources.csv import Csv
from indexer.sources.fhir import Fhir
from indexer.sources.files import Part, SourceError
from indexer.sources.nppes import Nppes
from indexer.sources.record import Passed, Record, RecordSource
from tests.conftest import clock
from tests.indexer.test_load import COLUMNS, ROW, load, load_csv

_FORK = multiprocessing.get_context("fork")
_WHEN = ("change_number", "updated_at", "found_at")

REGISTRY = "nppes/npidata_pfile_20240101-20240107.csv.gz"
"""What is in the store before the loads that are killed."""

LATER = "nppes/npidata_pfile_20240122-20240128.csv.gz"
KILLS = 3


@dataclass(frozen=True)
class Work:
    """A load: its source and its file; a large one is prepared in a second process."""

    source: RecordSource
    file: Path
    is_large: bool = False

    def do(self, url: str, places: Places, rejects: Path) -> None:
        """Load the file into the store."""
        database = Database(url)
        loader = Loader(database, places, clock, rejects)
        (summary,) = loader.load(self.source, self.source.parts([self.file]))
        assert not summary.error
        database.close()


def begun(
    work: Work, url: str, places: Places, rejects: Path, *, dies_soon: bool = False
) -> BaseProcess:
    """A process of its own that does the work; what it forks is in its process group.

    One that dies soon is killed as soon as a batch of statements is in the store.
    """

    def there() -> None:
        os.setpgid(0, 0)
        if dies_soon:
            die_after_a_batch(url)
        workers.SMALL_BYTES = 0 if work.is_large else 1 << 40
        work.do(url, places, rejects)

    process = _FORK.Process(target=there)
    process.start()
    return process


def die_after_a_batch(url: str) -> None:
    """Let this process be killed behind the transaction that brings more statements."""
    writing, before = Database.writing, statements(url)

    @contextmanager
    def last(database: Database, **options: bool) -> Iterator[Session]:
        with writing(database, **options) as session:
            yield session
        if statements(url) > before:
            os.kill(os.getpid(), signal.SIGKILL)

    Database.writing = last  # type: ignore[method-assign]  # of this process alone


def done(*processes: BaseProcess) -> None:
    for process in processes:
        process.join(60)
        assert process.exitcode == 0


def swept(process: BaseProcess) -> None:
    """End what a process that was killed has left behind."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid or 0, signal.SIGKILL)


def content(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All that a store holds, without times and the numbers of changes."""
    database, found = Database(url), {}
    with database.reading() as session:
        for model in (ListingRow, StatementRow, ClinicRow, AddressPointRow):
            table = table_of(model)
            columns = [column for column in table.c if column.name not in _WHEN]
            rows = session.execute(select(*columns).order_by(*table.primary_key))
            found[table.name] = [tuple(row) for row in rows]
        counter = session.get_one(ChangeCounterRow, 1).number
        assert session.scalar(select(func.count()).select_from(RevisionRow)) == counter
        assert session.scalar(select(func.max(ListingRow.change_number))) in (None, counter)
    database.close()
    return found


def finished(url: str) -> list[bool]:
    """Of each load of a store in order, whether it is through."""
    database = Database(url)
    with database.reading() as session:
        rows = session.scalars(select(LoadRow).order_by(LoadRow.id)).all()
        found = [row.finished_at is not None for row in rows]
        assert all(bool(row.counts) is (row.finished_at is not None) for row in rows)
    database.close()
    return found


def rejected(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("*")}


@pytest.fixture(scope="module")
def loaded(
    shared_data: Path, places: Places, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path], str]:
    """Makes a copy of a store that knows some practitioners already, and tells its URL."""
    folder = tmp_path_factory.mktemp("loaded")
    url = f"sqlite:///{folder / 'store.db'}"
    made = Database(url)
    made.migrate()
    made.close()
    Work(Nppes(), shared_data / REGISTRY).do(url, places, folder / "rejects")

    def copy(to: Path) -> str:
        shutil.copy(folder / "store.db", to)
        return f"sqlite:///{to}"

    return copy


WORKS: dict[str, Callable[[Path], Work]] = {
    "registry": lambda data: Work(Nppes(), data / LATER, is_large=True),
    "list": lambda data: Work(Csv(True), data / "providers/cms_clinicians_maine.csv"),
    "clinics": lambda data: Work(Clinics(), data / "providers/rehab_facilities.csv.gz", True),
    "fhir": lambda data: Work(Fhir(), data / "fhir/plan_net_sample.ndjson.gz", is_large=True),
}


@pytest.mark.parametrize("name", WORKS)
def test_a_load_killed_at_any_moment_is_simply_run_again(
    loaded: Callable[[Path], str], shared_data: Path, places: Places, tmp_path: Path, name: str
) -> None:
    work, rng = WORKS[name](shared_data), random.Random(name)
    whole, before = loaded(tmp_path / "whole.db"), content(loaded(tmp_path / "before.db"))
    started = time.monotonic()
    done(begun(work, whole, places, tmp_path / "whole"))
    lasts, expected = time.monotonic() - started, content(whole)
    rejects = rejected(tmp_path / "whole")
    assert expected != before
    assert rejects or name == "registry"
    cut_short = 0
    for number in range(KILLS):
        url, folder = loaded(tmp_path / f"{number}.db"), tmp_path / f"rejects-{number}"
        process = begun(work, url, places, folder)
        time.sleep(rng.uniform(number, number + 0.8) / KILLS * lasts)
        process.kill()
        process.join()
        swept(process)
        was_through = finished(url)[1:] == [True]
        cut_short += not was_through
        if was_through:
            assert content(url) == expected
        done(begun(work, url, places, folder))
        assert content(url) == expected
        assert rejected(folder) == rejects
        assert finished(url)[-1]
        assert sum(not each for each in finished(url)) <= (not was_through)
    assert cut_short


def test_a_load_killed_after_each_batch_gets_through(
    loaded: Callable[[Path], str], shared_data: Path, places: Places, tmp_path: Path
) -> None:
    work = WORKS["list"](shared_data)
    whole, url = loaded(tmp_path / "whole.db"), loaded(tmp_path / "killed.db")
    work.do(whole, places, tmp_path / "rejects")
    stored = [statements(url)]
    while True:
        process = begun(work, url, places, tmp_path / "rejects", dies_soon=True)
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        stored.append(statements(url))
        assert stored[-1] > stored[-2]
    assert len(stored) >= 3
    assert content(url) == content(whole)
    assert finished(url)[-1]
    assert finished(url).count(False) >= 2


def statements(url: str) -> int:
    database = Database(url)
    with database.reading() as session:
        count = session.scalar(select(func.count()).select_from(StatementRow))
    database.close()
    return count or 0


def children(process: BaseProcess) -> set[int]:
    with suppress(FileNotFoundError):
        found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return {int(pid) for pid in found}
    return set()


@pytest.mark.parametrize("name", ["registry", "list", "fhir"])
def test_a_second_process_changes_nothing_but_the_time_it_takes(
    loaded: Callable[[Path], str], shared_data: Path, places: Places, tmp_path: Path, name: str
) -> None:
    found, seen = [], {False: set[int](), True: set[int]()}
    for is_large in seen:
        work = replace(WORKS[name](shared_data), is_large=is_large)
        url, folder = loaded(tmp_path / f"{is_large}.db"), tmp_path / f"{is_large}"
        process = begun(work, url, places, folder)
        while process.is_alive():
            seen[is_large] |= children(process)
            time.sleep(0.002)
        done(process)
        found.append((content(url), rejected(folder)))
    assert found[0] == found[1]
    assert not seen[False]
    assert seen[True]
    assert not any(Path(f"/proc/{pid}").exists() for pid in seen[True])


def test_loads_at_once_on_one_store_all_succeed(
    database: Database, shared_data: Path, places: Places, tmp_path: Path
) -> None:
    url = database._engine.url.render_as_string(hide_password=False)
    works = [WORKS["list"](shared_data), Work(Nppes(), shared_data / REGISTRY, is_large=True)]
    alone: set[tuple[Any, ...]] = set()
    for number, work in enumerate(works):
        Database(f"sqlite:///{tmp_path / f'{number}.db'}").migrate()
        work.do(f"sqlite:///{tmp_path / f'{number}.db'}", places, tmp_path / f"rejects-{number}")
        alone |= said(f"sqlite:///{tmp_path / f'{number}.db'}")
    processes = [
        begun(work, url, places, tmp_path / f"rejects-{number}-{twice}")
        for twice in range(2)
        for number, work in enumerate(works)
    ]
    done(*processes)
    assert said(url) == alone
    assert finished(url) == [True] * len(processes)
    for number in range(len(works)):
        expected = rejected(tmp_path / f"rejects-{number}")
        assert rejected(tmp_path / f"rejects-{number}-0") == expected
        assert rejected(tmp_path / f"rejects-{number}-1") == expected


def said(url: str) -> set[tuple[Any, ...]]:
    """What was said, of whichever listings."""
    rows = content(url)["statement"]
    return {(source, key, repr(fields)) for source, key, *_, fields in rows}


def test_a_mended_rejects_file_survives_a_load_that_fails(parts: Services, tmp_path: Path) -> None:
    rows = [ROW.replace("ana-1", f"ana-{n}").replace("TX", "XX") for n in range(3)]
    rejects = load_csv(parts, tmp_path, COLUMNS, *rows).rejects
    assert rejects
    mended = rejects.read_bytes().replace(b",XX,", b",TX,")
    rejects.write_bytes(mended)

    class Cut(Csv):
        def read(self, part: Part, known: Collection[str]) -> Iterator[Record | Passed]:
            yield from super().read(part, known)
            raise SourceError("the disk went")

    with pytest.raises(SourceError):
        load(parts, Cut(), rejects, rejects.parent)
    assert rejects.read_bytes() == mended
