"""Recording what sources say: one transaction writes statements, listings, revisions and changes.

Statements come in batches, since a registry has millions of them: a batch is read with a handful
of queries, worked through in memory, and written with a handful of inserts and updates.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select

from directory.credentials import held_because
from directory.fields import STORED
from directory.listing import Answer, Listing, Source
from directory.store import clinics
from directory.store.bulk import put, table_of
from directory.store.clinics import Clinic, at_buildings, listings_at, with_clinic
from directory.store.database import Transaction
from directory.store.keys import NO_KEYS, Keys, keys_of
from directory.store.listings import Made, Status
from directory.store.models import ChangeCounterRow, ListingRow, RevisionRow, StatementRow
from directory.store.statement import Fields, Statement, combine

_LISTING, _STATEMENT, _REVISION = map(table_of, (ListingRow, StatementRow, RevisionRow))
_WEIGHTY = {"dry_needling", "attestation", "licence_check"}
"""Where a listing stands depends on these; one without them is published as it is."""

_Said = tuple[str, str]
"""What names a statement: its source and its key."""


class Outcome(StrEnum):
    """What recording a statement came to."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Recorded:
    """What recording a statement came to, of which listing, and what was said of it before."""

    outcome: Outcome
    listing_id: str
    before: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SaidOf:
    """A stored statement and the listing that it is of; without fields it was taken back."""

    listing_id: str
    as_of: date
    fields: Fields | None
    base: str | None = None


