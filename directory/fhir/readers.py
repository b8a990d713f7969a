"""How the values of each parameter are read: what they ask of a listing."""

from collections.abc import Callable, Iterator

from directory.fhir.elements import Site
from directory.fhir.practitioner import npi_of
from directory.fhir.resources import Type
from directory.fhir.terms import (
    DRY_NEEDLING,
    FACILITIES,
    PROVIDER_ROLE_SYSTEM,
    PROVIDER_ROLES,
    ROLE_CODE,
)
from directory.fhir.values import meant, near, plain, reference, span, token, wrong
from directory.fhir.wanted import EVERYBODY, Wanted
from directory.search.lookup import Criterion, Field
from directory.vocabulary import Kind, vocabulary
from directory.vocabulary.words import words

Values = tuple[str, ...]
"""The alternatives of one parameter, still escaped."""

Reader = Callable[[Values, Site], Wanted]
"""Reads the values of one parameter; InvalidQuery where that cannot be done."""

UPDATED = "_lastUpdated"

NOBODY = Wanted(criteria=(Criterion((Field.ID,), ()),))
"""What no listing is."""


def begins(*fields: Field) -> Reader:
    """A text with which one of these fields begins."""

    def read(values: Values, _: Site) -> Wanted:
        return Wanted(criteria=(Criterion(fields, tuple(map(plain, values)), begins=True),))

    return read


def of_name(values: Values, _: Site) -> Wanted:
    """Each word begins a word of the name; of several names each is one word."""
    typed = [tuple(dict.fromkeys(words(plain(value)))) for value in values]
    asked: list[tuple[str, ...]]
    if len(typed) == 1:
        asked = [(word,) for word in typed[0]]
    elif all(len(each) < 2 for each in typed):
        asked = [tuple(word for each in typed for word in each)]
    else:
        raise wrong("name", "give one name of several words, or several of one word each.")
    wanted = tuple(Criterion((Field.NAME,), each, begins=True) for each in asked)
    return Wanted(criteria=wanted) if wanted else NOBODY


def is_code(name: str, field: Field, system: str) -> Reader:
    """A code of one system that a field is; `name` is the parameter's."""

    def read(values: Values, _: Site) -> Wanted:
        tokens = tuple(map(token, values))
        if not all(each.code for each in tokens):
            raise wrong(name, f"give the code, too: {system}|code.")
        codes = tuple(each.code for each in tokens if each.system in (None, system))
        return Wanted(criteria=(Criterion((field,), codes),))

    return read


def always(system: str, code: str) -> Reader:
    """A code that every resource of the type has."""

    def read(values: Values, _: Site) -> Wanted:
        return EVERYBODY if meant(map(token, values), [(system, code, code)]) else NOBODY

    return read


def of_role(values: Values, site: Site) -> Wanted:
    """A profession, by Plan-Net's code or ours."""
    known = [(PROVIDER_ROLE_SYSTEM, code, value) for value, code in PROVIDER_ROLES.items()]
    professions = meant(map(token, values), [*known, *_terms(Kind.PROFESSION, site)])
    return Wanted(criteria=(Criterion((Field.PROFESSION,), professions),))


def of_setting(values: Values, site: Site) -> Wanted:
    """A kind of place, by HL7's code or ours."""
    known = [(ROLE_CODE, code, value) for value, code in FACILITIES.items()]
    return _facet("setting", meant(map(token, values), [*known, *_terms(Kind.SETTING, site)]))


def of_technique(values: Values, site: Site) -> Wanted:
    """A technique, by our code."""
    return _facet("technique", meant(map(token, values), [*_terms(Kind.TECHNIQUE, site)]))


def of_service_type(values: Values, site: Site) -> Wanted:
    """Dry needling, where somebody who may know has said so."""
    known = [(site.system("service"), DRY_NEEDLING, "yes")]
    return _facet("confirmed", meant(map(token, values), known))


def _terms(kind: Kind, site: Site) -> Iterator[tuple[str, str, str]]:
    for term in vocabulary().terms(kind):
        yield site.system(kind), term.value, term.value


def _facet(name: str, values: tuple[str, ...]) -> Wanted:
    return Wanted(facets=((name, values),)) if values else NOBODY


def of_ids(type_: Type) -> Reader:
    """Ids of resources of a type, or references to them."""

    def read(values: Values, site: Site) -> Wanted:
        named = (reference(value, type_, site.fhir) for value in values)
        return by_ids(type_, tuple(filter(None, named)))

    return read


def by_ids(type_: Type, ids: tuple[str, ...]) -> Wanted:
    """What a listing must be for one of these resources to be its own.

    A Practitioner who has an NPI goes by it; who goes by the listing's id must have none.
    """
    if type_ is not Type.PRACTITIONER:
        is_clinic = type_ is Type.ORGANIZATION
        return Wanted(criteria=(Criterion((Field.ID,), ids),), with_clinic=is_clinic)
    npis = tuple(filter(None, map(npi_of, ids)))
    if len(npis) == len(ids):
        return Wanted(criteria=(Criterion((Field.NPI,), npis),))
    either = Criterion((Field.NPI, Field.ID), (*npis, *ids))
    return Wanted(criteria=(either,), people=(frozenset(ids),))


def of_updated(values: Values, _: Site) -> Wanted:
    """A date, with a prefix or without."""
    if len(values) > 1:
        raise wrong(UPDATED, "give one date a time, and repeat the parameter for a span.")
    found = span(UPDATED, values[0])
    return Wanted(since=found.since, before=found.before)


def of_near(values: Values, _: Site) -> Wanted:
    """One circle."""
    if len(values) > 1:
        raise wrong("near", "give one place.")
    return Wanted(near=near("near", plain(values[0])))
