"""Recording what sources say: one transaction writes statements, listings, revisions and changes.

One statement is a batch of one: there is no second path.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from hashlib import sha256
from itertools import islice

from pydantic import ValidationError

from directory.fields import STORED
from directory.listing import Listing, Source
from directory.store import clinics
from directory.store.batch import Batch, Recorded, Taken
from directory.store.clinics import Clinic, listings_at
from directory.store.database import Transaction
from directory.store.keys import keys_of
from directory.store.listings import Made, Outcome
from directory.store.said import Name, SaidOf, further, statements_said
from directory.store.statement import Statement

log = logging.getLogger("directory.store")

_DRAWN_AT_ONCE = 5_000


def listing_id(source: Source, key: str) -> str:
    """The id of the listing that a source's record makes: the same for the same record, always."""
    return sha256(f"{source}:{key}".encode()).hexdigest()[:16]


def record(session: Transaction, id_: str, statement: Statement, made: Made) -> Outcome:
    """Keep a source's statement of a listing, and the listing that follows from it.

    A statement that says nothing new, or is older than what its source has said since, changes
    nothing. One that its source made of another listing until now is taken from that one. Raises
    pydantic's ValidationError where the listing would be none; nothing is written then.
    """
    said = statements_said(session, [(statement.source, statement.key)])
    (result,) = record_all(session, [(id_, statement)], made, said)
    if isinstance(result, ValidationError):
        raise result
    return result.outcome


def record_all(
    session: Transaction,
    sayings: Sequence[tuple[str, Statement]],
    made: Made,
    said: Mapping[Name, SaidOf],
) -> list[Recorded | ValidationError]:
    """Record many statements, each of the listing with the id beside it, in order; see `record`.

    `said` is what is stored under their names (statements_said).
    """
    results: list[Recorded | ValidationError] = []
    for some in _each_name_once(sayings):
        if results:  # what was said a moment ago is stored by now
            said = statements_said(session, ((s.source, s.key) for _, s in some))
        results += _record_once(session, some, made, said)
    return results


def _each_name_once(
    sayings: Sequence[tuple[str, Statement]],
) -> Iterator[list[tuple[str, Statement]]]:
    """Portions in which no name comes twice: what follows from each word of a base happens.

    A sound registry says each name once, and is one portion.
    """
    portion: dict[Name, tuple[str, Statement]] = {}
    for id_, statement in sayings:
        name = (statement.source, statement.key)
        if name in portion:
            yield list(portion.values())
            portion = {}
        portion[name] = (id_, statement)
    yield list(portion.values())


def _record_once(
    session: Transaction,
    sayings: Sequence[tuple[str, Statement]],
    made: Made,
    said: Mapping[Name, SaidOf],
) -> list[Recorded | ValidationError]:
    """Record statements of which no two have one name."""
    ids = {id_ for id_, _ in sayings} | {each.listing_id for each in said.values()}
    batch = Batch(session, ids, made, said, [statement for _, statement in sayings])
    results = [batch.record(id_, statement) for id_, statement in sayings]
    batch.write()
    changed: dict[Name, Statement] = {
        (statement.source, statement.key): statement
        for (_, statement), result in zip(sayings, results, strict=True)
        if isinstance(result, Recorded) and result.outcome is not Outcome.UNCHANGED
    }
    _follow(session, changed, made)
    return results


def withdraw(session: Transaction, source: Source, key: str, made: Made) -> bool:
    """Take back what a source said; see `withdraw_all`."""
    return withdraw_all(session, [Taken(source, key, made.reason)], made)[0]


def withdraw_all(session: Transaction, taken: Sequence[Taken], made: Made) -> list[bool]:
    """Take back what sources said; a listing goes unless another source still speaks for it.

    Says of each whether there was anything to take back. What the others say may be too little for
    a listing of its own; then it goes too. What is older than the taking back is not believed
    again, and what was said of further practices upon it goes with it.
    """
    given_up: dict[Name, Taken] = {(each.source, each.key): each for each in taken}
    upon_them = [
        replace(given_up[row.source, row.base], key=row.key, as_of=None)
        for row in further(session, given_up.keys())
    ]
    said = statements_said(session, ((each.source, each.key) for each in (*taken, *upon_them)))
    batch = Batch(session, {each.listing_id for each in said.values()}, made, said)
    for each in upon_them:
        batch.take_back(each)
    results = [batch.take_back(each) for each in taken]
    batch.write()
    return results


def keep_clinics(session: Transaction, found: Sequence[Clinic], made: Made) -> list[Outcome]:
    """Keep organisations and draw the listings in their buildings anew.

    The same again changes nothing.
    """
    outcomes, buildings = clinics.keep(session, found)
    _redraw(session, listings_at(session, buildings), made)
    return outcomes


def forget_clinics(session: Transaction, taken: Sequence[Taken], made: Made) -> None:
    """Forget organisations that are no more, and draw the listings in their buildings anew."""
    gone = {(each.source, each.key): each.as_of for each in taken}
    changed = clinics.forget(session, gone)
    _redraw(session, listings_at(session, changed), made)


def _redraw(session: Transaction, ids: Iterable[str], made: Made) -> None:
    """Draw listings anew from what is said of them and of their buildings."""
    for batch in _batches(session, ids, made):
        for draft in batch.drafts.values():
            batch.redraw(draft)
        batch.write()


def _follow(session: Transaction, bases: Mapping[Name, Statement], made: Made) -> None:
    """Let what was said of further practices follow these bases.

    One that is in the building of its base now is no other practice any more.
    """
    there, elsewhere = [], set()
    for row in further(session, bases.keys()):
        base = bases[row.source, row.base]
        if keys_of(row.fields).building == base.keys.building:
            there.append(Taken(Source(row.source), row.key, "it is the first practice now"))
        else:
            elsewhere.add(row.listing_id)
    if there:
        withdraw_all(session, there, made)
    _redraw(session, elsewhere, made)


def let_lapse(
    session: Transaction, ids: Iterable[str], lapsing: Collection[str], made: Made
) -> int:
    """Write listings anew as time has left them; those in `lapsing` leave the results.

    Says how many have left. One whose document cannot be read stays as it is, and is named in the
    log: it holds up no other.
    """
    left = 0
    for batch in _batches(session, ids, made):
        for draft in batch.drafts.values():
            try:
                Listing.model_validate(draft.document, context=STORED)
            except ValidationError:
                log.error("%s does not grow old: its document cannot be read", draft.id)
                continue
            batch.stand(draft, draft.document, lapse=draft.id in lapsing)
            left += draft.id in lapsing
        batch.write()
    return left


def _batches(session: Transaction, ids: Iterable[str], made: Made) -> Iterator[Batch]:
    """Listings in the order of their ids, so many at a time that they fit in memory."""
    rest = iter(sorted(ids))
    while some := list(islice(rest, _DRAWN_AT_ONCE)):
        yield Batch(session, some, made)


def still_said(session: Transaction, taken: Sequence[Taken]) -> list[bool]:
    """Of each whether there is something to take back: nothing, where newer was said since."""
    names = [(each.source, each.key) for each in taken]
    said = statements_said(session, names)
    dates = clinics.dates(session, {key for _, key in names})
    return [
        any(
            since is not None and (each.as_of is None or since <= each.as_of)
            for since in (_since(said.get(name)), dates.get(name))
        )
        for each, name in zip(taken, names, strict=True)
    ]


def _since(said: SaidOf | None) -> date | None:
    return said.until if said and said.fields is not None else None
