"""Faults from outside and inside, each of which must end in a word and leave things whole."""

import gzip
import json
import multiprocessing
import threading
import zipfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from directory.listing import Source
from directory.search.engine import Ask, Engine, EngineUnavailable
from directory.search.sqlite import SqliteEngine
from directory.services import Services
from directory.store import age, changefeed, record
from directory.store.database import Database, StoreUnavailable
from directory.store.listings import Made, Status
from indexer import sync
from indexer.sources import files
from indexer.sources.csv import Csv
from indexer.sources.files import SourceError
from indexer.sources.jsonl import Jsonl
from indexer.summary import Result
from tests.builders import a_listing
from tests.conftest import clock, fresh_elastic
from tests.contract.test_engines import fill
from tests.indexer.test_load import COLUMNS, ROW, find, load, load_csv
from tests.indexer.test_sync import said_of
from tests.store.test_store import MADE, attested, feed, found, put


@pytest.mark.parametrize(
    "record",
    [
        {"id": "ana-1", "name": {"given": "\ud800", "family": "X"}},
        {"id": "\ud800"},
        {"id": "ana-1", "address": {"city": "X", "state": "00000 " * 3000, "postal_code": "1"}},
        {"id": "ana-1", "certificates": [{"title": f"word{n}"} for n in range(70_000)]},
        {"id": "ana-1", "area_only": "false"},
        {"id": "ana-1", "website": "https://example.org/\u202e"},
        {"id": "ana-1", "certificates": [{"title": "X", "verified_on": "2026-01-01"}]},
        {
            "id": "ana-1",
            "licence_check": {
                "state": "TX",
                "checked_on": "2026-01-01",
                "expires_on": "2028-01-01",
            },
        },
    ],
)
def test_a_hostile_record_is_rejected_and_the_load_goes_on(
    parts: Services, tmp_path: Path, record: dict[str, object]
) -> None:
    good = a_listing("good-1").model_dump(mode="json", exclude={"provenance"}, exclude_unset=True)
    whole = good | {"id": "ana-1"} | record
    path = tmp_path / "list.jsonl"
    path.write_text(f"{json.dumps(whole)}\n{json.dumps(good)}\n")
    assert load(parts, Jsonl(), path).counts == Counter({Result.REJECTED: 1, Result.ADDED: 1})