@dataclass(frozen=True)
class Taken:
    """What a source takes back: its record's key, why, and since when (None: since it was said)."""

    source: Source
    key: str
    reason: str
    as_of: date | None = None


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
    said: Mapping[_Said, SaidOf],
) -> list[Recorded | ValidationError]:
    """Record many statements, each of the listing with the id beside it, in order; see `record`.

    `said` is what is stored under their names (statements_said).
    """
    ids = {id_ for id_, _ in sayings} | {each.listing_id for each in said.values()}
    batch = _Batch(session, ids, made, said, [statement for _, statement in sayings])
    results = [batch.record(id_, statement) for id_, statement in sayings]
    batch.write()
    changed: dict[_Said, Statement] = {
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
    given_up: dict[_Said, Taken] = {(each.source, each.key): each for each in taken}
    further = [
        replace(given_up[row.source, row.base], key=row.key, as_of=None)
        for row in _further(session, given_up.keys())
    ]
    said = statements_said(session, ((each.source, each.key) for each in (*taken, *further)))
    batch = _Batch(session, {each.listing_id for each in said.values()}, made, said)
    for each in further:
        batch.take_back(each)
    results = [batch.take_back(each) for each in taken]
    batch.write()
    return results


def keep_clinics(session: Transaction, found: Sequence[Clinic], made: Made) -> list[Outcome]:
    """Keep organisations and draw the listings in their buildings anew.

    The same again changes nothing.
    """
    news, buildings = clinics.keep(session, found)
    _redraw(session, listings_at(session, buildings), made)
    return [
        (Outcome.CHANGED if known else Outcome.ADDED) if is_new else Outcome.UNCHANGED
        for known, is_new in news
    ]


def forget_clinics(session: Transaction, taken: Sequence[Taken], made: Made) -> None:
    """Forget organisations that are no more, and draw the listings in their buildings anew."""
    changed = clinics.forget(session, {(each.source, each.key) for each in taken})
    _redraw(session, listings_at(session, changed), made)


def _redraw(session: Transaction, ids: Collection[str], made: Made) -> None:
    """Draw listings anew from what is said of them and of their buildings."""
    if ids:
        batch = _Batch(session, set(ids), made)
        for draft in sorted(batch.drafts.values(), key=lambda draft: draft.id):
            batch.redraw(draft)
        batch.write()


def _follow(session: Transaction, bases: Mapping[_Said, Statement], made: Made) -> None:
    """Let what was said of further practices follow these bases.

    One that is in the building of its base now is no other practice any more.
    """
    there, elsewhere = [], set()
    for row in _further(session, bases.keys()):
        base = bases[row.source, row.base]
        if keys_of(row.fields).building == base.keys.building:
            there.append(Taken(Source(row.source), row.key, "it is the first practice now"))
        else:
            elsewhere.add(row.listing_id)
    if there:
        withdraw_all(session, there, made)
    _redraw(session, elsewhere, made)


def _further(session: Transaction, bases: Collection[_Said]) -> list[Any]:
    """The stored statements of further practices upon these bases."""
    rows = session.execute(
        select(_STATEMENT)
        .where(_STATEMENT.c.base.in_({key for _, key in bases}), _STATEMENT.c.fields.is_not(None))
        .order_by(_STATEMENT.c.key)
    )
    return [row for row in rows if (row.source, row.base) in bases]


def let_lapse(session: Transaction, ids: Iterable[str], lapsing: set[str], made: Made) -> None:
    """Write listings anew as time has left them; those in `lapsing` leave the results."""
    batch = _Batch(session, set(ids), made)
    for draft in sorted(batch.drafts.values(), key=lambda draft: draft.id):
        batch.stand(draft, draft.document, lapse=draft.id in lapsing)
    batch.write()


def keys_said(session: Transaction, source: Source) -> set[str]:
    """The keys under which a source says something, of practitioners and of clinics."""
    said = select(_STATEMENT.c.key).where(
        _STATEMENT.c.source == source, _STATEMENT.c.fields.is_not(None)
    )
    return {*session.scalars(said), *clinics.keys(session, source)}


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
    return said.as_of if said and said.fields is not None else None


def statements_said(session: Transaction, names: Iterable[_Said]) -> dict[_Said, SaidOf]:
    """What is stored under these sources and keys."""
    keys: dict[str, set[str]] = {}
    for source, key in names:
        keys.setdefault(source, set()).add(key)
    found: dict[_Said, SaidOf] = {}
    for source, wanted in keys.items():
        rows = session.execute(
            select(_STATEMENT).where(_STATEMENT.c.source == source, _STATEMENT.c.key.in_(wanted))
        )
        found |= {
            (source, row.key): SaidOf(row.listing_id, row.as_of, row.fields, row.base)
            for row in rows
        }
    return found


@dataclass
class _Draft:
    """A listing as it will stand once the batch is written."""

    id: str
    status: str
    document: Fields | None
    statements: dict[_Said, Statement] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    """What is to be written; nothing where nothing has changed."""


class _Batch:
    """The listings that a batch touches, worked through in memory."""

    def __init__(
        self,
        session: Transaction,
        ids: set[str],
        made: Made,
        said: Mapping[_Said, SaidOf] = MappingProxyType({}),
        news: Sequence[Statement] = (),
    ) -> None:
        self._session = session
        self._made = made
        self._said = dict(said)
        self._counter = session.get_one(ChangeCounterRow, 1)
        self._revisions: list[dict[str, Any]] = []
        self._kept: dict[_Said, None] = {}
        rows = session.execute(
            select(_LISTING.c.id, _LISTING.c.status, _LISTING.c.document).where(
                _LISTING.c.id.in_(ids)
            )
        )
        self.drafts = {row.id: _Draft(row.id, row.status, row.document) for row in rows}
        self._bases: dict[_Said, Fields] = {}
        self._read_statements()
        self._read_bases(news)
        documents = (draft.document for draft in self.drafts.values() if draft.document)
        keys = (*(each.keys for each in news), *map(keys_of, documents))
        self._clinics: Mapping[str, Sequence[Clinic]] = at_buildings(
            session, {each.building for each in keys if each.building}
        )

    def _read_statements(self) -> None:
        rows = self._session.execute(
            select(_STATEMENT).where(_STATEMENT.c.listing_id.in_(self.drafts.keys()))
        )
        for row in rows:
            if row.fields is not None:
                statement = Statement(Source(row.source), row.key, row.as_of, row.fields, row.base)
                self.drafts[row.listing_id].statements[row.source, row.key] = statement
        statements = (s for draft in self.drafts.values() for s in draft.statements.values())
        self._read_bases(statements)

    def _read_bases(self, statements: Iterable[Statement]) -> None:
        names = ((each.source, each.base) for each in statements if each.base)
        self._bases |= {
            name: said.fields or {} for name, said in statements_said(self._session, names).items()
        }

    def record(self, id_: str, statement: Statement) -> Recorded | ValidationError:
        """Let a statement have its effect."""
        name = (statement.source, statement.key)
        before = self._said.get(name)
        has_moved = before is not None and before.fields is not None and before.listing_id != id_
        if before and before.as_of > statement.as_of and not has_moved:
            return Recorded(Outcome.UNCHANGED, before.listing_id)
        if before and before.fields == statement.fields and not has_moved:
            self._keep(name, replace(before, as_of=statement.as_of))
            return Recorded(Outcome.UNCHANGED, before.listing_id)
        draft = self.drafts.get(id_) or _Draft(id_, "", None)
        try:
            document = self._drawn(id_, {**draft.statements, name: statement})
        except ValidationError as error:
            return error
        if before and has_moved:
            self._leave(self.drafts[before.listing_id], name)
        outcome = Outcome.CHANGED if draft.document else Outcome.ADDED
        self.drafts[id_] = draft
        draft.statements[name] = statement
        self._keep(name, SaidOf(id_, statement.as_of, statement.fields, statement.base))
        alone = statement.checked and len(draft.statements) == 1
        keys = statement.keys if alone else None
        self.stand(draft, document, statement.source, statement.fields, keys=keys)
        return Recorded(outcome, id_, (before and before.fields) or {})

    def take_back(self, taken: Taken) -> bool:
        """Let a source take back what it said."""
        name = (taken.source, taken.key)
        before = self._said.get(name)
        if not before or before.fields is None:
            return False
        as_of = taken.as_of or before.as_of
        if as_of < before.as_of:
            return False
        self._keep(name, SaidOf(before.listing_id, as_of, None))
        self._leave(self.drafts[before.listing_id], name, taken.reason)
        return True

    def redraw(self, draft: _Draft) -> None:
        """Draw a listing anew from what is said of it and of its building."""
        if draft.document:
            document = self._drawn(draft.id, draft.statements)
            if document != draft.document:
                self.stand(draft, document)

    def _leave(self, draft: _Draft, name: _Said, reason: str | None = None) -> None:
        """Take a statement from a listing, which goes if the others say too little."""
        draft.statements.pop(name)
        try:
            document = self._drawn(draft.id, draft.statements) if draft.statements else None
        except ValidationError:  # what the others say is too little for a listing of its own
            document = None
        self.stand(draft, document, Source(name[0]), reason=reason)

    def _drawn(self, id_: str, statements: Mapping[_Said, Statement]) -> Fields:
        """The document that the statements make; ValidationError where that is no listing."""
        whole = (
            each.upon(self._bases.get((each.source, each.base), {})) if each.base else each
            for each in statements.values()
        )
        document = with_clinic(combine(id_, whole), self._clinics)
        if len(statements) > 1 or not all(each.checked for each in statements.values()):
            Listing.model_validate(document, context=STORED)
        return document

    def stand(
        self,
        draft: _Draft,
        document: Fields | None,
        source: Source | None = None,
        fields: Fields | None = None,
        *,
        reason: str | None = None,
        lapse: bool = False,
        keys: Keys | None = None,
    ) -> None:
        """Set a listing as it stands now, with its revision and its change number.

        A revision of what time has done has neither fields nor a source. `keys` are given of a
        document that was validated already.
        """
        self._counter.number += 1
        made, number = self._made, self._counter.number
        listing = None
        if document and (not keys or document.keys() & _WEIGHTY):
            listing = Listing.model_validate(document, context=STORED)
            if listing.licence_check and listing.licence_check.expires_on < made.today:
                document = {k: v for k, v in document.items() if k != "licence_check"}
                listing = listing.model_copy(update={"licence_check": None})
        status: Status = Status.WITHDRAWN
        why: str | None = reason or made.reason
        if lapse:
            status, why = Status.LAPSED, None
        elif document:
            status, why = standing(draft.status, listing, made.today)
        draft.status, draft.document = status, document
        draft.values = {
            "id": draft.id, "status": status, "reason": why and why[:500], "document": document,
            "change_number": number, "updated_at": made.at,
            **(keys or (keys_of(document) if document else NO_KEYS))._asdict(),
            "attested_on": listing.attestation.on if listing and listing.attestation else None,
            "checked_until":
                listing.licence_check.expires_on if listing and listing.licence_check else None,
        }  # fmt: skip
        self._revisions.append({
            "listing_id": draft.id, "change_number": number, "status": status, "source": source,
            "author": made.by[:200], "reason": (reason or made.reason)[:500], "made_at": made.at,
            "fields": fields,
        })  # fmt: skip

    def _keep(self, name: _Said, said: SaidOf) -> None:
        if said == self._said.get(name):
            return
        self._said[name] = said
        self._kept[name] = None

    def write(self) -> None:
        """Write what has changed, with the changefeed's number."""
        drafts = self.drafts.values()
        put(self._session, _LISTING, [draft.values for draft in drafts if draft.values])
        kept = [_statement_values(name, self._said[name]) for name in self._kept]
        put(self._session, _STATEMENT, kept)
        put(self._session, _REVISION, self._revisions)
        self._session.flush()


def standing(before: str, listing: Listing | None, today: date) -> tuple[Status, str | None]:
    """Where a listing stands by what it says (None: nothing weighty), and why it is held.

    One that is published does not lapse here but in `age`, which counts how many do at once.
    """
    if not listing:
        return Status.PUBLISHED, None
    if reason := held_because(listing):
        return Status.HELD, reason
    if listing.dry_needling is Answer.NO:
        return Status.NOT_OFFERED, None
    lapsed = listing.attestation is not None and listing.attestation.has_lapsed(today)
    return Status.LAPSED if lapsed and before != Status.PUBLISHED else Status.PUBLISHED, None


def _statement_values(name: _Said, said: SaidOf) -> dict[str, Any]:
    source, key = name
    return {
        "source": source, "key": key, "listing_id": said.listing_id, "as_of": said.as_of,
        "base": said.base, "fields": said.fields,
    }  # fmt: skip
