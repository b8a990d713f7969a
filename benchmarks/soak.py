"""The site for half an hour at half its peak rate, with changes flowing: nothing may grow.

    make soak                   30 minutes, and one before that does not count
    make soak SOAK_MINUTES=6

The peak is measured first, by clients that each ask again as soon as they are answered. Then
requests come evenly at half that rate, whether the last ones were answered or not, while listings
change in the store and the site's own errands publish them. Each minute the memory, open files and
threads of every process of `directory serve` are read, and how long answers took from when they
were due. The first minute, in which caches fill, is left out. Any answer but a good one ends it; it
ends with 1 where the last third of the minutes is above the first by more than LIMITS allow. Writes
benchmarks/soak.md.
"""

import json
import os
import platform
import random
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from benchmarks.pace import evenly
from directory.listing import Source
from directory.places import Places
from directory.search.engine import Ask
from directory.search.sqlite import SqliteEngine
from directory.services import system_clock
from directory.store import record
from directory.store.database import Database
from directory.store.listings import Made
from directory.store.statement import Statement
from fixtures import generate
from indexer import sync
from indexer.load import Loader
from indexer.sources.jsonl import Jsonl
from tests.faults.site import Served, served, until

MINUTES = max(3, int(os.environ.get("SOAK_MINUTES", "30")))  # a third has one at least
PEAK_S, CLIENTS, CHANGE_EVERY_S = 20.0, 8, 0.5
LIMITS = {
    "MB": (1.10, 5),
    "files": (1.0, 5),
    "threads": (1.0, 2),
    "p50 ms": (1.5, 10),
    "p95 ms": (1.5, 20),
    "p99 ms": (2.0, 50),
}
"""By which factor, and by how much beside, the last third may be above the first. Times are of a
machine that others share, so they may vary more than what a process holds."""

NEAR = ("78701", "10001", "Chicago, IL", "Portland, OR", "Denver, CO", "33101", "Texas", "90001")
ASKED = ("", "neck pain", "chiropractor", "back pain physical therapist", "aetna")


@dataclass(frozen=True)
class Sample:
    """One minute: what is measured of it, by name."""

    minute: int
    values: dict[str, float]


def addresses(rng: random.Random, ids: Sequence[str]) -> Iterator[str]:
    """What visitors and software ask: all of it has an answer."""
    while True:
        text = rng.choice(ASKED)
        asked = urllib.parse.urlencode({"near": rng.choice(NEAR)} | ({"q": text} if text else {}))
        yield rng.choice((
            f"/search?{asked}", f"/search?{asked}", f"/api/v1/search?{asked}",
            f"/listings/{rng.choice(ids)}", "/api/v1/suggest?kind=where&q=aus", "/guide",
        ))  # fmt: skip


def ask(site: Served, path: str, due: float) -> float:
    """How many milliseconds an answer took from when it was due (`time.monotonic`).

    HTTPError for a status that is not good: a refusal is quick, and no answer.
    """
    address = f"2001:db8:{random.getrandbits(16):x}:{random.getrandbits(16):x}::1"
    request = urllib.request.Request(f"{site.url}{path}", headers={"X-Forwarded-For": address})
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()
    return (time.monotonic() - due) * 1000


def peak(site: Served, ids: Sequence[str]) -> float:
    """Requests a second, of clients that do nothing but ask."""
    end = time.monotonic() + PEAK_S

    def client(seed: int) -> int:
        asked = addresses(random.Random(seed), ids)
        count = 0
        while time.monotonic() < end:
            ask(site, next(asked), time.monotonic())
            count += 1
        return count

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(client, range(CLIENTS))) / PEAK_S


@contextmanager
def changing(store: Database, ids: list[str]) -> Iterator[Callable[[], int]]:
    """Somebody changes a listing now and then; it tells how many were changed."""
    over, changed = threading.Event(), [0]

    def change() -> None:
        while not over.wait(CHANGE_EVERY_S):
            with store.writing() as session:
                now, id_ = system_clock(), random.choice(ids)
                said = {"phone": f"+1512555{random.randrange(100, 200):04}"}
                statement = Statement(Source.MODERATOR, f"moderator:{id_}", now.date(), said)
                record.record(session, id_, statement, Made("the soak", now, "a change"))
            changed[0] += 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield lambda: changed[0]
    finally:
        over.set()
        thread.join()


