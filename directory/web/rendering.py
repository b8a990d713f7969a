"""What every template may use: words for values, and addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import cache, lru_cache
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from flask import Flask, current_app, g, request, url_for
from markupsafe import Markup

from directory import language
from directory.deadlines import due_at
from directory.hours import DAYS, text_of
from directory.language import gettext
from directory.listing import Address, Attestation, Hours, Listing, Range
from directory.vocabulary import Kind, Term, vocabulary
from directory.web import sentences
from directory.web.context import services
from directory.web.embedding import along, embedding, fixed, hidden, search_address
from directory.web.names import FIELD_KINDS

Parameters = Mapping[str, Sequence[str]]

FEWEST_TOLD = 10

_STATIC = Path(__file__).parent / "static"


def register(app: Flask) -> None:
    """Give the application's templates their filters and functions."""
    for words in (
        attested, street, day, dollars, dialled, label, opening, closes_today, language.clock, said,
        opening_text, terms_of, middle_of, address_key, few, language.month, language.number,
        due_at,        sentences.distance,
        sentences.radius,
    ):  # fmt: skip
        app.add_template_filter(words)
    for function in (
        address_with, this_page_in, kept, static_address, absolute, tiles_host, search_address,
        leaving, listing_address, embedding, fixed, hidden, language.spoken,
    ):  # fmt: skip
        app.add_template_global(function)
    app.jinja_env.globals["_"] = translated
    app.add_template_test(fixed, "is_fixed")
    app.add_template_global(language.LANGUAGES.copy, "languages")


def translated(message: str, **values: object) -> Markup:
    """A message of a template, with what is filled in escaped.

    What Jinja's own extension installs under this name says the same by way of two more calls: a
    page has 250 of them, and took a third longer.
    """
    said = _translated(message, language.spoken())
    return said % values if values else said


@lru_cache(5_000)
def _translated(message: str, _language: str) -> Markup:
    return Markup(language.catalog().gettext(message))  # noqa: S704  # ours, not anybody's


def address_with(asked: Parameters, **changes: object) -> str:
    """The address of this search with parameters changed; None drops one, lists repeat it."""
    merged: dict[str, Any] = {
        name: list(values) for name, values in asked.items() if name != "page"
    }
    for name, value in changes.items():
        several = value if isinstance(value, (list, tuple)) else [value]
        merged[name] = [str(each) for each in several if each is not None]
    found = {name: values for name, values in merged.items() if values}
    return search_address(**found, **along())


def this_page_in(code: str) -> str:
    """The address of the page that is shown, in another language."""
    here = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    path = quote("/" + request.path.lstrip("/"))  # two slashes would lead to another site
    return f"{path}?{urlencode([*here, ('lang', code)])}"


def listing_address(id_: str) -> str:
    """The address of a listing's page. To build one takes 15 us, and a page of results has twenty.

    An id has no character that an address would have to quote.
    """
    if "listing_address" not in g:
        g.listing_address = url_for("listings.listing", id_="ID")
    return str(g.listing_address).replace("ID", id_)


def kept() -> Markup:
    """What a form sends along: a language that was chosen, and in whose page the search is."""
    field = Markup('<input type="hidden" name="{}" value="{}">')
    sent = dict(along())
    if g.chosen_language:
        sent["lang"] = g.chosen_language
    return Markup().join(field.format(name, value) for name, value in sent.items())


def leaving() -> Markup:
    """What a link has that leaves an embedded search: no other page of ours can be framed."""
    return Markup('target="_blank" rel="noopener"') if embedding() else Markup()


@cache
def static_address(name: str) -> str:
    """The address of a static file, with its content in it, so that it can be kept for ever."""
    content = (_STATIC / name).read_bytes()
    return url_for("static", filename=name, v=sha256(content).hexdigest()[:12])


def absolute(address: str) -> str:
    """An address of this site with the site's own name before it, for whoever is elsewhere."""
    return f"{current_app.config['BASE_URL']}{address}"


def tiles_host() -> str | None:
    """Who gives the pictures of the map, where it is not we."""
    address: str = current_app.config["MAP_TILES_URL"]
    return urlsplit(address).hostname


@dataclass(frozen=True, slots=True)
class Attested:
    """What an attestation says, and whether it is young enough to go unmarked."""

    said: str
    is_fresh: bool


