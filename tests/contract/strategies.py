"""Listings and asks for the contract: small worlds in which everything collides.

Hypothesis draws the size and the seed of a world and a seed for each ask, and names them where a world
fails: `a_corpus(seed, size)` and `an_ask(seed, spots)` make it again.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from directory.listing import Listing
from directory.search.engine import Ask, Sort
from directory.search.lookup import Criterion, Field, Lookup
from directory.search.scope import Circle, Scope
from directory.vocabulary import vocabulary
from tests.builders import NOW, TODAY, a_listing
from tests.judge import Dated, texts

Point = tuple[float, float]

EDGES = [
    (90.0, 0.0), (-90.0, 0.0), (89.9999, 12.0), (0.0, 0.0), (0.0, -180.0), (10.0, 179.9999),
    (10.0, -179.9999), (0.0, 90.0), (-45.0, 0.25), (30.25, -97.75), (30.2713, -97.7426),
]  # fmt: skip
NAMES = ["Ana", "Núñez", "O'Brien", "Smith-Jones", "Łukasz", "Dry", "Neck", "José María", "李"]
CLINICS = [None, "Núñez Physical Therapy", "Smith Chiropractic", "Neck & Back", "Straße 9", "Ana's"]
ABOUTS = [None, "We treat the neck.", "Ana says: pistoning", "Smith, O’Brien & Núñez", "Zoë"]
TEXTS = [
    "", "chiro", "ana", "núñez", "NUNEZ pt", "neck pain", "o'brien", "obrien smith", "back doctor",
    "dry needling", "physical therapy nunez", "pistoning ana", "nobody", "李", "smith", "strasse",
    "neck", "austin", "aetna", "ana neck pain chiro", "zoe", "👍", "the",
]  # fmt: skip
ANSWERS = ["yes", "no", "unknown"]
FACETS = {
    "profession": ["physical-therapist", "chiropractor", "orthopedic-doctor"],
    "technique": ["pistoning", "superficial"],
    "condition": ["neck-pain", "back-pain", "migraine"],
    "insurance": ["aetna", "cigna", "unknown"],
    "setting": ["therapy-clinic", "outpatient-rehab"],
    "language": ["en", "es", "fr"],
    "accepting": ANSWERS,
    "cash_pay": ANSWERS,
    "wheelchair_access": ANSWERS,
    "home_visits": ANSWERS,
    "telehealth": ANSWERS,
    "gender": ["female", "male", "unknown"],
    "evidence": ["verified", "stated", "unknown"],
    "confirmed": ["yes", "no"],
    "licence_checked": ["yes", "no"],
}
CHECKED = {"title": "B", "dry_needling": True, "verified_on": "2026-01-01"}
RADII = [0.0, 160.9344, 40_233.6, 80_467.2, 2_000_000.0, 8_046_720.0, 19_000_000.0, None, None]

SIZES = [60, 60, 60, 60, 30, 5, 1, 0]

_seeds = st.integers(0, 2**32)


def corpora() -> st.SearchStrategy[list[Listing]]:
    """Up to 60 listings on a dozen spots; ids are unique and sort unlike they were made."""
    return st.tuples(_seeds, st.sampled_from(SIZES)).map(lambda drawn: a_corpus(*drawn))


def a_corpus(seed: int, size: int) -> list[Listing]:
    rng, at = Random(seed), spots(seed)
    return [a_random_listing(rng, f"{rng.randrange(7)}{number:03}", at) for number in range(size)]


def rounds(many: int) -> st.SearchStrategy[list[int]]:
    """Seeds for `an_ask` or `a_query`, all drawn from one."""
    return _seeds.map(lambda seed: [Random(f"{seed} {n}").getrandbits(32) for n in range(many)])


def spots(seed: int) -> list[Point]:
    rng = Random(seed)
    return [a_point(rng) for _ in range(rng.choice([1, 3, 12]))]


def a_point(rng: Random) -> Point:
    near = rng.choice(EDGES)
    size = rng.choice([0, 0, 1e-7, 1e-4, 0.1, 0.6])
    latitude, longitude = (value + rng.uniform(-size, size) for value in near)
    if rng.random() < 0.15:
        latitude, longitude = rng.uniform(-90, 90), rng.uniform(-180, 180)
    return max(-90.0, min(90.0, latitude)), (longitude + 180) % 360 - 180


def a_random_listing(rng: Random, id_: str, at: Sequence[Point]) -> Listing:
    def some(values: list[str]) -> list[str]:
        return rng.sample(values, rng.randrange(len(values) + 1))

    licence = {"state": "TX", "checked_on": "2026-01-01", "expires_on": "2028-01-01"}
    attested = rng.choice([None, TODAY, TODAY - timedelta(90), TODAY - timedelta(91), date.min])
    price: Any = rng.choice([None, (0, 0), (80, 120), (100, 100), (150, 200)])
    return a_listing(
        id_,
        point=rng.choice(at),
        name={"given": rng.choice(NAMES), "family": rng.choice(NAMES)},
        profession=rng.choice(FACETS["profession"]),
        clinic=rng.choice(CLINICS),
        about=rng.choice(ABOUTS),
        letters=some(["PT", "DPT", "DC"]),
        address={"city": "Austin", "state": rng.choice(["TX", "AK"]), "postal_code": "78701"},
        techniques=some(["pistoning"]),
        conditions=some(["neck-pain", "back-pain"]),
        insurance_accepted=some(["aetna", "cigna"]),
        insurance_refused=some(["humana"]),
        setting=rng.choice([None, "therapy-clinic", "doctors-office"]),
        languages=some(["en", "es"]),
        accepting=rng.choice(ANSWERS),
        cash_pay=rng.choice(ANSWERS),
        wheelchair_access=rng.choice(ANSWERS),
        home_visits=rng.choice(ANSWERS),
        telehealth=rng.choice(ANSWERS),
        gender=rng.choice([None, "female", "male"]),
        certificates=rng.choice([[], [{"title": "A", "dry_needling": True}], [CHECKED]]),
        dry_needling=rng.choice(ANSWERS),
        licence_check=rng.choice([None, licence]),
        first_visit_price=price and {"least": price[0], "most": price[1]},
        attestation=attested and {"on": attested, "by": "Ana", "method": "form"},
    )


NPIS = [None, None, "1234567893", "1245319599", "1962503458", "1003000126"]
MIDDLES = [None, None, "M", "María", "De la O", "’"]
STREETS = [None, "1 Main St", "12 O’Connor Blvd", "1 Maine Ave", "#", "Straße 9"]
TOWNS = [
    ("Austin", "TX", "78701"), ("Austin", "TX", "78701-1234"), ("Austintown", "OH", "44515"),
    ("San José", "CA", "95112"), ("Anchorage", "AK", "99501"), ("St. John’s", "AK", "99502-0001"),
]  # fmt: skip
CODES = ["2251X0800X", "225100000X", "111N00000X", "207X00000X", "2251S0007X"]
TIMES = [NOW + timedelta(microseconds=n) for n in (-86_400_000_000, -1, 0, 0, 1, 2)]
STRANGERS = [
    "",
    "👍",
    "a",
    "an",
    "nobody",
    "%",
    "_",
    "*",
    "a'b",
    "ana\tmaria",
    "~",
    "0",
    "austin tx",
]


def dated_corpora() -> st.SearchStrategy[list[Dated]]:
    """Listings with all that can be looked up, several of a practitioner, and when they changed."""
    return st.tuples(_seeds, st.sampled_from(SIZES)).map(lambda drawn: a_dated_corpus(*drawn))


def a_dated_corpus(seed: int, size: int) -> list[Dated]:
    rng = Random(seed)
    return [(also_listed(rng, listing), rng.choice(TIMES)) for listing in a_corpus(seed, size)]


def also_listed(rng: Random, listing: Listing) -> Listing:
    """A listing with an NPI, taxonomies, a middle name and an address drawn anew; some hide it."""
    city, state, postal_code = rng.choice(TOWNS)
    said = listing.model_dump(exclude_unset=True)
    codes = rng.sample(CODES, rng.choice([0, 1, 1, 2]))
    said |= {
        "npi": rng.choice(NPIS),
        "name": {**said["name"], "middle": rng.choice(MIDDLES)},
        "taxonomies": [{"code": code} for code in codes],
        "address": {
            "line1": rng.choice(STREETS), "city": city, "state": state, "postal_code": postal_code,
        },
    }  # fmt: skip
    if rng.random() < 0.2:
        said["area_only"] = True
        said["location"] = {**said["location"], "precision": "postal_code"}
    return Listing.model_validate(said)


def a_lookup(seed: int, corpus: Sequence[Dated]) -> Lookup:
    rng = Random(seed)
    circle = None
    if rng.random() < 0.4:
        at = [listing.location.point for listing, _ in corpus]
        centre = rng.choice(at) if at and rng.random() < 0.7 else a_point(rng)
        circle = Circle(centre, rng.choice([rng.choice(RADII), rng.uniform(0, 200_000)]))
    within = rng.sample(["profession", "insurance", "accepting"], rng.choice([0, 0, 0, 1, 2]))
    since, before = rng.choice(TIMES), rng.choice(TIMES)
    return Lookup(
        scope=Scope(
            tuple(rng.sample(["TX", "AK", "HI"], rng.choice([0, 0, 0, 1, 2]))),
            tuple((f, tuple(rng.sample(FACETS[f], rng.choice([1, 2])))) for f in within),
        ),
        criteria=tuple(a_criterion(rng, corpus) for _ in range(rng.choice([0, 1, 1, 1, 1, 2, 3]))),
        circle=circle,
        since=since if rng.random() < 0.2 else None,
        before=before if rng.random() < 0.2 else None,
        limit=rng.choice([1, 3, 7, 100]),
        with_npi=rng.random() < 0.2,
    )


def a_criterion(rng: Random, corpus: Sequence[Dated]) -> Criterion:
    """What a listing has in a field, as it is or as somebody may write it; or a stranger."""
    fields = tuple(rng.sample(list(Field), rng.choice([1, 1, 1, 1, 2])))
    begins = rng.random() < 0.5
    values = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        known = [text for listing, _ in corpus[:7] for text in texts(listing, rng.choice(fields))]
        value = rng.choice([*known, rng.choice(STRANGERS)])
        if rng.random() < (0.7 if begins else 0.05):
            value = value[: rng.randrange(1, 9)]
        values.append(rng.choice([value, value, value.upper(), f" {value}’"]))
    return Criterion(fields, tuple(values), begins)


def an_ask(seed: int, at: Sequence[Point]) -> Ask:
    rng = Random(seed)
    area: Circle | str | None = rng.choice(["TX", "AK", "HI", None])
    if rng.random() < 0.8:
        centre = rng.choice(at) if at and rng.random() < 0.7 else a_point(rng)
        radius = rng.choice([rng.choice(RADII), rng.uniform(0, 200_000)])
        area = Circle(centre, radius)
    facets = rng.sample(sorted(FACETS), rng.choice([0, 0, 0, 1, 2, 3]))
    within = rng.sample(["profession", "insurance", "accepting"], rng.choice([0, 0, 0, 1, 2]))
    scope = Scope(
        tuple(rng.sample(["TX", "AK", "HI"], rng.choice([0, 0, 1, 2]))),
        tuple((f, tuple(rng.sample(FACETS[f], rng.choice([1, 2])))) for f in within),
    )
    return Ask(
        scope=scope,
        area=area,
        clauses=vocabulary().understand(rng.choice(["", "", "", rng.choice(TEXTS)])),
        facets=tuple((f, tuple(rng.sample(FACETS[f], rng.choice([1, 2])))) for f in facets),
        max_price=rng.choice([None, None, None, 0, 100, 120]),
        fresh_since=TODAY - timedelta(90),
        sort=rng.choice(list(Sort) if isinstance(area, Circle) else [Sort.BEST, Sort.PRICE]),
        limit=rng.choice([1, 3, 7, 100]),
    )
