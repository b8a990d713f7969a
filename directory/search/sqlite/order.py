"""One page of what was judged, in order: exact distances are worked out for candidates alone."""

import numpy as np
from numpy.typing import NDArray

from directory.search.distance import SLACK_M, metres, straight
from directory.search.engine import Ask, Sort, SortKey
from directory.search.entry import UNPRICED
from directory.search.sqlite.columns import UNKNOWN
from directory.search.sqlite.judge import Judged, grid_of

_A_SCORE_M = 1e9
"""One step of a score outweighs the way through the earth."""


def page(judged: Judged, ask: Ask) -> tuple[SortKey, ...]:
    """The keys of one page, in order: `limit` of them, behind `after` or behind `offset`."""
    before = _before_distance(judged, ask.sort)
    rank = judged.away.astype(np.float64) - before * _A_SCORE_M
    some = np.arange(len(rank))
    if ask.after:
        some = _behind(judged, ask, before, rank, ask.after)
    wanted = ask.offset + ask.limit
    if len(some) > wanted:
        last = np.partition(rank[some], wanted)[wanted]
        some = some[rank[some] <= last + 2 * SLACK_M]
    score, distance, ids = _keys(judged, ask, before, some)
    order = np.lexsort((ids, distance, -score))[ask.offset : wanted]
    return tuple(
        SortKey(int(score[i]), float(distance[i]), ids[i].decode()) for i in order.tolist()
    )


def _behind(
    judged: Judged, ask: Ask, before: NDArray[np.int64], rank: NDArray[np.float64], last: SortKey
) -> NDArray[np.intp]:
    """Those behind a key: by a first look, and about where it stands by the keys themselves."""
    off = rank - (straight(last.distance_m) - last.score * _A_SCORE_M)
    doubtful = np.flatnonzero(np.abs(off) <= SLACK_M)
    score, distance, ids = _keys(judged, ask, before, doubtful)
    is_farther = (distance > last.distance_m) | (
        (distance == last.distance_m) & (ids > last.id.encode())
    )
    is_behind = off > SLACK_M
    is_behind[doubtful] = (score < last.score) | ((score == last.score) & is_farther)
    return np.flatnonzero(is_behind)


def _keys(
    judged: Judged, ask: Ask, before: NDArray[np.int64], some: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bytes_]]:
    """Scores, exact distances (metres) and ids of some of those found."""
    rows, numbers = judged.rows, judged.found[some]
    distance = np.zeros(len(some))
    if ask.circle:
        distance = metres(ask.circle.centre, grid_of(rows, numbers))
    return before[some], distance, rows["id"][numbers]


def _before_distance(judged: Judged, sort: Sort) -> NDArray[np.int64]:
    """What comes before distance in the order, the highest first: see engine.SortKey."""
    if sort is not Sort.PRICE:
        return judged.score
    price = judged.rows["price"][judged.found].astype(np.int64)
    return np.asarray(-np.where(price == UNKNOWN, UNPRICED, price))
