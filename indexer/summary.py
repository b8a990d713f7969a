"""What a load did, so that it adds up: read = added + changed + … + rejected, exactly."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

_EXAMPLES = 3
_LONGEST_VALUE = 60
_PARTICULAR = re.compile(r"'[^']*'|\d[\d.,:-]*")


class Result(StrEnum):
    """What became of a record. The counts of a load add up to the records read."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    WITHDRAWN = "withdrawn"
    SKIPPED = "skipped"
    REJECTED = "rejected"


_TELLING = (Result.ADDED, Result.CHANGED, Result.WITHDRAWN, Result.REJECTED)


@dataclass
class Summary:
    """What a load did: `read` is the sum of the counts, exactly.

    `why` counts the reasons for which records were skipped and rejected. `withheld` says how many
    would have been withdrawn, had it been accepted; they count as skipped.
    """

    counts: Counter[Result] = field(default_factory=Counter)
    why: dict[Result, Counter[str]] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    rejects: Path | None = None
    withheld: int = 0

    def tell(self, result: Result, row: int, detail: Callable[[], str]) -> None:
        """Count what became of the record of a row, and keep the first few of a kind in detail."""
        self.counts[result] += 1
        if self.counts[result] <= _EXAMPLES and result in _TELLING:
            self.examples.append(f"row {row}: {result} {detail()}")

    def pass_over(self, reason: str, count: int = 1) -> None:
        """Count records that are none of ours."""
        self.counts[Result.SKIPPED] += count
        self.give(Result.SKIPPED, reason, count)

    def give(self, result: Result, reason: str, count: int = 1) -> None:
        """Count a reason; what differs from record to record in it is left out."""
        self.why.setdefault(result, Counter())[_PARTICULAR.sub("…", reason)] += count

    @property
    def counted(self) -> dict[str, int]:
        """The counts by name, those of nothing as well."""
        return {str(result): self.counts[result] for result in Result}

    @property
    def read(self) -> int:
        """How many records were read."""
        return self.counts.total()


def difference(id_: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What a statement says otherwise of a listing than before, field by field."""
    fields = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    said = (f"{n}: {_short(before.get(n))} -> {_short(after.get(n))}" for n in fields)
    return f"{id_}: {'; '.join(said)}"


def _short(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
