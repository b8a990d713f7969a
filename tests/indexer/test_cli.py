"""The commands as an operator and a script meet them: their words and their exit codes."""

import gzip
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.indexer.test_load import COLUMNS, ROW

PROGRAMS = Path(sys.executable).parent
FAILED, WRONG_USE, REJECTED, NOT_IN_STEP = 1, 2, 3, 4


def begun(folder: Path, *command: str, **settings: str) -> subprocess.Popen[str]:
    """A program that has begun, in a process group of its own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DIRECTORY_")}
    chosen = {f"DIRECTORY_{name.upper()}": value for name, value in settings.items()}
    return subprocess.Popen(
        [PROGRAMS / command[0], *command[1:]], cwd=folder, env={**environment, **chosen},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0,
    )  # fmt: skip


def run(folder: Path, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    process = begun(folder, *command, **settings)
    said, complained = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, said, complained)


def test_from_a_file_to_an_index(tmp_path: Path) -> None:
    bad = ROW.replace("ana-1", "bad-1").replace("TX", "XX")
    (tmp_path / "list.csv").write_text(f"{COLUMNS}\n{ROW}\n{bad}\n")
    rehearsed = run(tmp_path, "indexer", "load", "csv", "list.csv", "--dry-run")
    assert rehearsed.returncode == REJECTED
    assert "nothing was changed" in rehearsed.stdout
    assert "row 3: rejected (address.state: 'XX' is no state" in rehearsed.stdout
    (kept,) = (tmp_path / "var" / "rejects").iterdir()
    assert f"with reasons: var/rejects/{kept.name}" in rehearsed.stdout
    assert ".dry-run.csv" in kept.name
    loaded = run(tmp_path, "indexer", "load", "csv", "list.csv")
    assert loaded.returncode == REJECTED
    assert (
        "read 2 = 1 added, 0 changed, 0 unchanged, 0 withdrawn, 0 skipped, 1 rejected"
        in loaded.stdout
    )
    assert len(list((tmp_path / "var" / "rejects").iterdir())) == 2
    before = run(tmp_path, "indexer", "status")
    assert "last load of csv: list.csv" in before.stdout
    assert (before.returncode, "index: none" in before.stdout) == (NOT_IN_STEP, True)
    synced = run(tmp_path, "indexer", "sync")
    assert (synced.returncode, synced.stdout) == (0, "brought 1 listings up to date\n")
    after = run(tmp_path, "indexer", "status")
    assert (
        after.returncode,
        "index: 1 listings, 0 changes (0 seconds) behind" in after.stdout,
    ) == (0, True)
    rebuilt = run(tmp_path, "indexer", "rebuild")
    assert (rebuilt.returncode, rebuilt.stdout) == (0, "the new index holds 1 listings\n")
    back = run(tmp_path, "indexer", "rollback")
    assert (back.returncode, "answers now: 1 listings" in back.stdout) == (0, True)


@pytest.mark.parametrize(
    ("command", "settings", "code", "says"),
    [
        (
            ["indexer", "load", "csv", "[/b]nothing.csv"],
            {},
            FAILED,
            "no such file: [/b]nothing.csv",
        ),
        (["indexer", "load", "wizard", "x"], {}, WRONG_USE, "'wizard' is not one of"),
        (["indexer", "load", "csv", "x", "--origin", "a:b"], {}, WRONG_USE, "'a:b' is not 1 to 40"),
        (["indexer", "load", "csv", "x", "--origin", "a" * 41], {}, WRONG_USE, "is not 1 to 40"),
        (["indexer", "load", "csv", "x", "--origin", ""], {}, WRONG_USE, "is not 1 to 40"),
        (["indexer", "status"], {"geocoder": "nope"}, FAILED, "there is no geocoder 'nope'"),
        (["indexer", "status"], {"geocoder_options": "{"}, FAILED, "is no JSON object"),
        (["indexer", "status"], {"database_url": "nope://"}, FAILED, "the store's URL"),
        (["indexer", "sync"], {"search_url": "http://127.0.0.1:9/x"}, FAILED, "does not answer"),
        (["directory", "settings"], {"search_url": "ftp://x"}, FAILED, "DIRECTORY_SEARCH_URL"),
        (["directory", "serve", "--port", "99999"], {}, WRONG_USE, "99999"),
        (["indexer", "gazetteer", "nothing.txt"], {}, FAILED, "nothing.txt"),
    ],
)
def test_what_goes_wrong_is_one_line(
    tmp_path: Path, command: list[str], settings: dict[str, str], code: int, says: str
) -> None:
    done = run(tmp_path, *command, **settings)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def crowd(rows: int) -> str:
    """A list of practitioners, of 450 characters a row."""
    lines = (
        f"number-{n},Ana,{n:x},physical-therapist,Austin,TX,78701,{n} {'x' * 400}".replace(
            f",{n:x},", f",Of{'abcdefghij'[n % 10]},"
        )
        for n in range(rows)
    )
    return "\n".join([f"{COLUMNS},about", *lines])


def test_a_file_that_ends_too_early_tells_what_was_stored(tmp_path: Path) -> None:
    text = crowd(9_000).replace("78701", "78701", 1).replace("number-7,", "Number 7,")
    packed = gzip.compress(text.encode())
    (tmp_path / "list.csv.gz").write_bytes(packed[: len(packed) * 2 // 3])
    (tmp_path / "next.csv").write_text(f"{COLUMNS}\n{ROW}\n")
    done = run(tmp_path, "indexer", "load", "csv", "list.csv.gz", "next.csv")
    assert done.returncode == FAILED
    assert "Error: list.csv.gz: Compressed file ended" in done.stderr
    told = re.search(r"list.csv.gz: read ([0-9,]+) until the error = ([0-9,]+) added", done.stdout)
    assert told
    assert int(told[1].replace(",", "")) == int(told[2].replace(",", "")) + 1 > 2_000
    (kept,) = (tmp_path / "var" / "rejects").iterdir()
    assert f"until the error, with reasons: var/rejects/{kept.name}" in done.stdout
    assert kept.name.endswith(".partial")
    assert "next.csv: read 1 = 1 added" in done.stdout
    assert "cut short" not in run(tmp_path, "indexer", "status").stdout
    again = run(tmp_path, "indexer", "load", "csv", "next.csv").stdout
    assert re.search(
        r"^the last time: next\.csv, [0-9-]{10}: 1 added, 0 changed", again, re.MULTILINE
    )
    assert "the last time" not in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_load_that_is_stopped_says_how_to_go_on(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "list.csv").write_text(crowd(20_000))
    process = begun(tmp_path, "indexer", "load", "csv", "list.csv")
    store = f"file:{tmp_path}/var/directory.db?mode=ro"
    while not _count(store):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, number)  # as Ctrl-C goes to all processes of a terminal
    said, complained = process.communicate(timeout=30)
    assert (process.returncode, said) == (128 + number, "")
    assert complained.startswith("Stopped. What was stored until then stays: run the same command")
    assert complained.count("\n") == 1
    assert 0 < _count(store) < 20_000
    again = run(tmp_path, "indexer", "load", "csv", "list.csv")
    assert again.returncode == 0
    assert _count(store) == 20_000


def _count(store: str) -> int:
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(store, uri=True)) as found:
        (count,) = found.execute("SELECT count(*) FROM statement").fetchone()
        return int(count)
    return 0


def test_settings_show_no_secret(tmp_path: Path) -> None:
    done = run(
        tmp_path, "directory", "settings", database_url="postgresql+psycopg://u:hidden@h/d",
        secret_key="hidden", geocoder_options='{"api_key": "hidden"}',
    )  # fmt: skip
    assert done.returncode == 0
    assert "hidden" not in done.stdout
    assert "DIRECTORY_SEARCH_URL=sqlite:///var/search.db" in done.stdout


def test_census_files_are_kept_for_the_site(tmp_path: Path) -> None:
    (tmp_path / "places.txt").write_text(
        "USPS\tNAME\tINTPTLAT\tINTPTLONG\nTX\tNowhere CDP\t30.5\t-97.5\n"
    )
    done = run(tmp_path, "indexer", "gazetteer", "places.txt")
    assert done.returncode == 0
    assert done.stdout.startswith("kept 1 places")
    assert "Nowhere" in (tmp_path / "var" / "gazetteer.csv").read_text()
