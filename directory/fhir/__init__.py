"""Listings as FHIR R4 resources, and what may be asked of them; knows nothing of the web.

A subset of Da Vinci PDEX Plan-Net (docs/fhir.md says what is missing of it). One listing is a
PractitionerRole with its Location, its HealthcareService and, where a clinic is named, its
Organization; the listings of one NPI share one Practitioner.
"""
