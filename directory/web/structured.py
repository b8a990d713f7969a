"""A listing as schema.org data, for search engines: only what the page shows, too."""

from typing import Any

from directory.listing import Answer, Listing
from directory.vocabulary import Kind, vocabulary

_CASH = "Cash"


def structured(listing: Listing) -> dict[str, Any]:
    """A MedicalClinic (schema.org 29.0, 2025-03-24) with the practitioner who works there."""
    address, name = listing.address, listing.name
    is_exact = not (listing.area_only or listing.location.precision.approximate)
    said: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "MedicalClinic",
        "name": listing.clinic or listing.title,
        "address": {
            "@type": "PostalAddress",
            "streetAddress": ", ".join(filter(None, (address.line1, address.line2))) or None,
            "addressLocality": address.city,
            "addressRegion": address.state,
            "postalCode": address.postal_code,
            "addressCountry": "US",
        },
        "geo": is_exact and {
            "@type": "GeoCoordinates",
            "latitude": listing.location.lat,
            "longitude": listing.location.lon,
        },
        "telephone": listing.phone,
        "url": listing.website,
        "isAcceptingNewPatients": _known(listing.accepting),
        "paymentAccepted": _CASH if listing.cash_pay is Answer.YES else None,
        "employee": {
            "@type": "Person",
            "givenName": name.given,
            "familyName": name.family,
            "honorificSuffix": ", ".join(listing.letters) or None,
            "jobTitle": vocabulary().label(Kind.PROFESSION, listing.profession),
            "knowsLanguage": list(listing.languages) or None,
        },
    }  # fmt: skip
    return _without_nothing(said)


def _known(answer: Answer) -> bool | None:
    return None if answer is Answer.UNKNOWN else answer is Answer.YES


def _without_nothing(said: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _without_nothing(value) if isinstance(value, dict) else value
        for name, value in said.items()
        if value is not None and (value is not False or name == "isAcceptingNewPatients")
    }
