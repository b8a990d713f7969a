"""Loading: raw record -> facts -> located -> store; what cannot be taken goes to a rejects file.

Records are stored in batches, one transaction each, and a record that says nothing new changes
nothing: a load that was killed at any point is simply run again.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from hashlib import sha256
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from directory.fields import LISTING_ID
from directory.listing import Facts, Source
from directory.places import Places
from directory.services import Clock
from directory.store.database import Database, Transaction
from directory.store.listings import Made, Outcome, listing_id, record, withdraw
from directory.store.statement import Statement
from indexer.sources.record import (
    Gone,
    Record,
    RecordError,
    RecordSource,
    RejectsWriter,
    Said,
    Skipped,
)

BATCH = 500
"""Records a transaction: others wait for the store no longer than about half a second."""

_EXAMPLES = 5

Prepared = tuple[Said, Facts] | Gone | Skipped | RecordError
"""A record as it is ready to be stored, or why it will not be."""

Progress = Callable[[int], None]
"""Told how many bytes of the file have been read."""


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
    """What a load did: `read` is the sum of the counts, exactly."""

    counts: Counter[Result] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    rejects: Path | None = None

    def tell(self, record: Record, result: Result, prepared: "Prepared") -> None:
        """Count a result, and keep the first few as examples."""
        self.counts[result] += 1
        if result in _TELLING and len(self.examples) < _EXAMPLES:
            why = f" ({prepared})" if isinstance(prepared, RecordError) else ""
            self.examples.append(f"row {record.row}: {result}{why}")

    @property
    def read(self) -> int:
        """How many records were read."""
        return self.counts.total()


@dataclass(frozen=True)
class Loader:
    """What a load needs. Without a folder for rejects it is a dry run and changes nothing."""

    database: Database
    places: Places
    clock: Clock
    rejects_folder: Path | None

    def load(
        self, source: RecordSource, path: Path, progress: Progress = lambda _: None
    ) -> Summary:
        """Load a file; what is rejected of it lies in the rejects folder.

        SourceError where it cannot be read; what was read until then is stored.
        """
        summary = Summary()
        made = Made(f"indexer load {path.name}", self.clock(), "loaded")
        stream, ids = source.read(path), set[str]()
        with _Rejects(source, path, self.rejects_folder) as rejects:
            for batch in iter(lambda: list(islice(stream, BATCH)), []):
                # What takes time is done before the store is locked.
                ready = [(each, self._prepared(source, each, made.today, ids)) for each in batch]
                with self.database.writing(rehearsal=not self.rejects_folder) as session:
                    for each, prepared in ready:
                        result = self._take(session, source, each, prepared, made, rejects)
                        summary.tell(each, result, prepared)
                progress(batch[-1].bytes_read)
        summary.rejects = rejects.kept
        return summary

    def _prepared(self, source: RecordSource, raw: Record, today: date, ids: set[str]) -> Prepared:
        try:
            said = source.interpret(raw, today)
            if isinstance(said, Said):
                if said.id is not None:
                    _own_name(said.id, ids)
                facts = Facts.model_validate(self.places.located(said.fields))
                _may_say(facts, today)
                return said, facts
        except RecordError as error:
            return error
        except ValidationError as error:
            return _record_error(error)
        return said

    def _take(
        self,
        session: Transaction,
        source: RecordSource,
        raw: Record,
        prepared: Prepared,
        made: Made,
        rejects: "_Rejects",
    ) -> Result:
        match prepared:
            case RecordError():
                rejects.add(raw, prepared)
                return Result.REJECTED
            case Gone(key, reason):
                withdrawn = withdraw(session, source.SOURCE, key, Made(made.by, made.at, reason))
                return Result.WITHDRAWN if withdrawn else Result.SKIPPED
            case Skipped():
                return Result.SKIPPED
            case (said, facts):
                try:
                    return Result(_record(session, source.SOURCE, said, facts, made))
                except ValidationError as error:
                    rejects.add(raw, _record_error(error))
                    return Result.REJECTED


def _record(session: Transaction, source: Source, said: Said, facts: Facts, made: Made) -> Outcome:
    statement = Statement.of(source, said.key, said.as_of, facts)
    id_ = said.id or listing_id(source, said.key)
    return record(session, id_, statement, made)


def _own_name(id_: str, ids: set[str]) -> None:
    """RecordError where an id that a file gives is none, or stands in the file a second time."""
    if not LISTING_ID.fullmatch(id_):
        raise RecordError("id", f"{id_!r} is no id: {LISTING_ID.pattern}")
    if id_ in ids:
        raise RecordError("id", f"{id_} is in this file already; the first was taken")
    ids.add(id_)


def _may_say(facts: Facts, today: date) -> None:
    """RecordError where a file speaks for a moderator, or of a day that has not come."""
    if facts.licence_check:
        raise RecordError("licence_check", "only a moderator of this directory can say so")
    if any(certificate.verified_on for certificate in facts.certificates):
        raise RecordError("certificates.verified_on", "only a moderator can say so")
    if facts.attestation and facts.attestation.on > today:
        raise RecordError("attestation.on", "lies in the future")


def _record_error(error: ValidationError) -> RecordError:
    """The first thing that is wrong; the rest shows when that is mended."""
    first = error.errors()[0]
    if first["type"] == "missing" and first["loc"] == ("location",):
        return RecordError("address", "neither its ZIP nor its city is known: it has no place")
    place = ".".join(str(part) for part in first["loc"]) or "record"
    return RecordError(place, first["msg"].removeprefix("Value error, "))


class _Rejects:
    """The rejects file of one file. It takes its place when the load is through.

    Its name tells files of one name in two folders apart; rejects that are loaded again are
    replaced by what is still rejected of them.
    """

    def __init__(self, source: RecordSource, path: Path, folder: Path | None) -> None:
        self._source = source
        name = _rejects_name(path, folder) if folder else ""
        self._target = folder and folder / name
        self._partial = folder and folder / f"{name}.partial"
        self._open = ExitStack()
        self._write: RejectsWriter | None = None
        self.kept: Path | None = None

    def __enter__(self) -> "_Rejects":
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self._open.close()
        if self._target and self._partial and self._write:
            self._partial.replace(self._target)
            self.kept = self._target
        elif self._target and not failed:
            self._target.unlink(missing_ok=True)

    def add(self, rejected: Record, error: RecordError) -> None:
        """Write a record with what is wrong with it."""
        if not self._partial:
            return
        if not self._write:
            self._partial.parent.mkdir(parents=True, exist_ok=True)
            file = self._partial.open("w", encoding="utf-8", newline="")
            self._write = self._source.rejects(self._open.enter_context(file), rejected.raw)
        self._write(rejected, error)


def _rejects_name(path: Path, folder: Path) -> str:
    if path.resolve().parent == folder.resolve():
        return path.name
    stem, _, extension = path.name.removesuffix(".gz").rpartition(".")
    return f"{stem}-{sha256(str(path.resolve()).encode()).hexdigest()[:6]}.{extension}"
