"""Loading: record -> prepared -> matched -> stored; what cannot be taken goes to a rejects file.

Records are stored in batches, one transaction each, and a record that says nothing new changes
nothing: a load that was killed at any point is simply run again. What would be withdrawn is
withdrawn at the end, all of it, or none if it is suspiciously much.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from directory.listing import Source
from directory.places import Places
from directory.places.street import Street, street_of
from directory.services import Clock
from directory.store import addresses, loads
from directory.store.addresses import AddressPoint
from directory.store.batch import Recorded, Taken
from directory.store.clinics import Clinic
from directory.store.database import Database, Transaction
from directory.store.keys import keys_of
from directory.store.listings import Made, existing
from directory.store.matching import Matcher
from directory.store.record import (
    forget_clinics,
    keep_clinics,
    listing_id,
    record_all,
    still_said,
    withdraw_all,
)
from directory.store.said import SaidOf, keys_said, statements_said
from directory.store.statement import Fields, Statement
from indexer.prepare import Found, Prepared, Preparer, Rejected, Stated, rejected
from indexer.rejects import Rejects
from indexer.sources.files import Part
from indexer.sources.record import Gone, Passed, Record, RecordError, RecordSource, Skipped
from indexer.summary import Result, Summary, difference
from indexer.workers import prepared_batches

MOST_WITHDRAWN = 0.05
"""A load that would withdraw a larger share of what its source has said stops and asks."""

_TAKEN_BACK_AT_ONCE = 2_000

Progress = Callable[[int, Summary], None]
"""Told how many bytes of the part have been read, and what became of the records so far."""


@dataclass(frozen=True)
class Loader:
    """What a load needs. Without a folder for rejects it is a dry run and changes nothing.

    With an `origin` what is loaded is kept apart from what others say under the same ids.
    """

    database: Database
    places: Places
    clock: Clock
    rejects_folder: Path | None
    origin: str | None = None
    accept_withdrawals: bool = False

    def load(
        self, source: RecordSource, part: Part, progress: Progress = lambda _, __: None
    ) -> Summary:
        """Load a part; what is rejected of it lies in the rejects folder.

        SourceError where it cannot be read; what was read until then is stored.
        """
        made = Made(f"indexer load {part.name}", self.clock(), "loaded")
        prefix = f"{self.origin}:" if self.origin else ""
        with self.database.writing(rehearsal=self.is_rehearsal) as session:
            number = loads.begin(session, source.SOURCE, part.name, made.at)
            known = {key for key in keys_said(session, source.SOURCE) if key.startswith(prefix)}
        prepare = Preparer(source, self.places, made.today, prefix)
        self.database.close()  # a second process must not inherit a connection
        summary = Summary()
        with Rejects(source, part, self.rejects_folder) as rejects:
            course = _Course(self, source.SOURCE, made, summary, rejects, known)
            own_names = {key.removeprefix(prefix) for key in known}
            for batch in prepared_batches(part, source.read(part, own_names), prepare):
                course.store(batch)
                progress(batch[-1][0].bytes_read, summary)
            course.withdraw()
        summary.rejects = rejects.kept
        counts = summary.counted | ({"withheld": summary.withheld} if summary.withheld else {})
        with self.database.writing(rehearsal=self.is_rehearsal) as session:
            if not self.is_rehearsal:
                loads.finish(session, number, self.clock(), counts)
        return summary

    @property
    def is_rehearsal(self) -> bool:
        """Whether nothing is to be changed."""
        return self.rejects_folder is None


@dataclass
class _Course:
    """One load under way."""

    loader: Loader
    source: Source
    made: Made
    summary: Summary
    rejects: Rejects
    known: set[str]
    _seen: set[str] = field(default_factory=set)
    _gone: dict[str, tuple[int, Taken]] = field(default_factory=dict)

    def store(self, batch: Sequence[tuple[Record | Passed, Prepared | None]]) -> None:
        """Store what a batch says, in one transaction."""
        stated: list[tuple[Record, Stated]] = []
        found: list[tuple[Record, Found]] = []
        for record, prepared in batch:
            match record, prepared:
                case Passed(count, reason), _:
                    self.summary.pass_over(reason, count)
                case Record(), Stated() if self._is_taken(record, prepared):
                    stated.append((record, prepared))
                case Record(), Found(key, left_out=str(why)) if key not in self.known:
                    self.summary.pass_over(why)
                case Record(), Found():
                    found.append((record, prepared))
                case Record(), Gone(key, as_of, reason):
                    self._note_gone(record, key, Taken(self.source, key, reason, as_of))
                case Record(), Skipped(reason, key, as_of) if key in self.known and key:
                    why = f"the source now says: {reason}"
                    self._note_gone(record, key, Taken(self.source, key, why, as_of))
                case Record(), Skipped(reason):
                    self.summary.pass_over(reason)
                case Record(), Rejected(where, reason):
                    self._reject(record, RecordError(where, reason))
        with self.loader.database.writing(rehearsal=self.loader.is_rehearsal) as session:
            self._keep_found(session, found)
            self._record(session, stated)

    def withdraw(self) -> None:
        """Withdraw what is gone; all of it is left where it is too much to be right."""
        gone = [each for some in _chunks(list(self._gone.values())) for each in self._still(some)]
        if len(gone) > MOST_WITHDRAWN * len(self.known) and not self.loader.accept_withdrawals:
            self.summary.withheld = len(gone)
            self.summary.pass_over("its withdrawal was not accepted", len(gone))
            return
        for some in _chunks(gone):
            with self.loader.database.writing(rehearsal=self.loader.is_rehearsal) as session:
                taken = [each for _, each in some]
                withdraw_all(session, taken, self.made)
                forget_clinics(session, taken, self.made)
            for row, each in some:
                what = partial("{}: {}".format, each.key, each.reason)
                self.summary.tell(Result.WITHDRAWN, row, what)

    def _still(self, gone: Sequence[tuple[int, Taken]]) -> Iterator[tuple[int, Taken]]:
        """Those of which nothing newer is said."""
        with self.loader.database.reading() as session:
            there = still_said(session, [each for _, each in gone])
        for each, is_there in zip(gone, there, strict=True):
            if is_there:
                yield each
            else:
                self.summary.pass_over("older than what is said")

    def _is_taken(self, record: Record, stated: Stated) -> bool:
        """Whether it is wanted, and nothing was said under this key before in this file."""
        key = stated.statement.key
        if stated.left_out and key not in self.known:
            self.summary.pass_over(stated.left_out)
            return False
        if key in self._gone:  # said to be gone, and then not
            self._gone.pop(key)
            self.summary.pass_over("a later row says otherwise")
        if self.source is Source.NPPES and not stated.statement.base:
            return True  # the registry has each number once
        if key in self._seen:
            if stated.id:
                what = f"{stated.id} is in this file already; the first was taken"
                self._reject(record, RecordError("id", what))
            else:
                self.summary.pass_over("again in this file")
            return False
        self._seen.add(key)
        return True

    def _note_gone(self, record: Record, key: str, taken: Taken) -> None:
        if key not in self.known:
            self.summary.pass_over("gone, and never listed")
        elif key in self._gone:
            self.summary.pass_over("again in this file")
        else:
            self._gone[key] = (record.row, taken)

    def _record(self, session: Transaction, stated: Sequence[tuple[Record, Stated]]) -> None:
        ready = self._placed(session, list(self._with_bases(session, stated)))
        said = statements_said(session, ((self.source, s.statement.key) for _, s, _ in ready))
        ids = self._ids(session, [(each, whole) for _, each, whole in ready], said)
        sayings = [(id_, each.statement) for id_, (_, each, _) in zip(ids, ready, strict=True)]
        results = record_all(session, sayings, self.made, said)
        for (record, each, _), result in zip(ready, results, strict=True):
            match result:
                case Recorded(outcome, id_, before):
                    what = partial(difference, id_, before, each.statement.fields)
                    self.summary.tell(Result(outcome), record.row, what)
                case ValidationError():
                    why = rejected(result)
                    self._reject(record, RecordError(why.field, why.reason))

    def _with_bases(
        self, session: Transaction, stated: Sequence[tuple[Record, Stated]]
    ) -> Iterator[tuple[Record, Stated, Statement]]:
        """Each statement and itself as a whole; a further practice needs a practitioner of ours."""
        names = ((self.source, s.statement.base) for _, s in stated if s.statement.base)
        bases = statements_said(session, names)
        for record, each in stated:
            statement = each.statement
            if not statement.base:
                yield record, each, statement
                continue
            base = bases.get((self.source, statement.base))
            if not base or base.fields is None:
                self.summary.pass_over("its practitioner is none of ours")
            elif keys_of(base.fields).building == keys_of(statement.fields).building:
                self.summary.pass_over("the practice that is listed already")
            else:
                yield record, each, statement.upon(base.fields)

    def _placed(
        self, session: Transaction, ready: Sequence[tuple[Record, Stated, Statement]]
    ) -> list[tuple[Record, Stated, Statement]]:
        """The same, at the points of their addresses where these are known exactly."""
        buildings = {b for _, _, whole in ready if (b := whole.keys.building)}
        points = addresses.points(session, buildings)
        return [
            (
                record,
                replace(each, statement=_at(each.statement, whole.keys.building, points)),
                _at(whole, whole.keys.building, points),
            )
            for record, each, whole in ready
        ] if points else list(ready)  # fmt: skip

    def _ids(
        self,
        session: Transaction,
        stated: Sequence[tuple[Stated, Statement]],
        said: Mapping[tuple[str, str], SaidOf],
    ) -> list[str]:
        """The listing that each statement is of: its own from before, or one that it matches."""
        there = existing(session, {s.id for s, _ in stated if s.id})
        known: list[str | None] = []
        for each, _ in stated:
            before = said.get((self.source, each.statement.key))
            known.append(before.listing_id if before else each.id if each.id in there else None)
        new = (whole.keys for id_, (_, whole) in zip(known, stated, strict=True) if not id_)
        matcher = Matcher(session, new)
        ids = []
        for id_, (each, whole) in zip(known, stated, strict=True):
            chosen = id_ or matcher.match(whole.fields, whole.keys) or each.id
            ids.append(chosen or listing_id(self.source, each.statement.key))
            if not id_:
                matcher.add(ids[-1], whole.fields, whole.keys)
        return ids

    def _keep_found(self, session: Transaction, found: Sequence[tuple[Record, Found]]) -> None:
        clinics, points = [], []
        taken = []
        for record, each in found:
            street = street_of(each.fields["address"])
            if not street:
                self._reject(record, RecordError("address.line1", "is empty: it has no street"))
                continue
            clinics.append(_clinic(self.source, each, street))
            taken.append(record)
            location = each.fields["location"]
            if location["method"] == "given" and location["precision"] in ("rooftop", "street"):
                by = f"{self.source}: {self.made.by}"
                points.append(AddressPoint(street.building, location, by, self.made.at))
        outcomes = keep_clinics(session, clinics, self.made)
        for record, clinic, outcome in zip(taken, clinics, outcomes, strict=True):
            self.summary.tell(Result(outcome), record.row, clinic.name.__str__)
        addresses.keep(session, points)

    def _reject(self, record: Record, error: RecordError) -> None:
        self.summary.tell(Result.REJECTED, record.row, f"({error})".__str__)
        self.summary.give(Result.REJECTED, f"{error.field}: {error.reason}"[:120])
        self.rejects.add(record, error)


def _chunks(gone: Sequence[tuple[int, Taken]]) -> Iterator[Sequence[tuple[int, Taken]]]:
    for start in range(0, len(gone), _TAKEN_BACK_AT_ONCE):
        yield gone[start : start + _TAKEN_BACK_AT_ONCE]


def _clinic(source: Source, found: Found, street: Street) -> Clinic:
    name, phone = found.fields["name"], found.fields["phone"]
    return Clinic(source, found.key[:200], name, street, phone, found.as_of)


def _at(
    statement: Statement, building: str | None, points: Mapping[str, Fields | None]
) -> Statement:
    """A statement at the point of its building, unless it has given one itself."""
    location = statement.fields["location"]
    better = points.get(building or "")
    if not better or location.get("method") != "gazetteer" or statement.fields.get("area_only"):
        return statement
    return replace(statement, fields=statement.fields | {"location": better})
