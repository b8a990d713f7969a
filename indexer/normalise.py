"""How lists and registries write things, and how we do: once, for every source.

What cannot be made sense of is left as it is, and the check of the listing says what is wrong.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from directory.credentials import letters_known
from directory.states import STATE_NAMES
from directory.vocabulary import Kind, vocabulary

UNAVAILABLE = "<UNAVAIL>"
"""What the registry writes where it must not tell."""

_LONGEST_LETTERS = 20
_LOST_ZEROS = {3: 5, 4: 5, 7: 9, 8: 9}
_SMALL_WORDS = re.compile(r"\b(De|La|Las|Los|Del|Of|And|The|At)\b")
_ALL_CAPITALS = re.compile(r"\b(Pc|Pa|Pllc|Llc|Llp|Po|Nw|Ne|Sw|Se|Ii|Iii|Iv|Us)\b")
_CLINIC_CAPITALS = re.compile(r"\b(Pt|Ot|Dc|Md)\b")
_ORDINAL = re.compile(r"\d(St|Nd|Rd|Th)\b")
_MC = re.compile(r"\bMc([a-z])")
_WORD = re.compile(r"[^\W\d_]+(?:'[Ss]\b)?")
_STATES = {name.lower(): code for code, name in STATE_NAMES.items()}
_TITLE = re.compile(r"^(dr|mr|mrs|ms|prof)\.?\s+", re.IGNORECASE)
_SUFFIXES = frozenset(("jr", "sr", "ii", "iii", "iv"))


@lru_cache(100_000)
def readable(text: str) -> str:
    """Text in capitals as one would write it: `MCDONALD-O'BRIEN` gives `McDonald-O'Brien`."""
    if text.upper() != text:
        return text
    plain = _WORD.sub(lambda match: match[0].capitalize(), text)
    if plain.isalpha() and not plain.startswith("Mc"):  # one word, nearly every name and city
        return plain if len(plain) > 3 else _ALL_CAPITALS.sub(lambda m: m[0].upper(), plain)
    plain = _ORDINAL.sub(lambda match: match[0].lower(), plain)
    plain = _MC.sub(lambda match: "Mc" + match[1].upper(), plain)
    plain = _ALL_CAPITALS.sub(lambda match: match[0].upper(), plain)
    return plain[:1] + _SMALL_WORDS.sub(lambda match: match[0].lower(), plain[1:])


def clinic_name(text: str) -> str:
    """A clinic's name as one would write it: `AUSTIN PT LLC` gives `Austin PT LLC`."""
    return _CLINIC_CAPITALS.sub(lambda match: match[0].upper(), readable(text))


def is_said(text: str) -> bool:
    """Whether a cell says anything."""
    return bool(text) and text != UNAVAILABLE


@lru_cache(10_000)
def letters(text: str) -> tuple[str, ...]:
    """`P.T., D.P.T.` and `PT DPT` as PT and DPT; what is longer than letters can be is left out."""
    parts = [part.replace(".", "").strip() for part in re.split(r"[,;/]", text)]
    found: list[str] = []
    for part in parts:
        several = part.upper().split()
        found += several if all(each in letters_known() for each in several) else [part]
    return tuple(dict.fromkeys(p for p in found if is_said(p) and len(p) <= _LONGEST_LETTERS))


def zip_code(text: str) -> str:
    """A ZIP or ZIP+4 in the one way of writing; lost zeros are put back: `4416` is 04416."""
    digits = re.sub(r"[\s-]", "", text)
    if not digits.isdecimal():
        return text
    if len(digits) in _LOST_ZEROS:
        digits = digits.zfill(_LOST_ZEROS[len(digits)])
    if len(digits) not in (5, 9):
        return text
    return f"{digits[:5]}-{digits[5:]}" if len(digits) == 9 and int(digits[5:]) else digits[:5]


def state(text: str) -> str:
    """A state's two letters by its name or its letters."""
    return _STATES.get(text.strip().lower(), text.strip().upper())


def dialable(text: str) -> str | None:
    """A number that could be dialled; registries also have some that could not."""
    digits = re.sub(r"\D", "", text)
    return digits if len(digits) == 10 else None


def term(kind: Kind, text: str) -> str:
    """The value of the term that a text names, or the text."""
    return vocabulary().named(kind, text) or text


def person_name(text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """A name in one cell as its parts, and the letters behind it.

    `Dr. Ana M. Núñez, PT, DPT` and `NUNEZ, ANA M` are both understood.
    """
    first, *behind = (part.strip() for part in _TITLE.sub("", text.strip()).split(","))
    if behind and not _are_letters(behind[0]):
        first, behind = f"{behind[0]} {first}", behind[1:]
    words = readable(first).split()
    suffix = words.pop() if len(words) > 2 and is_generation(words[-1]) else ""
    given, middle, family = words[:1], words[1:-1], words[-1:] if len(words) > 1 else []
    parts = {"given": given, "middle": middle, "family": family, "suffix": [suffix]}
    name = {part: " ".join(found) for part, found in parts.items() if any(found)}
    return name, letters(",".join(behind))


def named(parts: Mapping[str, str]) -> dict[str, str]:
    """A name's parts, those in capitals made readable, those that say nothing left out."""
    return {part: readable(text) for part, text in parts.items() if is_said(text)}


def _are_letters(text: str) -> bool:
    return all(each.replace(".", "").upper() in letters_known() for each in text.split())


def is_generation(word: str) -> bool:
    """Whether a word tells father from son: `Jr.`, `III`."""
    return word.lower().rstrip(".") in _SUFFIXES
