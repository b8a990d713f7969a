"""A Location: where a listing's practice is."""

from directory.fhir.elements import (
    Json,
    Record,
    Site,
    address,
    coding,
    concept,
    meta,
    said,
    telecom,
)
from directory.fhir.terms import ACCESSIBILITY_SYSTEM, FACILITIES, PLAN_NET, ROLE_CODE
from directory.fhir.times import hours_of_operation
from directory.listing import Answer, Listing
from directory.vocabulary import Kind, vocabulary


def location(record: Record, site: Site) -> Json:
    """The place of a listing, called after the clinic, else after the person.

    It has a position only where that is the practice's own: the middle of a ZIP or a city would
    be taken for more than it is. Such a place is found by `near` all the same.
    """
    listing = record.listing
    return said(
        resourceType="Location",
        id=listing.id,
        meta=meta(record.updated_at),
        extension=_extensions(listing, site),
        status="active" if record.is_active else "inactive",
        name=listing.clinic or listing.title,
        description="The practice gives its area only." if listing.area_only else None,
        mode="instance",
        type=_type(listing.setting, site),
        telecom=telecom(("phone", listing.phone)),
        address=address(listing.address),
        position=_position(listing),
        managingOrganization=listing.clinic and {"reference": f"Organization/{listing.id}"},
        hoursOfOperation=hours_of_operation(listing.hours),
    )


def _position(listing: Listing) -> Json | None:
    at = listing.location
    if listing.area_only or at.precision.approximate:
        return None
    return {"longitude": at.lon, "latitude": at.lat}


def _type(setting: str | None, site: Site) -> list[Json]:
    """The setting as HL7's kind of place, where it has one, and as ours."""
    if setting is None:
        return []
    code = FACILITIES.get(setting)
    theirs = [coding(ROLE_CODE, code)] if code else []
    label = vocabulary().label(Kind.SETTING, setting)
    return [concept(*theirs, site.term(Kind.SETTING, setting), text=label)]


def _extensions(listing: Listing, site: Site) -> list[Json]:
    precision = site.extension("location-precision", valueCode=str(listing.location.precision))
    hidden = [site.extension("area-only", valueBoolean=True)] if listing.area_only else []
    is_accessible = concept(coding(ACCESSIBILITY_SYSTEM, "handiaccess"))
    accessible = {"url": f"{PLAN_NET}accessibility", "valueCodeableConcept": is_accessible}
    return [
        *([accessible] if listing.wheelchair_access is Answer.YES else []),
        *site.answers(
            wheelchair_access=listing.wheelchair_access, private_room=listing.private_room
        ),
        precision,
        *hidden,
    ]
