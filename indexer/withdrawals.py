"""What is to be withdrawn: gathered from all files of a command, and decided once at its end.

All of it is withdrawn, or none if it is suspiciously much. What is measured is the source as it
stands at the end, so a command that was killed and run again decides as if it had run once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby

from directory.listing import Source
from directory.store import clinics
from directory.store.batch import Taken
from directory.store.database import Transaction
from directory.store.listings import Made
from directory.store.record import forget_clinics, still_said, withdraw_all
from directory.store.said import keys_said
from directory.store.statement import Statement
from indexer.origin import own
from indexer.summary import Result, Summary

MOST_WITHDRAWN = 0.05
"""Of what a source says, practitioners and clinics each for themselves: a command that would
withdraw a larger share stops and asks."""

FEW_WITHDRAWN = 5
"""So many of a kind are never suspicious: a list of twenty loses one as a matter of course, and a
few by mistake are soon mended. What is guarded against, a file misread or of another kind, takes
many."""

_AT_ONCE = 2_000

Writing = Callable[[], AbstractContextManager[Transaction]]
"""Begins a write transaction."""


@dataclass(frozen=True, slots=True)
class _Noted:
    taken: Taken
    row: int
    summary: Summary
    made: Made


class Withdrawals:
    """What the files of a command say is gone: of each key once, so there are no more than keys."""

    def __init__(self, source: Source, prefix: str) -> None:
        self._source = source
        self._prefix = prefix
        self._noted: dict[str, _Noted] = {}

    def note(self, taken: Taken, row: int, summary: Summary, made: Made) -> None:
        """Note what a row of a file says is gone; of several the latest by date counts."""
        before = self._noted.get(taken.key)
        if before and not _is_later(taken, before.taken):
            summary.pass_over("said to be gone already")
            return
        if before:
            before.summary.pass_over("said to be gone already")
        self._noted[taken.key] = _Noted(taken, row, summary, made)

    def heed(self, statement: Statement) -> None:
        """What is said not earlier than it was gone is there again."""
        noted = self._noted.get(statement.key)
        if noted and (noted.taken.as_of is None or noted.taken.as_of <= statement.as_of):
            self._noted.pop(statement.key)
            noted.summary.pass_over("a later row says otherwise")

    def carry_out(self, writing: Writing, *, accepted: bool) -> None:
        """Withdraw what is gone; all of it is left where it is too much to be right."""
        gone = [each for some in _chunks(self._noted.values()) for each in _still(writing, some)]
        if not accepted and self._is_suspicious(writing, gone):
            for each in gone:
                each.summary.withhold()
            return
        for made, of_one in groupby(gone, key=lambda each: each.made):
            for some in _chunks(of_one):
                taken = [each.taken for each in some]
                with writing() as session:
                    withdraw_all(session, taken, made)
                    forget_clinics(session, taken, made)
                for each in some:
                    if each.summary.count(Result.WITHDRAWN):
                        what = f"{each.taken.key}: {each.taken.reason}"
                        each.summary.show(each.row, Result.WITHDRAWN, what)

    def _is_suspicious(self, writing: Writing, gone: Sequence[_Noted]) -> bool:
        if len(gone) <= FEW_WITHDRAWN:  # of whichever kind: the keys need not be read
            return False
        with writing() as session:
            organisations = own(clinics.keys(session, self._source), self._prefix)
            practitioners = own(keys_said(session, self._source), self._prefix) - organisations
        keys = {each.taken.key for each in gone}
        return any(
            len(keys & kind) > max(FEW_WITHDRAWN, MOST_WITHDRAWN * len(kind))
            for kind in (practitioners, organisations)
        )


def _is_later(one: Taken, other: Taken) -> bool:
    return one.as_of is not None and other.as_of is not None and one.as_of > other.as_of


def _still(writing: Writing, noted: Sequence[_Noted]) -> Iterator[_Noted]:
    """Those of which nothing newer is said."""
    with writing() as session:
        there = still_said(session, [each.taken for each in noted])
    for each, is_there in zip(noted, there, strict=True):
        if is_there:
            yield each
        else:
            each.summary.pass_over("older than what is said")


def _chunks(noted: Iterable[_Noted]) -> Iterator[list[_Noted]]:
    every = list(noted)
    for start in range(0, len(every), _AT_ONCE):
        yield every[start : start + _AT_ONCE]
