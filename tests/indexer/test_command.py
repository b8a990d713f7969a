"""One command of several files: what it withdraws, how it is rehearsed, and what may end it."""

import json
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from directory.places import Places
from directory.store import changefeed, loads
from directory.store.database import Database
from indexer.load import Loader, Progress
from indexer.sources.clinics import Clinics
from indexer.sources.files import Part, SourceError
from indexer.sources.jsonl import Jsonl
from indexer.sources.record import Gone, Meaning, Passed, Record, RecordSource, Said
from indexer.summary import Result, Summary
from indexer.workers import SMALL_BYTES
from tests.builders import TODAY, a_listing
from tests.conftest import clock

ADDED, CHANGED, UNCHANGED, WITHDRAWN, SKIPPED, REJECTED = Result
BODY = a_listing().model_dump(mode="json", exclude={"id", "provenance"}, exclude_unset=True)


class Register(Jsonl):
    """JSON Lines in which somebody may be gone since a day, or practise at one more place."""

    NAME: ClassVar[str] = "register"

    def interpret(self, record: Record, today: date) -> Meaning:
        raw = record.raw
        if raw == {"kill": True}:
            os.kill(os.getpid(), signal.SIGKILL)
        if "gone" in raw:
            return Gone(raw["id"], date.fromisoformat(raw["gone"]), "it has left")
        if "of" in raw:
            return Said(raw["id"], today, raw["said"], base=raw["of"])
        on = date.fromisoformat(raw.pop("on", today.isoformat()))
        said = super().interpret(record, today)
        return replace(said, as_of=on) if isinstance(said, Said) else said


def there(*numbers: int, **fields: Any) -> list[dict[str, Any]]:
    """Practitioners, each of a name and in a building of its own."""
    return [
        {**BODY, "id": f"number-{n}", "name": {"given": "Ana", "family": f"Of{n}"},
         "address": {**BODY["address"], "line1": f"{n} Main St"}, **fields}
        for n in numbers
    ]  # fmt: skip


def gone(*numbers: int, on: date = TODAY) -> list[dict[str, Any]]:
    return [{"id": f"number-{n}", "gone": on.isoformat()} for n in numbers]


@dataclass(frozen=True)
class Desk:
    """Loads registers into a store."""

    database: Database
    places: Places
    folder: Path

    def written(self, *files: Sequence[dict[str, Any]]) -> list[Path]:
        paths = [self.folder / f"{number}.jsonl" for number in range(len(files))]
        for path, lines in zip(paths, files, strict=True):
            path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        return paths

    def loader(self, **options: Any) -> Loader:
        return Loader(self.database, self.places, clock, self.folder / "rejects", **options)

    def load(self, *files: Sequence[dict[str, Any]], **options: Any) -> list[Counter[Result]]:
        """What became of the records of each file of one command."""
        return [each.counts for each in self.summaries(*files, **options)]

    def summaries(self, *files: Sequence[dict[str, Any]], **options: Any) -> list[Summary]:
        source = Register()
        found = self.loader(**options).load(source, source.parts(self.written(*files)))
        assert [each.read for each in found] == [len(lines) for lines in files]
        return found

    def feed(self) -> list[tuple[int, str, bool]]:
        with self.database.reading() as session:
            changes = changefeed.changes(session, since=0, limit=100_000)
        return [(each.number, each.id, each.document is None) for each in changes]

    def listed(self) -> set[str]:
        return {id_ for _, id_, is_gone in self.feed() if not is_gone}


@pytest.fixture
def desk(database: Database, places: Places, tmp_path: Path) -> Desk:
    return Desk(database, places, tmp_path)


@pytest.fixture
def small(places: Places, tmp_path: Path) -> Iterator[Desk]:
    """On SQLite alone."""
    database = Database(f"sqlite:///{tmp_path / 'small.db'}")
    database.migrate()
    yield Desk(database, places, tmp_path)
    database.close()


def test_files_that_each_withdraw_little_are_too_much_together(desk: Desk) -> None:
    desk.load(there(*range(100)))
    files = (gone(*range(4)), [*gone(*range(10, 14)), *there(500)])
    held = desk.summaries(*files)
    assert [each.withheld for each in held] == [4, 4]
    assert [each.counts for each in held] == [
        Counter({SKIPPED: 4}),
        Counter({SKIPPED: 4, ADDED: 1}),
    ]
    assert len(desk.listed()) == 101
    accepted = desk.load(*files, accept_withdrawals=True)
    assert accepted == [Counter({WITHDRAWN: 4}), Counter({WITHDRAWN: 4, UNCHANGED: 1})]
    assert len(desk.listed()) == 93


