"""The judge of both engines: a brute-force scan that shares nothing with them but the listings.

Its distance is the plain haversine of the textbook, its words are split anew, its facets are read
off the listing's fields.
"""

import re
import unicodedata
from collections.abc import Sequence
from math import asin, cos, inf, radians, sin, sqrt

from directory.listing import Listing
from directory.search.engine import Ask, Circle, Sort


def distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    (lat1, lon1), (lat2, lon2) = (map(radians, a), map(radians, b))
    h = sin((lat1 - lat2) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon1 - lon2) / 2) ** 2
    return 2 * 6_371_008.7714 * asin(min(1.0, sqrt(h)))


def facet_values(listing: Listing) -> dict[str, set[str]]:
    said_insurance = listing.insurance_accepted or listing.insurance_refused
    return {
        "profession": {listing.profession},
        "technique": set(listing.techniques),
        "condition": set(listing.conditions),
        "insurance": set(listing.insurance_accepted) if said_insurance else {"unknown"},
        "setting": {listing.setting} - {None},
        "language": set(listing.languages),
        "accepting": {listing.accepting.value},
        "cash_pay": {listing.cash_pay.value},
        "wheelchair_access": {listing.wheelchair_access.value},
        "home_visits": {listing.home_visits.value},
        "telehealth": {listing.telehealth.value},
        "gender": {listing.gender or "unknown"},
        "evidence": {evidence(listing)},
        "confirmed": {"yes" if listing.dry_needling == "yes" else "no"},
        "licence_checked": {"yes" if listing.licence_check else "no"},
    }


def evidence(listing: Listing) -> str:
    if listing.dry_needling != "yes":
        return "unknown"
    seen = [c for c in listing.certificates if c.dry_needling and c.verified_on is not None]
    return "verified" if seen else "stated"


def split(text: str) -> set[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if unicodedata.category(c)[0] != "M")
    for odd, even in ("ß", "ss"), ("ø", "o"), ("ł", "l"), ("'", ""), ("’", ""):
        plain = plain.replace(odd, even)
    return set(re.split(r"[\W_]+", plain)) - {""}


def tier(listing: Listing, words: Sequence[str], tokens: set[str]) -> int:
    mine = {f"{f}:{v}" for f, values in facet_values(listing).items() for v in values}
    labels = {
        "physical-therapist": "Physical therapist",
        "chiropractor": "Chiropractor",
        "orthopedic-doctor": "Orthopedic doctor",
        "neck-pain": "Neck pain",
        "back-pain": "Back pain",
        "pistoning": "Pistoning (in and out)",
    }
    said = (listing.profession, *listing.techniques, *listing.conditions)
    text = [listing.address.city, listing.about or "", *listing.letters, *(labels[t] for t in said)]
    name = f"{listing.name.given} {listing.name.family}"
    places = [(4, name), (2, listing.clinic or ""), (1, "\n".join(text))]
    found = [t for t, where in places if set(words) <= split(where)]
    return max(found + [3] * bool(mine & tokens), default=0)


KNIFE_EDGE_M = 0.2
"""The engines keep points on a grid of a centimetre, and to them lengths under 13 cm are nothing:
whether a listing this near to the radius is in, only a comparison of both can tell."""


class Verdict:
    """What an ask must find: `ordered` as (score, distance, listing), and every facet count.

    `undecided` where a listing lies on the knife's edge of the radius.
    """

    def __init__(self, listings: Sequence[Listing], ask: Ask) -> None:
        chosen = dict(ask.facets)
        kept: list[tuple[int, float, Listing]] = []
        self.counts: dict[tuple[str, str], int] = {}
        self.undecided = False
        for listing in listings:
            tiers = [tier(listing, c.words, {t.token for t in c.terms}) for c in ask.clauses]
            price = listing.first_visit_price.most if listing.first_visit_price else inf
            away = distance(ask.area.centre, listing.location.point) if ask.circle else 0.0
            inside = not isinstance(ask.area, str) or listing.address.state == ask.area
            if isinstance(ask.area, Circle) and ask.area.radius_m is not None:
                inside = away <= ask.area.radius_m
                same = listing.location.point == ask.area.centre
                self.undecided |= not same and abs(away - ask.area.radius_m) < KNIFE_EDGE_M
            if (
                not inside
                or 0 in tiers
                or price > (inf if ask.max_price is None else ask.max_price)
            ):
                continue
            values = facet_values(listing)
            failed = [f for f, wanted in chosen.items() if not values[f] & set(wanted)]
            for facet, mine in values.items():
                for value in mine if not set(failed) - {facet} else ():
                    self.counts[facet, value] = self.counts.get((facet, value), 0) + 1
            attested = listing.attestation.on if listing.attestation else None
            score = 8 * sum(tiers) + 4 * (listing.dry_needling == "yes")
            score += 2 * bool(attested and attested >= ask.fresh_since) + bool(
                listing.licence_check
            )
            if not failed:
                kept.append((score if ask.sort is Sort.BEST else 0, away, listing))
        self.ordered = sorted(kept, key=lambda row: (-row[0], row[1], row[2].id))
        self.total = len(kept)
