"""The five types of resources: what each is drawn from, and which refers to which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from directory.fhir.elements import Json, Record, Site
from directory.fhir.location import location
from directory.fhir.organization import organization
from directory.fhir.practitioner import practitioner, practitioner_id
from directory.fhir.role import role
from directory.fhir.service import service
from directory.listing import Listing


class Type(StrEnum):
    """A type of resources that is served."""

    PRACTITIONER = "Practitioner"
    ROLE = "PractitionerRole"
    ORGANIZATION = "Organization"
    LOCATION = "Location"
    SERVICE = "HealthcareService"


LINKS = {
    (Type.ROLE, "practitioner"): Type.PRACTITIONER,
    (Type.ROLE, "organization"): Type.ORGANIZATION,
    (Type.ROLE, "location"): Type.LOCATION,
    (Type.ROLE, "service"): Type.SERVICE,
    (Type.LOCATION, "organization"): Type.ORGANIZATION,
    (Type.SERVICE, "organization"): Type.ORGANIZATION,
    (Type.SERVICE, "location"): Type.LOCATION,
}
"""Where a search parameter that refers leads to. All that refer to each other are drawn from the
same listings, so whoever has one end of a link has the other."""


@dataclass(frozen=True)
class Subject:
    """A resource to be drawn: of one listing, or a Practitioner of all that the person has."""

    type: Type
    records: tuple[Record, ...]

    @property
    def id(self) -> str:
        """The resource's id."""
        return resource_id(self.type, self.records[0].listing)

    @property
    def updated_at(self) -> datetime:
        """When it last changed (UTC)."""
        return max(record.updated_at for record in self.records)

    def draw(self, site: Site) -> Json:
        """The resource."""
        (record, *_) = self.records
        match self.type:
            case Type.PRACTITIONER:
                return practitioner(self.records, site)
            case Type.ROLE:
                return role(record, site)
            case Type.ORGANIZATION:
                return organization(record)
            case Type.LOCATION:
                return location(record, site)
            case Type.SERVICE:
                return service(record, site)


def resource_id(type_: Type, listing: Listing) -> str:
    """The id of a listing's resource."""
    return practitioner_id(listing) if type_ is Type.PRACTITIONER else listing.id


def has(type_: Type, listing: Listing) -> bool:
    """Whether a listing has such a resource: an Organization only where it names a clinic."""
    return type_ is not Type.ORGANIZATION or listing.clinic is not None


def subjects(type_: Type, records: Sequence[Record]) -> list[Subject]:
    """The resources of one type that some listings have, in their order, each once."""
    of: dict[str, list[Record]] = {}
    for record in records:
        if has(type_, record.listing):
            of.setdefault(resource_id(type_, record.listing), []).append(record)
    return [Subject(type_, tuple(several)) for several in of.values()]
