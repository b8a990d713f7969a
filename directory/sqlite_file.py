"""Opening SQLite files that several processes read and write: the store's and the search index."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

BUSY_S = 10.0
"""How long a writer waits for another before it gives up."""

_KIND, _HELD = 0xFF, (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
"""The lowest byte of an error's code is its kind; of these kinds is what others will let go of."""


def use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Let readers read while one writes.

    The change of mode does not wait for others as all else does, so processes that open a new file
    at the same moment have to try again. What is wrong with the file or the disk is raised at once.
    """
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _KIND not in _HELD or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def copy_whole(path: Path, to: Path) -> None:
    """Copy a file to a new one, in one state of it, while others read and write it.

    The copy takes its name once it is whole. Raises OSError.
    """
    if to.exists():
        raise FileExistsError(f"{to} is there already")
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    try:
        with (
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(part)) as target,
        ):
            source.backup(target)
        part.rename(to)
    except sqlite3.Error as error:
        part.unlink(missing_ok=True)
        raise OSError(f"{path} cannot be copied: {error}") from error
