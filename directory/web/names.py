"""What things are called on the pages, in English: translated where they are shown."""

from directory.language import marked
from directory.listing import Source
from directory.vocabulary import Kind

FACET_NAMES = {
    "confirmed": marked("Dry needling confirmed"),
    "evidence": marked("How sure dry needling is"),
    "profession": marked("Profession"),
    "accepting": marked("New patients"),
    "insurance": marked("Insurance"),
    "cash_pay": marked("Cash pay"),
    "condition": marked("Problem"),
    "technique": marked("Technique"),
    "language": marked("Language"),
    "setting": marked("Kind of place"),
    "wheelchair_access": marked("Wheelchair access"),
    "home_visits": marked("Home visits"),
    "telehealth": marked("Video visits"),
    "gender": marked("Gender"),
    "licence_checked": marked("License checked"),
    "q": marked("Your words"),
    "max_price": marked("The price limit"),
}
SOURCE_NAMES = {
    Source.MODERATOR: marked("a moderator of this directory"),
    Source.CLINIC: marked("the practice"),
    Source.FILE: marked("a list given to this directory"),
    Source.FHIR: marked("another directory"),
    Source.NPPES: marked("the national registry (NPPES)"),
}

FIELD_KINDS = {
    "profession": Kind.PROFESSION, "languages": Kind.LANGUAGE, "setting": Kind.SETTING,
    "techniques": Kind.TECHNIQUE, "conditions": Kind.CONDITION,
    "insurance_accepted": Kind.INSURANCE, "insurance_refused": Kind.INSURANCE,
}  # fmt: skip
"""The vocabularies that fields take their values from."""

FIELD_NAMES = {
    "name": marked("Name"),
    "npi": marked("NPI"),
    "letters": marked("Letters"),
    "profession": marked("Profession"),
    "taxonomies": marked("Registered specialties"),
    "gender": marked("Gender"),
    "languages": marked("Languages"),
    "clinic": marked("Clinic"),
    "address": marked("Address"),
    "area_only": marked("Area only"),
    "location": marked("Location"),
    "phone": marked("Telephone"),
    "website": marked("Website"),
    "booking_url": marked("Booking"),
    "setting": marked("Kind of place"),
    "private_room": marked("Separate room"),
    "wheelchair_access": marked("Wheelchair access"),
    "home_visits": marked("Home visits"),
    "telehealth": marked("Video visits"),
    "hours": marked("Hours"),
    "dry_needling": marked("Dry needling"),
    "techniques": marked("Techniques"),
    "conditions": marked("What the practice says it treats"),
    "single_use_needles": marked("Single-use sterile needles"),
    "certificates": marked("Certificates"),
    "licence_check": marked("License check"),
    "insurance_accepted": marked("Insurance accepted"),
    "insurance_refused": marked("Insurance not accepted"),
    "cash_pay": marked("Takes cash pay"),
    "first_visit_price": marked("First visit"),
    "follow_up_price": marked("Later visits"),
    "visit_minutes": marked("A visit takes"),
    "typical_visits": marked("Visits in all"),
    "superbill": marked("Gives a superbill"),
    "accepting": marked("New patients"),
    "accepting_from": marked("New patients again from"),
    "about": marked("About"),
    "attestation": marked("Confirmation"),
}
"""What the fields of a listing are called."""
