"""What both engines keep of a listing: its facet values, its words by field, and its evidence.

Words, facets and the weights of the score are laid down here, once: no engine has an analyser of
its own, and each only compiles what stands here. The formula is published in docs/ranking.md.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from directory.listing import Answer, Listing
from directory.search.engine import SCHEMA, Ask
from directory.vocabulary import Clause, Kind, vocabulary
from directory.vocabulary.words import words

MATCH_WEIGHT, CONFIRMED_WEIGHT, FRESH_WEIGHT, LICENCE_WEIGHT = 8, 4, 2, 1

TERM_TIER = 3
FIELD_TIERS = {"name": 4, "clinic": 2, "text": 1}
"""What one clause of a patient's text is worth, by the best place in which it is found."""

_DERIVED = {"confirmed": (Answer.YES, Answer.NO), "licence_checked": (Answer.YES, Answer.NO)}
_ANSWERED = {"accepting": tuple(Answer), "cash_pay": tuple(Answer)}


def _facet_values() -> tuple[tuple[str, str], ...]:
    terms = [(str(kind), term.value) for kind in Kind for term in vocabulary().terms(kind)]
    unsaid = [(str(Kind.INSURANCE), str(Answer.UNKNOWN))]
    flags = [(name, str(a)) for name, answers in (_ANSWERED | _DERIVED).items() for a in answers]
    return (*terms, *unsaid, *flags)


FACET_VALUES = _facet_values()
"""Every (facet, value) that there can be, in the order in which they are shown."""

FACETS = tuple(dict.fromkeys(facet for facet, _ in FACET_VALUES))

SCHEMA_ID = f"{SCHEMA}-{sha256(repr(FACET_VALUES).encode()).hexdigest()[:8]}"
"""Names what an index holds; one made under another id must be rebuilt."""


@dataclass(frozen=True)
class Entry:
    """One listing as it is indexed. `price` is the most a first visit costs, in dollars."""

    listing: Listing
    facets: frozenset[str]
    price: int | None
    attested: date | None
    words: tuple[tuple[str, frozenset[str]], ...]


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


def token(facet: str, value: str) -> str:
    """A facet's value as one word: `insurance:aetna`."""
    return f"{facet}:{value}"


def entry(listing: Listing) -> Entry:
    """What is indexed of a listing."""
    price, attestation = listing.first_visit_price, listing.attestation
    return Entry(
        listing=listing,
        facets=_facets(listing),
        price=price.most if price else None,
        attested=attestation.on if attestation else None,
        words=tuple((field, frozenset(words(text))) for field, text in _texts(listing).items()),
    )


def score(listing: Listing, ask: Ask) -> Score:
    """The parts of a listing's score for an ask; the engines come to the same total."""
    indexed = entry(listing)
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


def _facets(listing: Listing) -> frozenset[str]:
    insurance = listing.insurance_accepted
    if not insurance and not listing.insurance_refused:
        insurance = (Answer.UNKNOWN,)
    values: dict[str, tuple[str, ...]] = {
        Kind.PROFESSION: (listing.profession,),
        Kind.TECHNIQUE: listing.techniques,
        Kind.CONDITION: listing.conditions,
        Kind.INSURANCE: insurance,
        Kind.SETTING: (listing.setting,) if listing.setting else (),
        Kind.LANGUAGE: listing.languages,
        "accepting": (listing.accepting,),
        "cash_pay": (listing.cash_pay,),
        "confirmed": (Answer.YES if listing.confirmed else Answer.NO,),
        "licence_checked": (Answer.YES if listing.licence_check else Answer.NO,),
    }
    return frozenset(token(facet, value) for facet, several in values.items() for value in several)


def _texts(listing: Listing) -> dict[str, str]:
    label = vocabulary().label
    terms = (
        label(Kind.PROFESSION, listing.profession),
        *(label(Kind.TECHNIQUE, value) for value in listing.techniques),
        *(label(Kind.CONDITION, value) for value in listing.conditions),
    )
    certificates = (certificate.title for certificate in listing.certificates)
    several = (listing.address.city, *listing.letters, *terms, *certificates, listing.about or "")
    return {
        "name": str(listing.name),
        "clinic": listing.clinic or "",
        "text": "\n".join(several),
    }
