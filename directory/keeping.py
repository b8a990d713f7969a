"""Keeping a listing true: what owners and moderators do to it, each within one transaction.

Whatever they do is a statement of theirs, kept beside what the other sources say; the listing
follows from all of them, and the revision says who did it, when and why.
"""

from dataclasses import dataclass
from datetime import date

from pydantic import ValidationError

from directory.listing import UNITS, Source
from directory.places import Places
from directory.store import erasure, listings, merges, owners, submissions
from directory.store.database import Transaction
from directory.store.history import FieldChange, differences, plain, revisions
from directory.store.keys import keys_of
from directory.store.listings import Made, StoredListing
from directory.store.matching import Matcher
from directory.store.owners import Owner
from directory.store.record import listing_id, record, withdraw
from directory.store.said import statements_of, statements_said
from directory.store.statement import Fields, Statement
from directory.store.submissions import Kind, State, Submission

HIGH_RISK = frozenset(("name", "npi", "profession", "dry_needling"))
"""Who somebody is and what is done there: changes of these are looked at before they are public."""


class Gone(Exception):
    """There is no such listing (any more)."""


@dataclass(frozen=True)
class Conflict(Exception):  # it is an answer, not an error
    """Somebody else has changed the listing since it was read; nothing was changed now."""

    standing: StoredListing


def standing(session: Transaction, id_: str) -> StoredListing:
    """A listing as it stands; Gone where there is none."""
    found = listings.find(session, id_)
    if not found or not found.listing:
        raise Gone(id_)
    return found


def wanted_changes(found: StoredListing, wanted: Fields) -> tuple[FieldChange, ...]:
    """In which fields a listing is to be another than it stands."""
    document, stated = _document(found), _stated(wanted)
    return differences({name: document.get(name) for name in stated}, stated)


def _document(found: StoredListing) -> Fields:
    return found.listing.model_dump(mode="json", exclude_unset=True) if found.listing else {}


def _stated(wanted: Fields) -> Fields:
    """What is wanted without a location that was only worked out from the address."""
    location = wanted.get("location")
    if location and location.get("method", "given") != "given":
        return {name: value for name, value in wanted.items() if name != "location"}
    return wanted


def change(
    session: Transaction, id_: str, wanted: Fields, seen: int, made: Made, places: Places
) -> tuple[FieldChange, ...]:
    """Let an owner state some fields; says what that changes.

    `seen` is the change number of the state that the owner saw: Conflict where it is not the latest
    any more. Only what differs becomes the owner's word; the rest stays whose it was. Raises
    pydantic's ValidationError where the listing would be none.
    """
    found = standing(session, id_)
    changes = wanted_changes(found, wanted)
    if not changes:
        return ()
    if found.change_number != seen:
        raise Conflict(found)
    fields = _whole_units(
        found, {each.field: each.after for each in changes}, _stated(wanted), places
    )
    state(session, id_, Source.CLINIC, fields, made)
    return changes


def _whole_units(found: StoredListing, changed: Fields, wanted: Fields, places: Places) -> Fields:
    """What changes, with the rest of each unit of the listing that it belongs to.

    Where the address changes, where it lies is found anew, unless that is stated, too.
    """
    document, fields = _document(found), dict(changed)
    for unit in UNITS:
        if changed.keys() & set(unit):
            fields |= {name: wanted.get(name, document.get(name)) for name in unit}
    if "address" in fields:
        fields["area_only"] = bool(fields["area_only"])
        if not wanted.get("location"):
            fields.pop("location")
        fields = dict(places.located(fields))
    return fields


def state(session: Transaction, id_: str, source: Source, fields: Fields, made: Made) -> None:
    """Add fields to what a source of this house (clinic, moderator) states of a listing."""
    key = f"{source}:{id_}"
    said = statements_said(session, [(source, key)]).get((source, key))
    before = (said.fields or {}) if said else {}
    record(session, id_, Statement(source, key, made.today, {**before, **fields}), made)


def attest(session: Transaction, id_: str, made: Made, method: str) -> None:
    """Keep an owner's word that all is still right."""
    standing(session, id_)
    attestation = {"on": made.today.isoformat(), "by": "the practice", "method": method}
    state(session, id_, Source.CLINIC, {"attestation": attestation}, made)