def test_a_few_may_leave_a_small_list(small: Desk) -> None:
    small.load(there(*range(10)))
    assert small.load(gone(*range(5))) == [Counter({WITHDRAWN: 5})]
    small.load(there(*range(10), on=TODAY.isoformat()))
    assert small.load(gone(*range(6))) == [Counter({SKIPPED: 6})]


def test_only_what_was_said_under_this_origin_counts(small: Desk) -> None:
    small.load(there(*range(200)), origin="a")
    small.load(there(*range(300, 320)))
    assert small.load(gone(*range(300, 306))) == [Counter({SKIPPED: 6})]
    assert small.load(gone(*range(6)), origin="a") == [Counter({WITHDRAWN: 6})]


def test_clinics_and_practitioners_are_counted_each_for_themselves(small: Desk) -> None:
    load_clinics(small, 300)
    small.load(there(*range(20)))
    assert small.load(gone(*range(6))) == [Counter({SKIPPED: 6})]


def test_a_few_clinics_may_leave_with_many_practitioners(small: Desk) -> None:
    load_clinics(small, 3)
    small.load(there(*range(200)))
    clinic = {"id": "Clinic 0||0 Elm St|78701", "gone": TODAY.isoformat()}
    assert small.load([*gone(*range(6)), clinic]) == [Counter({WITHDRAWN: 7})]


def load_clinics(desk: Desk, count: int) -> None:
    rows = (f"Clinic {n},{n} Elm St,Austin,TX,78701" for n in range(count))
    path = desk.folder / "clinics.csv"
    path.write_text("name,line1,city,state,postal_code\n" + "\n".join(rows))
    (clinics,) = desk.loader().load(Clinics(), Clinics().parts([path]))
    assert clinics.counts == Counter({ADDED: count})


def test_what_a_later_file_says_again_is_there(small: Desk) -> None:
    small.load(there(1, 2, 3))
    before, after = TODAY - timedelta(days=9), TODAY + timedelta(days=9)
    small.load(there(1, 2, 3, on=before.isoformat()))
    files = (gone(1, 2), [*there(1), *there(2, on=before.isoformat()), *gone(3, on=after)])
    assert small.load(*files) == [
        Counter({SKIPPED: 1, WITHDRAWN: 1}),
        Counter({UNCHANGED: 2, WITHDRAWN: 1}),
    ]
    assert small.listed() == {"number-1"}


def test_gone_in_two_files_is_withdrawn_once(small: Desk) -> None:
    small.load(there(1, on="2026-11-10"))
    files = (gone(1, on=date(2026, 11, 1)), gone(1, on=date(2026, 11, 20)))
    assert small.load(*files) == [Counter({SKIPPED: 1}), Counter({WITHDRAWN: 1})]


def test_a_command_stopped_anywhere_and_run_again_ends_the_same(
    places: Places, tmp_path: Path
) -> None:
    files = (there(*range(30)), [*gone(*range(8)), *there(40)], there(50))

    class End(Exception):
        """As good as a kill."""

    def state(stop: int | None) -> tuple[set[str], int]:
        folder = tmp_path / str(stop)
        folder.mkdir()
        database = Database(f"sqlite:///{folder / 'store.db'}")
        database.migrate()
        each = Desk(database, places, folder)

        @contextmanager
        def watch(part: Part) -> Iterator[Progress]:
            if part.name == f"{stop}.jsonl":
                raise End
            yield lambda _, __: None

        parts = Register().parts(each.written(*files))
        if stop is not None:
            with pytest.raises(End):
                each.loader().load(Register(), parts, watch)
        each.loader().load(Register(), parts)
        found = (each.listed(), len(each.feed()))
        database.close()
        return found

    once = state(None)
    assert [state(stop) for stop in range(3)] == [once] * 3


