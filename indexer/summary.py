"""What a load did, so that it adds up: read = added + changed + … + rejected, exactly."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

_EXAMPLES = 3
_REASONS = 5
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
    """What the load of a file did: `read` is the sum of the counts, exactly.

    `why` counts the reasons for which records were skipped and rejected. `withheld` says how many
    would have been withdrawn, had it been accepted; they count as skipped. With an `error` it could
    not be read to its end, and `rejects` is what was written until then.
    """

    name: str
    counts: Counter[Result] = field(default_factory=Counter)
    why: dict[Result, Counter[str]] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    rejects: Path | None = None
    withheld: int = 0
    error: Exception | None = None

    def count(self, result: Result) -> bool:
        """Count what became of a record; True of the first few of a kind, which may be shown."""
        self.counts[result] += 1
        return self.counts[result] <= _EXAMPLES and result in _TELLING

    def show(self, row: int, result: Result, detail: str) -> None:
        """Keep what became of the record of a row in detail."""
        self.examples.append(f"row {row}: {result} {detail}")

    def withhold(self) -> None:
        """Count a record that would have withdrawn what was said before."""
        self.withheld += 1
        self.pass_over("its withdrawal was not accepted")

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


def lines(summary: Summary, *, rehearsal: bool) -> Iterator[str]:
    """What an operator is told of the load of a file, of a rehearsal with examples."""
    so_far = " until the error" if summary.error else ""
    rehearsed = " (nothing was changed)" if rehearsal else ""
    told = counted(summary.counted)
    yield f"{summary.name}: read {summary.read:,}{so_far} = {told}{rehearsed}"
    for result, reasons in summary.why.items():
        for reason, count in reasons.most_common(_REASONS):
            yield f"  {count:,} {result}: {reason}"
    if rehearsal:
        yield from (f"  {example}" for example in summary.examples)
    if summary.rejects:
        yield f"rejected records{so_far}, with reasons: {summary.rejects}"


def counted(counts: Mapping[str, int]) -> str:
    """Counts by name as a line; of a load that was cut short there are none."""
    return ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "cut short"


def difference(id_: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What a statement says otherwise of a listing than before, field by field."""
    fields = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    said = (f"{n}: {_short(before.get(n))} -> {_short(after.get(n))}" for n in fields)
    return f"{id_}: {'; '.join(said)}"


def _short(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
