"""A lookup answered from the embedded index: SQL judges criteria, numpy judges circles."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from directory.search.engine import Ask, Sort, SortKey, listing_of
from directory.search.entry import token
from directory.search.keywords import NOBODY, moment, stamp
from directory.search.lookup import Criterion, Field, LookedUp, Lookup, LookupHit, LookupKey, fold
from directory.search.scope import Circle, Scope
from directory.search.sqlite.judge import judge
from directory.search.sqlite.kept import KeptCells
from directory.search.sqlite.lookup_rows import BETWEEN, FACET_COLUMNS, INDEXED, masks
from directory.search.sqlite.order import page
from directory.search.sqlite.tables import Tables

_LAST = "\U0010ffff"

_Sql = tuple[str, list[str | int]]
"""A condition, and the values for its places; `{0}` stands for the generation's number."""


def look_up(tables: Tables, wanted: Lookup, kept: KeptCells) -> LookedUp:
    """One page of a lookup; see engine.Engine."""
    if wanted.circle:
        return _around(tables, wanted, wanted.circle, kept)
    condition, values = _condition(wanted)
    ((total,),) = tables.select(f"SELECT count(*) FROM lookup_{{0}} WHERE {condition}", values)
    # A plus keeps SQLite from walking the order's index where another leads to few rows.
    is_led = any(INDEXED.issuperset(each.fields) for each in wanted.criteria)
    npi, id_ = ("+npi", "+id") if is_led else ("npi", "id")
    if wanted.after:
        condition += f" AND ({npi}, {id_}) > (?, ?)"
        values += [wanted.after.practitioner, wanted.after.id]
    rows = tables.select(
        f"SELECT npi, id, updated FROM lookup_{{0}} WHERE {condition} "
        f"ORDER BY {npi}, {id_} LIMIT ?",
        [*values, wanted.limit],
    )
    keys = [LookupKey(0.0, npi, id_) for npi, id_, _ in rows]
    return _answer(tables, total, keys, {id_: updated for _, id_, updated in rows})


def _around(tables: Tables, wanted: Lookup, circle: Circle, kept: KeptCells) -> LookedUp:
    """Who is in the circle, then for whom of them the criteria hold."""
    last = wanted.after
    after = SortKey(0, last.distance_m, last.id) if last else None
    ask = Ask(scope=wanted.scope, area=circle, sort=Sort.DISTANCE, limit=wanted.limit, after=after)
    near = judge(tables.chunks(ask, {}, kept), ask, {})
    ids = [id_.decode() for id_ in near.rows["id"][near.found].tolist()]
    condition, values = _condition(wanted)
    there = "SELECT row FROM listing_{0} WHERE id IN (SELECT value FROM json_each(?))"
    updated: dict[str, int] = dict(
        tables.select(
            f"SELECT id, updated FROM lookup_{{0}} WHERE {condition} AND row IN ({there})",
            [*values, json.dumps(ids)],
        )
    )
    meant = np.fromiter((id_ in updated for id_ in ids), np.bool_, len(ids))
    found = replace(near, found=near.found[meant], away=near.away[meant], score=near.score[meant])
    keys = [LookupKey(key.distance_m, "", key.id) for key in page(found, ask)]
    return _answer(tables, len(updated), keys, updated)


def _answer(
    tables: Tables, total: int, keys: Sequence[LookupKey], updated: dict[str, int]
) -> LookedUp:
    documents = tables.documents([key.id for key in keys])
    hits = (LookupHit(listing_of(documents[k.id]), k, moment(updated[k.id])) for k in keys)
    return LookedUp(total, tuple(hits))


def _condition(wanted: Lookup) -> _Sql:
    parts = [*map(_criterion, wanted.criteria), *_scope(wanted.scope)]
    if wanted.with_npi:
        parts.append(("npi <> ?", [NOBODY]))
    if wanted.since:
        parts.append(("updated >= ?", [stamp(wanted.since)]))
    if wanted.before:
        parts.append(("updated < ?", [stamp(wanted.before)]))
    return _all(parts, " AND ") if parts else ("1", [])


def _scope(scope: Scope) -> list[_Sql]:
    parts = []
    if scope.states:
        states = [fold(Field.STATE, state) for state in scope.states]
        parts.append(_is("state", states, begins=False))
    any_bit = " OR ".join(f"{column} & ?" for column in FACET_COLUMNS)
    for facet, values in scope.facets:
        parts.append((f"({any_bit})", [*masks(token(facet, value) for value in values)]))
    return parts


def _criterion(criterion: Criterion) -> _Sql:
    """One of the fields is, or begins with, one of the values."""
    parts = [
        _field(field, values, begins=criterion.begins) for field, values in criterion.folded.items()
    ]
    return _all(parts, " OR ") if parts else ("0", [])


def _field(field: Field, values: Sequence[str], *, begins: bool) -> _Sql:
    if field is Field.TAXONOMY:
        end = "" if begins else BETWEEN
        found = " OR ".join("instr(taxonomy, ?)" for _ in values)
        return f"({found})", [f"{BETWEEN}{value}{end}" for value in values]
    if field is Field.ID:
        return _led("listing_{0}", _is("id", values, begins=begins))
    if field is Field.NAME:
        return _name(values, begins=begins)
    itself = _is(field, values, begins=begins)
    if field is Field.MIDDLE:
        first_words = [value.split(" ", 1)[0] for value in values]
        return _all([_led("further_{0}", _is("word", first_words, begins=begins)), itself], " AND ")
    return itself


def _name(words: Sequence[str], *, begins: bool) -> _Sql:
    """Any word of the name: the first of the given or family name, or a further one."""
    parts = [_led("further_{0}", _is("word", words, begins=begins))]
    for column in (Field.GIVEN, Field.FAMILY):
        parts.append(_is(column, words, begins=begins))
        if not begins:
            parts.append(_is(column, [f"{word} " for word in words], begins=True))
    return _all(parts, " OR ")


def _led(table: str, condition: _Sql) -> _Sql:
    """Rows to which another table leads."""
    return f"row IN (SELECT row FROM {table} WHERE {condition[0]})", condition[1]


def _is(column: str, values: Sequence[str], *, begins: bool) -> _Sql:
    if not begins:
        return f"{column} IN ({', '.join('?' * len(values))})", [*values]
    each = " OR ".join(f"{column} >= ? AND {column} < ?" for _ in values)
    return f"({each})", [bound for value in values for bound in (value, value + _LAST)]


def _all(parts: Sequence[_Sql], joined_by: str) -> _Sql:
    values: list[str | int] = []
    for _, more in parts:
        values += more
    return f"({joined_by.join(text for text, _ in parts)})", values
