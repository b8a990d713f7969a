"""Loading: record -> prepared -> matched -> stored; what cannot be taken goes to a rejects file.

Records are stored in batches, one transaction each, and a record that says nothing new changes
nothing: a load that was killed at any point is simply run again. What would be withdrawn is
withdrawn at the end of the command (indexer.withdrawals).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from directory.places import Places
from directory.services import Clock
from directory.store import loads
from directory.store.database import Database
from directory.store.listings import Made
from directory.store.said import keys_said
from indexer.course import Course
from indexer.origin import own, prefix_of
from indexer.prepare import Preparer
from indexer.rejects import Rejects
from indexer.sources.files import Part, SourceError
from indexer.sources.record import RecordSource
from indexer.summary import Summary
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
                course = Course(
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
