"""The listings that a batch of statements touches, worked through in memory and written at once.

A batch is read with a handful of queries and written with three upserts, however large it is.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select

from directory.credentials import held_because
from directory.fields import STORED
from directory.listing import Answer, Listing, Source
from directory.store.bulk import put, rows_where, table_of
from directory.store.clinics import Clinic, at_buildings, with_clinic
from directory.store.database import Transaction
from directory.store.keys import NO_KEYS, Keys, keys_of
from directory.store.listings import Made, Outcome, Status
from directory.store.models import ChangeCounterRow, ListingRow, RevisionRow
from directory.store.said import STATEMENT, Name, SaidOf, statements_said
from directory.store.statement import Fields, Statement, combine

_LISTING, _REVISION = map(table_of, (ListingRow, RevisionRow))
_WEIGHTY = {"dry_needling", "attestation", "licence_check", "accepting_from"}
"""Where a listing stands depends on these; one without them is published as it is."""


@dataclass(frozen=True)
class Recorded:
    """What recording a statement came to, of which listing, and what was said of it before."""

    outcome: Outcome
    listing_id: str
    before: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """What a source takes back: its record's key, why, and since when (None: since it was said)."""

    source: Source
    key: str
    reason: str
    as_of: date | None = None


@dataclass
class Draft:
    """A listing as it will stand once the batch is written."""

    id: str
    status: str
    document: Fields | None
    statements: dict[Name, Statement] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    """What is to be written; nothing where nothing has changed."""


