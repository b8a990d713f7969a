"""The indexer at national scale: reading, loading and rebuilding, beside the bare tools.

    python -m benchmarks.indexing           half an hour; writes benchmarks/indexing.md
    QUICK=1 python -m benchmarks.indexing   a hundredth of the rows, and nothing is written

Every figure of ours stands beside one of the bare tool on the same rows in the same minute. Loads
run in processes of their own, so that each tells its own peak of memory.
"""

import csv
import gc
import http.client
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from benchmarks import registry
from benchmarks.bench import QUICK
from directory.places import Places
from directory.publishing import batches
from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.elasticsearch.index import _operation, create
from directory.search.sqlite import SqliteEngine
from directory.services import system_clock
from directory.store import changefeed
from directory.store.database import Database
from indexer import sync
from indexer.load import Loader
from indexer.sources.nppes import Nppes
from indexer.sources.record import Record, Said
from tests.elasticsearch_node import node

SCALE, ROUNDS = (100, 1) if QUICK else (1, 3)
SCANNED, WANTED, LISTINGS = 810_000 // SCALE, 100_000 // SCALE, 500_000 // SCALE
LINEAR = [rows // SCALE for rows in (50_000, 500_000, 5_000_000)]


def seconds(call: Callable[..., object], *arguments: object) -> float:
    """How long it takes."""
    started = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - started


def measured(*command: str) -> dict[str, float]:
    """What a run of this module in a process of its own prints, with its peak memory as `mb`.

    The memory is that of the process and its children together; what they share counts once.
    """
    run = [sys.executable, "-m", "benchmarks.indexing", *command]
    with subprocess.Popen(run, stdout=subprocess.PIPE, text=True) as process:
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, used_mb(process.pid))
            time.sleep(0.1)
        assert process.stdout
        found: dict[str, float] = json.loads(process.stdout.read())
    return {**found, "mb": peak}


def used_mb(pid: int) -> float:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it has ended
        return 0.0
    own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return own / 1000 + sum(used_mb(int(child)) for child in children)


# Reading: a gigabyte of the registry, of which one row in twenty-three is ours.


