"""A listing as one packed row of numbers, and how many rows at once are judged and ordered.

A row holds the point, the state, the price, the day of the attestation, one bit for each facet
value, and the id. The words of a listing lie behind it as numbers, `word * 4 + field`, and are
only read where a patient typed text.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from directory.search.distance import Grid, inclusive, metres, to_grid
from directory.search.engine import Ask, FacetCount, Sort, SortKey
from directory.search.entry import (
    CONFIRMED_WEIGHT,
    FACET_VALUES,
    FIELD_TIERS,
    FRESH_WEIGHT,
    LICENCE_WEIGHT,
    MATCH_WEIGHT,
    TERM_TIER,
    UNPRICED,
    Entry,
    token,
)
from directory.states import STATE_NAMES
from directory.vocabulary import Clause

ROW = np.dtype(
    [
        ("latitude", "<i4"),
        ("longitude", "<i4"),
        ("price", "<i4"),
        ("attested", "<i4"),
        ("words", "<u2"),
        ("state", "u1"),
        ("facets", "u1", ((len(FACET_VALUES) + 7) // 8,)),
        ("id", "S32"),
    ]
)
UNKNOWN = -1
FIELD_CODES = {field: code for code, field in enumerate(FIELD_TIERS)}

_BIT = {token(facet, value): bit for bit, (facet, value) in enumerate(FACET_VALUES)}
_STATE = {state: code for code, state in enumerate(STATE_NAMES)}

Rows = NDArray[np.void]
Mask = NDArray[np.bool_]
WordCodes = Mapping[str, int]
"""The number of each word that the index knows; a word that is missing is found nowhere."""


@dataclass(frozen=True)
class Chunks:
    """The rows of some cells, and their words, one row's after another's (none without text)."""

    rows: Rows
    words: NDArray[np.uint32]


@dataclass(frozen=True)
class Judged:
    """What an ask finds among rows: their numbers and keys, unordered, and the facet counts."""

    rows: Rows
    distance: NDArray[np.float64]
    score: NDArray[np.int64]
    counts: tuple[FacetCount, ...]


def pack(entries: Sequence[Entry], codes: WordCodes) -> list[tuple[bytes, bytes]]:
    """The row and the words of each entry; `codes` knows all their words."""
    rows = np.zeros(len(entries), ROW)
    points = np.array([each.point for each in entries]).reshape(-1, 2)
    rows["latitude"], rows["longitude"] = to_grid(points[:, 0], points[:, 1])
    bits = np.zeros((len(entries), len(FACET_VALUES)), np.uint8)
    at = [(n, _BIT[f]) for n, each in enumerate(entries) for f in each.facets if f in _BIT]
    bits[tuple(np.array(at, np.int64).reshape(-1, 2).T)] = 1
    rows["facets"] = np.packbits(bits, axis=1)
    rows["price"] = [UNKNOWN if each.price is None else each.price for each in entries]
    rows["attested"] = [each.attested.toordinal() if each.attested else UNKNOWN for each in entries]
    rows["state"] = [_STATE[each.state] for each in entries]
    rows["id"] = [each.id.encode() for each in entries]
    words = [
        [codes[w] * 4 + FIELD_CODES[field] for field, found in each.words for w in found]
        for each in entries
    ]
    rows["words"] = [len(numbers) for numbers in words]
    packed, size = rows.tobytes(), ROW.itemsize
    return [
        (packed[n * size : (n + 1) * size], _little_endian(numbers))
        for n, numbers in enumerate(words)
    ]


def _little_endian(numbers: list[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def judge(chunks: Chunks, ask: Ask, codes: WordCodes) -> Judged:
    """Which rows the ask matches, with distance, score and facet counts."""
    rows, distance = chunks.rows, np.zeros(len(chunks.rows))
    near = np.ones(len(rows), np.bool_)
    if ask.circle:
        distance = metres(ask.circle.centre, Grid(rows["latitude"], rows["longitude"]))
        if ask.circle.radius_m is not None:
            near = distance <= inclusive(ask.circle.radius_m)
    if ask.state:
        near &= rows["state"] == _STATE[ask.state]
    if ask.scope.states:
        near &= np.isin(rows["state"], [_STATE[state] for state in ask.scope.states])
    for facet, values in ask.scope.facets:
        near &= _any_bit(rows, [token(facet, value) for value in values])
    if ask.max_price is not None:
        near &= (rows["price"] != UNKNOWN) & (rows["price"] <= ask.max_price)
    match = np.zeros(len(rows), np.int64)
    if ask.clauses:
        tiers = _tiers(chunks, ask.clauses, codes)
        near &= (tiers > 0).all(axis=0)
        match = tiers.sum(axis=0)
    rows, distance, match = rows[near], distance[near], match[near]
    chosen, counts = _facets(rows, ask.facets)
    return Judged(
        rows[chosen], distance[chosen], _score(rows[chosen], match[chosen], ask.fresh_since), counts
    )


def page(judged: Judged, ask: Ask) -> tuple[SortKey, ...]:
    """The keys of one page, in order: `limit` of them, behind `after` or behind `offset`."""
    score = _order(judged, ask.sort)
    distance, ids = judged.distance, judged.rows["id"]
    if ask.after:
        last = ask.after
        behind = (distance > last.distance_m) | (
            (distance == last.distance_m) & (ids > last.id.encode())
        )
        behind = (score < last.score) | ((score == last.score) & behind)
        score, distance, ids = score[behind], distance[behind], ids[behind]
    wanted = ask.offset + ask.limit
    if len(ids) > 4 * wanted:
        # Order only what can be on the page: everything up to the last distance within it.
        rank = distance - score * 1e9  # a score outweighs the way around the earth
        candidates = rank <= np.partition(rank, wanted)[wanted]
        score, distance, ids = score[candidates], distance[candidates], ids[candidates]
    order = np.lexsort((ids, distance, -score))[ask.offset : wanted]
    return tuple(
        SortKey(int(score[i]), float(distance[i]), ids[i].decode()) for i in order.tolist()
    )


def _order(judged: Judged, sort: Sort) -> NDArray[np.int64]:
    """What comes before distance in the order, the highest first: see engine.SortKey."""
    match sort:
        case Sort.BEST:
            return judged.score
        case Sort.PRICE:
            price = judged.rows["price"].astype(np.int64)
            return np.asarray(-np.where(price == UNKNOWN, UNPRICED, price))
        case Sort.DISTANCE:
            return np.zeros(len(judged.rows), np.int64)


def _tiers(chunks: Chunks, clauses: Sequence[Clause], codes: WordCodes) -> NDArray[np.int64]:
    """For each clause and row, the tier of the best place in which the clause is found, or 0."""
    rows, flat = chunks.rows, chunks.words
    owner = np.repeat(np.arange(len(rows)), rows["words"])
    tiers = np.zeros((len(clauses), len(rows)), np.int64)
    for number, clause in enumerate(clauses):
        if all(word in codes for word in clause.words):
            for field, tier in sorted(FIELD_TIERS.items(), key=lambda item: item[1]):
                found = np.ones(len(rows), np.bool_)
                for word in clause.words:
                    has = np.zeros(len(rows), np.bool_)
                    has[owner[flat == codes[word] * 4 + FIELD_CODES[field]]] = True
                    found &= has
                tiers[number][found] = tier
        if clause.terms:
            by_term = _any_bit(rows, [term.token for term in clause.terms])
            tiers[number][by_term] = np.maximum(tiers[number][by_term], TERM_TIER)
    return tiers


def _facets(
    rows: Rows, selected: Sequence[tuple[str, tuple[str, ...]]]
) -> tuple[Mask, tuple[FacetCount, ...]]:
    """Which rows pass every selection, and each facet's counts with its own left out."""
    passes = {
        facet: _any_bit(rows, [token(facet, value) for value in values])
        for facet, values in selected
    }
    failed = np.zeros(len(rows), np.int64)
    for passed in passes.values():
        failed += ~passed
    bits = np.unpackbits(rows["facets"], axis=1, count=len(FACET_VALUES))
    everything = bits[failed == 0].sum(axis=0)
    alone = {
        facet: everything + bits[(failed == 1) & ~passed].sum(axis=0)
        for facet, passed in passes.items()
    }
    counts = tuple(
        FacetCount(facet, value, int(alone.get(facet, everything)[bit]))
        for bit, (facet, value) in enumerate(FACET_VALUES)
    )
    return failed == 0, counts


def _any_bit(rows: Rows, tokens: Sequence[str]) -> Mask:
    wanted = np.zeros(len(FACET_VALUES), np.uint8)
    wanted[[_BIT[each] for each in tokens if each in _BIT]] = 1
    return np.asarray((rows["facets"] & np.packbits(wanted)).any(axis=1))


def _score(rows: Rows, match: NDArray[np.int64], fresh_since: date) -> NDArray[np.int64]:
    return np.asarray(
        MATCH_WEIGHT * match
        + CONFIRMED_WEIGHT * _any_bit(rows, [token("confirmed", "yes")])
        + FRESH_WEIGHT * (rows["attested"] >= max(fresh_since.toordinal(), 1))
        + LICENCE_WEIGHT * _any_bit(rows, [token("licence_checked", "yes")])
    )
