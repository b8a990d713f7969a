"""The commands as an operator and a script meet them: their words and their exit codes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.indexer.test_load import COLUMNS, ROW

PROGRAMS = Path(sys.executable).parent
FAILED, WRONG_USE, REJECTED, NOT_IN_STEP = 1, 2, 3, 4


def run(folder: Path, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DIRECTORY_")}
    chosen = {f"DIRECTORY_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [PROGRAMS / command[0], *command[1:]], cwd=folder, env={**environment, **chosen},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_from_a_file_to_an_index(tmp_path: Path) -> None:
    bad = ROW.replace("ana-1", "bad-1").replace("TX", "XX")
    (tmp_path / "list.csv").write_text(f"{COLUMNS}\n{ROW}\n{bad}\n")
    rehearsed = run(tmp_path, "indexer", "load", "csv", "list.csv", "--dry-run")
    assert rehearsed.returncode == REJECTED
    assert "nothing was changed" in rehearsed.stdout
    assert "row 3: rejected (address.state: 'XX' is no state" in rehearsed.stdout
    assert not (tmp_path / "var" / "rejects").exists()
    loaded = run(tmp_path, "indexer", "load", "csv", "list.csv")
    assert loaded.returncode == REJECTED
    assert (
        "read 2 = 1 added, 0 changed, 0 unchanged, 0 withdrawn, 0 skipped, 1 rejected"
        in loaded.stdout
    )
    assert len(list((tmp_path / "var" / "rejects").iterdir())) == 1
    before = run(tmp_path, "indexer", "status")
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
