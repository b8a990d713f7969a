"""Opening what an operator has: a file, gzipped or not, or the members of a zip.

What a file is, its first bytes say, not its name. Nothing is ever unpacked to disk, and what
unpacks to far more than it is, is refused.
"""

import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

MOST_EXPANDED = 200
"""Times; the registry's files unpack to about 11 times their size, a bomb to a thousand."""

_FREE_BYTES = 64_000_000
"""So much may come out of anything: small files of repeated lines pack very well."""

_MOST_MEMBERS = 1_000
_BLOCK = 1 << 20
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


class SourceError(Exception):
    """A file that is not what it should be, or cannot be read on from somewhere."""


class ZipInZip(SourceError):
    """A zip that lies in a zip."""


@dataclass(frozen=True)
class Part:
    """One thing to read: a file, or a member of a zip. `size` is what is to be read of the disk."""

    path: Path
    member: str | None = None
    size: int = 0
    offset: int = 0
    """Where a member begins in its zip: two may have one name."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return Path(self.member).name if self.member else self.path.name

    @property
    def rejects_name(self) -> str:
        """What its rejects file is called after."""
        return self.name

    @property
    def place(self) -> str:
        """Where it lies: two may have one name."""
        return f"{self.path.resolve()}|{self.member or ''}"


def parts(path: Path) -> list[Part]:
    """What a file holds. SourceError where it is none, or a zip that must not be unpacked."""
    if not path.is_file():
        raise SourceError(f"no such file: {path}")
    with _as_source_error(str(path)):
        if not zipfile.is_zipfile(path):
            return [Part(path, None, path.stat().st_size)]
        with _if_supported(), zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if not _is_beside(each)]
    if any(each.filename == "[Content_Types].xml" for each in members):
        return [Part(path, None, path.stat().st_size)]  # a workbook
    if len(members) > _MOST_MEMBERS:
        raise SourceError(f"{path}: holds {len(members):,} files, of {_MOST_MEMBERS:,} at most")
    return [_member(path, each) for each in members]


def all_parts(paths: Iterable[Path]) -> list[Part]:
    """What several files hold, one after another."""
    return [part for path in paths for part in parts(path)]


def _member(path: Path, info: zipfile.ZipInfo) -> Part:
    if info.flag_bits & 1:
        raise SourceError(f"{path}: {info.filename} is encrypted")
    if info.file_size > max(_FREE_BYTES, MOST_EXPANDED * info.compress_size):
        raise SourceError(
            f"{path}: {info.filename} would unpack to more than {MOST_EXPANDED} times its size"
        )
    return Part(path, info.filename, info.compress_size, info.header_offset)


def _is_beside(info: zipfile.ZipInfo) -> bool:
    """Folders, and what macOS puts into every zip."""
    name = Path(info.filename).name
    return info.is_dir() or name.startswith(".") or info.filename.startswith("__MACOSX/")


@contextmanager
def opened(part: Part) -> Iterator[tuple[BinaryIO, Callable[[], int]]]:
    """A part's bytes, and how many of its `size` are read; SourceError where they cannot be."""
    with _as_source_error(part.name), ExitStack() as open_:
        raw = open_.enter_context(part.path.open("rb"))
        if part.member:
            member = open_.enter_context(_member_opened(part, raw))
            yield _member_stream(part, member, lambda: raw.tell() - part.offset, open_)
        elif raw.peek(2)[:2] == _GZIP:
            yield open_.enter_context(_unpacked(gzip.GzipFile(fileobj=raw), raw.tell)), raw.tell
        else:
            yield raw, raw.tell


def _member_opened(part: Part, raw: BinaryIO) -> IO[bytes]:
    with _if_supported():
        archive = zipfile.ZipFile(raw)
        (info,) = (i for i in archive.infolist() if i.header_offset == part.offset)
        return archive.open(info)


def _member_stream(
    part: Part, member: IO[bytes], read: Callable[[], int], open_: ExitStack
) -> tuple[BinaryIO, Callable[[], int]]:
    stream = open_.enter_context(_unpacked(member, read))
    begin = stream.peek(4)[:4]
    if begin[:2] == _GZIP:
        stream = open_.enter_context(_unpacked(gzip.GzipFile(fileobj=stream), read))
    elif begin == _ZIP and not part.name.lower().endswith(".xlsx"):
        raise ZipInZip("is a zip within a zip: unpack the outer one")
    return stream, read


def is_workbook(part: Part) -> bool:
    """Whether a part is an Excel workbook."""
    return part.name.lower().endswith(".xlsx") or (
        not part.member and zipfile.is_zipfile(part.path)
    )


def _unpacked(packed: IO[bytes] | gzip.GzipFile, read: Callable[[], int]) -> io.BufferedReader:
    return io.BufferedReader(_Ahead(packed, read), _BLOCK)


class _Ahead(io.RawIOBase):
    """Unpacks the next block in a thread while the last one is worked on; never too much.

    The thread ends when it is closed.
    """

    def __init__(self, packed: IO[bytes] | gzip.GzipFile, read: Callable[[], int]) -> None:
        self._packed = packed
        self._read = read
        self._thread = ThreadPoolExecutor(1)
        self._next: Future[bytes] = self._thread.submit(packed.read, _BLOCK)
        self._block = memoryview(b"")
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer
        if not self._block:
            self._block = memoryview(self._next.result())
            self._next = self._thread.submit(self._packed.read, _BLOCK)
            self._given += len(self._block)
            if self._given > max(_FREE_BYTES, MOST_EXPANDED * self._read()):
                raise SourceError(f"unpacks to more than {MOST_EXPANDED} times its size")
        count = min(len(buffer), len(self._block))
        buffer[:count] = self._block[:count]
        self._block = self._block[count:]
        return count

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        super().close()


def put_back(begin: bytes, stream: BinaryIO) -> BinaryIO:
    """A stream with what was read of it put back."""
    return io.BufferedReader(_Behind(begin, stream))


class _Behind(io.RawIOBase):
    """What was read, and the stream behind it."""

    def __init__(self, begin: bytes, stream: BinaryIO) -> None:
        self._begin = memoryview(begin)
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer
        block = self._begin[: len(buffer)] or memoryview(self._stream.read(len(buffer)))
        self._begin = self._begin[len(buffer) :]
        buffer[: len(block)] = block
        return len(block)


@contextmanager
def _as_source_error(name: str) -> Iterator[None]:
    try:
        yield
    except SourceError as error:
        said = str(error) if name in str(error) else f"{name}: {error}"
        raise type(error)(said) from error
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
            struct.error) as error:  # fmt: skip
        raise SourceError(f"{name}: {error}") from error


@contextmanager
def _if_supported() -> Iterator[None]:
    """SourceError where zipfile cannot open what it finds.

    It says RuntimeError of what is encrypted, NotImplementedError of a packing it does not know.
    """
    try:
        yield
    except RuntimeError as error:
        raise SourceError(str(error)) from error
