"""A Practitioner: one person, by all the listings that there are of that person."""

import re
from collections.abc import Iterable, Iterator, Sequence

from directory.fhir.elements import Json, Record, Site, coding, concept, meta, said, taxonomy
from directory.fhir.terms import (
    LANGUAGE_SYSTEM,
    NPI_SYSTEM,
    PLAN_NET,
    STATE_SYSTEM,
    language_tag,
)
from directory.listing import Certificate, LicenceCheck, Listing, Taxonomy
from directory.vocabulary import Kind, vocabulary

_GENDERS = {"female": "female", "male": "male", "nonbinary": "other"}

_BY_NPI = re.compile(r"npi\.([0-9]{10})")
"""No listing's id has a dot, so nobody goes by it who has not that NPI."""


def practitioner_id(listing: Listing) -> str:
    """`npi.` and the NPI, shared by all listings that have it; else the listing's own id."""
    return f"npi.{listing.npi}" if listing.npi else listing.id


def npi_of(id_: str) -> str | None:
    """The NPI that a Practitioner's id is made of; None where it is none or a listing's."""
    found = _BY_NPI.fullmatch(id_)
    return found[1] if found else None


def practitioner(records: Sequence[Record], site: Site) -> Json:
    """The person of some listings: what the newest one says comes first, nothing comes twice."""
    ordered = sorted(records, key=lambda each: (each.updated_at, each.listing.id), reverse=True)
    listings = [each.listing for each in ordered]
    npi = listings[0].npi
    return said(
        resourceType="Practitioner",
        id=practitioner_id(listings[0]),
        meta=meta(ordered[0].updated_at),
        identifier=npi and [{"use": "official", "system": NPI_SYSTEM, "value": npi}],
        active=any(each.is_active for each in records),
        name=_once(map(_name, listings)),
        gender=next((_GENDERS[each.gender] for each in listings if each.gender), None),
        qualification=_once(q for each in listings for q in _qualifications(each, site)),
        communication=_once(_language(tag) for each in listings for tag in each.languages),
    )


def _once(several: Iterable[Json]) -> list[Json]:
    found: list[Json] = []
    for each in several:
        if each not in found:
            found.append(each)
    return found


def _name(listing: Listing) -> Json:
    name = listing.name
    return said(
        text=listing.title,
        family=name.family,
        given=[each for each in (name.given, name.middle) if each],
        suffix=[each for each in (name.suffix, *listing.letters) if each],
    )


def _language(language: str) -> Json:
    tag = coding(LANGUAGE_SYSTEM, language_tag(language))
    return concept(tag, text=vocabulary().label(Kind.LANGUAGE, language))


def _qualifications(listing: Listing, site: Site) -> Iterator[Json]:
    for held in listing.taxonomies:
        if held.licence_number and held.licence_state:
            yield _licence(held, _check_of(held, listing))
    for certificate in listing.certificates:
        yield _certificate(certificate, site)


def _check_of(held: Taxonomy, listing: Listing) -> LicenceCheck | None:
    """The look at the board's page that was at this licence: of this profession in this state."""
    check = listing.licence_check
    is_of_profession = vocabulary().profession_of(held.code) == listing.profession
    same = check and is_of_profession and check.state == held.licence_state
    return check if same else None


def _licence(held: Taxonomy, check: LicenceCheck | None) -> Json:
    """A licence by its holder's word; it is called active only where a moderator has looked."""
    where = concept(coding(STATE_SYSTEM, str(held.licence_state)))
    return said(
        extension=[_standing("active" if check else "unknown", where)],
        identifier=[{"value": held.licence_number}],
        code=taxonomy(held.code),
        period=check and {"end": check.expires_on.isoformat()},
    )


def _certificate(certificate: Certificate, site: Site) -> Json:
    """A course or board certificate: no licence, so it has no standing that a board could give."""
    verified = certificate.verified_on
    hours, certifies = certificate.hours, certificate.dry_needling
    return said(
        extension=[
            _standing("unknown"),
            *([site.extension("certificate-hours", valueInteger=hours)] if hours else []),
            *([site.extension("certifies-dry-needling", valueBoolean=True)] if certifies else []),
            *([site.extension("verified-on", valueDate=verified.isoformat())] if verified else []),
        ],
        code={"text": certificate.title},
        period=certificate.year and {"start": str(certificate.year)},
        issuer=certificate.issuer and {"display": certificate.issuer},
    )


def _standing(status: str, where: Json | None = None) -> Json:
    parts: list[Json] = [{"url": "status", "valueCode": status}]
    if where:
        parts.append({"url": "whereValid", "valueCodeableConcept": where})
    return {"url": f"{PLAN_NET}practitioner-qualification", "extension": parts}
