"""What every template may use: words for values, and addresses."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from flask import Flask, current_app, g, request, url_for
from markupsafe import Markup

from directory import language
from directory.deadlines import due_at
from directory.hours import text_of
from directory.language import gettext
from directory.vocabulary import Kind, Term, vocabulary
from directory.web import sentences
from directory.web.context import services
from directory.web.embedding import along, embedding, fixed, hidden, search_address
from directory.web.facts import (
    attested,
    closes_today,
    dialled,
    dollars,
    evidence_tag,
    opening,
    street,
)
from directory.web.names import FIELD_KINDS

Parameters = Mapping[str, Sequence[str]]

FEWEST_TOLD = 10

_STATIC = Path(__file__).parent / "static"


def register(app: Flask) -> None:
    """Give the application's templates their filters and functions."""
    for words in (
        attested, evidence_tag, street, dollars, dialled, label, opening, closes_today,
        language.day, language.clock, language.month, language.number, said, opening_text, terms_of,
        middle_of, address_key, few, due_at, sentences.radius,
    ):  # fmt: skip
        app.add_template_filter(words)
    for function in (
        address_with, this_page_in, kept, static_address, absolute, tiles_host, search_address,
        leaving, listing_address, page_address, embedding, fixed, hidden, language.spoken,
    ):  # fmt: skip
        app.add_template_global(function)
    app.jinja_env.globals["_"] = translated
    app.add_template_test(fixed, "is_fixed")
    app.add_template_global(language.LANGUAGES.copy, "languages")


def translated(message: str, **values: object) -> Markup:
    """A message that is known only as a page is made, with what is filled in escaped.

    Those that a template asks for by `_` are in its language already (translation.py).
    """
    said = Markup(gettext(message))  # noqa: S704  # ours, not anybody's
    return said % values if values else said


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
    return _address_of_listing(g.get("chosen_language")).replace("ID", id_)


@lru_cache(100)
def _address_of_listing(chosen: str | None) -> str:
    return url_for("listings.listing", id_="ID", lang=chosen)


def page_address(endpoint: str, *, in_language: bool = True) -> str:
    """The address of a page that there is one of, in the language that was chosen, if any.

    To build one takes 20 us, and every page has ten.
    """
    chosen = g.get("chosen_language") if in_language else None
    return _page_address(endpoint, chosen)


@lru_cache(100)
def _page_address(endpoint: str, chosen: str | None) -> str:
    return url_for(endpoint, lang=chosen)


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


def label(value: str, kind: str) -> str:
    """What a term is called."""
    return _label(value, kind, language.spoken())


@lru_cache(1_000)
def _label(value: str, kind: str, _language: str) -> str:
    return gettext(vocabulary().label(Kind(kind), value))
