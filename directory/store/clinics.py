"""Organisations at addresses: whom an individual's registry record is matched to.

A registry knows individuals and organisations, but not who works where. An individual is matched
to the one organisation that has the same building and telephone, or else the same building and
suite; where that would be several, to none. It is an inference, the least trusted word of all: any
source that names the clinic itself overrides it. Nobody is ever listed at a clinic's other places.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select

from directory.listing import Source
from directory.places.street import Street, street_of
from directory.store.bulk import put, rows_where, table_of
from directory.store.database import Transaction
from directory.store.listings import Outcome
from directory.store.models import ClinicRow, ListingRow
from directory.store.statement import Fields

_CLINIC, _LISTING = map(table_of, (ClinicRow, ListingRow))


@dataclass(frozen=True)
class Clinic:
    """An organisation by its source's key (the NPI in a registry), at one address."""

    source: Source
    key: str
    name: str
    street: Street
    phone: str | None
    as_of: date


def at_buildings(session: Transaction, buildings: Collection[str]) -> dict[str, list[Clinic]]:
    """The clinics in these buildings, by building."""
    there = select(_CLINIC).where(_CLINIC.c.name != "").order_by(_CLINIC.c.key)
    rows = rows_where(session, there, _CLINIC.c.building, buildings)
    found: dict[str, list[Clinic]] = defaultdict(list)
    for row in rows:
        found[row.building].append(_clinic(row))
    return found


def with_clinic(document: Fields, clinics: Mapping[str, Sequence[Clinic]]) -> Fields:
    """A listing's document, with the clinic at its address where nobody has named one."""
    if "clinic" in document or not clinics:
        return document
    street = street_of(document.get("address"))
    clinic = street and _clinic_of(street, document.get("phone"), clinics.get(street.building, ()))
    if not clinic:
        return document
    said = {"source": str(clinic.source), "as_of": clinic.as_of.isoformat()}
    provenance = document["provenance"] | {"clinic": said}
    return document | {"clinic": clinic.name, "provenance": provenance}


def _clinic_of(street: Street, phone: str | None, there: Sequence[Clinic]) -> Clinic | None:
    by_phone = [each for each in there if phone and each.phone == phone]
    chosen = by_phone or [each for each in there if each.street.unit == street.unit]
    return chosen[0] if len({each.name for each in chosen}) == 1 else None


def _clinic(row: Any) -> Clinic:  # noqa: ANN401  # a row of the table
    street = Street(row.building, row.unit)
    return Clinic(Source(row.source), row.key, row.name, street, row.phone, row.as_of)


def keep(session: Transaction, clinics: Sequence[Clinic]) -> tuple[list[Outcome], set[str]]:
    """Keep organisations; says what came of each, and in which buildings something has changed.

    What is older than what is stored changes nothing.
    """
    stored = _stored(session, {(each.source, each.key) for each in clinics})
    known, buildings, outcomes = dict(stored), set[str](), []
    for clinic in clinics:
        name = (clinic.source, clinic.key)
        before, until = known.get(name, (None, clinic.as_of))
        if before and not before.name:  # forgotten
            before = None
        is_later = until <= clinic.as_of
        is_new = is_later and (not before or replace(before, as_of=clinic.as_of) != clinic)
        added_or_changed = Outcome.CHANGED if before else Outcome.ADDED
        outcomes.append(added_or_changed if is_new else Outcome.UNCHANGED)
        if is_new:
            buildings |= {each.street.building for each in (clinic, before) if each}
        if is_later:
            known[name] = (clinic if is_new or not before else before, clinic.as_of)
    changed = (each for name, each in known.items() if each != stored.get(name))
    put(session, _CLINIC, [_values(clinic, until) for clinic, until in changed])
    return outcomes, buildings


def forget(session: Transaction, gone: Mapping[tuple[Source, str], date | None]) -> set[str]:
    """Forget organisations that are no more since a day; says which buildings they were in.

    They stay without a name, so that what is older does not bring them back. Those of whom
    something newer is known are left.
    """
    there = {
        name: (clinic, until)
        for name, (clinic, until) in _stored(session, gone.keys()).items()
        if clinic.name and until <= (gone[name] or until)
    }
    put(
        session,
        _CLINIC,
        [
            _values(replace(clinic, name=""), gone[name] or until)
            for name, (clinic, until) in there.items()
        ],
    )
    return {clinic.street.building for clinic, _ in there.values()}


def dates(session: Transaction, keys: Collection[str]) -> dict[tuple[Source, str], date]:
    """Until when these organisations are known to be as they are."""
    there = select(_CLINIC).where(_CLINIC.c.name != "")
    rows = rows_where(session, there, _CLINIC.c.key, keys)
    return {(Source(row.source), row.key): row.until for row in rows}


def keys(session: Transaction, source: Source) -> set[str]:
    """The keys of a source's organisations."""
    return set(
        session.scalars(
            select(_CLINIC.c.key).where(_CLINIC.c.source == source, _CLINIC.c.name != "")
        )
    )


def listings_at(session: Transaction, buildings: Collection[str]) -> list[str]:
    """The ids of the listings in these buildings, in order."""
    rows = rows_where(session, select(_LISTING.c.id), _LISTING.c.building, buildings)
    return sorted(row.id for row in rows)


def _stored(
    session: Transaction, names: Collection[tuple[Source, str]]
) -> dict[tuple[Source, str], tuple[Clinic, date]]:
    """The clinics of these names, and until when they are known to be so."""
    rows = rows_where(session, select(_CLINIC), _CLINIC.c.key, {key for _, key in names})
    found = {(Source(row.source), row.key): (_clinic(row), row.until) for row in rows}
    return {name: each for name, each in found.items() if name in names}


def _values(clinic: Clinic, until: date) -> dict[str, Any]:
    return {
        "source": clinic.source, "key": clinic.key, "name": clinic.name,
        "building": clinic.street.building, "unit": clinic.street.unit, "phone": clinic.phone,
        "as_of": clinic.as_of, "until": until,
    }  # fmt: skip