def leave(session: Transaction, id_: str, made: Made) -> None:
    """Take a listing out of the directory: the owner's word outlives every load of a registry."""
    standing(session, id_)
    state(session, id_, Source.CLINIC, {"dry_needling": "no"}, made)


def erase(session: Transaction, id_: str, made: Made) -> None:
    """Take a listing out and erase what its clinic and its patients have ever said of it.

    What stays is that it must not come back, and what registries say elsewhere, too.
    """
    standing(session, id_)
    key = f"{Source.CLINIC}:{id_}"
    said = Statement(Source.CLINIC, key, made.today, {"dry_needling": "no"})
    try:
        record(session, id_, said, made)
    except ValidationError:  # nobody else says anything: then nothing has to stay
        withdraw(session, Source.CLINIC, key, made)
    erasure.forget_listing(session, id_)


def go_back(session: Transaction, id_: str, revision: int, made: Made) -> None:
    """State again what the owner stated in a revision; Gone where there is no such one."""
    standing(session, id_)
    there = {each.id: each for each in revisions(session, id_) if each.source is Source.CLINIC}
    if revision not in there or there[revision].fields is None:
        raise Gone(id_)
    key = f"{Source.CLINIC}:{id_}"
    fields = there[revision].fields or {}
    record(session, id_, Statement(Source.CLINIC, key, made.today, fields), made)


def check_licence(session: Transaction, id_: str, state_: str, until: date, made: Made) -> None:
    """Keep that a moderator has looked the licence up at the board of a state."""
    standing(session, id_)
    check = {
        "state": state_,
        "checked_on": made.today.isoformat(),
        "expires_on": until.isoformat(),
    }
    state(session, id_, Source.MODERATOR, {"licence_check": check}, made)


def merge(session: Transaction, gone: str, kept: str, made: Made) -> None:
    """Let everything that is said of one listing be said of another: they are one.

    Its owners own the other, too; its history stays where it was, and `part` undoes it. Gone where
    one of them is.
    """
    standing(session, gone)
    standing(session, kept)
    moved, before = statements_of(session, gone), owners.owners(session, kept)
    new = [each for each in owners.owners(session, gone) if each not in before]
    for each in moved:
        record(session, kept, each, made)
    for owner in new:
        owners.add(session, kept, owner, made.at)
    names = [(each.source, each.key) for each in moved]
    merges.keep(session, gone, kept, names, [each.email for each in new], made.by, made.at)


def part(session: Transaction, merge_id: int, made: Made) -> None:
    """Undo a merge: what was moved is of the first listing again, as it is said by now.

    Gone where there is no such merge (any more).
    """
    found = merges.find(session, merge_id)
    if not found:
        raise Gone(str(merge_id))
    moved = set(found.statements)
    for each in statements_of(session, found.kept):
        if (each.source, each.key) in moved:
            record(session, found.gone, each, made)
    for email in found.owners:
        owners.remove(session, found.kept, email)
    merges.undone(session, merge_id, made.at)


def same_as(session: Transaction, fields: Fields) -> str | None:
    """The id of the listing that these facts are of already, if there is one."""
    keys = keys_of(fields)
    return Matcher(session, [keys]).match(fields, keys)


def approve(session: Transaction, asked: Submission, made: Made, places: Places) -> str:
    """Do what a submission asks for; says of which listing.

    Raises Gone and pydantic's ValidationError; nothing is changed then.
    """
    owner = Owner(asked.email, asked.language)
    match asked.kind:
        case Kind.NEW:
            id_ = same_as(session, asked.fields) or listing_id(Source.CLINIC, asked.reference)
            attestation = {
                "on": asked.made_at.date().isoformat(), "by": "the practice", "method": "form",
            }  # fmt: skip
            stated = {n: v for n, v in asked.fields.items() if plain(v) is not None}
            state(session, id_, Source.CLINIC, {**stated, "attestation": attestation}, made)
        case Kind.CHANGE:
            id_ = asked.listing_id or ""
            found = standing(session, id_)
            change(session, id_, asked.fields, found.change_number, made, places)
        case Kind.CLAIM:
            id_ = asked.listing_id or ""
            standing(session, id_)
    owners.add(session, id_, owner, made.at)
    submissions.save(session, asked.reference, listing_id=id_)
    submissions.move(session, asked.reference, State.APPROVED, made.by, made.at)
    return id_
