"""Fictional listings, clustered like the population, made many times as fast as through Listing.

About 1,400 bytes each: what a clinic's own listing says when most of it is filled in. The first of
them are read as a Listing, so that a change of its shape is noticed here.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from random import Random

import numpy as np
import orjson
import zipcodes

from directory.listing import Change, Listing
from directory.search.distance import Grid, to_grid
from directory.vocabulary import Kind, vocabulary

NOW = datetime.now(UTC)
_AS_OF = NOW.date().isoformat()
_CHECKED = 100
_KINDS = 20_000
_TERMS = {kind: [term.value for term in vocabulary().terms(kind)] for kind in Kind}

GIVEN = [
    f"{a}{b}"
    for b in ("na", "git", "rk", "el", "sha", "vid", "rie", "lo", "min", "dar")
    for a in ("An", "Bri", "Ma", "Jo", "Ta", "Da", "Le", "Chi", "Ro", "Sa", "Ke", "Vi")
]
FAMILY = [f"{a}{b}{c}" for c in ("", "s", "ton", "-Lee", "ová", "sen", "man")
          for b in ("castle", "moor", "by", "field", "wood", "ridge", "well", "ner", "kow", "ett")
          for a in ("Fern", "Hale", "Wynn", "Oka", "Bran", "Cor", "Dun", "Ell", "Gar", "Hol", "Ing",
                    "Kel", "Lan", "Mar", "Nor", "Os", "Pres", "Rad", "Stan", "Tor", "Wes")]  # fmt: skip
"""The first are the most frequent."""
_ABOUT = (
    "We needle with stretching and exercise, never on its own.",
    "Dry needling for runners and lifters, with a plan to take home.",
    "Quiet rooms, long visits, and a word about what needling cannot do.",
)
_STATED = ("name", "profession", "address", "location", "dry_needling", "techniques",
           "insurance_accepted", "accepting", "about", "clinic", "letters")  # fmt: skip
_PROVENANCE = {field: {"source": "clinic", "as_of": _AS_OF} for field in _STATED}


@cache
def towns() -> list[dict[str, str]]:
    """ZIPs as often as people live by them: delivery ZIPs are about equal in population."""
    every = zipcodes.list_all()  # type: ignore[no-untyped-call]  # compiled
    return [z for z in every if z["zip_code_type"] == "STANDARD" and float(z["lat"])]


def generated(many: int) -> Iterator[Change]:
    """So many listings, the same ones each time, as changes that put them."""
    rng, places = Random(1), towns()
    kinds = [_of_a_kind(rng) for _ in range(_KINDS)]
    for number in range(1, many + 1):
        who_and_where = orjson.dumps(_who_and_where(number, rng, places))
        document = b"%s,%s" % (who_and_where[:-1], rng.choice(kinds)[1:])
        if number <= _CHECKED:
            Listing.model_validate_json(document)
        yield Change(number, f"b{number:07}", document, NOW)


def points(many: int) -> Grid:
    """Where so many of them are, in their order."""
    places = (orjson.loads(each.document or b"")["location"] for each in generated(many))
    flat = np.fromiter((p[which] for p in places for which in ("lat", "lon")), float, 2 * many)
    return to_grid(flat[::2], flat[1::2])


def _frequent(names: list[str], rng: Random) -> str:
    return names[int(rng.random() ** 2 * len(names))]


def _who_and_where(number: int, rng: Random, places: list[dict[str, str]]) -> dict[str, object]:
    town = places[int(rng.random() * len(places))]
    return {
        "id": f"b{number:07}",
        "name": {"given": _frequent(GIVEN, rng), "family": _frequent(FAMILY, rng)},
        "address": {
            "line1": f"{number % 9000} Main St", "city": town["city"], "state": town["state"],
            "postal_code": town["zip_code"],
        },
        "location": {
            "lat": float(town["lat"]) + rng.random() * 0.1 - 0.05,
            "lon": float(town["long"]) + rng.random() * 0.1 - 0.05, "precision": "rooftop",
        },
        "phone": f"+1512{2_000_000 + number % 7_000_000}",
    }  # fmt: skip


def _of_a_kind(rng: Random) -> bytes:
    """What many listings say alike: all but who it is and where."""
    said: dict[str, object] = {
        "letters": ["PT", "DPT"],
        "clinic": f"{_frequent(FAMILY, rng)} Sports Rehab",
        "profession": rng.choices(_TERMS[Kind.PROFESSION], (1, 3, 6))[0],
        "dry_needling": rng.choice(("yes", "unknown")),
        "accepting": rng.choice(("yes", "no", "unknown")),
        "about": rng.choice(_ABOUT),
        "provenance": _PROVENANCE,
    }
    for field, kind, most in (
        ("techniques", Kind.TECHNIQUE, 3), ("conditions", Kind.CONDITION, 6),
        ("insurance_accepted", Kind.INSURANCE, 5), ("languages", Kind.LANGUAGE, 2),
    ):  # fmt: skip
        said[field] = rng.sample(_TERMS[kind], rng.randint(0, most))
    if rng.random() < 0.5:
        least = rng.randint(60, 160)
        said["first_visit_price"] = {"least": least, "most": least + 40}
    if said["dry_needling"] == "yes" and rng.random() < 0.7:
        said["attestation"] = {"on": _AS_OF, "by": "the clinic", "method": "form"}
    return orjson.dumps(said)