def attested(attestation: Attestation | None) -> Attested | None:
    """An attestation to read, where there is one."""
    if not attestation:
        return None
    date_ = day(attestation.on)
    if attestation.is_fresh(services().clock().date()):
        return Attested(gettext("Confirmed %(date)s", date=date_), is_fresh=True)
    return Attested(
        gettext("Last confirmed %(date)s, more than 90 days ago: call before you go", date=date_),
        is_fresh=False,
    )


def street(address: Address) -> str:
    """A practice's address to read, on one line."""
    town = f"{address.city}, {address.state} {address.postal_code[:5]}"
    return ", ".join(
        part for part in (address.line1, address.line1 and address.line2, town) if part
    )


def day(date_: date) -> str:
    """A date to read: `Nov 24, 2026`."""
    return language.day(date_)


def dollars(price: Range) -> str:
    """A price to read: `$80 to $120`."""
    least, most = language.number(price.least), language.number(price.most)
    return (
        f"${least}" if least == most else gettext("$%(least)s to $%(most)s", least=least, most=most)
    )


def dialled(phone: str) -> str:
    """A telephone number to read: `(512) 555-0142`."""
    digits = phone.removeprefix("+1")
    return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}" if len(digits) == 10 else phone


def opening(hours: Sequence[Hours]) -> list[str]:
    """Hours to read, days in a row with the same hours together: `Mon-Fri 8:00 AM-5:00 PM`."""
    by_day = {
        number: tuple((h.opens, h.closes) for h in hours if h.day == day)
        for number, day in enumerate(DAYS)
    }
    lines = []
    for spans, days in groupby(range(len(DAYS)), key=by_day.__getitem__):
        first, *others = days
        if spans:
            said = language.weekdays(first, others[-1] if others else first)
            lines.append(f"{said} {', '.join(_span(*span) for span in spans)}")
    return lines


def closes_today(listing: Listing) -> time | None:
    """When a practice that is open now closes, by its usual hours and its own clock; else None."""
    return closing(listing.hours, listing.address)


def closing(hours: Sequence[Hours], address: Address) -> time | None:
    """As `closes_today`, of the hours of a practice at an address."""
    if not hours or not (zone := services().places.zone(address.postal_code)):
        return None
    now = services().clock().astimezone(zone)
    today, at = DAYS[now.weekday()], f"{now:%H:%M}"
    ends = [h.closes for h in hours if h.day == today and h.opens <= at < h.closes]
    return time.fromisoformat(max(ends).replace("24:00", "00:00")) if ends else None


def opening_text(hours: Sequence[Mapping[str, str]] | None) -> str:
    """Hours as they are typed."""
    return text_of(hours or ())


def few(count: int) -> str:
    """A count of views: small ones are not told, as they might be of somebody."""
    return language.number(count) if count >= FEWEST_TOLD else gettext("fewer than ten")


def middle_of(values: Mapping[str, Any]) -> tuple[float, float] | None:
    """Where the address of these fields lies, by its ZIP or its city (degrees)."""
    place = services().places.middle(values.get("address") or {})
    return place.point if place else None


def address_key(address: Mapping[str, Any] | None) -> str:
    """What a pin is set for: the street and the ZIP of an address."""
    return " ".join(str((address or {}).get(n) or "") for n in ("line1", "postal_code")).strip()


def terms_of(kind: Kind) -> tuple[Term, ...]:
    """The terms that a field chooses from."""
    return vocabulary().terms(kind)


def said(value: Any, field: str = "") -> str:  # noqa: ANN401  # a field of a listing, of any kind
    """A field's value on one line, for seeing what has changed."""
    if value in (None, "", [], {}, (), "unknown"):
        return "-"
    match value:
        case bool():
            return gettext("Yes") if value else gettext("No")
        case {"least": least, "most": most}:
            return str(least) if least == most else f"{least}-{most}"
        case {"lat": lat, "lon": lon}:
            return f"{lat}, {lon}"
        case dict():
            return ", ".join(said(each) for each in value.values() if each not in (None, False))
        case list() | tuple() if field == "hours":
            return opening_text(value)
        case list() | tuple():
            return "; ".join(said(each, field) for each in value)
        case "yes" | "no":
            return gettext("Yes") if value == "yes" else gettext("No")
        case str() if field in FIELD_KINDS:
            return label(value, FIELD_KINDS[field])
    return str(value)


def _span(opens: str, closes: str) -> str:
    ends = (time.fromisoformat(each.replace("24:00", "00:00")) for each in (opens, closes))
    return "-".join(map(language.clock, ends))


def label(value: str, kind: str) -> str:
    """What a term is called."""
    return gettext(vocabulary().label(Kind(kind), value))