def read_plain(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


def read_csv_module(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        at = next(rows).index("Healthcare Provider Taxonomy Code_1")
        assert sum(row[at].startswith(("207X", "111N", "2251")) for row in rows)


def scan_ours(path: Path) -> None:
    """Find the rows that are ours, unparsed."""
    source = Nppes()
    (part,) = source.parts([path])
    assert sum(1 for each in source.read(part, ()) if isinstance(each, Record))


def read_ours(path: Path) -> None:
    """Find, parse and normalise them in one process: all but validating and storing."""
    source = Nppes()
    (part,) = source.parts([path])
    today = system_clock().date()
    assert sum(
        1
        for each in source.read(part, ())
        if isinstance(each, Record) and isinstance(source.interpret(each, today), Said)
    )


def reading(folder: Path) -> Iterator[str]:
    path = folder / "scan.csv"
    registry.write(path, SCANNED)
    size = path.stat().st_size / 1e9
    rates: dict[str, list[float]] = {
        "plain read": [], "csv module, one column looked at": [], "ours, scanned": [],
        "ours, scanned and normalised": [],
    }  # fmt: skip
    readers = (read_plain, read_csv_module, scan_ours, read_ours)
    for _ in range(ROUNDS):
        for name, reader in zip(rates, readers, strict=True):
            rates[name].append(size / seconds(reader, path))
    best = {name: sorted(found)[len(found) // 2] for name, found in rates.items()}
    yield f"\n## Reading {size:.2f} GB of the registry, {SCANNED:,} rows, 4.3 % ours\n\n"
    yield "| reader | GB/s, median (least to most) | to the csv module |\n| --- | --- | --- |\n"
    for name, found in rates.items():
        spread = f"{best[name]:.2f} ({min(found):.2f} to {max(found):.2f})"
        yield f"| {name} | {spread} | {best[name] / best['csv module, one column looked at']:.2f} |\n"
    path.unlink()


# Loading: wanted rows alone, and files of growing size.


def load_in_process(path: str, store: str) -> None:
    """Load a file into a store and print what it took; run as a process of its own."""
    database = Database(f"sqlite:///{store}")
    database.migrate()
    source = Nppes()
    whole = source.parts([Path(path)])
    places = Places(list)
    places.middle({})
    gc.freeze()
    gc.disable()  # as the command does
    loader = Loader(database, places, system_clock, Path(store).with_suffix(".rejects"))
    started = time.perf_counter()
    (summary,) = loader.load(source, whole)
    took = time.perf_counter() - started
    counts = summary.counted
    sys.stdout.write(json.dumps({"s": took, "read": summary.read, **counts}))


def loaded(path: Path, store: Path) -> dict[str, float]:
    return measured("load", str(path), str(store))


def bare_tables(store: Path, copy: Path) -> float:
    """Seconds to write the same rows of the same three tables with executemany alone."""
    source, target = sqlite3.connect(store), sqlite3.connect(copy, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -64000",
                   "wal_autocheckpoint = 8000"):  # fmt: skip
        target.execute(f"PRAGMA {pragma}")
    tables = ("listing", "statement", "revision")
    for (statement,) in source.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN (?, ?, ?) "
        "ORDER BY type DESC", tables,
    ).fetchall():  # fmt: skip
        target.execute(statement)
    rows = {t: source.execute(f"SELECT * FROM {t} ORDER BY rowid").fetchall() for t in tables}
    started = time.perf_counter()
    for start in range(0, len(rows["listing"]), 2_000):
        target.execute("BEGIN IMMEDIATE")
        for table in tables:
            some = rows[table][start : start + 2_000]
            marks = ", ".join("?" * len(some[0]))
            target.executemany(f"INSERT INTO {table} VALUES ({marks})", some)
        target.execute("COMMIT")
    return time.perf_counter() - started


def loading(folder: Path) -> Iterator[str]:
    path = folder / "wanted.csv"
    registry.write(path, WANTED, 1.0)
    ours, again, bare = [], [], []
    for number in range(ROUNDS):
        store = folder / f"wanted-{number}.db"
        ours.append(WANTED / loaded(path, store)["s"])
        again.append(WANTED / loaded(path, store)["s"])
        bare.append(WANTED / bare_tables(store, folder / f"bare-{number}.db"))
    yield f"\n## Loading {WANTED:,} wanted rows into SQLite\n\n"
    yield "| what | rows a second, median (least to most) |\n| --- | --- |\n"
    for name, rates in (
        ("normalised, matched and stored", ours),
        ("loaded again, nothing changed", again),
        ("bare executemany of the same rows", bare),
    ):
        middle = sorted(rates)[len(rates) // 2]
        yield f"| {name} | {middle:,.0f} ({min(rates):,.0f} to {max(rates):,.0f}) |\n"
    path.unlink()


def growing(folder: Path) -> Iterator[str]:
    yield "\n## Loads of growing size\n\n"
    yield "| rows | GB | seconds | µs a row | GB/s | listings | peak MB, both processes |\n"
    yield "| --- | --- | --- | --- | --- | --- | --- |\n"
    for rows in LINEAR:
        path = folder / "grow.csv"
        registry.write(path, rows)
        size = path.stat().st_size / 1e9
        found = loaded(path, folder / f"grow-{rows}.db")
        yield (
            f"| {rows:,} | {size:.2f} | {found['s']:.1f} | {found['s'] / rows * 1e6:.1f} "
            f"| {size / found['s']:.2f} | {found['added']:,.0f} | {found['mb']:.0f} |\n"
        )
        path.unlink()


# Rebuilding: half a million listings into both engines.


def post_bare(url: str, index: str, bodies: Sequence[bytes]) -> None:
    """Post serialised bodies with two threads, and make them visible."""
    host = url.removeprefix("http://")

    def post(some: Sequence[bytes]) -> None:
        connection = http.client.HTTPConnection(host)
        for body in some:
            headers = {"Content-Type": "application/x-ndjson"}
            connection.request("POST", f"/{index}/_bulk?filter_path=errors", body, headers)
            assert b'"errors":false' in connection.getresponse().read()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(post, (bodies[n::2] for n in range(2))))
    connection = http.client.HTTPConnection(host)
    connection.request("POST", f"/{index}/_refresh")
    connection.getresponse().read()


def rebuild_in_process(store: str, engine: str) -> None:
    """Rebuild from a store and print what it took; run as a process of its own."""
    gc.disable()  # as the command does
    database = Database(f"sqlite:///{store}")
    made = ElasticsearchEngine(engine) if engine.startswith("http") else SqliteEngine(Path(engine))
    started = time.perf_counter()
    held = sync.rebuild(database, made)
    sys.stdout.write(json.dumps({"s": time.perf_counter() - started, "held": held}))


def rebuilt(store: Path, engine: str) -> dict[str, float]:
    return measured("rebuild", str(store), engine)


def bare_index(built: Path, copy: Path) -> float:
    """Seconds to write the same rows of the same tables, and their indexes, with SQLite alone.

    Of all tables of the generation that serves: what is laid aside while it is filled is gone.
    """
    source, target = sqlite3.connect(built), sqlite3.connect(copy, isolation_level=None)
    target.execute("PRAGMA journal_mode = WAL")
    target.execute("PRAGMA synchronous = NORMAL")
    (number,) = source.execute("SELECT number FROM generation WHERE serving").fetchone()
    made = [
        (kind, name, sql)
        for kind, name, sql in source.execute("SELECT type, name, sql FROM sqlite_master")
        if sql and name.endswith(f"_{number}")
    ]
    took = 0.0
    for kind, name, sql in made:
        if kind == "table":
            target.execute(sql)
            took += seconds(write, target, name, source.execute(f"SELECT * FROM {name}").fetchall())
    indexes = [sql for kind, _, sql in made if kind == "index"]
    return took + sum(seconds(target.execute, sql) for sql in indexes)


def write(target: sqlite3.Connection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Insert rows, 20,000 in a transaction."""
    for start in range(0, len(rows), 20_000):
        some = rows[start : start + 20_000]
        marks = ", ".join("?" * len(some[0]))
        target.execute("BEGIN IMMEDIATE")
        target.executemany(f"INSERT INTO {table} VALUES ({marks})", some)
        target.execute("COMMIT")


def bodies_of(database: Database) -> list[bytes]:
    changes = (
        change
        for batch in batches(database, 0, sync.REBUILD_BATCH)
        for change in batch
    )  # fmt: skip
    return [
        b"\n".join(_operation(change) for change in some) + b"\n"
        for some in iter(lambda: list(islice(changes, 2_000)), [])
    ]


def rebuilding(folder: Path, url: str) -> Iterator[str]:
    path, store = folder / "listings.csv", folder / "listings.db"
    registry.write(path, LISTINGS, 1.0)
    loaded(path, store)
    path.unlink()
    database = Database(f"sqlite:///{store}")
    with database.reading() as session:
        assert changefeed.position(session) == LISTINGS
    bodies = bodies_of(database)
    size = sum(map(len, bodies)) / LISTINGS
    rates: dict[str, list[float]] = {name: [] for name in (
        "Elasticsearch, two bare threads", "Elasticsearch, ours",
        "SQLite, bare executemany", "SQLite, ours")}  # fmt: skip
    peaks = dict.fromkeys(rates, 0.0)
    client = ElasticsearchEngine(f"{url}/bare")._client.options(request_timeout=60)
    for number in range(ROUNDS):
        index = create(client, f"bare-{number}")
        rates["Elasticsearch, two bare threads"].append(
            LISTINGS / seconds(post_bare, url, index, bodies)
        )
        client.indices.delete(index=index)
        ours = rebuilt(store, f"{url}/rebuilt")
        rates["Elasticsearch, ours"].append(LISTINGS / ours["s"])
        peaks["Elasticsearch, ours"] = ours["mb"]
        ours = rebuilt(store, str(folder / f"search-{number}.db"))
        rates["SQLite, ours"].append(LISTINGS / ours["s"])
        peaks["SQLite, ours"] = ours["mb"]
        bare = bare_index(folder / f"search-{number}.db", folder / f"bare-index-{number}.db")
        rates["SQLite, bare executemany"].append(LISTINGS / bare)
    middles = {name: sorted(found)[len(found) // 2] for name, found in rates.items()}
    yield f"\n## Rebuilding {LISTINGS:,} listings ({size:.0f} bytes a bulk entry)\n\n"
    yield "| what | listings a second, median (least to most) | ratio | peak MB |\n"
    yield "| --- | --- | --- | --- |\n"
    for name, found in rates.items():
        bare_name = next(each for each in rates if each.split(",")[0] == name.split(",")[0])
        yield (
            f"| {name} | {middles[name]:,.0f} ({min(found):,.0f} to {max(found):,.0f}) "
            f"| {middles[name] / middles[bare_name]:.2f} | {peaks[name] or 0:.0f} |\n"
        )


def report(folder: Path) -> Iterator[str]:
    yield "# The indexer, measured\n\n"
    yield f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
    yield f"medians of {ROUNDS} rounds, ours and the bare tool in turn.\n"
    yield from reading(folder)
    yield from loading(folder)
    with node(folder / "node") as url:
        yield from rebuilding(folder, url)
    yield from growing(folder)


def main() -> None:
    """Measure, and write the results as they come."""
    with tempfile.TemporaryDirectory(prefix="directory-bench-") as name:
        Path(name).chmod(0o755)
        text = ""
        for line in report(Path(name)):
            text += line
            sys.stdout.write(line)
            sys.stdout.flush()
    if not QUICK:
        Path(__file__).with_suffix(".md").write_text(text)


IN_PROCESS = {"load": load_in_process, "rebuild": rebuild_in_process}

if __name__ == "__main__":
    if sys.argv[1:]:
        IN_PROCESS[sys.argv[1]](*sys.argv[2:])
    else:
        main()
