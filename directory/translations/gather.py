"""Finding the messages of data files, for Babel's `extract` (babel.cfg)."""

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from typing import BinaryIO

Message = tuple[int, str, str, list[str]]
"""The row, the function that would translate it, the message, and comments for translators."""


def cells(
    file: BinaryIO, keywords: Collection[str], tags: Collection[str], options: Mapping[str, str]
) -> Iterator[Message]:
    """The cells of the columns that the option `columns` names; `only` keeps rows by one column.

    `only = profession: chiropractor physical-therapist` keeps the rows of two professions.
    """
    del keywords, tags
    column, _, values = options.get("only", "").partition(":")
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    for number, row in enumerate(csv.DictReader(text), start=2):
        if not column or row[column.strip()] in values.split():
            for name in options["columns"].split():
                if row.get(name):
                    yield number, "gettext", row[name], []
    text.detach()
