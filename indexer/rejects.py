"""The rejects file of one file: what could not be taken of it, in its own format, and why."""

from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from indexer.sources.files import Part
from indexer.sources.record import Record, RecordError, RecordSource, RejectsWriter

_LONGEST_NAME = 100


class Rejects:
    """A rejects file, which takes its place when the load is through, and only then.

    Its name tells files of one name in two folders apart; rejects that are loaded again are
    replaced by what is still rejected of them. Those of a rehearsal never take the place of
    others: nothing was stored, so what an operator has mended is still needed.

    `kept` is where it lies in the end; of a load that was cut short, what was written until then.
    """

    def __init__(
        self, source: RecordSource, part: Part, folder: Path, *, rehearsal: bool = False
    ) -> None:
        self._source = source
        self._target = folder / _name(part, folder, rehearsal=rehearsal)
        self._partial = self._target.with_name(f"{self._target.name}.partial")
        self._open = ExitStack()
        self._write: RejectsWriter | None = None
        self.kept: Path | None = None

    def __enter__(self) -> "Rejects":
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self._open.close()
        if failed:  # a rejects file that was being loaded again is left as it is
            self.kept = self._partial if self._write else None
        elif self._write:
            self._partial.replace(self._target)
            self.kept = self._target
        else:
            self._partial.unlink(missing_ok=True)
            self._target.unlink(missing_ok=True)

    def add(self, rejected: Record, error: RecordError) -> None:
        """Write a record with what is wrong with it."""
        if not self._write:
            self._partial.parent.mkdir(parents=True, exist_ok=True)
            file = self._partial.open("w", encoding="utf-8", newline="")
            self._write = self._source.rejects(self._open.enter_context(file), rejected)
        self._write(rejected, error)


def _name(part: Part, folder: Path, *, rehearsal: bool) -> str:
    is_file = part.path.is_file() and not part.member and not rehearsal
    if is_file and part.path.resolve().parent == folder.resolve():
        return part.path.name
    stem, _, extension = part.rejects_name.removesuffix(".gz").rpartition(".")
    stem, extension = stem[:_LONGEST_NAME], extension[:_LONGEST_NAME]
    if extension.lower() in ("xlsx", "zip"):
        extension = "csv"
    mark = ".dry-run" if rehearsal else ""
    return f"{stem}-{sha256(part.place.encode()).hexdigest()[:6]}{mark}.{extension}"
