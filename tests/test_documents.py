"""What the documents tell people to type is typed here, and what they name must exist.

Every line of every `sh` block is run in a folder that holds the files which the lines name, on the
embedded engine, or stands in NOT_RUN with the reason why it cannot be.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click
import pytest

import directory.cli
import indexer.cli
from benchmarks import registry
from directory.settings import Settings
from fixtures.generate import listings
from tests.elasticsearch_node import ROOT, free_port
from tests.indexer.test_fhir import ndjson, several
from tests.indexer.test_load import COLUMNS, ROW

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OF_THE_TESTS = {"DIRECTORY_TEST_ELASTICSEARCH_URL"}
PROGRAMS = {"directory": directory.cli.main, "indexer": indexer.cli.main}
ADDRESS = "http://127.0.0.1:8000"
DEADLINE_S = 240
FIXTURES = 60

NOT_RUN = {
    "make run": "it installs, and serves until it is stopped; its parts are run here",
    "make test": "it is what runs this",
    "make check": "make test runs it first",
    ".venv/bin/directory serve": "it serves until it is stopped: it is what the lines with curl ask",
    "docker build -t directory .": "make image builds it",
    "docker run --read-only --tmpfs /tmp -v directory:/srv/var -p 127.0.0.1:8000:8000 --cap-drop ALL --security-opt no-new-privileges directory":
        "make image starts it so",
    "docker compose up -d": "it needs a container engine",
    "BASE_URL=https://directory.example.org TRUSTED_PROXIES=1 docker compose up -d":
        "it needs a container engine",
    "docker compose run --rm -v $PWD:/data:ro indexer indexer load csv /data/mine.csv":
        "it needs a container engine",
}  # fmt: skip


@dataclass(frozen=True)
class Block:
    """One `sh` block of a document: its lines, each a whole command."""

    document: str
    lines: tuple[str, ...]


def blocks() -> Iterator[Block]:
    for path in DOCUMENTS:
        for text in re.findall(r"^```sh\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL):
            whole = text.replace("\\\n", " ")
            lines = (re.sub(r"(^|\s+)# .*", "", line).strip() for line in whole.splitlines())
            commands = tuple(re.sub(r"\s+", " ", line) for line in lines if line)
            yield Block(path.relative_to(ROOT).as_posix(), commands)


BLOCKS = list(blocks())


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the commands name, loaded with the fixtures."""
    folder = tmp_path_factory.mktemp("workshop")
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    (folder / "mine.csv").write_text(f"{COLUMNS}\n{ROW}\n")
    registry.write(folder / "NPPES_Data_Dissemination.zip", 20, share=0.5)
    (folder / "plan-net").mkdir()
    (folder / "plan-net" / "all.ndjson").write_text(ndjson(several()))
    made = islice(listings(datetime.now(UTC).date()), FIXTURES)
    (folder / "fixtures.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in made))
    run("set -e; .venv/bin/indexer load jsonl fixtures.jsonl; .venv/bin/indexer sync", folder)
    return folder


@pytest.fixture(scope="module")
def address(workshop: Path) -> Iterator[str]:
    """The address of the site that serves the workshop."""
    port = str(free_port())
    command = [workshop / ".venv/bin/directory", "serve", "--port", port]
    with subprocess.Popen(command, cwd=workshop, env=environment()) as serving:
        deadline = time.monotonic() + DEADLINE_S
        while not listens(int(port)):
            assert serving.poll() is None
            assert time.monotonic() < deadline, "the site does not answer"
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
        serving.terminate()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def environment() -> dict[str, str]:
    """This one without settings: the documents' commands rely on the defaults."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DIRECTORY_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def run(script: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment(), timeout=DEADLINE_S, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}\n{done.stdout}"
    return done.stdout


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.document}: {block.lines[0]}")
def test_every_command_does_what_it_says(
    block: Block, workshop: Path, request: pytest.FixtureRequest
) -> None:
    commands = [line for line in block.lines if line not in NOT_RUN]
    script = "\n".join(["set -eo pipefail", *commands])
    if ADDRESS in script:
        script = script.replace(ADDRESS, request.getfixturevalue("address"))
    said = run(re.sub(r"(?m)^curl ", "curl -sS --fail-with-body ", script), workshop)
    assert not re.search(r"Traceback|OperationOutcome", said), said


def test_whatever_is_not_run_is_still_in_a_document() -> None:
    assert NOT_RUN.keys() <= {line for block in BLOCKS for line in block.lines}


def named_commands() -> Iterator[tuple[str, list[str]]]:
    """Each command of ours that a document names; a decision may name what was decided against."""
    for path in (each for each in DOCUMENTS if each.parent.name != "decisions"):
        text = path.read_text()
        for found in re.findall(
            r"(?:`|\.venv/bin/|^)((?:directory|indexer) [a-z][^`\n#]*)", text, re.MULTILINE
        ):
            yield path.relative_to(ROOT).as_posix(), found.split()


@pytest.mark.parametrize(("document", "words"), list(named_commands()), ids=str)
def test_every_command_and_option_that_is_named_exists(document: str, words: list[str]) -> None:
    command: click.Command = PROGRAMS[words[0]]
    rest = words[1:]
    while isinstance(command, click.Group) and rest and rest[0].isalpha() and rest[0].islower():
        assert rest[0] in command.commands, f"{document}: {' '.join(words)}"
        command = command.commands[rest.pop(0)]
    options = {option for each in command.params for option in each.opts} | {"--help"}
    named = {word.split("=")[0] for word in re.findall(r"--[a-z-]+", " ".join(rest))}
    assert named <= options, f"{document}: {' '.join(words)}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_between_documents_leads_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", target):
            assert (path.parent / target.split("#")[0]).exists(), f"{path.name}: {target}"


def test_every_target_of_make_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for path in DOCUMENTS for word in re.findall(r"`make ([a-z]+)", path.read_text())}
    assert named <= targets


def test_every_setting_that_is_named_exists_and_every_setting_is_documented() -> None:
    names = {f"DIRECTORY_{name.upper()}" for name in Settings.model_fields}
    written = [*DOCUMENTS, ROOT / "compose.yaml"]
    named = {n for path in written for n in re.findall(r"DIRECTORY_[A-Z_]*[A-Z]", path.read_text())}
    assert named <= names | OF_THE_TESTS
    text = (ROOT / "docs" / "settings.md").read_text()
    missing = [row for row in map(setting_row, Settings.model_fields) if row not in text]
    assert not missing, "rows for docs/settings.md:\n" + "\n".join(missing)


def setting_row(name: str) -> str:
    """The row of a setting in the table of docs/settings.md."""
    field = Settings.model_fields[name]
    default = field.get_default(call_default_factory=True)
    shown = "" if default is None else str(default)
    return f"| `DIRECTORY_{name.upper()}` | {f'`{shown}`' if shown else ''} | {field.description} |"


def test_the_index_of_the_documents_names_each() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    documents = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert documents == {name for name in documents if f"]({name})" in index}
