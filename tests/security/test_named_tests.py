"""The documents that say which test holds what name tests that there are."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`( \*\(soak\)\*)?")


def functions_of(path: Path) -> dict[str, str]:
    """Each test of a file, with the mark of one that only `make soak` runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name: " *(soak)*"
        if "pytest.mark.soak" in map(ast.unparse, node.decorator_list)
        else ""
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("document", ["security.md", "trials.md"])
def test_every_test_that_is_named_is_there(document: str) -> None:
    named = NAMED.findall((ROOT / "docs" / document).read_text(encoding="utf-8"))
    assert len(named) > 20
    for file, name, mark in named:
        assert name.startswith("test_"), name
        assert functions_of(ROOT / file).get(name) == mark, f"{file}::{name}"


def test_every_trial_has_a_test_or_a_reason() -> None:
    rows = {
        cells[1].strip(): cells[3].strip()
        for line in (ROOT / "docs" / "trials.md").read_text(encoding="utf-8").splitlines()
        if re.match(r"\| [RPSD]\d\d ", line) and (cells := line.split("|"))
    }
    counts = {"R": 24, "P": 5, "S": 34, "D": 9}
    assert list(rows) == [
        f"{kind}{n:02}" for kind, most in counts.items() for n in range(1, most + 1)
    ]
    assert all(NAMED.search(said) or len(said) > 40 for said in rows.values())


def test_every_line_of_the_threat_model_has_a_test() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    threats = [line for line in lines if not line.startswith("| threat")]
    assert len(threats) > 20
    assert all(NAMED.search(line) for line in threats)
