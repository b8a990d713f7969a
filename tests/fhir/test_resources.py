"""Resources against typed models of FHIR, Plan-Net's must-support list, and the listings themselves."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from directory.fhir.elements import Record, Site
from directory.fhir.resources import Type, has, subjects
from directory.listing import Listing
from fixtures import generate
from tests.builders import TODAY, a_listing
from tests.contract.strategies import a_corpus

SITE = Site("https://needling.example.org", TODAY)
NOON = datetime(2026, 11, 24, 12, 0, 0, 250, tzinfo=UTC)
PLAN_NET = "http://hl7.org/fhir/us/davinci-pdex-plan-net/StructureDefinition/"
OWN = f"{SITE.base_url}/fhir/StructureDefinition/"
MANDATORY = {
    Type.PRACTITIONER: {"meta.lastUpdated", "active", "name.family"},
    Type.ROLE: {
        "meta.lastUpdated",
        "active",
        "practitioner",
        "location",
        "code",
        "healthcareService",
    },
    Type.ORGANIZATION: {"meta.lastUpdated", "active", "type", "name", "address"},
    Type.LOCATION: {
        "meta.lastUpdated",
        "status",
        "name",
        "address.city",
        "address.state",
        "address.postalCode",
    },
    Type.SERVICE: {"meta.lastUpdated", "active", "category", "location"},
}
"""What Plan-Net 1.1.0 demands and every listing has."""
SUPPORTED = {
    Type.PRACTITIONER: {
        "identifier.system", "identifier.value", "name.given", "name.text", "qualification.code",
        "qualification.identifier", "qualification.issuer", "qualification.period", "communication",
        f"qualification.{PLAN_NET}practitioner-qualification",
    },
    Type.ROLE: {
        "organization", "specialty", "telecom.system", "telecom.value", "telecom.rank",
        "availableTime", PLAN_NET + "newpatients",
    },
    Type.ORGANIZATION: {"telecom"},
    Type.LOCATION: {
        "type", "telecom", "address.line", "position.latitude", "position.longitude",
        "managingOrganization", "hoursOfOperation", PLAN_NET + "accessibility",
    },
    Type.SERVICE: {
        "providedBy", "type", "specialty", "name", "comment", "telecom", "availableTime",
        PLAN_NET + "delivery-method",
    },
}  # fmt: skip
"""What it wants to be filled in where it is known."""
EVERYTHING: dict[str, Any] = {
    "npi": "2000000002",
    "name": {"given": "Ana", "middle": "María", "family": "Núñez", "suffix": "Jr."},
    "letters": ["PT", "DPT"],
    "taxonomies": [
        {"code": "2251S0007X"},
        {"code": "225100000X", "primary": True, "licence_number": "12345", "licence_state": "TX"},
    ],
    "gender": "nonbinary",
    "languages": ["es", "asl"],
    "clinic": "Núñez & Daughters",
    "address": {"line1": "1 Main St", "line2": "Suite 4", "city": "Austin", "state": "TX", "postal_code": "78701-1234"},
    "phone": "+15125550100",
    "website": "https://nunez.example.org/",
    "booking_url": "https://book.example.org/nunez",
    "setting": "therapy-clinic",
    "private_room": "yes",
    "wheelchair_access": "yes",
    "home_visits": "no",
    "telehealth": "yes",
    "hours": [
        {"day": "mo", "opens": "08:00", "closes": "17:30"},
        {"day": "tu", "opens": "08:00", "closes": "17:30"},
        {"day": "fr", "opens": "18:00", "closes": "24:00"},
        {"day": "su", "opens": "00:00", "closes": "24:00"},
    ],
    "dry_needling": "yes",
    "techniques": ["deep", "electrical"],
    "conditions": ["neck-pain"],
    "single_use_needles": "yes",
    "certificates": [{"title": "Course A", "issuer": "School", "hours": 27, "year": 2019, "dry_needling": True, "verified_on": "2026-01-02"}],
    "licence_check": {"state": "TX", "checked_on": "2026-02-03", "expires_on": "2027-12-31"},
    "insurance_accepted": ["aetna"],
    "insurance_refused": ["cigna"],
    "cash_pay": "yes",
    "first_visit_price": {"least": 80, "most": 120},
    "follow_up_price": {"least": 60, "most": 60},
    "visit_minutes": {"least": 30, "most": 60},
    "typical_visits": {"least": 2, "most": 6},
    "superbill": "yes",
    "accepting": "no",
    "accepting_from": "2027-01-01",
    "about": "We treat the neck.",
    "attestation": {"on": "2026-11-01", "by": "Ana", "method": "link"},
}  # fmt: skip


def everything() -> Listing:
    return a_listing("everything", **EVERYTHING)


def fictional() -> Iterator[Listing]:
    area = {"lat": 30.25, "lon": -97.75, "precision": "postal_code"}
    for number, said in enumerate(generate.listings(TODAY)):
        fields = {k: v for k, v in said.items() if k not in ("id", "moderator")}
        fields |= {"location": area} if said.get("area_only") else {}
        yield a_listing(f"f{number:04}", **fields)


def drawn(listing: Listing, updated_at: datetime = NOON) -> dict[Type, dict[str, Any]]:
    return {
        type_: subject.draw(SITE)
        for type_ in Type
        for subject in subjects(type_, [Record(listing, updated_at)])
    }


def at(resource: Any, path: str) -> list[Any]:
    """What stands at a path; the URL of an extension is a step, too."""
    found = resource if isinstance(resource, list) else [resource]
    for step in re.findall(r"http.*|[^.]+", path):
        inside = [
            [e for e in each.get("extension", []) if e["url"] == step]
            if step.startswith("http")
            else each.get(step, [])
            for each in found
        ]
        found = [one for each in inside for one in (each if isinstance(each, list) else [each])]
    return found


def own(resource: Any, name: str) -> Any:
    (found,) = at(resource, OWN + name)
    (value,) = [value for key, value in found.items() if key != "url"]
    return (
        {e["url"]: [v for k, v in e.items() if k != "url"][0] for e in value}
        if isinstance(value, list)
        else value
    )


def urls(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        yield from (
            content[key]
            for key in ("url", "system")
            if str(content.get(key)).startswith(SITE.base_url)
        )
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from urls(each)


def test_every_resource_is_fhir_and_has_what_plan_net_demands() -> None:
    world = [everything(), *fictional(), *a_corpus(7, 60)]
    seen = 0
    for listing in world:
        resources = drawn(listing)
        assert set(resources) == {each for each in Type if each != "Organization" or listing.clinic}
        for type_, resource in resources.items():
            get_fhir_model_class(type_).model_validate_json(json.dumps(resource))
            assert {path for path in MANDATORY[type_] if not at(resource, path)} == set()
            assert "" not in resource.values()
            seen += 1
    assert seen > 3_000


def test_what_is_known_fills_what_plan_net_supports() -> None:
    for type_, resource in drawn(everything()).items():
        assert {path for path in SUPPORTED[type_] if not at(resource, path)} == set()
        assert resource["meta"] == {"lastUpdated": "2026-11-24T12:00:00.000250Z"}


def test_a_person() -> None:
    person = drawn(everything())[Type.PRACTITIONER]
    assert person["id"] == "npi.2000000002"
    assert person["name"] == [{
        "text": "Ana María Núñez Jr., PT, DPT", "family": "Núñez",
        "given": ["Ana", "María"], "suffix": ["Jr.", "PT", "DPT"],
    }]  # fmt: skip
    assert person["gender"] == "other"
    assert at(person, "communication.coding.code") == ["es", "ase"]
    licence, certificate = person["qualification"]
    assert (licence["identifier"], licence["period"]) == (
        [{"value": "12345"}],
        {"end": "2027-12-31"},
    )
    inside = {e["url"]: e for e in licence["extension"][0]["extension"]}
    assert inside["status"]["valueCode"] == "active"
    assert inside["whereValid"]["valueCodeableConcept"]["coding"][0]["code"] == "TX"
    assert (certificate["code"], certificate["issuer"]) == (
        {"text": "Course A"},
        {"display": "School"},
    )
    assert certificate["period"] == {"start": "2019"}
    assert [
        own(certificate, name)
        for name in ("certificate-hours", "certifies-dry-needling", "verified-on")
    ] == [27, True, "2026-01-02"]


@pytest.mark.parametrize(
    "check",
    [
        None,
        {"state": "OK", "checked_on": "2026-02-03", "expires_on": "2027-12-31"},
    ],
)
def test_a_licence_that_nobody_has_looked_up_is_not_called_active(check: Any) -> None:
    listing = a_listing("one", **(EVERYTHING | {"licence_check": check}))
    licence = drawn(listing)[Type.PRACTITIONER]["qualification"][0]
    assert licence["extension"][0]["extension"][0]["valueCode"] == "unknown"
    assert "period" not in licence


def test_a_role() -> None:
    role = drawn(everything())[Type.ROLE]
    assert at(role, "specialty.coding.display") == [
        "Physical Therapist",
        "Physical Therapist, Sports",
    ]
    assert at(role, "specialty.coding.code") == ["225100000X", "2251S0007X"]
    assert at(role, "code.coding.code") == ["pt", "physical-therapist"]
    assert role["practitioner"] == {"reference": "Practitioner/npi.2000000002"}
    for name, type_ in (("organization", "Organization"), ("location", "Location"), ("healthcareService", "HealthcareService")):  # fmt: skip
        assert at(role, f"{name}.reference") == [f"{type_}/everything"]
    assert [(t["system"], t["value"], t["rank"]) for t in role["telecom"]] == [
        ("phone", "+15125550100", 1), ("url", "https://nunez.example.org/", 2),
    ]  # fmt: skip
    assert role["availableTime"] == [
        {"daysOfWeek": ["mon", "tue"], "availableStartTime": "08:00:00", "availableEndTime": "17:30:00"},
        {"daysOfWeek": ["fri"], "availableStartTime": "18:00:00", "availableEndTime": "23:59:59"},
        {"daysOfWeek": ["sun"], "allDay": True},
    ]  # fmt: skip
    (new,) = at(role, PLAN_NET + "newpatients")
    assert new["extension"][0]["valueCodeableConcept"]["coding"][0]["code"] == "nopt"
    assert own(role, "accepting-from") == "2027-01-01"
    said = {"on": "2026-11-01", "by": "Ana", "method": "link"}
    assert own(role, "attestation") == {**said, "stale": False}
    assert own(role, "licence-check") == {
        "state": "TX",
        "checkedOn": "2026-02-03",
        "expiresOn": "2027-12-31",
    }


@pytest.mark.parametrize(("days", "stale"), [(90, False), (91, True)])
def test_an_attestation_is_stale_after_90_days(days: int, stale: bool) -> None:
    on = TODAY - timedelta(days=days)
    listing = a_listing(attestation={"on": on, "by": "Ana", "method": "form"})
    assert own(drawn(listing)[Type.ROLE], "attestation")["stale"] is stale


def test_a_place() -> None:
    place = drawn(everything())[Type.LOCATION]
    assert place["address"]["line"] == ["1 Main St", "Suite 4"]
    assert place["position"] == {"longitude": -97.7426, "latitude": 30.2713}
    assert at(place, "type.coding.code") == ["OF", "therapy-clinic"]
    assert [own(place, n) for n in ("location-precision", "private-room", "wheelchair-access")] == [
        "rooftop",
        "yes",
        "yes",
    ]
    assert place["hoursOfOperation"][0] == {
        "daysOfWeek": ["mon", "tue"], "openingTime": "08:00:00", "closingTime": "17:30:00",
    }  # fmt: skip


def test_a_service() -> None:
    service = drawn(everything())[Type.SERVICE]
    assert at(service, "type.coding.code") == ["dry-needling"]
    assert at(service, "characteristic.coding.code") == ["deep", "electrical"]
    assert [each["value"] for each in service["telecom"]] == [
        "https://book.example.org/nunez",
        "+15125550100",
    ]
    assert own(service, "dry-needling") == {
        "offered": "yes",
        "evidence": "verified",
        "source": "clinic",
        "asOf": "2026-11-24",
    }
    assert own(service, "insurance-accepted")["coding"][0]["code"] == "aetna"
    assert own(service, "insurance-refused")["coding"][0]["code"] == "cigna"
    assert own(service, "condition")["text"] == "Neck pain"
    price = own(service, "first-visit-price")
    assert [(price[end]["value"], price[end]["code"]) for end in ("low", "high")] == [
        (80, "USD"),
        (120, "USD"),
    ]
    assert [
        own(service, n) for n in ("cash-pay", "superbill", "single-use-needles", "home-visits")
    ] == ["yes", "yes", "yes", "no"]
    ways = at(
        at(service, PLAN_NET + "delivery-method"), "extension.valueCodeableConcept.coding.code"
    )
    assert ways == ["physical", "virtual"]


def test_what_nobody_has_said_is_nowhere_and_a_licence_is_no_offer() -> None:
    resources = drawn(a_listing("quiet"))
    service, role = resources[Type.SERVICE], resources[Type.ROLE]
    assert "type" not in service
    assert own(service, "dry-needling")["evidence"] == "unknown"
    assert {each["url"] for each in service["extension"]} == {
        PLAN_NET + "delivery-method",
        OWN + "dry-needling",
    }
    assert "extension" not in role
    assert "organization" not in role
    assert "network" not in json.dumps(resources)


def test_who_hides_the_street_has_no_point_either() -> None:
    hidden = a_listing(
        "hidden", area_only=True, clinic="At Home",
        address={"city": "Austin", "state": "TX", "postal_code": "78701"},
        location={"lat": 30.2713, "lon": -97.7426, "precision": "postal_code"},
    )  # fmt: skip
    text = json.dumps(drawn(hidden))
    assert "position" not in drawn(hidden)[Type.LOCATION]
    assert own(drawn(hidden)[Type.LOCATION], "area-only") is True
    assert not re.search(r"30\.27|97\.74|Main St", text)


def test_one_person_at_several_practices_is_one_practitioner() -> None:
    newer = {"languages": ["es"], "letters": ["PT"], "npi": "2000000002"}
    older = {"languages": ["en", "es"], "letters": ["PT"], "npi": "2000000002", "gender": "female"}
    records = [
        Record(a_listing("aaa", **older), NOON - timedelta(1)),
        Record(a_listing("bbb", **newer), NOON),
    ]
    (person,) = subjects(Type.PRACTITIONER, records)
    content = person.draw(SITE)
    assert len(content["name"]) == 1
    assert at(content, "communication.coding.code") == ["es", "en"]
    assert content["gender"] == "female"
    assert content["meta"]["lastUpdated"] == "2026-11-24T12:00:00.000250Z"
    assert len(subjects(Type.ROLE, records)) == 2
    Random(3).shuffle(records)
    assert subjects(Type.PRACTITIONER, records)[0].draw(SITE) == content


def test_what_has_left_the_results_is_inactive() -> None:
    record = Record(everything(), NOON, is_active=False)
    states = {t: s.draw(SITE) for t in Type for s in subjects(t, [record])}
    assert {each.get("active", each.get("status")) for each in states.values()} == {
        False,
        "inactive",
    }


def test_all_names_of_ours_are_documented_and_no_others() -> None:
    used = {
        url
        for listing in (everything(), *fictional())
        for url in urls(list(drawn(listing).values()))
    }
    used |= {OWN + "distance-approximate", OWN + "area-only"}
    documented = (Path(__file__).parents[2] / "docs" / "fhir.md").read_text()
    names = set(
        re.findall(r"^\| `(?:StructureDefinition|CodeSystem)/([a-z-]+)`", documented, re.MULTILINE)
    )
    assert names == {url.rpartition("/")[2] for url in used}
    assert has(Type.ORGANIZATION, everything())
