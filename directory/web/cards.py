"""What a card of the results says, word by word, so that the template has only to set it.

A page has twenty. Templates that asked whole Listings field by field, through filters and macros,
took most of its time; a card is made of the JSON that the index keeps, as the API sends it.
"""

from dataclasses import dataclass
from datetime import date, time

import orjson
from markupsafe import Markup

from directory.language import clock, day, gettext
from directory.listing import Answer, Listing
from directory.search.document import Document, Evidence, Said
from directory.search.page import Result
from directory.vocabulary import Kind
from directory.web.facts import attested_on, closing, dialled, dollars_of, street_of
from directory.web.rendering import label, listing_address
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
    lat: float
    lon: float
    approximate: bool
    away: str | None
    who: str
    evidence: Evidence
    licence_checked: bool
    accepts: bool
    not_now: str | None
    closes: str | None
    where: str
    area_only: bool
    phone: str | None
    dialled: str
    call: str
    price: str
    insurance: str
    attested: Markup


def card_of_result(result: Result, units: str) -> Card:
    """A result as a card."""
    return _card(result.hit.document, result.distance_m, units)


def card_of(listing: Listing) -> Card:
    """A listing as a card, without a distance."""
    return _card(Document.of(listing.model_dump(mode="json")), None, "mi")


def _card(document: Document, distance_m: float | None, units: str) -> Card:
    said: Said = orjson.loads(document.json)
    at, phone, address = said["location"], said["phone"], said["address"]
    name, number = _name(said["name"]), dialled(phone or "")
    return Card(
        id=said["id"],
        address=listing_address(said["id"]),
        name=name,
        title=", ".join((name, *said["letters"])),
        lat=at["lat"],
        lon=at["lon"],
        approximate=document.approximate,
        away=_away(distance_m, units, approximate=document.approximate),
        who=_who(said),
        evidence=document.evidence,
        licence_checked=said["licence_check"] is not None,
        accepts=said["accepting"] == Answer.YES,
        not_now=_not_now(said),
        closes=_closes(closing(said["hours"], address["postal_code"])),
        where=street_of(address),
        area_only=said["area_only"],
        phone=phone,
        dialled=number,
        call=gettext("Call %(name)s, %(phone)s", name=name, phone=number),
        price=_price(said),
        insurance=_insurance(said["insurance_accepted"]),
        attested=_attested(said),
    )


def _name(name: Said) -> str:
    """As `str` of a Name."""
    parts = (name["given"], name["middle"], name["family"], name["suffix"])
    return " ".join(filter(None, parts))


def _away(distance_m: float | None, units: str, *, approximate: bool) -> str | None:
    if distance_m is None:
        return None
    said = distance(distance_m, units)
    return gettext("about %(distance)s", distance=said) if approximate else said


def _who(said: Said) -> str:
    profession, clinic = label(said["profession"], Kind.PROFESSION), said["clinic"]
    if not clinic:
        return profession
    return gettext("%(profession)s at %(clinic)s", profession=profession, clinic=clinic)


def _not_now(said: Said) -> str | None:
    if said["accepting"] != Answer.NO:
        return None
    if not (until := said["accepting_from"]):
        return gettext("No new patients now")
    return gettext("No new patients until %(date)s", date=day(date.fromisoformat(until)))


def _closes(at: time | None) -> str | None:
    return gettext("Open until %(time)s", time=clock(at)) if at else None


def _price(said: Said) -> str:
    price = said["first_visit_price"]
    return dollars_of(price["least"], price["most"]) if price else gettext("price not given")


def _insurance(accepted: list[str]) -> str:
    if not accepted:
        return gettext("not stated")
    named = ", ".join(label(each, Kind.INSURANCE) for each in accepted[:_MOST_INSURERS])
    others = len(accepted) - _MOST_INSURERS
    return named + gettext(" and %(count)s more", count=others) if others > 0 else named


def _attested(said: Said) -> Markup:
    attestation = said["attestation"]
    return attested_on(date.fromisoformat(attestation["on"])) if attestation else Markup()
