"""The kinds of text that a listing is made of, and how each is checked.

A value is checked once, where it comes in, and what is wrong with it is said in one sentence for
whoever typed it.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlsplit

import phonenumbers
from pydantic import AfterValidator, StringConstraints, ValidationInfo

from directory.states import STATE_NAMES
from directory.vocabulary import Kind, vocabulary

STORED = {"stored": True}
"""Validation context of what we have stored: it was checked when it came in, and a term that was
retired since is no error there."""


def at_the_edge(check: Callable[[Any], Any]) -> AfterValidator:
    """A check of what comes in; what is stored is spared it."""

    def run(value: object, info: ValidationInfo) -> object:
        return value if info.context is STORED else check(value)

    return AfterValidator(run)


_NPI = re.compile("[12][0-9]{9}")
_DOUBLED = str.maketrans("0123456789", "0246813579")
"""Each digit doubled, and the digits of that added up."""


def npi_is_valid(npi: str) -> bool:
    """Whether the check digit is right: Luhn over the digits with the prefix 80840.

    CMS, *Requirements for National Provider Identifier (NPI) and NPI check digit*; a sum that
    ends in 0 has the check digit 0. Only ASCII digits count, and the first is 1 or 2
    (69 FR 3434, 2004-01-23).
    """
    if not _NPI.fullmatch(npi):
        return False
    doubled = sum(map(int, npi[-2::-2].translate(_DOUBLED)))
    return (24 + doubled + sum(map(int, npi[-1::-2]))) % 10 == 0


def _npi(value: str) -> str:
    if not npi_is_valid(value):
        raise ValueError(
            f"{value!r} is no NPI: ten digits that begin with 1 or 2, check digit included"
        )
    return value


_TEN_DIGITS = re.compile("[2-9][0-9]{9}")


def _phone(value: str) -> str:
    """Any way of writing a US telephone number, as E.164 (libphonenumber)."""
    if _TEN_DIGITS.fullmatch(value):  # nearly all; libphonenumber says the same in 14 us
        return f"+1{value}"
    try:
        number = phonenumbers.parse(value, "US")
    except phonenumbers.NumberParseException as error:
        raise ValueError(f"{value!r} is no telephone number") from error
    possible = phonenumbers.ValidationResult.IS_POSSIBLE  # a local number lacks its area code
    if phonenumbers.is_possible_number_with_reason(number) != possible:
        raise ValueError(f"{value!r} is no telephone number: wrong length")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"{value!r} is no web address that begins with https:// or http://")
    return value


def _plain(value: str) -> str:
    if not value.isprintable():
        bad = next(c for c in value if not c.isprintable())
        raise ValueError(f"has the control character {bad!r}")
    return value


def _plain_lines(value: str) -> str:
    return "\n".join(_plain(line) for line in value.splitlines())


def _state(value: str) -> str:
    if value not in STATE_NAMES:
        raise ValueError(f"{value!r} is no state: two letters, as the Postal Service has them")
    return value


def _term(kind: Kind) -> AfterValidator:
    def check(value: str) -> str:
        if not vocabulary().has(kind, value):
            known = ", ".join(term.value for term in vocabulary().terms(kind))
            raise ValueError(f"{value!r} is no {kind} that we know; known are: {known}")
        return value

    return at_the_edge(check)


def unique(values: tuple[str, ...]) -> tuple[str, ...]:
    """Each value once, in the order in which they first came."""
    return tuple(dict.fromkeys(values))


def _text(most: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=most)


Line = Annotated[str, _text(200), at_the_edge(_plain)]
Text = Annotated[str, _text(2000), at_the_edge(_plain_lines)]
LISTING_ID = re.compile("[a-z0-9][a-z0-9-]{2,31}")
ListingId = Annotated[str, StringConstraints(pattern=f"^{LISTING_ID.pattern}$")]
Npi = Annotated[str, at_the_edge(_npi)]
Phone = Annotated[str, at_the_edge(_phone)]
WebAddress = Annotated[str, _text(500), at_the_edge(_plain), at_the_edge(_web_address)]
Profession = Annotated[str, _term(Kind.PROFESSION)]
Technique = Annotated[str, _term(Kind.TECHNIQUE)]
Condition = Annotated[str, _term(Kind.CONDITION)]
Insurer = Annotated[str, _term(Kind.INSURANCE)]
Setting = Annotated[str, _term(Kind.SETTING)]
Language = Annotated[str, _term(Kind.LANGUAGE)]
State = Annotated[str, at_the_edge(_state)]
