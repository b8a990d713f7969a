"""Which rows an ask finds: place, text and filters, the facets' counts, and the evidence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from directory.search.distance import (
    SLACK_M,
    Grid,
    inclusive,
    metres,
    straight,
    straight_metres,
    unit_vector,
)
from directory.search.engine import Ask, Sort
from directory.search.entry import (
    CONFIRMED_WEIGHT,
    FACET_VALUES,
    FACETS,
    FIELD_TIERS,
    FRESH_WEIGHT,
    LICENCE_WEIGHT,
    MATCH_WEIGHT,
    TERM_TIER,
    token,
)
from directory.search.scope import Circle
from directory.search.sqlite.columns import (
    FIELD_BITS,
    FIELD_CODES,
    STATE_CODES,
    UNKNOWN,
    Bits,
    Chunks,
    Rows,
    WordCodes,
    any_bit,
    counted,
)
from directory.vocabulary import Clause

Numbers = NDArray[np.intp]
"""Where rows stand among all that are there."""


@dataclass(frozen=True)
class Judged:
    """What an ask finds: some rows, the numbers of those found among them, and the counts.

    `away` is how far off each one found is in a straight line, metres, to SLACK_M; 0 without a
    centre. `score` is what `best` orders by, and 0 by any other order.
    """

    rows: Rows
    found: Numbers
    away: NDArray[np.float32]
    score: NDArray[np.int64]
    counts: tuple[int, ...]


def grid_of(rows: Rows, some: Numbers) -> Grid:
    """Where some of the rows lie."""
    return Grid(rows["latitude"][some], rows["longitude"][some])


def judge(several: Iterable[Chunks], ask: Ask, codes: WordCodes) -> Judged:
    """Which rows the ask finds, with the counts of their facet values."""
    parts: list[Judged] = []
    for chunks in several:
        if parts:
            parts[-1] = _found_only(parts[-1])
        parts.append(_judged(chunks, ask, codes))
    *most, last = parts
    return _together([*most, _found_only(last)]) if most else last


def _found_only(part: Judged) -> Judged:
    """The same, without the rows that were not found."""
    rows = part.rows[part.found]
    return replace(part, rows=rows, found=np.arange(len(rows)))


def _together(parts: Sequence[Judged]) -> Judged:
    """Several of which nothing is left but what was found."""
    rows = np.concatenate([part.rows for part in parts])
    return Judged(
        rows,
        np.arange(len(rows)),
        np.concatenate([part.away for part in parts]),
        np.concatenate([part.score for part in parts]),
        tuple(map(sum, zip(*(part.counts for part in parts), strict=True))),
    )


def _judged(chunks: Chunks, ask: Ask, codes: WordCodes) -> Judged:
    rows = chunks.rows
    circle = ask.circle
    here = _within(rows, circle) if circle else np.arange(len(rows))
    here = _in_states(rows, here, [ask.state] if ask.state else [])
    here = _in_states(rows, here, ask.scope.states)
    for facet, values in ask.scope.facets:
        here = here[any_bit(rows["facets"][here], [token(facet, value) for value in values])]
    if ask.max_price is not None:
        price = rows["price"][here]
        here = here[(price != UNKNOWN) & (price <= ask.max_price)]
    match = np.zeros(len(here), np.int64)
    for clause in ask.clauses:
        tier = _tier(chunks, clause, codes)[here]
        here, match = here[tier > 0], (match + tier)[tier > 0]
        if not len(here):
            break
    facets: Bits = rows["facets"][here]
    chosen, counts = _facets(facets, ask.facets)
    found = here[chosen]
    score = np.zeros(len(found), np.int64)
    if ask.sort is Sort.BEST:
        attested = rows["attested"][found]
        score = _score(facets[chosen], attested, match[chosen], ask.fresh_since)
    away = np.zeros(len(found), np.float32)
    if circle:
        away = straight_metres(unit_vector(circle.centre), rows["unit"][found])
    return Judged(rows, found, away, score, counts)


def _within(rows: Rows, circle: Circle) -> Numbers:
    """The rows in a circle, by the straight line: exactly only for those about on it itself."""
    if circle.radius_m is None:
        return np.arange(len(rows))
    away = straight_metres(unit_vector(circle.centre), rows["unit"])
    reach = straight(circle.radius_m)
    near = away <= reach
    doubtful = np.flatnonzero(np.abs(away - reach) <= SLACK_M)
    exactly = metres(circle.centre, grid_of(rows, doubtful))
    near[doubtful] = exactly <= inclusive(circle.radius_m)
    return np.flatnonzero(near)


def _in_states(rows: Rows, here: Numbers, states: Sequence[str]) -> Numbers:
    """Those of the rows that lie in one of the states, if any are named."""
    if not states:
        return here
    return here[np.isin(rows["state"][here], [STATE_CODES[state] for state in states])]


def _tier(chunks: Chunks, clause: Clause, codes: WordCodes) -> NDArray[np.uint8]:
    """For each row, the tier of the best place in which the clause is found, or 0."""
    tiers = np.zeros(len(chunks.rows), np.uint8)
    if all(word in codes for word in clause.words):
        together = np.logical_and.reduce([_where(chunks, codes[word]) for word in clause.words])
        for field, tier in sorted(FIELD_TIERS.items(), key=lambda item: item[1]):
            tiers[together[FIELD_CODES[field]]] = tier
    if clause.terms:
        by_term = any_bit(chunks.rows["facets"], [term.token for term in clause.terms])
        tiers[by_term] = np.maximum(tiers[by_term], TERM_TIER)
    return tiers


def _where(chunks: Chunks, code: int) -> NDArray[np.bool_]:
    """Field by field, which rows have a word there: (fields, rows)."""
    hits = np.flatnonzero(chunks.words >> FIELD_BITS == code)
    fields = chunks.words[hits] & ((1 << FIELD_BITS) - 1)
    found = np.zeros((len(FIELD_CODES), len(chunks.rows)), np.bool_)
    found[fields, np.searchsorted(chunks.ends, hits, side="right")] = True
    return found


def _facets(
    facets: Bits, selected: Sequence[tuple[str, tuple[str, ...]]]
) -> tuple[NDArray[np.bool_], tuple[int, ...]]:
    """Which rows pass every selection, and each facet's counts with its own left out."""
    passes = {
        facet: any_bit(facets, [token(facet, value) for value in values])
        for facet, values in selected
    }
    failed = np.zeros(len(facets), np.uint8)
    for passed in passes.values():
        failed += ~passed
    counts = counted(facets[failed == 0] if passes else facets)[: len(FACET_VALUES)]
    for facet, passed in passes.items():
        its_own = FACETS[facet]
        counts[its_own] += counted(facets[(failed == 1) & ~passed])[its_own]
    return failed == 0, tuple(counts.tolist())


def _score(
    facets: Bits, attested: NDArray[np.int32], match: NDArray[np.int64], fresh_since: date
) -> NDArray[np.int64]:
    return np.asarray(
        MATCH_WEIGHT * match
        + CONFIRMED_WEIGHT * any_bit(facets, [token("confirmed", "yes")])
        + FRESH_WEIGHT * (attested >= max(fresh_since.toordinal(), 1))
        + LICENCE_WEIGHT * any_bit(facets, [token("licence_checked", "yes")])
    )
