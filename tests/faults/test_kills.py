"""kill -9 at random moments of load, sync, rebuild and submit: run again, and all is whole.

After each kill: what was acknowledged is in the store (I1), one submission is there once (I4), and
once the work has been run again the index holds exactly what the store has published (I2, I3).
"""

import json
import multiprocessing
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv6Address
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import func, select

from directory.app import create_app
from directory.search.sqlite import SqliteEngine
from directory.services import Services
from directory.settings import Settings
from directory.store.database import Database
from directory.store.models import SubmissionRow
from indexer import sync
from indexer.sources.jsonl import Jsonl
from tests.builders import facts
from tests.indexer.test_command import there
from tests.indexer.test_load import load
from tests.indexer.test_sync import indexed, stored

_FORK = multiprocessing.get_context("fork")
LISTINGS, SUBMISSIONS = 100, 8
SEED = 20261124


@dataclass
class World:
    """A store and an index in a folder, and a list that changes from round to round."""

    folder: Path
    services: Services
    round: int = 0

    @contextmanager
    def parts(self) -> Iterator[Services]:
        """Connections of one's own: none survives a fork."""
        store = Database(f"sqlite:///{self.folder / 'store.db'}")
        index = SqliteEngine(self.folder / "search.db")
        opened = replace(self.services, database=store, engine=index)
        try:
            yield opened
        finally:
            opened.close()

    def next_round(self) -> None:
        """Everybody moves to another clinic, and a fifth are away."""
        self.round += 1
        people = there(*range(LISTINGS), clinic=f"Round {self.round}")
        for number, each in enumerate(people):
            each["dry_needling"] = "no" if number % 5 == self.round % 5 else "yes"
        self._list.write_text("\n".join(map(json.dumps, people)))

    @property
    def expected(self) -> dict[str, str]:
        people = map(json.loads, self._list.read_text().splitlines())
        return {p["id"]: p["clinic"] for p in people if p["dry_needling"] == "yes"}

    @property
    def _list(self) -> Path:
        return self.folder / "list.jsonl"

    @property
    def acknowledged(self) -> list[str]:
        """The references that submitters were told."""
        kept = self.folder / "acknowledged"
        return kept.read_text().split() if kept.exists() else []

    def load(self) -> None:
        with self.parts() as opened:
            load(opened, Jsonl(), self._list)

    def sync(self) -> None:
        with self.parts() as opened:
            sync.sync(opened.database, opened.engine)

    def rebuild(self) -> None:
        with self.parts() as opened:
            sync.rebuild(opened.database, opened.engine)

    def submit(self) -> None:
        """Send a round's submissions, each with a key of its own."""
        with self.parts() as opened, (self.folder / "acknowledged").open("a") as told:
            client = create_app(Settings(trusted_proxies=1), opened).test_client()
            listing = facts().model_dump(mode="json", exclude_unset=True)
            for number in range(SUBMISSIONS):
                name = f"{self.round}-{number}"
                answer = client.post(
                    "/api/v1/submissions",
                    json={"email": f"clinic-{name}@example.org", "listing": listing},
                    headers={"Idempotency-Key": name, "X-Forwarded-For": _anybody()},
                )
                assert answer.status_code == 202, answer.text
                told.write(f"{answer.json['reference']}\n")  # type: ignore[index]
                told.flush()


def _anybody() -> str:
    return str(IPv6Address(random.getrandbits(128)))


JOBS: dict[str, Callable[[World], None]] = {
    "load": World.load,
    "sync": World.sync,
    "rebuild": World.rebuild,
    "submit": World.submit,
}


def begun(job: Callable[[World], None], world: World) -> BaseProcess:
    process = _FORK.Process(target=job, args=(world,))
    process.start()
    return process


def assert_acknowledged_is_kept(world: World) -> None:
    with world.parts() as opened, opened.database.reading() as session:
        kept = set(session.scalars(select(SubmissionRow.reference)))
        keys = session.scalar(select(func.count(SubmissionRow.request_hash.distinct())))
    assert set(world.acknowledged) <= kept
    assert keys == len(kept)


def assert_index_is_the_store(world: World) -> None:
    with world.parts() as opened:
        assert indexed(opened.engine) == stored(opened.database) == world.expected
        standing = sync.status(opened.database, opened.engine)
        assert (standing.behind, standing.left_out) == (0, 0)
    for name in ("store.db", "search.db"):
        with sqlite3.connect(world.folder / name) as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        file.close()


def lasts(world: World) -> dict[str, float]:
    """How many seconds each job takes from its start to its end, on this machine, now."""
    found = {}
    for name, job in JOBS.items():
        started = time.monotonic()
        process = begun(job, world)
        process.join()
        assert process.exitcode == 0
        found[name] = time.monotonic() - started
    return found


def killed(process: BaseProcess, after_s: float) -> bool:
    """Whether it was still at work after so long, and is killed now."""
    process.join(after_s)
    process.kill()
    process.join()
    return process.exitcode != 0


def kill_at_random(world: World, kills: int, seed: int) -> None:
    print(f"seed {seed}")  # noqa: T201  # pytest shows it where the test fails
    rng, at_work = random.Random(seed), 0
    world.next_round()
    took = lasts(world)
    for number in range(kills):
        name = list(JOBS)[number % len(JOBS)]
        world.next_round()
        if name != "load":
            world.load()
        moment_s = rng.uniform(0.02, 1) * took[name]
        if killed(begun(JOBS[name], world), moment_s):
            at_work += 1
        else:
            took[name] = moment_s  # it is faster than it was measured
        assert_acknowledged_is_kept(world)
        if name == "submit":
            world.submit()
            assert_acknowledged_is_kept(world)
        else:
            world.load()
        world.sync()
        assert_index_is_the_store(world)
    assert at_work >= kills / 3


def test_twenty_kills_lose_nothing(parts: Services, tmp_path: Path) -> None:
    kill_at_random(World(tmp_path, parts), 20, SEED)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_hundred_kills_lose_nothing(parts: Services, tmp_path: Path) -> None:
    kill_at_random(World(tmp_path, parts), 200, int(os.environ.get("KILL_SEED", time.time())))
