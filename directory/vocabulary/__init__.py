"""The controlled terms: professions, techniques, conditions, insurers, languages, settings.

Terms are data (one CSV file a kind beside this module), so a new one needs no code. This
module reads them, checks that they agree with each other, and recognises them in what a
patient types.
"""

import csv
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, lru_cache
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType

from rapidfuzz import process
from rapidfuzz.distance import OSA

from directory.language import gettext, speaking, spoken
from directory.vocabulary.words import words

SHORTEST_SLIP, LONG_WORD = 5, 9
"""Letters: in shorter words a slip makes another word; in long ones two slips are forgiven."""

_FOLDER = Path(__file__).parent


class Kind(StrEnum):
    """A kind of term; its value is the name of the search parameter and of the facet."""

    PROFESSION = "profession"
    TECHNIQUE = "technique"
    CONDITION = "condition"
    INSURANCE = "insurance"
    SETTING = "setting"
    LANGUAGE = "language"


class Flag(StrEnum):
    """A plain question of which patients type the yes; its value is the parameter and the facet."""

    CASH_PAY = "cash_pay"
    ACCEPTING = "accepting"


_FILES: Mapping[Kind | Flag, str] = {
    Kind.PROFESSION: "professions.csv",
    Kind.TECHNIQUE: "techniques.csv",
    Kind.CONDITION: "conditions.csv",
    Kind.INSURANCE: "insurers.csv",
    Kind.SETTING: "settings.csv",
    Kind.LANGUAGE: "languages.csv",
    Flag.CASH_PAY: "cash_pay.csv",
    Flag.ACCEPTING: "accepting.csv",
}


@dataclass(frozen=True)
class Term:
    """One controlled term. `nucc_prefix` (professions only) begins its NUCC taxonomy codes."""

    kind: Kind | Flag
    value: str
    label: str
    plural: str
    synonyms: tuple[str, ...]
    nucc_prefix: str | None

    @property
    def token(self) -> str:
        """The term as one word that no other kind's term shares: `profession:chiropractor`."""
        return f"{self.kind}:{self.value}"


@dataclass(frozen=True)
class Clause:
    """One piece of a patient's text: what it says, and the terms that it may mean.

    A listing satisfies it by having any of the terms, or all of the words in one of its fields.
    """

    words: tuple[str, ...]
    terms: tuple[Term, ...] = ()
    at: int = field(default=0, compare=False)
    """Which word of the text it begins with."""

    def left_out_of(self, text: str) -> str:
        """The text that this is a clause of, without the words that it was typed in."""
        kept, number = [], 0
        own = range(self.at, self.at + len(self.words))
        for typed in text.split():
            here = range(number, number + len(words(typed)))
            number = here.stop
            if not set(here) & set(own):
                kept.append(typed)
        return " ".join(kept)


