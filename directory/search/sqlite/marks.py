"""Which history of the store each generation of the embedded index was made from.

In a table of its own, not in a column of `generation`: an index that an older version has made
needs no rebuild for it, and an older version that still runs can go on with ours.
"""

import sqlite3

MARKS = "CREATE TABLE IF NOT EXISTS mark (generation INTEGER PRIMARY KEY, mark TEXT NOT NULL)"


def mark_of(db: sqlite3.Connection, number: int) -> str:
    """The mark of a generation; empty where none was ever set."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'mark'").fetchone():
        return ""
    found = db.execute("SELECT mark FROM mark WHERE generation = ?", [number])
    return str(next(found, ("",))[0])


def set_mark(db: sqlite3.Connection, number: int, mark: str) -> None:
    """Give a generation a mark; an empty one changes nothing."""
    if mark:
        db.execute("INSERT OR REPLACE INTO mark VALUES (?, ?)", [number, mark])