def test_a_rehearsal_tells_what_the_load_does(desk: Desk) -> None:
    desk.load(there(*range(30)))
    address = BODY["address"] | {"line1": "9 Oak St"}
    further = {"id": "further", "of": "number-90", "said": {"address": address}}
    bad = {**there(91)[0], "phone": "none"}
    files = (there(*range(3), phone="5125550101"), there(90), [further, bad], gone(*range(5)))
    before = desk.feed()
    rehearsed = desk.summaries(*files, rehearsal=True)
    assert desk.feed() == before
    with desk.database.reading() as session:
        assert len(loads.last(session)) == 1
    real = desk.summaries(*files)
    assert [each.counts for each in rehearsed] == [each.counts for each in real]
    assert [each.examples for each in rehearsed] == [each.examples for each in real]
    assert real[2].counts == Counter({ADDED: 1, REJECTED: 1})
    kept = [each.rejects for each in (rehearsed[2], real[2])]
    assert kept[0]
    assert kept[1]
    assert kept[0] != kept[1]
    assert kept[0].read_bytes() == kept[1].read_bytes()


def test_a_rehearsal_of_mended_rejects_leaves_them(small: Desk) -> None:
    (first,) = small.summaries([{**there(1)[0], "phone": "none"}, {**there(2)[0], "npi": "1"}])
    assert first.rejects
    mended = first.rejects.read_text().replace('"none"', '"5125550101"')
    first.rejects.write_text(mended)
    rehearsal = small.loader(rehearsal=True)
    (rehearsed,) = rehearsal.load(Register(), Register().parts([first.rejects]))
    assert rehearsed.counts == Counter({ADDED: 1, REJECTED: 1})
    assert first.rejects.read_text() == mended
    assert rehearsed.rejects
    assert rehearsed.rejects != first.rejects


def large(parts: Sequence[Part]) -> list[Part]:
    """The same, prepared in a second process."""
    return [replace(part, size=SMALL_BYTES) for part in parts]


def test_a_second_process_that_is_killed_ends_in_a_word(small: Desk) -> None:
    parts = large(Register().parts(small.written(there(1), [{"kill": True}])))
    first, second = small.loader().load(Register(), parts)
    assert (first.error, first.counts) == (None, Counter({ADDED: 1}))
    assert "ended from outside" in str(second.error)
    assert small.listed() == {"number-1"}
    assert small.load(there(2)) == [Counter({ADDED: 1})]


def test_the_second_process_is_there_before_anything_is_watched(small: Desk) -> None:
    children = []

    @contextmanager
    def watch(_: Part) -> Iterator[Progress]:
        children.append(multiprocessing.active_children())
        yield lambda _, __: None

    source: RecordSource = Register()
    small.loader().load(source, large(source.parts(small.written(there(1), there(2)))), watch)
    (first, second) = children
    assert len(first) == 1
    assert first == second
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("size", [0, SMALL_BYTES])
def test_what_was_read_before_an_error_is_stored(small: Desk, size: int) -> None:
    class Cut(Register):
        def read(self, part: Part, known: Collection[str]) -> Iterator[Record | Passed]:
            yield from super().read(part, known)
            raise SourceError("the disk went")

    paths = small.written([*there(1), {**there(9)[0], "phone": "none"}])
    parts = [replace(part, size=size) for part in Cut().parts(paths)]
    (cut,) = small.loader().load(Cut(), parts)
    assert str(cut.error) == "the disk went"
    assert cut.counts == Counter({ADDED: 1, REJECTED: 1})
    assert small.listed() == {"number-1"}
    assert cut.rejects
    assert cut.rejects.name.endswith(".partial")
    assert '"phone": "none"' in cut.rejects.read_text()
    with small.database.reading() as session:
        assert [each.finished_at for each in loads.last(session)] == [None]
    (whole,) = small.loader().load(Register(), Register().parts(paths))
    assert whole.counts == Counter({UNCHANGED: 1, REJECTED: 1})
    assert not cut.rejects.exists()


def test_each_kind_of_load_has_its_last(small: Desk) -> None:
    paths = small.written(there(1))
    for source in (Register(), Jsonl(), Register()):
        small.loader().load(source, source.parts(paths))
    with small.database.reading() as session:
        assert [each.source for each in loads.last(session)] == ["jsonl", "register"]


def test_a_key_that_is_too_long_is_rejected_on_both_stores(desk: Desk) -> None:
    row = f"{'Clinic ' * 27},1 Elm St,Austin,TX,78701"
    path = desk.folder / "clinics.csv"
    path.write_text(f"name,line1,city,state,postal_code\n{row}\n")
    for origin, count in ((None, ADDED), ("the-list-of-somebody", REJECTED)):
        (summary,) = desk.loader(origin=origin).load(Clinics(), Clinics().parts([path]))
        assert summary.counts == Counter({count: 1})
    assert summary.rejects
    assert "the record's key is longer than 200" in summary.rejects.read_text()
