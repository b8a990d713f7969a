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
_PARTICLES = frozenset((
    "van", "von", "der", "den", "de", "del", "la", "le", "di", "da", "dos", "du", "st", "san", "al",
))  # fmt: skip
_SUFFIXES = frozenset(("jr", "sr", "ii", "iii", "iv"))


@lru_cache(20_000)
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
    digits = re.sub(r"[\s-]", "", text.removesuffix(".0"))
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


def address(line1: str, line2: str, city: str, state_: str, postal_code: str) -> dict[str, str]:
    """An address as a source writes it, in our way; what says nothing is left out."""
    return {
        **named({"line1": line1, "line2": line2, "city": city}),
        "state": state(state_),
        "postal_code": zip_code(postal_code),
    }


def dialable(text: str) -> str | None:
    """A number that could be dialled; registries also have some that could not."""
    digits = re.sub(r"\D", "", text)
    return digits if len(digits) == 10 else None


def term(kind: Kind, text: str) -> str:
    """The value of the term that a text names, or the text."""
    return vocabulary().named(kind, text) or text


def person_name(text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """A name in one cell as its parts, and the letters behind it.

    `Dr. Ana M. Núñez, PT, DPT` and `NUNEZ, ANA M` are both understood. ValueError where it is not
    clear what is what: nobody is to be listed under another name.
    """
    first, *behind = (part.strip() for part in _name_alone(text).split(","))
    suffixes = [part for part in behind if is_generation(part)]
    behind = [part for part in behind if part and part not in suffixes]
    words = first.split()
    if behind and not _are_letters(behind[0]):
        given = behind.pop(0).split()
        words, suffixes = _without_generation(words, suffixes)
        if not _is_family_name(words) or not _are_given_names(given):
            raise ValueError(f"{text!r} is unclear: give given_name and family_name")
        parts = {"given": given[:1], "middle": given[1:], "family": words}
    else:
        words, suffixes = _without_generation(words, suffixes)
        if len(words) > 2 and _are_letters(words[-1]) and words[-1].isupper():
            raise ValueError(f"{text!r} is unclear: put a comma before the letters")
        family = _family_begins(words)
        parts = {"given": words[:1], "middle": words[1:family], "family": words[1:][family - 1 :]}
    parts["suffix"] = suffixes
    return named({part: " ".join(said) for part, said in parts.items()}), letters(",".join(behind))


def named(parts: Mapping[str, str]) -> dict[str, str]:
    """A name's parts, those in capitals made readable, those that say nothing left out."""
    return {part: readable(text) for part, text in parts.items() if is_said(text)}


def _name_alone(text: str) -> str:
    """A name without its title and what stands in brackets."""
    return _TITLE.sub("", re.sub(r"\([^()]*\)", "", text).strip())


def _are_letters(text: str) -> bool:
    """`PT`, `Ph.D.`, `PT DPT`: letters that we know, or that have points like them."""
    known = letters_known()
    return all(
        each.replace(".", "").upper() in known or re.fullmatch(r"([A-Za-z]{1,3}\.){2,}", each)
        for each in text.split()
    )


def _without_generation(words: list[str], suffixes: list[str]) -> tuple[list[str], list[str]]:
    """A name's words, with `Jr.` at their end put to the suffixes."""
    if len(words) > 1 and is_generation(words[-1]):
        return words[:-1], [words[-1], *suffixes]
    return words, suffixes


def _family_begins(words: list[str]) -> int:
    """Where the family name begins, the given name before it: `Maria De La Cruz`, `Ana M. Núñez`.

    Of three plain words the second may be a middle name or a first family name; the name as it is
    shown is the same.
    """
    particle = (at for at, word in enumerate(words[:-1]) if at and word.lower() in _PARTICLES)
    return next(particle, max(1, len(words) - 1))


def _is_family_name(words: list[str]) -> bool:
    """One word, or several that begin with a particle: `van der Berg`, `De La Cruz`."""
    return len(words) == 1 or bool(words[:1] and words[0].lower() in _PARTICLES)


def _are_given_names(words: list[str]) -> bool:
    plain = (re.sub(r"[.\-']", "", word) for word in words)
    return 1 <= len(words) <= 2 and all(map(str.isalpha, plain))


def is_generation(word: str) -> bool:
    """Whether a word tells father from son: `Jr.`, `III`."""
    return word.lower().rstrip(".") in _SUFFIXES