def test_a_member_that_is_there_twice_is_rejected(parts: Services, tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    path.write_text('{"id": "ana-1", "id": "bob-1"}\n')
    assert load(parts, Jsonl(), path).counts == Counter({Result.REJECTED: 1})


def test_a_gzip_that_ends_too_early_is_an_error(parts: Services, tmp_path: Path) -> None:
    path = tmp_path / "list.csv.gz"
    path.write_bytes(gzip.compress(f"{COLUMNS}\n{ROW}\n".encode() * 200)[:-20])
    with pytest.raises(SourceError):
        load(parts, Csv(), path)


def unpacking() -> int:
    """How many threads are at work that unpack files."""
    return sum("ThreadPoolExecutor" in thread.name for thread in threading.enumerate())


def test_nothing_is_unpacked_once_a_file_is_closed(tmp_path: Path) -> None:
    rows = f"{COLUMNS}\n{ROW}\n".encode() * 200_000
    (tmp_path / "list.csv.gz").write_bytes(gzip.compress(rows, 1))
    with zipfile.ZipFile(tmp_path / "lists.zip", "w") as archive:
        archive.write(tmp_path / "list.csv.gz", "list.csv.gz")
    for name, threads in ("list.csv.gz", 1), ("lists.zip", 2):
        (part,) = files.parts(tmp_path / name)
        with pytest.raises(ValueError, match="a row"), files.opened(part) as (stream, _):
            stream.read(10)
            assert unpacking() == threads
            raise ValueError("a row that nobody understands")
        assert unpacking() == 0


def test_a_fault_of_our_own_is_no_fault_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("x")
    (part,) = files.parts(tmp_path / "list.csv")
    for fault in (RuntimeError, NotImplementedError):
        with pytest.raises(fault), files.opened(part):
            raise fault


def test_a_zip_packed_in_a_way_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lists.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("list.csv", "x")
    content = bytearray(path.read_bytes())
    content[8] = content[content.index(b"PK\x01\x02") + 10] = 97
    path.write_bytes(content)
    (part,) = files.parts(path)
    with pytest.raises(SourceError, match=r"list\.csv: .*not supported"), files.opened(part):
        pass


def test_a_stray_quote_swallows_no_row_unsaid(parts: Services, tmp_path: Path) -> None:
    rows = [f'{ROW},"Smith', f"{ROW.replace('ana-1', 'bob-1')},c"]
    summary = load_csv(parts, tmp_path, f"{COLUMNS},clinic", *rows)
    assert summary.counts == Counter({Result.REJECTED: 1, Result.ADDED: 1})
    assert find(parts, "bob-1").listing
    quoted = f'{ROW},"Smith\n{ROW.replace("ana-1", "bob-1")}"'
    summary = load_csv(parts, tmp_path, f"{COLUMNS},clinic", quoted)
    assert summary.counts == Counter({Result.REJECTED: 1})


def test_a_ragged_row_is_rejected_again_until_it_is_mended(parts: Services, tmp_path: Path) -> None:
    rejects = load_csv(parts, tmp_path, f"{COLUMNS},clinic", f"{ROW},Smith, Jones and Co").rejects
    assert rejects
    again = load(parts, Csv(), rejects, rejects.parent)
    assert again.counts == Counter({Result.REJECTED: 1})
    assert "Jones and Co" in rejects.read_text()


def test_files_of_one_name_keep_their_rejects_apart(parts: Services, tmp_path: Path) -> None:
    kept = set()
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        (folder / "list.csv").write_text(f"{COLUMNS}\n{ROW.replace('TX', 'XX')}\n")
        kept.add(load(parts, Csv(), folder / "list.csv", tmp_path / "rejects").rejects)
    assert len(kept) == 2


def test_area_only_is_never_taken_for_no(parts: Services, tmp_path: Path) -> None:
    header = f"{COLUMNS},line1,lat,lon,area_only"
    rows = [f"{ROW},1 Secret St,30.1,-97.1,Y", f"{ROW.replace('ana-1', 'bob-1')},,,,perhaps"]
    summary = load_csv(parts, tmp_path, header, *rows)
    assert summary.counts == Counter({Result.ADDED: 1, Result.REJECTED: 1})
    listing = find(parts, "ana-1").listing
    assert listing
    assert listing.area_only
    assert listing.location.point == parts.places.locate("78701").point


def test_an_attestation_of_the_future_is_rejected(parts: Services, tmp_path: Path) -> None:
    summary = load_csv(parts, tmp_path, f"{COLUMNS},attested_on", f"{ROW},2099-01-01")
    assert summary.counts == Counter({Result.REJECTED: 1})


def test_a_load_under_a_wrong_clock_hides_nobody(database: Database) -> None:
    put(database, **attested(10))
    wrong = Made("a load", clock() + timedelta(days=400), "loaded")
    listing = a_listing("ana", clinic="Changed", **attested(10))
    with database.writing() as session:
        record.record(session, "ana", said_of(listing, key="file-ana"), wrong)
    assert found(database).status is Status.PUBLISHED


def test_what_a_wrong_clock_hid_comes_back(database: Database) -> None:
    put(database, **attested(10))
    with database.writing() as session:
        age.age(session, Made("x", clock() + timedelta(days=400), "x"), accept=True)
    assert found(database).status is Status.LAPSED
    with database.writing() as session:
        age.age(session, MADE)
    assert found(database).status is Status.PUBLISHED


def test_a_late_batch_brings_no_withdrawn_listing_back(engine: Engine, tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    put(store, "ana")
    put(store, "bob")
    with store.reading() as session:
        late = changefeed.changes(session, since=0, limit=10)
    with store.writing() as session:
        record.withdraw(session, Source.FILE, "file-ana", MADE)
    sync.rebuild(store, engine)
    engine.apply(late, late[-1].number)
    assert [hit.listing.id for hit in engine.search(Ask()).hits] == ["bob"]
    served = engine.status()
    assert served
    assert served.position == 3


def test_a_store_that_is_suddenly_empty_takes_no_index_down(engine: Engine, tmp_path: Path) -> None:
    fill(engine, [a_listing(f"l{n:02}") for n in range(10)])
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    empty.migrate()
    with pytest.raises(sync.Shrunk, match="10"):
        sync.sync(empty, engine)
    assert engine.search(Ask()).total == 10
    assert sync.rebuild(empty, engine, accept_shrink=True) == 0
    assert engine.search(Ask()).total == 0


def test_a_neighbouring_alias_is_left_alone(elasticsearch_url: str) -> None:
    one = fresh_elastic(elasticsearch_url)
    other = type(one)(f"{elasticsearch_url}/{one._alias}-staging")
    fill(other, [a_listing("kept")])
    fill(one, [a_listing("mine")])
    assert other.search(Ask()).total == 1
    one.close()
    other.close()


def test_a_damaged_index_is_unavailable(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "search.db")
    fill(engine, [a_listing(f"l{n:03}") for n in range(50)])
    engine.close()
    content = (tmp_path / "search.db").read_bytes()
    (tmp_path / "search.db").write_bytes(content.replace(b'"family"', b'"fam\xffly"'))
    with pytest.raises(EngineUnavailable, match="rebuild"):
        engine.search(Ask())


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreUnavailable):
        Database(f"sqlite:///{tmp_path / 'store.db'}").migrate()
    (tmp_path / "search.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(EngineUnavailable):
        SqliteEngine(tmp_path / "search.db").status()


def _open(url: str) -> None:
    database = Database(url)
    database.migrate()
    database.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_that_open_a_new_store_at_once_agree(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path / 'new.db'}"
    else:
        url = request.getfixturevalue("fresh_postgresql")()
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.map(_open, [url] * 8, chunksize=1)
    database = Database(url)
    assert feed(database) == []
    database.close()