class Vocabulary:
    """All terms, by kind and value, and the phrases that mean them."""

    def __init__(self, terms: tuple[Term, ...], noise: frozenset[str]) -> None:
        self._terms: Mapping[Kind | Flag, Mapping[str, Term]] = MappingProxyType(
            {kind: {t.value: t for t in terms if t.kind is kind} for kind in _FILES}
        )
        self._noise = noise
        self._phrases: dict[tuple[str, ...], tuple[Term, ...]] = {}
        for term in terms:
            for phrase in (term.label, *term.synonyms):
                known = self._phrases.get(words(phrase), ())
                if term not in known:
                    self._phrases[words(phrase)] = (*known, term)
        self._longest = max(map(len, self._phrases))
        self._known = sorted({word for phrase in self._phrases for word in phrase})
        ends = {
            (" ".join(p[at:]), terms) for p, terms in self._phrases.items() for at in range(len(p))
        }
        self._ends = sorted(ends, key=lambda end: end[0])

    def terms(self, kind: Kind) -> tuple[Term, ...]:
        """The terms of a kind, in the order of their file."""
        return tuple(self._terms[kind].values())

    def has(self, kind: Kind, value: str) -> bool:
        """Whether there is such a term."""
        return value in self._terms[kind]

    def label(self, kind: Kind, value: str) -> str:
        """What a person reads; the value itself if the term was retired."""
        term = self._terms[kind].get(value)
        return term.label if term else value

    def profession_of(self, taxonomy_code: str) -> str | None:
        """The profession that a NUCC taxonomy code belongs to, or None."""
        for term in self._terms[Kind.PROFESSION].values():
            if term.nucc_prefix and taxonomy_code.startswith(term.nucc_prefix):
                return term.value
        return None

    def named(self, kind: Kind, text: str) -> str | None:
        """The one term of a kind that a text names as a whole, by value, label or synonym."""
        if self.has(kind, text):
            return text
        meant = {term.value for term in self._phrases.get(words(text), ()) if term.kind is kind}
        return meant.pop() if len(meant) == 1 else None

    def beginning_with(self, text: str, limit: int) -> tuple[Term, ...]:
        """The terms that a text may become as it is typed on, by label or synonym.

        Those whose label, in the language that is spoken, begins so come first.
        """
        typed = " ".join(words(text))
        return self._begun(typed, spoken())[:limit] if typed else ()

    @lru_cache(10_000)  # noqa: B019  # one vocabulary lives as long as its process
    def _begun(self, typed: str, language: str) -> tuple[Term, ...]:
        ends = self._ends
        first = bisect_left(ends, typed, key=itemgetter(0))
        behind = bisect_left(ends, f"{typed}\uffff", key=itemgetter(0))
        found = {term for _, terms in ends[first:behind] for term in terms}
        with speaking(language):
            called = {term: gettext(term.label) for term in found}

        def by_label(term: Term) -> tuple[bool, str, str]:
            begins = " ".join(words(called[term])).startswith(typed)
            return not begins, called[term], term.token

        return tuple(sorted(found, key=by_label))

    def understand(self, text: str) -> tuple[Clause, ...]:
        """A patient's words as clauses: the longest known phrases first, noise left out.

        `chiro for neck pain, Núñez` gives the clauses chiropractor, neck-pain and `nunez`. A slip
        of the pen in a word of ours is forgiven; the clause keeps what was typed: it may be a name.
        What is said twice counts once.
        """
        return tuple(dict.fromkeys(self._clauses(words(text))))

    def _clauses(self, typed: tuple[str, ...]) -> Iterator[Clause]:
        meant = tuple(self._meant(word) for word in typed)
        position = 0
        while position < len(typed):
            for length in range(min(self._longest, len(typed) - position), 0, -1):
                phrase = slice(position, position + length)
                if terms := self._phrases.get(typed[phrase]) or self._phrases.get(meant[phrase]):
                    yield Clause(typed[phrase], terms, position)
                    break
            else:
                length = 1
                if typed[position] not in self._noise:
                    yield Clause(typed[position : position + 1], at=position)
            position += length

    def _meant(self, word: str) -> str:
        """The word of a known phrase that a typed word is a slip of, else the word itself."""
        slips = 2 if len(word) >= LONG_WORD else 1
        if len(word) < SHORTEST_SLIP or word in self._noise:
            return word
        found = process.extractOne(
            word, self._known, scorer=OSA.distance, score_cutoff=slips, processor=None
        )
        return found[0] if found else word


@cache
def vocabulary() -> Vocabulary:
    """The terms that ship. ValueError names the file and row of a term that is not right."""
    terms = tuple(term for kind in _FILES for term in _read(kind))
    noise = frozenset((_FOLDER / "noise.txt").read_text(encoding="utf-8").split())
    return Vocabulary(terms, noise)


def _read(kind: Kind | Flag) -> Iterator[Term]:
    path = _FOLDER / _FILES[kind]
    seen = set()
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            value, label = row["value"], row["label"]
            if not value or not label or value in seen:
                raise ValueError(f"{path.name} row {number}: no value or label, or {value!r} twice")
            seen.add(value)
            synonyms = tuple(filter(None, row["synonyms"].split(";")))
            plural, prefix = row.get("plural") or label, row.get("nucc_prefix") or None
            yield Term(kind, value, label, plural, synonyms, prefix)
