"""What a practitioner's role at a location says of a listing."""

from collections.abc import Iterator, Sequence
from typing import Any

from directory.fhir.terms import PLAN_NET
from directory.states import STATE_NAMES
from directory.vocabulary import Kind, vocabulary
from indexer import normalise
from indexer.sources.plan_net import (
    Location,
    Organization,
    Practitioner,
    PractitionerRole,
    Telecom,
    nucc,
)

_ACCEPTING = {"newpt": "yes", "nopt": "no", "existptonly": "no", "existptfam": "no"}
"""Plan-Net's AcceptingPatients code system."""

_GENDERS = ("female", "male")
_FIRST_AND_FIFTH = ("I", "V")
"""In a name that stands in one cell these would be initials; a suffix they are not."""

_MOST_TAXONOMIES = 15


def fields_of(
    role: PractitionerRole,
    practitioner: Practitioner,
    location: Location,
    organization: Organization | None,
) -> dict[str, Any]:
    """Fields of directory.listing.Facts, those that are not said left empty."""
    name, at = practitioner.current_name, location.address
    suffixes = [s for s in name.suffix if normalise.is_generation(s) or s in _FIRST_AND_FIFTH]
    letters = [each for each in name.suffix if each not in suffixes]
    parts = {
        "given": " ".join(name.given[:1]),
        "middle": " ".join(name.given[1:]),
        "family": name.family,
        "suffix": " ".join(suffixes),
    }
    lines = " ".join(at.line[:1]), " ".join(at.line[1:2])
    position = location.position
    return {
        "name": normalise.named(parts),
        "npi": practitioner.npi,
        "letters": list(normalise.letters(",".join(letters))),
        "gender": practitioner.gender if practitioner.gender in _GENDERS else None,
        "languages": list(_languages(practitioner)),
        "clinic": normalise.clinic_name(organization.name) if organization else None,
        "address": normalise.address(*lines, at.city, at.state, at.postal_code),
        # FHIR does not tell how exact a position is; the street is the least that it should be.
        "location": position
        and {"lat": position.latitude, "lon": position.longitude, "precision": "street"},
        "phone": _telecom("phone", *role.telecom, *location.telecom),
        "website": _telecom("url", *role.telecom, *location.telecom),
        "accepting": _accepting(role),
    }


def taxonomies(practitioner: Practitioner, codes: Sequence[str]) -> list[dict[str, Any]]:
    """The codes of role and practitioner, with the licences that the qualifications give.

    A code under several licences comes several times, as the registry has it; of those that would
    be more than the registry's fifteen the last are left out.
    """
    licences: dict[str, list[dict[str, str]]] = {}
    for qualification in practitioner.qualification:
        number = next((each.value for each in qualification.identifier if each.value), None)
        for code in nucc([qualification.code]):
            if number and qualification.state in STATE_NAMES:
                state = str(qualification.state)
                licence = {"licence_number": number, "licence_state": state}
                licences.setdefault(code, []).append(licence)
    found = [{"code": code, **each} for code in codes for each in licences.get(code, [{}])]
    return [{**each, "primary": n == 0} for n, each in enumerate(found[:_MOST_TAXONOMIES])]


def _languages(practitioner: Practitioner) -> Iterator[str]:
    for concept in practitioner.communication:
        for coding in concept.coding:
            code = (coding.code or "").split("-")[0].lower()
            if vocabulary().has(Kind.LANGUAGE, code):
                yield code


def _telecom(system: str, *several: Telecom) -> str | None:
    """The first number or address of a kind: the role's own comes before its location's."""
    return next((each.value for each in several if each.value and each.system == system), None)


def _accepting(role: PractitionerRole) -> str | None:
    for extension in role.extension:
        if extension.url == f"{PLAN_NET}newpatients":
            return _ACCEPTING.get(extension.code("acceptingPatients") or "")
    return None
