"""The language of an answer: messages are written in English and translated where they are made.

Rooms that know nothing of the web make sentences for people, too (credential notes, what is wrong
with a query), so the language belongs to what is running, and is no parameter of everything. Each
language but English has a catalog: `make translations` gathers the messages, and a test fails on
one that has no translation. docs/decisions/009-languages.md says why there is no more to it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, time
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel.dates import format_date, format_time, get_day_names
from babel.numbers import format_decimal

LANGUAGES = {"en": "English", "es": "Español"}
"""Each language by its code, as its readers call it."""

TRANSLATIONS = Path(__file__).parent / "translations"

_LOCALES = {"en": "en_US", "es": "es_US"}
_current: ContextVar[str] = ContextVar("language", default="en")


def speak(language: str) -> None:
    """From now on, speak this language in the running context: a request, or a command."""
    _current.set(language)


def spoken() -> str:
    """The code of the language that is spoken."""
    return _current.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language for a while: a letter is in its reader's, not in its sender's."""
    before = _current.set(language if language in LANGUAGES else "en")
    try:
        yield
    finally:
        _current.reset(before)


def gettext(message: str, /, **values: object) -> str:
    """A message in the language that is spoken, with its `%(name)s` filled in."""
    said = catalog().gettext(message)
    return said % values if values else said


def ngettext(one: str, several: str, count: int, /, **values: object) -> str:
    """The one of two messages that a count asks for; `%(num)s` is the count."""
    said = catalog().ngettext(one, several, count)
    return said % {"num": number(count), **values}


def catalog() -> NullTranslations:
    """The messages of the language that is spoken, for templates."""
    return _catalog(_current.get())


def marked(message: str) -> str:
    """A message that is translated later, where it is used: this only has it gathered."""
    return message


def number(value: float) -> str:
    """A number as it is written in the language that is spoken."""
    return _number(value, _current.get())


def day(date_: date) -> str:
    """A date as it is written in the language that is spoken: `Nov 25, 2026`."""
    return _day(date_, _current.get())


def month(date_: date) -> str:
    """A month as it is written in the language that is spoken: `November 2026`."""
    return format_date(date_, "LLLL yyyy", locale=_LOCALES[_current.get()])


def weekdays(first: int, last: int) -> str:
    """Days of the week in a row (0 is Monday): `Mon-Fri`."""
    names = get_day_names("abbreviated", locale=_LOCALES[_current.get()])
    return names[first] if first == last else f"{names[first]}-{names[last]}"


def clock(time_: time) -> str:
    """A time of day as it is written in the language that is spoken: `8:00 AM`."""
    return format_time(time_, "short", locale=_LOCALES[_current.get()])


# A page has a hundred numbers and twenty dates, most of them small or of late; to write one takes
# Babel 35 us.
@lru_cache(10_000)
def _number(value: float, language: str) -> str:
    return format_decimal(value, locale=_LOCALES[language])


@lru_cache(1_000)
def _day(date_: date, language: str) -> str:
    return format_date(date_, "medium", locale=_LOCALES[language])


@cache
def _catalog(language: str) -> NullTranslations:
    path = TRANSLATIONS / language / "LC_MESSAGES" / "messages.mo"
    if language == "en":
        return NullTranslations()
    with path.open("rb") as file:
        return GNUTranslations(file)
