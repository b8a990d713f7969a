"""What both engines keep of a listing: its facet values, its words by field, and its evidence.

Words, facets and the weights of the score are laid down here, once: no engine has an analyser of
its own, and each only compiles what stands here. The formula is published in docs/ranking.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256

import orjson

from directory.listing import Answer, Listing
from directory.search.document import Document, Said, evidence
from directory.search.engine import SCHEMA, Ask, NamedAs, NameOf
from directory.search.keywords import Keywords, keywords
from directory.vocabulary import Clause, Kind, vocabulary
from directory.vocabulary.words import phrase, words

MATCH_WEIGHT, CONFIRMED_WEIGHT, FRESH_WEIGHT, LICENCE_WEIGHT = 8, 4, 2, 1

UNPRICED = 1_000_000
"""Dollars: more than any price, for the order by price."""

TERM_TIER = 3
FIELD_TIERS = {"name": 4, "clinic": 2, "text": 1}
"""What one clause of a patient's text is worth, by the best place in which it is found."""

_ANSWERED = {
    "accepting": tuple(Answer), "cash_pay": tuple(Answer), "wheelchair_access": tuple(Answer),
    "home_visits": tuple(Answer), "telehealth": tuple(Answer),
    "gender": ("female", "male", "nonbinary", "unknown"),
}  # fmt: skip
"""Facets of the field of their name: one value, and unknown where nobody has said."""

_DERIVED = {
    "evidence": ("verified", "stated", "unknown"),
    "confirmed": (Answer.YES, Answer.NO),
    "licence_checked": (Answer.YES, Answer.NO),
}


def _facet_values() -> tuple[tuple[str, str], ...]:
    terms = {str(kind): [term.value for term in vocabulary().terms(kind)] for kind in Kind}
    terms[Kind.INSURANCE].append(Answer.UNKNOWN)
    values = {**terms, **_ANSWERED, **_DERIVED}
    return tuple((facet, str(value)) for facet, several in values.items() for value in several)


FACET_VALUES = _facet_values()
"""Every (facet, value) that there can be, in the order in which they are shown."""


def token(facet: str, value: str) -> str:
    """A facet's value as one word: `insurance:aetna`."""
    return f"{facet}:{value}"


TOKENS = tuple(token(facet, value) for facet, value in FACET_VALUES)
"""All of them, each as one word."""

_KNOWN = frozenset(TOKENS)
_NAMES = [facet for facet, _ in FACET_VALUES]
FACETS = {
    name: slice(_NAMES.index(name), _NAMES.index(name) + _NAMES.count(name)) for name in _NAMES
}
"""Where the values of each facet stand among FACET_VALUES."""

SCHEMA_ID = f"{SCHEMA}-{sha256(repr(FACET_VALUES).encode()).hexdigest()[:8]}"
"""Names what an index holds; one made under another id must be rebuilt."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One listing as it is indexed. `price` is the most a first visit costs, in dollars.

    `document` is what is kept to be shown; `words` are those of each field, without order; `names`
    are what the practitioner and the clinic are found by as they are typed, `keywords` what the
    listing is looked up by.
    """

    id: str
    document: Document
    point: tuple[float, float]
    state: str
    facets: frozenset[str]
    price: int | None
    attested: date | None
    words: tuple[tuple[str, frozenset[str]], ...]
    names: tuple[str, ...]
    keywords: Keywords


@dataclass(frozen=True)
class Score:
    """The parts of a result's score, each already weighted; `total` is their sum."""

    match: int
    confirmed: int
    fresh: int
    licence_checked: int

    @property
    def total(self) -> int:
        """The score that `best` orders by."""
        return self.match + self.confirmed + self.fresh + self.licence_checked


def entry(document: bytes) -> Entry:
    """What is indexed of a listing's document.

    The document was validated when it was stored and is trusted here: reading it as plain JSON
    takes 3 us, as a Listing 20, and a rebuild does it for every listing of a nation.
    """
    said = orjson.loads(document)
    price, attestation = said.get("first_visit_price"), said.get("attestation")
    at = said["location"]
    return Entry(
        id=said["id"],
        document=Document.of(said),
        point=(at["lat"], at["lon"]),
        state=said["address"]["state"],
        facets=_facets(said),
        price=price["most"] if price else None,
        attested=date.fromisoformat(attestation["on"]) if attestation else None,
        words=_words_by_field(said),
        names=_names(said),
        keywords=keywords(said),
    )


