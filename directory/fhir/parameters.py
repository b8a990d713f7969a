"""What may be searched for: declared once, read by the search and by the CapabilityStatement.

All resources of a listing hang together, so a chain (`location.address-city`) asks of a listing
what the parameter at its end asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from directory.fhir.elements import Site
from directory.fhir.readers import (
    UPDATED,
    Reader,
    always,
    begins,
    is_code,
    of_ids,
    of_name,
    of_near,
    of_role,
    of_service_type,
    of_setting,
    of_technique,
    of_updated,
)
from directory.fhir.resources import LINKS, Type
from directory.fhir.terms import (
    CATEGORY,
    CATEGORY_SYSTEM,
    NPI_SYSTEM,
    NUCC_SYSTEM,
    ORGANIZATION_TYPE,
    ORGANIZATION_TYPE_SYSTEM,
)
from directory.fhir.values import LONGEST, alternatives, wrong
from directory.fhir.wanted import EVERYBODY, Wanted
from directory.search.lookup import Field


@dataclass(frozen=True)
class Parameter:
    """One thing that may be searched for, and how its values are read."""

    name: str
    type: Literal["string", "token", "reference", "date", "special"]
    says: str
    read: Reader


def _common(type_: Type) -> tuple[Parameter, ...]:
    return (
        Parameter("_id", "token", "The resource's id.", of_ids(type_)),
        Parameter(UPDATED, "date", "When it last changed: eq, ge, gt, le, lt.", of_updated),
    )


def _link(name: str, type_: Type) -> Parameter:
    return Parameter(name, "reference", f"The {type_}.", of_ids(type_))


_ANY_LINE = (Field.LINE1, Field.CITY, Field.STATE, Field.POSTAL_CODE)
_SPECIALTY = Parameter(
    "specialty",
    "token",
    "A NUCC taxonomy code.",
    is_code("specialty", Field.TAXONOMY, NUCC_SYSTEM),
)
_ADDRESSES = (
    Parameter("address", "string", "Street, city, state or ZIP.", begins(*_ANY_LINE)),
    Parameter("address-city", "string", "The city.", begins(Field.CITY)),
    Parameter("address-state", "string", "The state's two letters.", begins(Field.STATE)),
    Parameter("address-postalcode", "string", "The ZIP.", begins(Field.POSTAL_CODE)),
)
_DECLARED: Mapping[Type, tuple[Parameter, ...]] = {
    Type.PRACTITIONER: (
        Parameter("identifier", "token", "The NPI.", is_code("identifier", Field.NPI, NPI_SYSTEM)),
        Parameter("name", "string", "Any word of the name; each of several words.", of_name),
        Parameter("family", "string", "The family name.", begins(Field.FAMILY)),
        Parameter(
            "given", "string", "The given or middle name.", begins(Field.GIVEN, Field.MIDDLE)
        ),
    ),
    Type.ROLE: (
        _link("practitioner", Type.PRACTITIONER),
        _link("organization", Type.ORGANIZATION),
        _link("location", Type.LOCATION),
        _link("service", Type.SERVICE),
        Parameter("role", "token", "The profession: Plan-Net's code, or ours.", of_role),
        _SPECIALTY,
    ),
    Type.ORGANIZATION: (
        Parameter("name", "string", "The clinic's name.", begins(Field.CLINIC)),
        *_ADDRESSES,
        Parameter(
            "type", "token", "Always prvgrp.", always(ORGANIZATION_TYPE_SYSTEM, ORGANIZATION_TYPE)
        ),
    ),
    Type.LOCATION: (
        *_ADDRESSES,
        Parameter("type", "token", "The kind of place: HL7's code, or ours.", of_setting),
        _link("organization", Type.ORGANIZATION),
        Parameter(
            "near", "special", "latitude|longitude|distance|unit, the nearest first.", of_near
        ),
    ),
    Type.SERVICE: (
        Parameter("name", "string", "The clinic's name.", begins(Field.CLINIC)),
        Parameter("service-category", "token", "Always prov.", always(CATEGORY_SYSTEM, CATEGORY)),
        Parameter("service-type", "token", "dry-needling, where it is said.", of_service_type),
        _SPECIALTY,
        Parameter("characteristic", "token", "A technique.", of_technique),
        _link("organization", Type.ORGANIZATION),
        _link("location", Type.LOCATION),
    ),
}
PARAMETERS: Mapping[Type, Mapping[str, Parameter]] = {
    type_: {each.name: each for each in (*_common(type_), *declared)}
    for type_, declared in _DECLARED.items()
}


@dataclass(frozen=True)
class Asked:
    """A parameter of a type, or of one that a chain leads to, with what it was written as."""

    parameter: Parameter
    written: str
    with_clinic: bool

    def wanted(self, value: str, site: Site) -> Wanted:
        """What a value asks of a listing."""
        values = alternatives(self.written, value)
        found = self.parameter.read(values, site) if values else EVERYBODY
        return replace(found, with_clinic=found.with_clinic or self.with_clinic)


def asked(type_: Type, name: str) -> Asked | None:
    """The parameter that a name means; None where there is none, InvalidQuery where half of it is.

    `location.near` goes along a link, `_has:PractitionerRole:practitioner:specialty` against one,
    and `practitioner:Practitioner.name` says where a link leads, which it does anyway.
    """
    if len(name) > LONGEST:
        return None
    if name.startswith("_has:"):
        return _against(type_, name)
    head, dot, rest = name.partition(".")
    link, colon, modifier = head.partition(":")
    target = LINKS.get((type_, link))
    if dot:
        if target is Type.PRACTITIONER and rest.startswith("_has:"):
            raise wrong(name, "a chain to a practitioner ends there; _include what else is theirs.")
        found = asked(target, rest) if target and modifier in ("", target) else None
        is_clinic = target is Type.ORGANIZATION
        return found and replace(found, written=name, with_clinic=found.with_clinic or is_clinic)
    if colon and target != modifier and link in PARAMETERS[type_]:
        raise wrong(name, f"the modifier {modifier!r} cannot be used here; leave it out.")
    parameter = PARAMETERS[type_].get(link)
    return Asked(parameter, name, with_clinic=False) if parameter else None


def _against(type_: Type, name: str) -> Asked | None:
    parts = name.removeprefix("_has:").split(":", 2)
    if len(parts) < 3 or parts[0] not in list(Type):
        return None
    source, link, rest = Type(parts[0]), parts[1], parts[2]
    found = asked(source, rest) if LINKS.get((source, link)) is type_ else None
    return found and replace(found, written=name)
