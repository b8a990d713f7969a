"""An Organization: the clinic that a listing names. A listing that names none has none."""

from directory.fhir.elements import (
    Json,
    Record,
    address,
    coding,
    concept,
    meta,
    said,
    telecom,
)
from directory.fhir.terms import ORGANIZATION_TYPE, ORGANIZATION_TYPE_SYSTEM


def organization(record: Record) -> Json:
    """The clinic as this listing has it: of an organization's own NPI the directory knows none."""
    listing = record.listing
    return said(
        resourceType="Organization",
        id=listing.id,
        meta=meta(record.updated_at),
        active=record.is_active,
        type=[concept(coding(ORGANIZATION_TYPE_SYSTEM, ORGANIZATION_TYPE), text="Provider group")],
        name=listing.clinic,
        telecom=telecom(("phone", listing.phone), ("url", listing.website)),
        address=[address(listing.address)],
    )
