"""Where things stand: what is listed, how far the index is behind, and what was loaded last."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from directory.search.engine import EngineUnavailable
from directory.services import Services
from directory.store import loads
from directory.store.listings import Status as Standing
from directory.store.listings import counts
from directory.store.loads import Load
from indexer import sync
from indexer.summary import counted

Said = Mapping[str, Any]
"""`listings` by standing; `index` with its generation, documents and what it is behind; `loads`."""


def look(opened: Services) -> tuple[Said, EngineUnavailable | None]:
    """Where things stand, and why nothing is known of the index."""
    with opened.database.reading() as session:
        standing = counts(session)
        last = loads.last(session)
    failed = None
    try:
        state = sync.status(opened.database, opened.engine)
    except EngineUnavailable as error:
        state, failed = sync.Status(0), error
    said = {
        "listings": {str(each): standing[each] for each in Standing},
        "index": _index(state, opened.clock()),
        "loads": [_load(each) for each in last],
    }
    return said, failed


def lines(said: Said) -> Iterator[str]:
    """The same for people."""
    for name, count in said["listings"].items():
        yield f"{name.replace('_', ' ')}: {count:,}"
    index = said["index"]
    if index["behind_changes"] is None:
        yield "index: none; run `indexer sync`"
    else:
        yield (
            f"index: {index['documents']:,} listings, {index['behind_changes']:,} changes "
            f"({index['behind_seconds']:,.0f} seconds) behind, generation {index['generation']}"
        )
    if index["left_out"]:
        yield (
            f"left out of the index, which refused them: {index['left_out']:,} listings "
            "(the log names them; mend them, or `indexer rebuild` to try again)"
        )
    for each in said["loads"]:
        ended = each["finished_at"] or "run it again"
        yield f"last load of {each['source']}: {each['file']}, {ended}: {counted(each['counts'])}"


def _index(state: sync.Status, now: datetime) -> Said:
    waited = (now - state.waiting_since).total_seconds() if state.waiting_since else 0.0
    return {
        "generation": state.generation,
        "documents": state.indexed,
        "behind_changes": state.behind,
        "behind_seconds": round(waited, 1),
        "left_out": state.left_out,
    }


def _load(load: Load) -> Said:
    return {
        "source": load.source,
        "file": load.file,
        "started_at": load.started_at.isoformat(),
        "finished_at": load.finished_at and load.finished_at.isoformat(),
        "counts": dict(load.counts),
    }