def score(listing: Listing, ask: Ask) -> Score:
    """The parts of a listing's score for an ask; the engines come to the same total."""
    indexed = entry(listing.model_dump_json(exclude_defaults=True).encode())
    fresh = indexed.attested is not None and indexed.attested >= ask.fresh_since
    return Score(
        match=MATCH_WEIGHT * sum(_tier(indexed, clause) for clause in ask.clauses),
        confirmed=CONFIRMED_WEIGHT * listing.confirmed,
        fresh=FRESH_WEIGHT * fresh,
        licence_checked=LICENCE_WEIGHT * (listing.licence_check is not None),
    )


def _tier(indexed: Entry, clause: Clause) -> int:
    by_term = [TERM_TIER for term in clause.terms if term.token in indexed.facets]
    by_words = [
        FIELD_TIERS[field] for field, found in indexed.words if found.issuperset(clause.words)
    ]
    return max(by_term + by_words, default=0)


def _facets(said: Said) -> frozenset[str]:
    get = said.get
    return _tokens(
        said["profession"],
        tuple(get("techniques", ())),
        tuple(get("conditions", ())),
        tuple(get("insurance_accepted", ())),
        bool(get("insurance_refused")),
        get("setting"),
        tuple(get("languages", ())),
        tuple(get(name) or Answer.UNKNOWN for name in _ANSWERED),
        evidence(said),
        bool(get("licence_check")),
    )


@lru_cache(10_000)
def _tokens(
    profession: str,
    techniques: tuple[str, ...],
    conditions: tuple[str, ...],
    insurance: tuple[str, ...],
    refuses_some: bool,
    setting: str | None,
    languages: tuple[str, ...],
    answers: tuple[str, ...],
    evidence: str,
    licence_checked: bool,
) -> frozenset[str]:
    """The facet values of all listings that say this; most of a registry say the same.

    A term that the vocabulary has no more is none: nobody can ask for it.
    """
    unsaid = () if insurance or refuses_some else (Answer.UNKNOWN,)
    values: dict[str, Iterable[str]] = {
        Kind.PROFESSION: (profession,),
        Kind.TECHNIQUE: techniques,
        Kind.CONDITION: conditions,
        Kind.INSURANCE: (*insurance, *unsaid),
        Kind.SETTING: (setting,) if setting else (),
        Kind.LANGUAGE: languages,
        **{name: (answer,) for name, answer in zip(_ANSWERED, answers, strict=True)},
        "evidence": (evidence,),
        "confirmed": (Answer.NO if evidence == "unknown" else Answer.YES,),
        "licence_checked": (Answer.YES if licence_checked else Answer.NO,),
    }
    return _KNOWN.intersection(token(facet, value) for facet in values for value in values[facet])


def _words_by_field(said: Said) -> tuple[tuple[str, frozenset[str]], ...]:
    get, label, name = said.get, vocabulary().label, said["name"]
    names = [_words(name["family"]), *(_words(name[p]) for p in _FORENAMES if name.get(p))]
    texts = [said["address"]["city"], label(Kind.PROFESSION, said["profession"])]
    texts += get("letters", ())
    texts += [label(Kind.TECHNIQUE, value) for value in get("techniques", ())]
    texts += [label(Kind.CONDITION, value) for value in get("conditions", ())]
    texts += [certificate["title"] for certificate in get("certificates", ())]
    clinic, about = get("clinic"), get("about")
    return (
        ("name", _words(name["given"]).union(*names)),
        ("clinic", frozenset(words(clinic)) if clinic else _NO_WORDS),
        ("text", frozenset(words(about) if about else ()).union(*map(_words, texts))),
    )


NAMES_EACH = 2
"""A practitioner is kept under both orders of the name, so that at least half of them are left."""


def distinct_names(names: Iterable[str], most: int) -> tuple[NamedAs, ...]:
    """What some names of entries stand for, each once, in their order."""
    parts = (name.split("\t") for name in names)
    return tuple(dict.fromkeys(NamedAs(NameOf(kind), text) for _, kind, text in parts))[:most]


def _names(said: Said) -> tuple[str, ...]:
    """Folded words, whose name it is and the name itself, to be kept in the order of the first."""
    name = said["name"]
    given, family, clinic = name["given"], name["family"], said.get("clinic")
    whole = " ".join(part for p in _NAME_PARTS if (part := name.get(p)))
    one, other = _typed(given), _typed(family)
    names = (f"{one} {other}\tpractitioner\t{whole}", f"{other} {one}\tpractitioner\t{whole}")
    if clinic:
        return (*names, f"{_typed(clinic)}\tclinic\t{clinic}")
    return names


_NAME_PARTS = ("given", "middle", "family", "suffix")
_FORENAMES = ("middle", "suffix")
_typed = lru_cache(50_000)(phrase)
_NO_WORDS: frozenset[str] = frozenset()


@lru_cache(50_000)
def _words(text: str) -> frozenset[str]:
    """The words of a short text that many listings have: names, cities, labels."""
    return frozenset(words(text))
