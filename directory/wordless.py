"""What the log holds of a fault: where it happened and what kind it is, and no word of it.

The message of an exception often quotes what it stumbled over: a search, an address, a token.
"""

import traceback
from collections.abc import Iterator


def wordless(error: BaseException) -> str:
    """An error and those that led to it, the first one first: each kind with its lines of code."""
    return "\n".join(f"{_kind(each)}\n{_lines(each)}" for each in reversed(list(_chain(error))))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _lines(error: BaseException) -> str:
    return "".join(traceback.format_tb(error.__traceback__)).rstrip()
