"""What each state's rule on dry needling says of each profession: data, with source and date.

Research, not legal advice. A profession that has no row in a state was not checked, and is shown
as such; nothing is filled in from elsewhere.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from directory.states import STATE_NAMES

_DATE = re.compile(r"undated|\d{4}(-\d{2}(-\d{2})?)?")


class RuleStatus(StrEnum):
    """`permitted`: the practice is allowed, which is not to say that no training is asked."""

    PERMITTED = "permitted"
    PERMITTED_WITH_TRAINING = "permitted_with_training"
    NOT_ADDRESSED = "not_addressed"
    PROHIBITED = "prohibited"


@dataclass(frozen=True)
class Rule:
    """One state's rule for one profession. `source_date` is `undated`, a year, a month or a day."""

    state: str
    profession: str
    status: RuleStatus
    min_training_hours: int | None
    note: str
    source_url: str
    source_date: str
    confidence: str


def rule(state: str, profession: str) -> Rule | None:
    """The rule of a state for a profession, or None where it was not checked."""
    return _rules().get((state, profession))


@cache
def _rules() -> Mapping[tuple[str, str], Rule]:
    return read(Path(__file__).parent / "state_rules.csv")


def read(path: Path) -> Mapping[tuple[str, str], Rule]:
    """The rules of a file. ValueError names the row that lacks a source or date, or comes twice."""
    rules: dict[tuple[str, str], Rule] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                each = _rule(row)
            except (ValueError, KeyError) as error:
                raise ValueError(f"{path.name} row {number}: {error}") from error
            if (each.state, each.profession) in rules:
                raise ValueError(f"{path.name} row {number}: {each.state} {each.profession} twice")
            rules[each.state, each.profession] = each
    return rules


def _rule(row: Mapping[str, str]) -> Rule:
    if row["state"] not in STATE_NAMES:
        raise ValueError(f"{row['state']!r} is no state")
    if not row["source_url"].startswith(("https://", "http://")):
        raise ValueError(f"{row['source_url']!r} is no source's address")
    if not _DATE.fullmatch(row["source_date"]):
        raise ValueError(f"{row['source_date']!r} is no date")
    if row["confidence"] not in ("high", "medium"):
        raise ValueError(f"a rule of {row['confidence']!r} confidence is not shown as fact")
    hours = int(row["min_training_hours"]) if row["min_training_hours"] else None
    status = RuleStatus(row["status"])
    return Rule(
        row["state"],
        row["profession"],
        status,
        hours,
        row["note"],
        row["source_url"],
        row["source_date"],
        row["confidence"],
    )
