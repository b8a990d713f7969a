"""A practitioner in the shape of the NPI Registry API 2.1.

Keys that its clients read are always there, empty where nothing is known; `source` says whose data
it is, so that what a clinic says of itself is not taken for the registry's.
"""

from datetime import date
from typing import Any

from directory.listing import Listing, Source
from directory.search.distance import METRES_PER
from directory.search.lookup import LookupHit
from directory.search.practitioners import Practitioner
from directory.vocabulary import Kind, vocabulary
from directory.vocabulary.taxonomies import taxonomy_name

Json = dict[str, Any]

_SEX = {"female": "F", "male": "M", "nonbinary": "X"}


def record(of: Practitioner, source: str, today: date, *, with_distance: bool) -> Json:
    """One result; the practice by which it was found comes first. `today` tells what is stale."""
    first, *others = (hit.listing for hit in of.listings)
    found: Json = {
        "number": first.npi,
        "enumeration_type": "NPI-1",
        "basic": _basic(of, source),
        "addresses": [{**_address(first), **_confirmed(first, today)}],
        "practiceLocations": [{**_address(each), **_confirmed(each, today)} for each in others],
        "taxonomies": _taxonomies([first, *others]),
        "identifiers": [],
        "endpoints": [],
        "other_names": [],
    }
    if with_distance:
        found["distance"] = _distance(of.found)
    return found


def _basic(of: Practitioner, source: str) -> Json:
    first = of.found.listing
    sex = _SEX.get(first.gender or "", "")
    is_registered = any(_is_the_registrys(hit.listing) for hit in of.listings)
    return {
        "name": str(first.name),
        "name_prefix": "",
        "first_name": first.name.given,
        "middle_name": first.name.middle or "",
        "last_name": first.name.family,
        "name_suffix": first.name.suffix or "",
        "credential": ", ".join(first.letters),
        "gender": sex,
        "sex": sex,
        "status": "A" if is_registered else "",
        "enumeration_date": "",
        "last_updated": max(hit.updated_at for hit in of.listings).date().isoformat(),
        "source": source,
    }


def _is_the_registrys(listing: Listing) -> bool:
    """Whether the NPI is from the registry's own file, which withdraws who is deactivated."""
    said = listing.provenance.get("npi")
    return said is not None and said.source is Source.NPPES


def _address(of: Listing) -> Json:
    address = of.address
    return {
        "country_code": "US",
        "country_name": "United States",
        "address_purpose": "LOCATION",
        "address_type": "DOM",
        "organization_name": of.clinic or "",
        "address_1": address.line1 or "",
        "address_2": address.line2 or "",
        "city": address.city,
        "state": address.state,
        "postal_code": address.postal_code.replace("-", ""),
        "telephone_number": _telephone(of.phone or ""),
        "fax_number": "",
    }


def _confirmed(of: Listing, today: date) -> Json:
    """Whether dry needling is offered at a practice, who says so, and who last said it is true."""
    origin, attested = of.vouched_by, of.attestation
    return {
        "dry_needling": str(of.dry_needling),
        "evidence": of.evidence,
        "source": str(origin.source),
        "as_of": origin.as_of.isoformat(),
        "attested_on": attested.on.isoformat() if attested else "",
        "attested_by": attested.by if attested else "",
        "stale": of.is_stale(today),
    }


def _telephone(number: str) -> str:
    """`+15125550100` as the registry writes it, `512-555-0100`; others as they are."""
    if number.startswith("+1") and len(number) == 12:
        return f"{number[2:5]}-{number[5:8]}-{number[8:]}"
    return number


def _taxonomies(listings: list[Listing]) -> list[Json]:
    """Those of the first listing that has any; without any, the profession alone."""
    known = vocabulary()
    for listing in listings:
        if listing.taxonomies:
            return [
                {
                    "code": each.code,
                    "taxonomy_group": "",
                    "desc": taxonomy_name(each.code) or "",
                    "state": each.licence_state or "",
                    "license": each.licence_number or "",
                    "primary": each.primary,
                }
                for each in listing.taxonomies
            ]
    label = known.label(Kind.PROFESSION, listings[0].profession)
    return [
        {"code": "", "taxonomy_group": "", "desc": label, "state": "", "license": "",
         "primary": True}
    ]  # fmt: skip


def _distance(found: LookupHit) -> Json:
    """From the point that was asked for to the first practice, in miles."""
    return {
        "value": round(found.key.distance_m / METRES_PER["mi"], 4),
        "units": "mi",
        "approximate": found.listing.location.precision.approximate,
    }
