"""A HealthcareService: what is offered at a practice, how sure that is, and what it costs."""

from collections.abc import Iterator

from directory.fhir.elements import (
    Json,
    Record,
    Site,
    coding,
    concept,
    meta,
    quantities,
    said,
    specialties,
    telecom,
)
from directory.fhir.terms import (
    CATEGORY,
    CATEGORY_SYSTEM,
    DELIVERY_SYSTEM,
    DRY_NEEDLING,
    PLAN_NET,
)
from directory.fhir.times import available_time
from directory.listing import Answer, Listing
from directory.vocabulary import Kind, vocabulary

_CURRENCY, _UNITS = "urn:iso:std:iso:4217", "http://unitsofmeasure.org"


def service(record: Record, site: Site) -> Json:
    """The service of a listing. Only where somebody who may know has said so is it dry needling."""
    listing = record.listing
    return said(
        resourceType="HealthcareService",
        id=listing.id,
        meta=meta(record.updated_at),
        extension=[*_delivery(listing), *_extensions(listing, site)],
        active=record.is_active,
        providedBy=listing.clinic and {"reference": f"Organization/{listing.id}"},
        category=[concept(coding(CATEGORY_SYSTEM, CATEGORY), text="Medical provider")],
        type=_type(listing, site),
        specialty=specialties(listing),
        location=[{"reference": f"Location/{listing.id}"}],
        name=listing.clinic,
        comment=listing.about,
        telecom=telecom(("url", listing.booking_url), ("phone", listing.phone)),
        characteristic=[_term(Kind.TECHNIQUE, each, site) for each in listing.techniques],
        availableTime=available_time(listing.hours),
    )


def _type(listing: Listing, site: Site) -> list[Json]:
    if not listing.confirmed:
        return []
    ours = {"system": site.system("service"), "code": DRY_NEEDLING, "display": "Dry needling"}
    return [concept(ours, text="Dry needling")]


def _term(kind: Kind, value: str, site: Site) -> Json:
    return concept(site.term(kind, value), text=vocabulary().label(kind, value))


def _delivery(listing: Listing) -> Iterator[Json]:
    """A listing is at a practice; that it is there by video too must have been said."""
    for code in ("physical", *(("virtual",) if listing.telehealth is Answer.YES else ())):
        way = {"url": "type", "valueCodeableConcept": concept(coding(DELIVERY_SYSTEM, code))}
        yield {"url": f"{PLAN_NET}delivery-method", "extension": [way]}


def _extensions(listing: Listing, site: Site) -> Iterator[Json]:
    yield site.extension("dry-needling", extension=_evidence(listing))
    for name, kind, terms in (
        ("condition", Kind.CONDITION, listing.conditions),
        ("insurance-accepted", Kind.INSURANCE, listing.insurance_accepted),
        ("insurance-refused", Kind.INSURANCE, listing.insurance_refused),
    ):
        for term in terms:
            yield site.extension(name, valueCodeableConcept=_term(kind, term, site))
    yield from site.answers(
        cash_pay=listing.cash_pay,
        superbill=listing.superbill,
        single_use_needles=listing.single_use_needles,
        home_visits=listing.home_visits,
        telehealth=listing.telehealth,
    )
    for name, range_, system, unit in (
        ("first-visit-price", listing.first_visit_price, _CURRENCY, "USD"),
        ("follow-up-price", listing.follow_up_price, _CURRENCY, "USD"),
        ("visit-minutes", listing.visit_minutes, _UNITS, "min"),
        ("typical-visits", listing.typical_visits, _UNITS, "{visit}"),
    ):
        if range_:
            yield site.extension(name, valueRange=quantities(range_, system, unit))


def _evidence(listing: Listing) -> list[Json]:
    """How sure it is that dry needling is offered, who says so and since when."""
    origin = listing.vouched_by
    return [
        {"url": "offered", "valueCode": str(listing.dry_needling)},
        {"url": "evidence", "valueCode": listing.evidence},
        {"url": "source", "valueCode": str(origin.source)},
        {"url": "asOf", "valueDate": origin.as_of.isoformat()},
    ]
