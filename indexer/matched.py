"""Of which listing each statement is, and where: what a source says meets what is there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from directory.listing import Source
from directory.store import addresses
from directory.store.database import Transaction
from directory.store.keys import keys_of
from directory.store.listings import existing
from directory.store.matching import Matcher
from directory.store.record import listing_id
from directory.store.said import Name, SaidOf, statements_said
from directory.store.statement import Fields, Statement
from indexer.prepare import Stated
from indexer.sources.record import Record

PassOver = Callable[[str], None]
"""Told why a statement is none of ours."""


@dataclass(frozen=True, slots=True)
class Matched:
    """A statement at the point of its address, where that is known, and whose listing it is."""

    record: Record
    statement: Statement
    listing_id: str


@dataclass(frozen=True, slots=True)
class _Whole:
    """A statement, and with the rest of what its base says."""

    record: Record
    stated: Stated
    whole: Statement


def matched(
    session: Transaction,
    source: Source,
    stated: Sequence[tuple[Record, Stated]],
    pass_over: PassOver,
) -> tuple[list[Matched], Mapping[Name, SaidOf]]:
    """The statements of a batch with their listings, and what was said under their names before."""
    whole = _placed(session, list(_with_bases(session, source, stated, pass_over)))
    said = statements_said(session, ((source, each.stated.statement.key) for each in whole))
    ids = _ids(session, source, whole, said)
    found = [
        Matched(each.record, each.stated.statement, id_)
        for each, id_ in zip(whole, ids, strict=True)
    ]
    return found, said


def _with_bases(
    session: Transaction,
    source: Source,
    stated: Sequence[tuple[Record, Stated]],
    pass_over: PassOver,
) -> Iterator[_Whole]:
    """Each statement as a whole; a further practice needs a practitioner of ours."""
    bases = statements_said(
        session, ((source, s.statement.base) for _, s in stated if s.statement.base)
    )
    for record, each in stated:
        statement = each.statement
        if not statement.base:
            yield _Whole(record, each, statement)
            continue
        base = bases.get((source, statement.base))
        if not base or base.fields is None:
            pass_over("its practitioner is none of ours")
        elif keys_of(base.fields).building == keys_of(statement.fields).building:
            pass_over("the practice that is listed already")
        else:
            yield _Whole(record, each, statement.upon(base.fields))


def _placed(session: Transaction, statements: list[_Whole]) -> list[_Whole]:
    """The same, at the points of their addresses where these are known exactly."""
    buildings = {building for each in statements if (building := each.whole.keys.building)}
    points = addresses.points(session, buildings)
    if not points:
        return statements
    placed = []
    for each in statements:
        building = each.whole.keys.building
        stated = replace(each.stated, statement=_at(each.stated.statement, building, points))
        placed.append(_Whole(each.record, stated, _at(each.whole, building, points)))
    return placed


def _at(
    statement: Statement, building: str | None, points: Mapping[str, Fields | None]
) -> Statement:
    """A statement at the point of its building, unless it has given one itself."""
    location = statement.fields["location"]
    better = points.get(building or "")
    if not better or location.get("method") != "gazetteer" or statement.fields.get("area_only"):
        return statement
    return replace(statement, fields=statement.fields | {"location": better})


def _ids(
    session: Transaction, source: Source, statements: Sequence[_Whole], said: Mapping[Name, SaidOf]
) -> list[str]:
    """The listing that each statement is of: its own from before, or one that it matches."""
    there = existing(session, {each.stated.id for each in statements if each.stated.id})
    known: list[str | None] = []
    for each in statements:
        before = said.get((source, each.stated.statement.key))
        own = each.stated.id if each.stated.id in there else None
        known.append(before.listing_id if before else own)
    new = (each.whole.keys for id_, each in zip(known, statements, strict=True) if not id_)
    matcher = Matcher(session, new)
    ids = []
    for id_, each in zip(known, statements, strict=True):
        whole = each.whole
        chosen = id_ or matcher.match(whole.fields, whole.keys) or each.stated.id
        ids.append(chosen or listing_id(source, each.stated.statement.key))
        if not id_:
            matcher.add(ids[-1], whole.fields, whole.keys)
    return ids
