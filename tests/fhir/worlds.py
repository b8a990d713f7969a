"""Small directories in which everything collides, and what one may ask of them.

A world and a question are made again by their seeds.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from directory.fhir.elements import Record
from tests.builders import a_listing
from tests.contract.strategies import Point, a_point
from tests.fhir.judge import folded
from tests.indexer.test_fhir import an_npi

GIVEN = ["Ana", "José María", "Zoë", "Łukasz", "Bo", "李", "Anneliese"]
FAMILY = ["Núñez", "O'Brien", "Smith-Jones", "de la Cruz", "Ng", "Nunes", "李"]
CLINICS = [None, "Núñez Physical Therapy", "Smith Chiropractic", "Neck & Back", "Ana's", "Straße 9"]
CITIES = [
    ("Austin", "TX", "78701"),
    ("Austin", "MN", "55912-1234"),
    ("St. Paul", "MN", "55101"),
    ("Ñapa", "CA", "94558"),
]
STREETS = [
    (None, None),
    ("1 Main St", None),
    ("10 Mainland Ave", "Suite 3"),
    ("Austin Blvd 7", "Minnesota Wing"),
]
CODES = ["225100000X", "2251S0007X", "111N00000X", "207X00000X"]
BEGAN = datetime(2026, 2, 27, 22, tzinfo=UTC)
MOMENTS = [timedelta(0), timedelta(microseconds=1), timedelta(milliseconds=1), timedelta(seconds=1), timedelta(hours=2), timedelta(days=1), timedelta(days=30), timedelta(days=400)]  # fmt: skip


def a_world(seed: int, size: int) -> list[Record]:
    rng = Random(seed)
    spots = [a_point(rng) for _ in range(4)]
    npis = [an_npi(rng.randrange(10_000)) for _ in range(size // 3 + 1)]
    return [a_record(rng, f"{rng.randrange(7)}x{number:03}", spots, npis) for number in range(size)]


def a_record(rng: Random, id_: str, spots: Sequence[Point], npis: Sequence[str]) -> Record:
    city, state, postal_code = rng.choice(CITIES)
    is_hidden = rng.random() < 0.1
    line1, line2 = (None, None) if is_hidden else rng.choice(STREETS)
    latitude, longitude = rng.choice([rng.choice(spots), a_point(rng)])
    precision = "city" if is_hidden else rng.choice(["rooftop", "street", "postal_code"])
    fields: dict[str, Any] = {
        "name": {"given": rng.choice(GIVEN), "family": rng.choice(FAMILY), "middle": rng.choice([None, None, "Ann", "M."])},
        "npi": rng.choice([None, *npis]) if rng.random() < 0.8 else None,
        "profession": rng.choice(["physical-therapist", "chiropractor", "orthopedic-doctor"]),
        "taxonomies": [{"code": code, "primary": n == 0} for n, code in enumerate(rng.sample(CODES, rng.randrange(3)))],
        "clinic": rng.choice(CLINICS),
        "address": {"line1": line1, "line2": line2, "city": city, "state": state, "postal_code": postal_code[:5] if is_hidden else postal_code},
        "location": {"lat": latitude, "lon": longitude, "precision": precision},
        "area_only": is_hidden,
        "setting": rng.choice([None, "therapy-clinic", "doctors-office", "outpatient-rehab"]),
        "techniques": rng.sample(["deep", "pistoning", "electrical"], rng.randrange(3)),
        "dry_needling": rng.choice(["yes", "unknown"]),
    }  # fmt: skip
    return Record(a_listing(id_, **fields), BEGAN + rng.choice(MOMENTS))


def a_word(rng: Random, texts: Sequence[str | None]) -> str:
    """A beginning of one of some texts, not always written as it is."""
    text = rng.choice([each for each in texts if each])
    text = rng.choice([text, text.upper(), text.lower(), text.replace("ñ", "n").replace("ú", "u")])
    return text[: rng.choice([1, 2, 4, 99])] or "x"


def a_value(rng: Random, type_: str, parameter: str, world: Sequence[Record], base: str) -> str:
    """A value of a parameter (the one at the end of a chain), nearly always one that finds something."""
    record = rng.choice(world)
    listing, known = record.listing, rng.choice(world).listing
    person = f"npi.{listing.npi}" if listing.npi else listing.id
    if parameter == "near":
        centre = rng.choice([listing.location.point, a_point(rng)])
        length, unit = rng.choice(
            [
                ("0", "km"),
                ("3", "m"),
                ("40", "km"),
                ("500", "mi"),
                ("700000", "ft"),
                (f"{rng.uniform(0, 800):.3f}", "km"),
            ]
        )
        return f"{centre[0]!r}|{centre[1]!r}|{length}|{unit}"
    if parameter == "_lastUpdated":
        time = (record.updated_at + rng.choice([0, 0, 1]) * timedelta(microseconds=1)).strftime(
            "%Y-%m-%dT%H:%M:%S.%f"
        )
        length = rng.choice([4, 7, 10, 19, 23, 26])
        return (
            rng.choice(["", "eq", "ge", "gt", "le", "lt"])
            + time[:length]
            + ("Z" if length > 10 else "")
        )
    texts: dict[str, list[str | None]] = {
        "family": [listing.name.family], "given": [listing.name.given, listing.name.middle],
        "name": [listing.clinic, "Smith"] if type_ != "Practitioner" else [listing.name.given, listing.name.family, f"{listing.name.given} {listing.name.family}"],
        "address": [listing.address.line1, listing.address.line2, listing.address.city, listing.address.state, listing.address.postal_code],
        "address-city": [listing.address.city], "address-state": [listing.address.state], "address-postalcode": [listing.address.postal_code],
    }  # fmt: skip
    if parameter in texts:
        words = [a_word(rng, texts[parameter]) for _ in range(rng.choice([1, 1, 1, 2]))]
        # Of a person's several names each is one word (docs/fhir.md).
        is_one = (
            type_ == "Practitioner"
            and parameter == "name"
            and any(" " in folded(each) for each in words)
        )
        return words[0] if is_one else ",".join(words)
    npi, nucc = "http://hl7.org/fhir/sid/us-npi", "http://nucc.org/provider-taxonomy"
    systems = f"{base.removesuffix('/r4')}/CodeSystem"
    plan_net = "http://hl7.org/fhir/us/davinci-pdex-plan-net/CodeSystem"
    code = rng.choice([each.code for each in known.taxonomies] or CODES)
    choices: dict[str, list[str]] = {
        "identifier": [listing.npi or an_npi(1), f"{npi}|{listing.npi or an_npi(2)}", "urn:other|1"],
        "practitioner": [person, f"Practitioner/{person}", f"{base}/Practitioner/{person},{known.id}"],
        "organization": [listing.id, f"Organization/{listing.id}", f"{base}/Organization/{listing.id}"],
        "location": [listing.id, f"Location/{listing.id},{known.id}", f"Organization/{listing.id}"],
        "service": [listing.id, f"HealthcareService/{listing.id}"],
        "role": ["pt", "ch,ph", f"{plan_net}/ProviderRoleCS|pt", f"{systems}/profession|chiropractor", "|pt", f"{nucc}|pt"],
        "specialty": [code, f"{nucc}|{code}", f"{code},111N00000X", f"urn:x|{code}"],
        "type": ["OF", "PROFF,therapy-clinic", f"{systems}/setting|outpatient-rehab", "prvgrp", "pharm", f"{plan_net}/OrgTypeCS|prvgrp"],
        "service-category": ["prov", "hosp", f"{plan_net}/HealthcareServiceCategoryCS|prov"],
        "service-type": ["dry-needling", f"{systems}/service|dry-needling", "acupuncture"],
        "characteristic": ["deep", "pistoning,electrical", f"{systems}/technique|deep"],
        "_id": [person if type_ == "Practitioner" else listing.id, f"{known.id},{listing.id}", f"{person},{known.id}", "nobody"],
    }  # fmt: skip
    return rng.choice(choices[parameter])
