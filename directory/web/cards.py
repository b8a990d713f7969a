"""What a card of the results says, word by word, so that the template has only to set it.

A page has twenty, and a card needs a third of a listing: to read that takes 13 us, a whole Listing
30. Templates that asked a Listing field by field, through filters, took most of a page's time.
"""

from dataclasses import dataclass
from datetime import date, time

from pydantic import ConfigDict

from directory.fields import STORED
from directory.language import clock, day, gettext
from directory.listing import (
    Address,
    Answer,
    Attestation,
    Hours,
    LicenceCheck,
    Listing,
    Location,
    Name,
    Range,
    Value,
)
from directory.search.document import Document, Evidence
from directory.search.engine import UNREADABLE, EngineUnavailable
from directory.search.page import Result
from directory.vocabulary import Kind
from directory.web.rendering import (
    Attested,
    attested,
    closing,
    dialled,
    dollars,
    label,
    listing_address,
    street,
)
from directory.web.sentences import distance

_MOST_INSURERS = 3


@dataclass(frozen=True, slots=True)
class Card:
    """A listing as a card. What is None has no place on it.

    `address` is that of the listing's page, `where` the practice's; `call` is what a telephone
    number is called by who reads the page out.
    """

    id: str
    address: str
    name: str
    title: str
    location: Location
    approximate: bool
    away: str | None
    who: str
    evidence: Evidence
    licence_checked: bool
    accepting: Answer
    not_now: str | None
    closes: str | None
    where: str
    area_only: bool
    phone: str | None
    dialled: str
    call: str
    price: str
    insurance: str
    attested: Attested | None


class _Facts(Value):
    """What a card needs of a listing."""

    model_config = ConfigDict(extra="ignore")

    id: str
    name: Name
    letters: tuple[str, ...]
    profession: str
    clinic: str | None
    address: Address
    area_only: bool
    location: Location
    phone: str | None
    hours: tuple[Hours, ...]
    licence_check: LicenceCheck | None
    insurance_accepted: tuple[str, ...]
    first_visit_price: Range | None
    accepting: Answer
    accepting_from: date | None
    attestation: Attestation | None


def card_of_result(result: Result, units: str) -> Card:
    """A result as a card. EngineUnavailable where the index holds something else."""
    document = result.hit.document
    try:
        facts = _Facts.model_validate_json(document.json, context=STORED)
    except ValueError as error:
        raise EngineUnavailable(UNREADABLE) from error
    return _card(facts, document, result.distance_m, units)


def card_of(listing: Listing) -> Card:
    """A listing as a card, without a distance."""
    document = Document.of(listing.model_dump(mode="json"))
    return _card(_Facts.model_validate_json(document.json, context=STORED), document, None, "mi")


def _card(facts: _Facts, document: Document, distance_m: float | None, units: str) -> Card:
    name, number = str(facts.name), dialled(facts.phone or "")
    return Card(
        id=facts.id,
        address=listing_address(facts.id),
        name=name,
        title=", ".join((name, *facts.letters)),
        location=facts.location,
        approximate=document.approximate,
        away=_away(distance_m, units, approximate=document.approximate),
        who=_who(facts),
        evidence=document.evidence,
        licence_checked=facts.licence_check is not None,
        accepting=facts.accepting,
        not_now=_not_now(facts),
        closes=_closes(closing(facts.hours, facts.address)),
        where=street(facts.address),
        area_only=facts.area_only,
        phone=facts.phone,
        dialled=number,
        call=gettext("Call %(name)s, %(phone)s", name=name, phone=number),
        price=_price(facts.first_visit_price),
        insurance=_insurance(facts.insurance_accepted),
        attested=attested(facts.attestation),
    )


def _away(distance_m: float | None, units: str, *, approximate: bool) -> str | None:
    if distance_m is None:
        return None
    said = distance(distance_m, units)
    return gettext("about %(distance)s", distance=said) if approximate else said


def _who(facts: _Facts) -> str:
    profession = label(facts.profession, Kind.PROFESSION)
    if not facts.clinic:
        return profession
    return gettext("%(profession)s at %(clinic)s", profession=profession, clinic=facts.clinic)


def _not_now(facts: _Facts) -> str | None:
    if facts.accepting is not Answer.NO:
        return None
    if not facts.accepting_from:
        return gettext("No new patients now")
    return gettext("No new patients until %(date)s", date=day(facts.accepting_from))


def _closes(at: time | None) -> str | None:
    return gettext("Open until %(time)s", time=clock(at)) if at else None


def _price(price: Range | None) -> str:
    return dollars(price) if price else gettext("price not given")


def _insurance(accepted: tuple[str, ...]) -> str:
    if not accepted:
        return gettext("not stated")
    named = ", ".join(label(each, Kind.INSURANCE) for each in accepted[:_MOST_INSURERS])
    others = len(accepted) - _MOST_INSURERS
    return named + gettext(" and %(count)s more", count=others) if others > 0 else named
