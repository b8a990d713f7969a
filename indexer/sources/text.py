"""Lines of text in any encoding."""

import io
from collections.abc import Iterator
from typing import BinaryIO, TextIO

_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}

NumberedLine = tuple[int, str]


def numbered_lines(stream: BinaryIO, longest: int) -> Iterator[NumberedLine]:
    """Numbered lines as text: by the byte order mark, else UTF-8, else Windows-1252, line by line.

    A line of more than `longest` characters may be cut, though not to fewer than one more.
    """
    begin = stream.peek(4)[:4] if isinstance(stream, io.BufferedReader) else b""
    bom = next((mark for mark in _BOMS if begin.startswith(mark)), b"")
    encoding = _BOMS.get(bom, "utf-8")
    if not bom and begin[1:2] == b"\0":
        encoding = "utf-16-le"
    if bom == b"\xef\xbb\xbf":
        stream.read(3)
    is_bytewise = encoding == "utf-8"
    text = io.TextIOWrapper(
        stream, encoding="latin-1" if is_bytewise else encoding, errors="replace", newline=""
    )
    for number, line in enumerate(_bounded(text, longest), start=1):
        yield number, _text(line) if is_bytewise and not line.isascii() else line
    text.detach()


def _bounded(text: TextIO, longest: int) -> Iterator[str]:
    most = 4 * longest + 1  # bytes, of which a character may have four
    while line := text.readline(most):
        rest = line
        while len(rest) == most and not rest.endswith("\n"):
            rest = text.readline(most)
        yield line


def _text(line: str) -> str:
    raw = line.encode("latin-1")
    for encoding in ("utf-8", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line