class Batch:
    """The listings that a batch touches, worked through in memory."""

    def __init__(
        self,
        session: Transaction,
        ids: Collection[str],
        made: Made,
        said: Mapping[Name, SaidOf] = MappingProxyType({}),
        news: Sequence[Statement] = (),
    ) -> None:
        self._session = session
        self._made = made
        self._said = dict(said)
        self._counter = session.get_one(ChangeCounterRow, 1)
        self._revisions: list[dict[str, Any]] = []
        self._kept: dict[Name, None] = {}
        columns = (_LISTING.c.id, _LISTING.c.status, _LISTING.c.document)
        standing = select(*columns).order_by(_LISTING.c.id)
        rows = rows_where(session, standing, _LISTING.c.id, ids)
        self.drafts = {row.id: Draft(row.id, row.status, row.document) for row in rows}
        self._bases: dict[Name, Fields] = {}
        self._read_statements()
        self._read_bases(news)
        said_there = (s.fields for draft in self.drafts.values() for s in draft.statements.values())
        keys = (*(each.keys for each in news), *map(keys_of, said_there))
        self._clinics: Mapping[str, Sequence[Clinic]] = at_buildings(
            session, {each.building for each in keys if each.building}
        )

    def _read_statements(self) -> None:
        said = select(STATEMENT)
        for row in rows_where(self._session, said, STATEMENT.c.listing_id, self.drafts.keys()):
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
        if before and before.until > statement.as_of and not has_moved:
            return Recorded(Outcome.UNCHANGED, before.listing_id)
        if before and before.fields == statement.fields and not has_moved:
            self._keep(name, replace(before, until=statement.as_of))
            return Recorded(Outcome.UNCHANGED, before.listing_id)
        draft = self.drafts.get(id_) or Draft(id_, "", None)
        try:
            document = self._drawn(id_, {**draft.statements, name: statement})
        except ValidationError as error:
            return error
        if before and has_moved:
            self._leave(self.drafts[before.listing_id], name)
        outcome = Outcome.CHANGED if draft.document else Outcome.ADDED
        self.drafts[id_] = draft
        draft.statements[name] = statement
        as_of = statement.as_of
        self._keep(name, SaidOf(id_, as_of, as_of, statement.fields, statement.base))
        alone = statement.checked and len(draft.statements) == 1
        keys = statement.keys if alone else None
        self.stand(draft, document, statement.source, statement.fields, keys=keys)
        return Recorded(outcome, id_, (before and before.fields) or {})

    def take_back(self, taken: Taken) -> bool:
        """Let a source take back what it said."""
        name = (taken.source, taken.key)
        before = self._said.get(name)
        if not before:
            return False
        as_of = taken.as_of or before.until
        if as_of < before.until:
            return False
        self._keep(name, replace(before, as_of=as_of, until=as_of, fields=None))
        if before.fields is None:
            return False
        self._leave(self.drafts[before.listing_id], name, taken.reason)
        return True

    def redraw(self, draft: Draft) -> None:
        """Draw a listing anew from what is said of it and of its building."""
        if draft.document:
            document = self._drawn(draft.id, draft.statements)
            if document != draft.document:
                self.stand(draft, document)

    def _leave(self, draft: Draft, name: Name, reason: str | None = None) -> None:
        """Take a statement from a listing, which goes if the others say too little."""
        draft.statements.pop(name)
        try:
            document = self._drawn(draft.id, draft.statements) if draft.statements else None
        except ValidationError:  # what the others say is too little for a listing of its own
            document = None
        self.stand(draft, document, Source(name[0]), reason=reason)

    def _drawn(self, id_: str, statements: Mapping[Name, Statement]) -> Fields:
        """The document that the statements make; ValidationError where that is no listing."""
        whole = (
            each.upon(self._bases.get((each.source, each.base), {})) if each.base else each
            for each in statements.values()
        )
        document = with_clinic(self._in_force(combine(id_, whole)), self._clinics)
        if len(statements) > 1 or not all(each.checked for each in statements.values()):
            Listing.model_validate(document, context=STORED)
        return document

    def _in_force(self, document: Fields) -> Fields:
        """A document as time has left it.

        It is without a licence check that has expired, and accepts new patients where the day has
        come.
        """
        today, check = self._made.today.isoformat(), document.get("licence_check")
        over = set()
        if check and check["expires_on"] < today:
            over.add("licence_check")
        if (day := document.get("accepting_from")) and day <= today:
            over.add("accepting_from")
            document = {**document, "accepting": Answer.YES}
        if not over:
            return document
        provenance = {k: v for k, v in document["provenance"].items() if k not in over}
        rest = {name: value for name, value in document.items() if name not in over}
        return rest | {"provenance": provenance}

    def stand(
        self,
        draft: Draft,
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
            document = self._in_force(document)
            listing = Listing.model_validate(document, context=STORED)
        status: Status = Status.WITHDRAWN
        why: str | None = reason or made.reason
        if lapse:
            status, why = Status.LAPSED, None
        elif document:
            status, why = _standing(draft.status, listing, made.today)
        draft.status, draft.document = status, document
        draft.values = {
            "id": draft.id, "status": status, "reason": why and why[:500], "document": document,
            "change_number": number, "updated_at": made.at,
            **(keys or (keys_of(document) if document else NO_KEYS))._asdict(),
            "attested_on": listing.attestation.on if listing and listing.attestation else None,
            "true_until": _true_until(listing) if listing else None,
        }  # fmt: skip
        self._revisions.append({
            "listing_id": draft.id, "change_number": number, "status": status, "source": source,
            "author": made.by[:200], "reason": (reason or made.reason)[:500], "made_at": made.at,
            "fields": fields,
        })  # fmt: skip

    def _keep(self, name: Name, said: SaidOf) -> None:
        if said == self._said.get(name):
            return
        self._said[name] = said
        self._kept[name] = None

    def write(self) -> None:
        """Write what has changed, with the changefeed's number."""
        drafts = self.drafts.values()
        put(self._session, _LISTING, [draft.values for draft in drafts if draft.values])
        kept = [_statement_values(name, self._said[name]) for name in self._kept]
        put(self._session, STATEMENT, kept)
        put(self._session, _REVISION, self._revisions)
        self._session.flush()


def _true_until(listing: Listing) -> date | None:
    """The last day on which the listing stands as it is, as far as it says so itself."""
    ends = (
        listing.licence_check and listing.licence_check.expires_on,
        listing.accepting_from and listing.accepting_from - timedelta(days=1),
    )
    return min((each for each in ends if each), default=None)


def _standing(before: str, listing: Listing | None, today: date) -> tuple[Status, str | None]:
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


def _statement_values(name: Name, said: SaidOf) -> dict[str, Any]:
    source, key = name
    return {
        "source": source, "key": key, "listing_id": said.listing_id, "as_of": said.as_of,
        "until": said.until, "base": said.base, "fields": said.fields,
    }  # fmt: skip
