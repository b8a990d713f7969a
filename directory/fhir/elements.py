"""The pieces that resources are made of."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from directory.fhir.terms import NUCC_SYSTEM
from directory.listing import Address, Answer, Listing, Range
from directory.vocabulary import Kind, vocabulary
from directory.vocabulary.taxonomies import taxonomy_name

Json = dict[str, Any]


@dataclass(frozen=True)
class Record:
    """A listing as anybody may see it, and when it last changed (UTC).

    It is no longer active once it has left the results, and may still be read.
    """

    listing: Listing
    updated_at: datetime
    is_active: bool = True


@dataclass(frozen=True)
class Site:
    """Where all this is served (`base_url`, no slash at its end), and what has names of ours.

    `today` is the day by which an attestation is stale.
    """

    base_url: str
    today: date

    @property
    def fhir(self) -> str:
        """The base of the FHIR service."""
        return f"{self.base_url}/fhir/r4"

    def extension(self, name: str, **value: object) -> Json:
        """An extension of our own (docs/fhir.md): `extension("cash-pay", valueCode="yes")`."""
        return {"url": f"{self.base_url}/fhir/StructureDefinition/{name}", **value}

    def system(self, name: str) -> str:
        """A code system of our own: a vocabulary of the directory."""
        return f"{self.base_url}/fhir/CodeSystem/{name}"

    def term(self, kind: Kind, value: str) -> Json:
        """A term of the vocabulary as a coding."""
        label = vocabulary().label(kind, value)
        return {"system": self.system(kind), "code": value, "display": label}

    def answers(self, **answers: Answer) -> list[Json]:
        """An extension for each answer that is known; nobody has given the others."""
        known = ((name, answer) for name, answer in answers.items() if answer is not Answer.UNKNOWN)
        return [self.extension(name.replace("_", "-"), valueCode=str(a)) for name, a in known]


def said(**elements: object) -> Json:
    """The elements that say something; FHIR has no empty ones."""
    return {name: value for name, value in elements.items() if value not in (None, "", [], {}, ())}


def meta(updated_at: datetime) -> Json:
    """When a resource last changed."""
    return {"lastUpdated": instant(updated_at)}


def instant(time: datetime) -> str:
    """A time as FHIR's instant, UTC."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def concept(*codings: Json, text: str | None = None) -> Json:
    """One thing by its codes, and in words."""
    return said(coding=list(codings), text=text)


def coding(system: str, code: str) -> Json:
    """A code of a system."""
    return {"system": system, "code": code}


def specialties(listing: Listing) -> list[Json]:
    """The registered specialties, the primary one first; who has registered none has none."""
    ordered = sorted(listing.taxonomies, key=lambda each: not each.primary)
    codes = dict.fromkeys(each.code for each in ordered)
    return [taxonomy(code) for code in codes]


def taxonomy(code: str) -> Json:
    """A NUCC taxonomy, with its name where we know it."""
    return concept(said(system=NUCC_SYSTEM, code=code, display=taxonomy_name(code)))


def telecom(*ways: tuple[str, str | None]) -> list[Json]:
    """Ways to reach somebody (system, value), the best first; those that are not known left out."""
    known = [(system, value) for system, value in ways if value]
    return [
        {"system": system, "value": value, "use": "work", "rank": rank}
        for rank, (system, value) in enumerate(known, start=1)
    ]


def address(shown: Address) -> Json:
    """A practice address; the street may be withheld."""
    return said(
        use="work",
        type="physical",
        line=[line for line in (shown.line1, shown.line2) if line],
        city=shown.city,
        state=shown.state,
        postalCode=shown.postal_code,
        country="US",
    )


def quantities(shown: Range, system: str, code: str) -> Json:
    """A least and a most in one unit of a system."""
    unit = {"unit": code, "system": system, "code": code}
    return {"low": {"value": shown.least, **unit}, "high": {"value": shown.most, **unit}}
