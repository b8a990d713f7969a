"""The names that FHIR and Plan-Net have for things.

Code systems and extensions as in the examples of the Da Vinci PDEX Plan-Net guide (1.1.0,
2022-04-04; HL7-DaVinci/plan-net-ri).
"""

NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
NUCC_SYSTEM = "http://nucc.org/provider-taxonomy"
STATE_SYSTEM = "https://www.usps.com/"
LANGUAGE_SYSTEM = "urn:ietf:bcp:47"
ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
SUBSETTED = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"

PLAN_NET = "http://hl7.org/fhir/us/davinci-pdex-plan-net/StructureDefinition/"
_PLAN_NET_CODES = "http://hl7.org/fhir/us/davinci-pdex-plan-net/CodeSystem/"
ACCEPTING_SYSTEM = f"{_PLAN_NET_CODES}AcceptingPatientsCS"
ACCESSIBILITY_SYSTEM = f"{_PLAN_NET_CODES}AccessibilityCS"
CATEGORY_SYSTEM = f"{_PLAN_NET_CODES}HealthcareServiceCategoryCS"
DELIVERY_SYSTEM = f"{_PLAN_NET_CODES}DeliveryMethodCS"
ORGANIZATION_TYPE_SYSTEM = f"{_PLAN_NET_CODES}OrgTypeCS"
PROVIDER_ROLE_SYSTEM = f"{_PLAN_NET_CODES}ProviderRoleCS"

DISTANCE = "http://hl7.org/fhir/StructureDefinition/location-distance"

CATEGORY, ORGANIZATION_TYPE = "prov", "prvgrp"
"""What every service and organization of ours is: of a medical provider, and a provider group."""

PROVIDER_ROLES = {"physical-therapist": "pt", "chiropractor": "ch", "orthopedic-doctor": "ph"}
"""Professions as Plan-Net's roles: `ph` is any physician. Its `dn` is dietary and nutritional."""

FACILITIES = {"doctors-office": "PROFF", "therapy-clinic": "OF", "outpatient-rehab": "OF"}
"""Settings as HL7's kinds of places: a provider's office, an outpatient facility."""

DRY_NEEDLING = "dry-needling"
"""The code of our own for the one service that this directory is about."""


def language_tag(language: str) -> str:
    """The BCP 47 tag of a language of the vocabulary: there `asl` is a language of Indonesia."""
    return "ase" if language == "asl" else language