def minute(site: Served, number: int, rate: float, asked: Iterator[str]) -> Sample:
    """A minute of requests at an even rate."""
    with ThreadPoolExecutor(8 * CLIENTS) as pool:
        answers = [
            pool.submit(ask, site, next(asked), due)
            for due in islice(evenly(rate), round(60 * rate))
        ]
        took = sorted(each.result() for each in answers)
    cuts = statistics.quantiles(took, n=100)
    times = {"p50 ms": cuts[49], "p95 ms": cuts[94], "p99 ms": cuts[98]}
    held = {
        f"{what} {n}": value
        for n, pid in enumerate(processes(site))
        for what, value in held_by(pid).items()
    }
    return Sample(number, times | held)


def processes(site: Served) -> list[int]:
    """The server's process, and those that serve."""
    pid = site.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *sorted(map(int, children))]


def held_by(pid: int) -> dict[str, float]:
    status = Path(f"/proc/{pid}/status").read_text()
    said = dict(line.split(":", 1) for line in status.splitlines())
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return {
        "MB": int(said["VmRSS"].split()[0]) / 1024,
        "files": files,
        "threads": int(said["Threads"]),
    }


def grown(samples: list[Sample]) -> list[str]:
    """What is more in the last third than LIMITS allow."""
    third = max(1, len(samples) // 3)
    found = []
    for name in samples[0].values:
        kind = name if name in LIMITS else name.rpartition(" ")[0]
        factor, more = LIMITS[kind]
        first = statistics.median(s.values[name] for s in samples[:third])
        last = statistics.median(s.values[name] for s in samples[-third:])
        if last > first * factor + more:
            found.append(f"{name}: {first:.1f} at first, {last:.1f} at last")
    return found


def filled(folder: Path) -> list[str]:
    """Make store and index of the fictional listings; says the ids of those that are found."""
    path = folder / "listings.jsonl"
    path.write_text("\n".join(map(json.dumps, generate.listings(system_clock().date()))))
    store, engine = Database(f"sqlite:///{folder / 'store.db'}"), SqliteEngine(folder / "search.db")
    store.migrate()
    loader = Loader(store, Places(list), system_clock, folder / "rejects")
    loader.load(Jsonl(), Jsonl().parts([path]))
    sync.sync(store, engine)
    ids = [hit.listing.id for hit in engine.search(Ask(limit=5_000)).hits]
    engine.close()
    store.close()
    return ids


def report(rate: float, samples: list[Sample], changed: int, wrong: list[str]) -> str:
    names = list(samples[0].values)
    what = (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; the embedded engine, "
        f"{len(samples)} minutes at {rate:.1f} requests a second (peak {2 * rate:.1f}), {changed:,} changes published. "
        "Process 0 starts the others, which serve. Each row is a minute; one before them is left out."
    )
    lines = [
        "# The site at half its peak rate, with changes flowing", "", what, "",
        f"| minute | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}",
    ]  # fmt: skip
    for each in samples:
        cells = " | ".join(f"{each.values[name]:,.0f}" for name in names)
        lines.append(f"| {each.minute} | {cells} |")
    verdict = "; ".join(wrong) if wrong else "nothing has grown"
    return "\n".join([*lines, "", f"From the first third to the last: {verdict}.", ""])


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        ids = filled(folder)
        store = Database(f"sqlite:///{folder / 'store.db'}")
        engine = SqliteEngine(folder / "search.db")
        with served(folder) as site:
            rate = peak(site, ids) / 2
            print(f"peak {2 * rate:.1f} requests a second", flush=True)
            asked, samples = addresses(random.Random(1), ids), []
            with changing(store, ids) as changed:
                minute(site, 0, rate, asked)
                for number in range(1, MINUTES + 1):
                    samples.append(minute(site, number, rate, asked))
                    print(samples[-1], flush=True)
            until(lambda: sync.status(store, engine).behind == 0)
            wrong = grown(samples)
            text = report(rate, samples, changed(), wrong)
        engine.close()
        store.close()
    print(text)
    Path(__file__).with_suffix(".md").write_text(text)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
