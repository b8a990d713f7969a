"""From a raw record to what the store takes: interpreted, located, validated; or why it is not.

It needs no store, so it may run in a process of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pydantic import ValidationError

from directory.fields import LISTING_ID, Line, Phone
from directory.listing import Address, Facts, Location, Value
from directory.places import FARTHEST_M, Places
from directory.places.street import is_po_box
from directory.store.keys import keys_of
from directory.store.statement import Statement
from indexer.sources.record import (
    Gone,
    Organisation,
    Record,
    RecordError,
    RecordSource,
    Said,
    Skipped,
)

LONGEST_KEY = 200
"""Characters; the store's column has no more."""

_NO_PLACE = "neither its ZIP nor its city is in its state: it has no place"


class _Practice(Value):
    """What may be said of one place of practice alone."""

    address: Address
    location: Location
    phone: Phone | None = None


class _Clinic(_Practice):
    """An organisation at its address."""

    name: Line


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement that is ready, of the listing with this id, where the source knows it."""

    statement: Statement
    id: str | None
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An organisation that is ready: its key, and a clinic's fields as JSON has them."""

    key: str
    as_of: date
    fields: Mapping[str, Any]
    left_out: str | None = None


Prepared = Stated | Found | Gone | Skipped | RecordError
"""A record as the store takes it, or why it will not."""


@dataclass(frozen=True)
class Preparer:
    """Prepares the records of a source on one day."""

    source: RecordSource
    places: Places
    today: date
    prefix: str = ""
    """Before every key: whose list it is."""

    def __call__(self, record: Record) -> Prepared:
        """What becomes of a record."""
        try:
            match self.source.interpret(record, self.today):
                case Said() as said:
                    return self._stated(said)
                case Organisation() as found:
                    fields = self._located(found.fields)
                    clinic = _Clinic.model_validate(fields).model_dump(mode="json")
                    key, as_of = self._key(found.key, "name"), self._believed(found.as_of)
                    return Found(key, as_of, clinic, found.left_out)
                case Gone() as gone:
                    as_of = self._believed(gone.as_of)
                    return replace(gone, key=self.prefix + gone.key, as_of=as_of)
                case Skipped(key=str(key)) as skipped:
                    as_of = self._believed(skipped.as_of)
                    return replace(skipped, key=self.prefix + key, as_of=as_of)
                case Skipped() as skipped:
                    return skipped
        except RecordError as error:
            return error
        except ValidationError as error:
            return first_wrong(error)

    def _key(self, key: str, field: str) -> str:
        """A key as it is stored; RecordError where it is longer than both stores can keep."""
        whole = self.prefix + key
        if len(whole) > LONGEST_KEY:
            raise RecordError(
                field,
                f"the record's key is longer than {LONGEST_KEY} characters (origin, name and "
                f"address together): {whole[:60]}…",
            )
        return whole

    def _believed(self, as_of: date) -> date:
        """A day that has not come yet is today: nothing would ever be newer than it."""
        return min(as_of, self.today)

    def _stated(self, said: Said) -> Stated:
        if said.id is not None and not LISTING_ID.fullmatch(said.id):
            raise RecordError("id", f"{said.id!r} is no id: {LISTING_ID.pattern}")
        fields, source = self._located(said.fields), self.source.SOURCE
        key = self._key(said.key, "id")
        as_of = self._believed(said.as_of)
        if said.base:
            practice = _Practice.model_validate(fields).model_dump(mode="json", exclude_unset=True)
            statement = Statement(source, key, as_of, practice, self.prefix + said.base)
            return Stated(replace(statement, keys=keys_of(practice)), None, said.left_out)
        facts = Facts.model_validate(fields)
        _may_say(facts, self.today)
        statement = Statement.of(source, key, as_of, facts)
        return Stated(statement, None if self.prefix else said.id, said.left_out)

    def _located(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Fields with a location; RecordError where the one they give cannot be."""
        given = fields.get("location")
        if isinstance(given, dict) and fields.get("area_only") is not True:
            try:
                self._check_point(Location.model_validate(given), fields.get("address"))
            except ValidationError as error:
                wrong = first_wrong(error)
                raise RecordError(f"location.{wrong.field}", wrong.reason) from error
        return self.places.located(fields)

    def _check_point(self, location: Location, address: object) -> None:
        if not isinstance(address, dict):
            return
        if is_po_box(address) and not location.precision.approximate:
            raise RecordError("address.line1", "is a post-office box, where nobody practises")
        metres = self.places.farness(address, location.point)
        if metres is None:
            raise RecordError("address", _NO_PLACE)
        if metres > FARTHEST_M:
            raise RecordError(
                "location", f"lies {metres / 1000:.0f} km from its ZIP and its city: one is wrong"
            )


def _may_say(facts: Facts, today: date) -> None:
    """RecordError where a source speaks for a moderator, or of a day that has not come."""
    if facts.licence_check:
        raise RecordError("licence_check", "only a moderator of this directory can say so")
    if any(certificate.verified_on for certificate in facts.certificates):
        raise RecordError("certificates.verified_on", "only a moderator can say so")
    if facts.attestation and facts.attestation.on > today:
        raise RecordError("attestation.on", "lies in the future")


def first_wrong(error: ValidationError) -> RecordError:
    """The first thing that is wrong; the rest shows when that is mended."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "record"
    if first["type"] == "missing" and place == "location":
        return RecordError("address", _NO_PLACE)
    said = "is missing" if first["type"] == "missing" else first["msg"]
    return RecordError(place, said.removeprefix("Value error, "))
