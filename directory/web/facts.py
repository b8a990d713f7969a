"""The facts of a listing as people read them: on a card of it, on its page, beside others."""

from collections.abc import Mapping, Sequence
from datetime import date, time
from functools import cache, lru_cache
from itertools import groupby

from markupsafe import Markup

from directory.hours import DAYS
from directory.language import clock, day, gettext, marked, number, spoken, weekdays
from directory.listing import Address, Attestation, Hours, Listing, Range, fresh_since
from directory.web.context import services

_EVIDENCE = {
    "verified": ("sure", marked("Dry needling certificate checked")),
    "stated": ("said", marked("Says it offers dry needling")),
    "unknown": ("unsure", marked("Dry needling not confirmed: ask first")),
}


def attested(attestation: Attestation | None) -> Markup:
    """What an attestation says, marked where it is old; nothing where there is none."""
    return attested_on(attestation.on) if attestation else Markup()


def attested_on(on: date) -> Markup:
    """As `attested`, of an attestation of this day."""
    return _attested_on(on, services().clock().date(), spoken())


@lru_cache(1_000)
def _attested_on(on: date, today: date, _language: str) -> Markup:
    if on >= fresh_since(today):
        said = gettext("Confirmed %(date)s", date=day(on))
        return Markup('<span class="fresh">{}</span>').format(said)
    said = gettext(
        "Last confirmed %(date)s, more than 90 days ago: call before you go", date=day(on)
    )
    return Markup('<span class="stale">{}</span>').format(said)


def evidence_tag(evidence: str) -> Markup:
    """How sure it is that dry needling is offered."""
    return _evidence_tag(evidence, spoken())


@cache
def _evidence_tag(evidence: str, _language: str) -> Markup:
    how, said = _EVIDENCE[evidence]
    return Markup('<span class="tag {}">{}</span>').format(how, gettext(said))


def street(address: Address) -> str:
    """A practice's address to read, on one line."""
    return street_of(address.model_dump())


def street_of(address: Mapping[str, str | None]) -> str:
    """As `street`, of an address as JSON has it."""
    line1, zip_ = address["line1"], address["postal_code"] or ""
    town = f"{address['city']}, {address['state']} {zip_[:5]}"
    return ", ".join(filter(None, (line1, line1 and address["line2"], town)))


def dollars(price: Range) -> str:
    """A price to read: `$80 to $120`."""
    return dollars_of(price.least, price.most)


def dollars_of(least: int, most: int) -> str:
    """As `dollars`, of the least and the most."""
    if least == most:
        return f"${number(least)}"
    return gettext("$%(least)s to $%(most)s", least=number(least), most=number(most))


def dialled(phone: str) -> str:
    """A telephone number to read: `(512) 555-0142`."""
    digits = phone.removeprefix("+1")
    return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}" if len(digits) == 10 else phone


def opening(hours: Sequence[Hours]) -> list[str]:
    """Hours to read, days in a row with the same hours together: `Mon-Fri 8:00 AM-5:00 PM`."""
    by_day = {
        at: tuple((h.opens, h.closes) for h in hours if h.day == name)
        for at, name in enumerate(DAYS)
    }
    lines = []
    for spans, days in groupby(range(len(DAYS)), key=by_day.__getitem__):
        first, *others = days
        if spans:
            said = weekdays(first, others[-1] if others else first)
            lines.append(f"{said} {', '.join(_span(*span) for span in spans)}")
    return lines


def closes_today(listing: Listing) -> time | None:
    """When a practice that is open now closes, by its usual hours and its own clock; else None."""
    hours = [each.model_dump() for each in listing.hours]
    return closing(hours, listing.address.postal_code)


def closing(hours: Sequence[Mapping[str, str]], postal_code: str) -> time | None:
    """As `closes_today`, of hours as JSON has them, in a ZIP."""
    if not hours or not (zone := services().places.zone(postal_code)):
        return None
    now = services().clock().astimezone(zone)
    today, at = DAYS[now.weekday()], f"{now:%H:%M}"
    ends = [h["closes"] for h in hours if h["day"] == today and h["opens"] <= at < h["closes"]]
    return time.fromisoformat(max(ends).replace("24:00", "00:00")) if ends else None


def _span(opens: str, closes: str) -> str:
    ends = (time.fromisoformat(each.replace("24:00", "00:00")) for each in (opens, closes))
    return "-".join(map(clock, ends))
