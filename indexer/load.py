"""Loading: record -> prepared -> matched -> stored; what cannot be taken goes to a rejects file.

Records are stored in batches, one transaction each, and a record that says nothing new changes
nothing: a load that was killed at any point is simply run again. What would be withdrawn is
withdrawn at the end of the command (indexer.withdrawals).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
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
from directory.store.listings import Made
from directory.store.record import keep_clinics, record_all
from directory.store.said import keys_said
from indexer.matched import matched
from indexer.origin import own, prefix_of
from indexer.prepare import Found, Prepared, Preparer, Stated, first_wrong
from indexer.rejects import Rejects
from indexer.sources.files import Part, SourceError
from indexer.sources.record import Gone, Passed, Record, RecordError, RecordSource, Skipped
from indexer.summary import Result, Summary, difference
from indexer.withdrawals import Withdrawals, Writing
from indexer.workers import Prepare, preparing

Progress = Callable[[int, Summary], None]
"""Told how many bytes of the part have been read, and what became of the records so far."""

Watch = Callable[[Part], AbstractContextManager[Progress]]
"""Watches the load of a part."""


def _unwatched(_: Part) -> AbstractContextManager[Progress]:
    return nullcontext(lambda _, __: None)


@dataclass(frozen=True)
class Loader:
    """What a load needs.

    With an `origin` what is loaded is kept apart from what others say under the same ids. A
    `rehearsal` changes nothing but its rejects files. All of it is one transaction that is rolled
    back, so it tells what the load would do, exactly; the price is that nobody else can write until
    it is through, and that the store keeps all that is to be undone (on SQLite, in its log).
    """

    database: Database
    places: Places
    clock: Clock
    rejects_folder: Path
    origin: str | None = None
    accept_withdrawals: bool = False
    rehearsal: bool = False

    def load(
        self, source: RecordSource, parts: Sequence[Part], watch: Watch = _unwatched
    ) -> list[Summary]:
        """Load parts one after another; what is rejected of them lies in the rejects folder.

        One that cannot be read to its end has an error in its summary, and what was read until then
        is stored.
        """
        prefix = prefix_of(self.origin)
        prepare = Preparer(source, self.places, self.clock().date(), prefix)
        self.database.close()  # a second process must not inherit a connection
        with preparing(prepare, parts) as prepared, self._transactions() as writing:
            command = _Command(self, source, prefix, prepared, writing)
            for part in parts:
                with watch(part) as progress:
                    command.load(part, progress)
            command.end()
        return command.summaries

    @contextmanager
    def _transactions(self) -> Iterator[Writing]:
        if self.rehearsal:
            with self.database.writing(rehearsal=True) as session:
                yield lambda: nullcontext(session)
        else:
            yield self.database.writing


class _Command:
    """The loads of one command under way."""

    def __init__(
        self,
        loader: Loader,
        source: RecordSource,
        prefix: str,
        prepare: Prepare,
        writing: Writing,
    ) -> None:
        self.summaries: list[Summary] = []
        self._loader = loader
        self._source = source
        self._prefix = prefix
        self._prepare = prepare
        self._writing = writing
        self._withdrawals = Withdrawals(source.SOURCE, prefix)
        self._begun: list[int] = []

    def load(self, part: Part, progress: Progress) -> None:
        source, loader = self._source, self._loader
        made = Made(f"indexer load {part.name}", loader.clock(), "loaded")
        summary = Summary(part.name)
        self.summaries.append(summary)
        with self._writing() as session:
            self._begun.append(loads.begin(session, source.NAME, part.name, made.at))
            known = own(keys_said(session, source.SOURCE), self._prefix)
        names = {key.removeprefix(self._prefix) for key in known}
        rejects = Rejects(source, part, loader.rejects_folder, rehearsal=loader.rehearsal)
        try:
            with rejects:
                course = _Course(
                    source.SOURCE, made, summary, rejects, known, self._withdrawals, self._writing
                )
                for batch in self._prepare(source.read(part, names)):
                    course.store(batch)
                    progress(batch[-1][0].bytes_read, summary)
        except SourceError as error:
            summary.error = error
        summary.rejects = rejects.kept

    def end(self) -> None:
        """Withdraw what is gone, and note that what could be read to its end is through."""
        accepted = self._loader.accept_withdrawals
        self._withdrawals.carry_out(self._writing, accepted=accepted)
        with self._writing() as session:
            for number, summary in zip(self._begun, self.summaries, strict=True):
                withheld = {"withheld": summary.withheld} if summary.withheld else {}
                if not summary.error:
                    counts = summary.counted | withheld
                    loads.finish(session, number, self._loader.clock(), counts)


@dataclass
class _Course:
    """The load of one part under way."""

    source: Source
    made: Made
    summary: Summary
    rejects: Rejects
    known: set[str]
    withdrawals: Withdrawals
    writing: Writing
    _seen: set[str] = field(default_factory=set)

    def store(self, batch: Sequence[tuple[Record | Passed, Prepared | None]]) -> None:
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
