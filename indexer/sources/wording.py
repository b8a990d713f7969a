"""A listing's fields as lists write them, in our way: the same for a cell as for JSON.

What is in our way already stays as it is. So does what cannot be made sense of, and the check of
the listing says what is wrong with it.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from directory.vocabulary import Kind
from indexer import normalise
from indexer.sources.columns import ANSWERS

Field = Any
"""A field as a source has it: a text, or what JSON has."""

Way = Callable[[Field], Field]

_ANSWERS = {
    **dict.fromkeys(("yes", "y", "true", "1", "x"), "yes"),
    **dict.fromkeys(("no", "n", "false", "0"), "no"),
}
_TERMS = 10_000
"""Texts that are remembered of a kind: a list has few, again and again."""

_GENDERS = {"f": "female", "m": "male"}
_DOLLARS = re.compile(r"^\$+|\.00$")


def worded(fields: Mapping[str, Field]) -> dict[str, Field]:
    """The fields of a listing in our way."""
    return {name: _WAYS[name](said) if name in _WAYS else said for name, said in fields.items()}


def _text(way: Callable[[str], str]) -> Way:
    """A way for a text; what is none is left."""
    return lambda said: way(said) if isinstance(said, str) else said


def _parts(**ways: Way) -> Way:
    """A way for a field of several parts, each with its own."""

    def way(said: Field) -> Field:
        if not isinstance(said, dict):
            return said
        return {part: ways[part](each) if part in ways else each for part, each in said.items()}

    return way


def _term(kind: Kind) -> Way:
    return _text(lru_cache(_TERMS)(partial(normalise.term, kind)))


def _terms(kind: Kind) -> Way:
    """A list of terms, or a text of several with semicolons or bars between them."""
    of_one = _term(kind)

    def way(said: Field) -> Field:
        if isinstance(said, str):
            said = [each.strip() for each in re.split(r"[;|]", said) if each.strip()]
        return [of_one(each) for each in said] if isinstance(said, list) else said

    return way


def _letters(said: Field) -> Field:
    if isinstance(said, str):
        return list(normalise.letters(said))
    if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
        return said
    found = [letters for each in said for letters in normalise.letters(each) or (each,)]
    return list(dict.fromkeys(found))


def answer(said: Field) -> Field:
    """`yes` or `no` for all the ways in which people answer."""
    if not isinstance(said, str | bool):
        return said
    lower = str(said).lower()
    return _ANSWERS.get(lower, lower)


def _range(said: Field) -> Field:
    """A least and a most; a most alone is both."""
    found = _parts(least=_text(_number), most=_text(_number))(said)
    if isinstance(found, dict) and "most" in found and "least" not in found:
        return {"least": found["most"], **found}
    return found


def _number(said: str) -> str:
    return _DOLLARS.sub("", said)


def _gender(said: str) -> str:
    return _GENDERS.get(said.lower(), said.lower())


_READABLE = _text(normalise.readable)
_WAYS: Mapping[str, Way] = {
    "name": _parts(given=_READABLE, middle=_READABLE, family=_READABLE, suffix=_READABLE),
    "letters": _letters,
    "profession": _term(Kind.PROFESSION),
    "gender": _text(_gender),
    "languages": _terms(Kind.LANGUAGE),
    "clinic": _text(normalise.clinic_name),
    "address": _parts(
        line1=_READABLE, line2=_READABLE, city=_READABLE, state=_text(normalise.state),
        postal_code=_text(normalise.zip_code),
    ),
    "location": _parts(precision=_text(str.lower)),
    "phone": _text(lambda said: said.removesuffix(".0")),  # a number, to a spreadsheet
    "setting": _term(Kind.SETTING),
    "techniques": _terms(Kind.TECHNIQUE),
    "conditions": _terms(Kind.CONDITION),
    "insurance_accepted": _terms(Kind.INSURANCE),
    "insurance_refused": _terms(Kind.INSURANCE),
    **dict.fromkeys(ANSWERS, answer),
    **dict.fromkeys(
        ("first_visit_price", "follow_up_price", "visit_minutes", "typical_visits"), _range
    ),
}  # fmt: skip
