"""A PractitionerRole: what a person does at one practice, and who says so."""

from directory.fhir.elements import (
    Json,
    Record,
    Site,
    coding,
    concept,
    meta,
    said,
    specialties,
    telecom,
)
from directory.fhir.practitioner import practitioner_id
from directory.fhir.terms import (
    ACCEPTING_SYSTEM,
    PLAN_NET,
    PROVIDER_ROLE_SYSTEM,
    PROVIDER_ROLES,
)
from directory.fhir.times import available_time
from directory.listing import Answer, Attestation, LicenceCheck, Listing
from directory.vocabulary import Kind, vocabulary


def role(record: Record, site: Site) -> Json:
    """The role of a listing; it belongs to an organization where a clinic is named."""
    listing = record.listing
    return said(
        resourceType="PractitionerRole",
        id=listing.id,
        meta=meta(record.updated_at),
        extension=[*_accepting(listing), *_extensions(listing, site)],
        active=record.is_active,
        practitioner={"reference": f"Practitioner/{practitioner_id(listing)}"},
        organization=listing.clinic and {"reference": f"Organization/{listing.id}"},
        code=[_code(listing.profession, site)],
        specialty=specialties(listing),
        location=[{"reference": f"Location/{listing.id}"}],
        healthcareService=[{"reference": f"HealthcareService/{listing.id}"}],
        telecom=telecom(("phone", listing.phone), ("url", listing.website)),
        availableTime=available_time(listing.hours),
    )


def _code(profession: str, site: Site) -> Json:
    """The profession as Plan-Net's role, where it has one, and as ours."""
    code = PROVIDER_ROLES.get(profession)
    theirs = [coding(PROVIDER_ROLE_SYSTEM, code)] if code else []
    label = vocabulary().label(Kind.PROFESSION, profession)
    return concept(*theirs, site.term(Kind.PROFESSION, profession), text=label)


def _accepting(listing: Listing) -> list[Json]:
    """Whether new patients are taken; where nobody has said, the extension is left out."""
    if listing.accepting is Answer.UNKNOWN:
        return []
    code = "newpt" if listing.accepting is Answer.YES else "nopt"
    answer = concept(coding(ACCEPTING_SYSTEM, code))
    inside = [{"url": "acceptingPatients", "valueCodeableConcept": answer}]
    return [{"url": f"{PLAN_NET}newpatients", "extension": inside}]


def _extensions(listing: Listing, site: Site) -> list[Json]:
    found = []
    if listing.accepting_from:
        day = listing.accepting_from.isoformat()
        found.append(site.extension("accepting-from", valueDate=day))
    if listing.attestation:
        attestation = _attestation(listing.attestation, site)
        found.append(site.extension("attestation", extension=attestation))
    if listing.licence_check:
        found.append(site.extension("licence-check", extension=_check(listing.licence_check)))
    return found


def _attestation(attestation: Attestation, site: Site) -> list[Json]:
    return [
        {"url": "on", "valueDate": attestation.on.isoformat()},
        {"url": "by", "valueString": attestation.by},
        {"url": "method", "valueCode": attestation.method},
        {"url": "stale", "valueBoolean": not attestation.is_fresh(site.today)},
    ]


def _check(check: LicenceCheck) -> list[Json]:
    return [
        {"url": "state", "valueCode": check.state},
        {"url": "checkedOn", "valueDate": check.checked_on.isoformat()},
        {"url": "expiresOn", "valueDate": check.expires_on.isoformat()},
    ]
