"""Opening SQLite files that several processes read and write: the store's and the search index."""

import sqlite3
import time

BUSY_S = 10.0
"""How long a writer waits for another before it gives up."""


def use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Let readers read while one writes.

    The change of mode does not wait for others as all else does, so processes that open a new file
    at the same moment have to try again.
    """
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
