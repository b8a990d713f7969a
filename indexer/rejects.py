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
    replaced by what is still rejected of them. Without a folder nothing is written.
    """

    def __init__(self, source: RecordSource, part: Part, folder: Path | None) -> None:
        self._source = source
        name = _name(part, folder) if folder else ""
        self._target = folder and folder / name
        self._partial = folder and folder / f"{name}.partial"
        self._open = ExitStack()
        self._write: RejectsWriter | None = None
        self.kept: Path | None = None

    def __enter__(self) -> "Rejects":
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self._open.close()
        if failed or not self._target or not self._partial:
            return  # a rejects file that was being loaded again is left as it is
        if self._write:
            self._partial.replace(self._target)
            self.kept = self._target
        else:
            self._target.unlink(missing_ok=True)

    def add(self, rejected: Record, error: RecordError) -> None:
        """Write a record with what is wrong with it."""
        if not self._partial:
            return
        if not self._write:
            self._partial.parent.mkdir(parents=True, exist_ok=True)
            file = self._partial.open("w", encoding="utf-8", newline="")
            self._write = self._source.rejects(self._open.enter_context(file), rejected)
        self._write(rejected, error)


def _name(part: Part, folder: Path) -> str:
    is_file = part.path.is_file() and not part.member
    if is_file and part.path.resolve().parent == folder.resolve():
        return part.path.name
    stem, _, extension = part.rejects_name.removesuffix(".gz").rpartition(".")
    stem, extension = stem[:_LONGEST_NAME], extension[:_LONGEST_NAME]
    if extension.lower() in ("xlsx", "zip"):
        extension = "csv"
    return f"{stem}-{sha256(part.place.encode()).hexdigest()[:6]}.{extension}"
