"""The load of one file under way: what is taken of it, what is passed over, what is rejected."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from directory.listing import Source
from directory.places.street import Street, street_of
from directory.store import addresses
from directory.store.addresses import AddressPoint
from directory.store.batch import Recorded, Taken
from directory.store.clinics import Clinic
from directory.store.database import Transaction
from directory.store.listings import Made
from directory.store.record import keep_clinics, record_all
from indexer.matched import matched
from indexer.prepare import Found, Stated, first_wrong
from indexer.rejects import Rejects
from indexer.sources.record import Gone, Passed, Record, RecordError, Skipped
from indexer.summary import Result, Summary, difference
from indexer.withdrawals import Withdrawals, Writing
from indexer.workers import Batch


@dataclass
class Course:
    """The load of one file, batch by batch. `known` are the keys that were there before it."""

    source: Source
    made: Made
    summary: Summary
    rejects: Rejects
    known: set[str]
    withdrawals: Withdrawals
    writing: Writing
    _seen: set[str] = field(default_factory=set)

    def store(self, batch: Batch) -> None:
        """Store what a batch says, in one transaction."""
        stated: list[tuple[Record, Stated]] = []
        found: list[tuple[Record, Found]] = []
        for record, prepared in batch:
            if isinstance(record, Passed):
                self.summary.pass_over(record.reason, record.count)
            elif isinstance(prepared, Stated):
                if self._is_taken(record, prepared):
                    stated.append((record, prepared))
            elif isinstance(prepared, Found):
                if prepared.left_out and prepared.key not in self.known:
                    self.summary.pass_over(prepared.left_out)
                else:
                    found.append((record, prepared))
            elif isinstance(prepared, RecordError):
                self._reject(record, prepared)
            elif isinstance(prepared, Gone):
                self._note_gone(record, prepared)
            elif isinstance(prepared, Skipped):
                self._skip(record, prepared)
        with self.writing() as session:
            self._keep_found(session, found)
            self._record(session, stated)

    def _is_taken(self, record: Record, stated: Stated) -> bool:
        """Whether it is wanted, and nothing was said under this key before in this file."""
        key = stated.statement.key
        if stated.left_out and key not in self.known:
            self.summary.pass_over(stated.left_out)
            return False
        self.withdrawals.heed(stated.statement)
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

    def _skip(self, record: Record, skipped: Skipped) -> None:
        if skipped.key and skipped.key in self.known:
            why = f"the source now says: {skipped.reason}"
            self._note_gone(record, Gone(skipped.key, skipped.as_of, why))
        else:
            self.summary.pass_over(skipped.reason)

    def _note_gone(self, record: Record, gone: Gone) -> None:
        if gone.key in self.known:
            taken = Taken(self.source, gone.key, gone.reason, gone.as_of)
            self.withdrawals.note(taken, record.row, self.summary, self.made)
        else:
            self.summary.pass_over("gone, and never listed")

    def _record(self, session: Transaction, stated: Sequence[tuple[Record, Stated]]) -> None:
        ready, said = matched(session, self.source, stated, self.summary.pass_over)
        sayings = [(each.listing_id, each.statement) for each in ready]
        results = record_all(session, sayings, self.made, said)
        for each, result in zip(ready, results, strict=True):
            if isinstance(result, ValidationError):
                self._reject(each.record, first_wrong(result))
            else:
                self._tell(each.record, result, each.statement.fields)

    def _tell(self, record: Record, recorded: Recorded, fields: dict[str, object]) -> None:
        result = Result(recorded.outcome)
        if self.summary.count(result):
            what = difference(recorded.listing_id, recorded.before, fields)
            self.summary.show(record.row, result, what)

    def _keep_found(self, session: Transaction, found: Sequence[tuple[Record, Found]]) -> None:
        clinics, points, taken = [], [], []
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
            if self.summary.count(Result(outcome)):
                self.summary.show(record.row, Result(outcome), clinic.name)
        addresses.keep(session, points)

    def _reject(self, record: Record, error: RecordError) -> None:
        if self.summary.count(Result.REJECTED):
            self.summary.show(record.row, Result.REJECTED, f"({error})")
        self.summary.give(Result.REJECTED, f"{error.field}: {error.reason}"[:120])
        self.rejects.add(record, error)


def _clinic(source: Source, found: Found, street: Street) -> Clinic:
    name, phone = found.fields["name"], found.fields["phone"]
    return Clinic(source, found.key, name, street, phone, found.as_of)
