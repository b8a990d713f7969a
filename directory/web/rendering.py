"""What every template may use: words for values, and addresses."""

from collections.abc import Mapping, Sequence
from datetime import date, time
from functools import cache
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g, request, url_for
from markupsafe import Markup

from directory import language
from directory.hours import DAYS
from directory.language import gettext
from directory.listing import Attestation, Hours, Range
from directory.vocabulary import Kind, vocabulary
from directory.web import sentences
from directory.web.context import services

Parameters = Mapping[str, Sequence[str]]

_STATIC = Path(__file__).parent / "static"


def register(app: Flask) -> None:
    """Give the application's templates their filters and functions."""
    for words in (
        is_fresh, day, dollars, dialled, label, opening, language.number, sentences.distance,
        sentences.radius,
    ):  # fmt: skip
        app.add_template_filter(words)
    for function in (
        address_with, this_page_in, keep_language, static_address, absolute, language.spoken,
    ):  # fmt: skip
        app.add_template_global(function)
    app.add_template_global(language.LANGUAGES.copy, "languages")


def address_with(asked: Parameters, **changes: object) -> str:
    """The address of this search with parameters changed; None drops one, lists repeat it."""
    merged: dict[str, Any] = {
        name: list(values) for name, values in asked.items() if name != "page"
    }
    for name, value in changes.items():
        several = value if isinstance(value, (list, tuple)) else [value]
        merged[name] = [str(each) for each in several if each is not None]
    return url_for("pages.search", **{name: values for name, values in merged.items() if values})


def this_page_in(code: str) -> str:
    """The address of the page that is shown, in another language."""
    here: dict[str, Any] = request.args.to_dict(flat=False)
    if not request.endpoint:
        return url_for("pages.home", lang=code)
    return url_for(request.endpoint, **{**here, **(request.view_args or {}), "lang": code})


def keep_language() -> Markup:
    """What a form sends along, so that a language that was chosen stays chosen."""
    field = Markup('<input type="hidden" name="lang" value="{}">')
    return field.format(g.chosen_language) if g.chosen_language else Markup()


@cache
def static_address(name: str) -> str:
    """The address of a static file, with its content in it, so that it can be kept for ever."""
    content = (_STATIC / name).read_bytes()
    return url_for("static", filename=name, v=sha256(content).hexdigest()[:12])


def absolute(address: str) -> str:
    """An address of this site with the site's own name before it, for whoever is elsewhere."""
    return f"{current_app.config['BASE_URL']}{address}"


def is_fresh(attestation: Attestation) -> bool:
    """Whether an attestation is young enough to go unmarked."""
    return attestation.is_fresh(services().clock().date())


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


def _span(opens: str, closes: str) -> str:
    ends = (time.fromisoformat(each.replace("24:00", "00:00")) for each in (opens, closes))
    return "-".join(map(language.clock, ends))


def label(value: str, kind: str) -> str:
    """What a term is called."""
    return gettext(vocabulary().label(Kind(kind), value))
