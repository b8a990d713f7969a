"""Loading: raw record -> facts -> located -> store; what cannot be taken goes to a rejects file.

Records are stored in batches, one transaction each, and a record that says nothing new changes
nothing: a load that was killed at any point is simply run again.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from directory.credentials import held_because
from directory.listing import Answer, Facts, Source
from directory.places import Places
from directory.places.place import Place
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


_TELLING = (Result.ADDED, Result.CHANGED, Result.WITHDRAWN)


@dataclass
class Summary:
    """What a load did: `read` is the sum of the counts, exactly."""

    counts: Counter[Result] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    rejects: list[Path] = field(default_factory=list)

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
        self, source: RecordSource, paths: Sequence[Path], progress: Progress = lambda _: None
    ) -> Summary:
        """Load files; what is rejected of each lies in the rejects folder under its name.

        SourceError where a file cannot be read at all; what was read before it is stored.
        """
        summary = Summary()
        for path in paths:
            self._load_file(source, path, summary, progress)
        return summary

    def _load_file(
        self, source: RecordSource, path: Path, summary: Summary, progress: Progress
    ) -> None:
        made = Made(f"indexer load {path.name}", self.clock(), "loaded")
        stream = source.read(path)
        with _Rejects(source, path, self.rejects_folder) as rejects:
            for batch in iter(lambda: list(islice(stream, BATCH)), []):
                # What takes time is done before the store is locked.
                ready = [(each, self._prepared(source, each, made.at.date())) for each in batch]
                with self.database.writing() as session:
                    for each, prepared in ready:
                        result = self._take(session, source, each, prepared, made, rejects)
                        summary.counts[result] += 1
                        if result in _TELLING and len(summary.examples) < _EXAMPLES:
                            summary.examples.append(f"row {each.row}: {result}")
                    if not self.rejects_folder:
                        session.rollback()
                progress(batch[-1].bytes_read)
            if rejects.path:
                summary.rejects.append(rejects.path)

    def _prepared(self, source: RecordSource, raw: Record, today: date) -> Prepared:
        try:
            said = source.interpret(raw, today)
            if isinstance(said, Said):
                facts = Facts.model_validate({**said.fields, **_located(said.fields, self.places)})
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
    held = None
    if facts.dry_needling is Answer.YES:
        held = held_because(facts.address.state, facts.profession)
    statement = Statement.of(source, said.key, said.as_of, facts)
    id_ = said.id or listing_id(source, said.key)
    return record(session, id_, statement, made, held_because=held)


def _located(fields: Mapping[str, Any], places: Places) -> dict[str, Any]:
    """The location, where the record gives none: the middle of its ZIP, else of its city.

    A practice that hides its street is located by ZIP in any case. What is no address is left to
    the validation to name.
    """
    address = fields.get("address")
    if not isinstance(address, Mapping) or ("location" in fields and not fields.get("area_only")):
        return {}
    place = _post_office(str(address.get("postal_code", ""))[:5], places) or _post_office(
        f"{address.get('city')}, {address.get('state')}", places
    )
    if not place or not place.point:
        raise RecordError("address", "neither its ZIP nor its city is known: it has no place")
    precision = "postal_code" if place.kind == "postal_code" else "city"
    return {"location": {"lat": place.point[0], "lon": place.point[1], "precision": precision}}


def _post_office(text: str, places: Places) -> Place | None:
    place = places.offline(text)
    return place if place and place.kind in ("postal_code", "city") else None


def _record_error(error: ValidationError) -> RecordError:
    """The first thing that is wrong; the rest shows when that is mended."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "record"
    return RecordError(place, first["msg"].removeprefix("Value error, "))


class _Rejects:
    """The rejects file of one file; made when there is something to put in it, else not there."""

    def __init__(self, source: RecordSource, path: Path, folder: Path | None) -> None:
        self._target = folder / path.name.removesuffix(".gz") if folder else None
        self._source = source
        self._open = ExitStack()
        self._write: RejectsWriter | None = None

    def __enter__(self) -> "_Rejects":
        if self._target and self._target.exists():
            self._target.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def path(self) -> Path | None:
        """The file, if anything was rejected and kept."""
        return self._target if self._write else None

    def add(self, rejected: Record, error: RecordError) -> None:
        """Write a record with what is wrong with it."""
        if not self._target:
            return
        if not self._write:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            file = self._target.open("w", encoding="utf-8", newline="")
            self._write = self._source.rejects(self._open.enter_context(file), rejected.raw)
        self._write(rejected, error)
