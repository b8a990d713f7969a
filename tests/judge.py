"""The judge of both engines: a brute-force scan that shares nothing with them but the listings.

Its distance is the plain haversine of the textbook, its words are split anew, its facets are read
off the listing's fields.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from math import asin, atanh, cos, inf, pi, radians, sin, sqrt

from directory.listing import Listing
from directory.search.engine import Ask, Sort
from directory.search.lookup import Criterion, Field, Lookup
from directory.search.scope import Circle, Scope


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


def in_scope(listing: Listing, scope: Scope) -> bool:
    if scope.states and listing.address.state not in scope.states:
        return False
    values = facet_values(listing)
    return all(values[facet] & set(wanted) for facet, wanted in scope.facets)


def evidence(listing: Listing) -> str:
    if listing.dry_needling != "yes":
        return "unknown"
    seen = [c for c in listing.certificates if c.dry_needling and c.verified_on is not None]
    return "verified" if seen else "stated"


def split(text: str) -> set[str]:
    return set(in_order(text))


def in_order(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if unicodedata.category(c)[0] != "M").casefold()
    for odd, even in ("ß", "ss"), ("ø", "o"), ("ł", "l"), ("'", ""), ("’", ""):
        plain = plain.replace(odd, even)
    return [word for word in re.split(r"[\W_]+", plain) if word]


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


def tile(point: tuple[float, float], zoom: int) -> tuple[float, float]:
    """Column and row of a point on the square map of the web, with what is behind the point."""
    latitude, longitude = (max(-85.0511287, min(85.0511287, point[0])), point[1])
    mercator = atanh(sin(radians(latitude))) / pi
    return (longitude + 180) / 360 * 2**zoom, (1 - mercator) / 2 * 2**zoom


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
            if not in_scope(listing, ask.scope):
                continue
            failed = [f for f, wanted in chosen.items() if not values[f] & set(wanted)]
            for facet, mine in values.items():
                for value in mine if not set(failed) - {facet} else ():
                    self.counts[facet, value] = self.counts.get((facet, value), 0) + 1
            attested = listing.attestation.on if listing.attestation else None
            score = 8 * sum(tiers) + 4 * (listing.dry_needling == "yes")
            score += 2 * bool(attested and attested >= ask.fresh_since) + bool(
                listing.licence_check
            )
            by = {Sort.BEST: score, Sort.PRICE: -min(price, 1_000_000), Sort.DISTANCE: 0}
            if not failed:
                kept.append((int(by[ask.sort]), away, listing))
        self.ordered = sorted(kept, key=lambda row: (-row[0], row[1], row[2].id))
        self.total = len(kept)


def texts(listing: Listing, field: Field) -> list[str]:
    """What a listing has in a field, folded: every word of its own where it is a person's name."""
    name, address = listing.name, listing.address
    several = {
        Field.ID: [listing.id],
        Field.NPI: [listing.npi],
        Field.GIVEN: [name.given],
        Field.MIDDLE: [name.middle],
        Field.FAMILY: [name.family],
        Field.NAME: in_order(f"{name.given} {name.middle or ''} {name.family}"),
        Field.CLINIC: [listing.clinic],
        Field.LINE1: [None if listing.area_only else address.line1],
        Field.CITY: [address.city],
        Field.STATE: [address.state],
        Field.POSTAL_CODE: [address.postal_code[:5] if listing.area_only else address.postal_code],
        Field.TAXONOMY: [each.code for each in listing.taxonomies],
        Field.PROFESSION: [listing.profession],
    }
    return [folded(field, text) for text in several[field] if text]


@cache
def folded(field: Field, text: str) -> str:
    return text if field is Field.ID else " ".join(in_order(text))


def holds(listing: Listing, criterion: Criterion) -> bool:
    for field in criterion.fields:
        wanted = [value for value in (folded(field, v) for v in criterion.values) if value]
        for text in texts(listing, field):
            if text in wanted or (criterion.begins and text.startswith(tuple(wanted))):
                return True
    return False


Dated = tuple[Listing, datetime]


def looked_up(listings: Sequence[Dated], wanted: Lookup) -> list[tuple[float, str, Listing]]:
    """What a lookup must find, in order: the distance, the practitioner, the listing."""
    found = []
    for listing, at in listings:
        away = distance(wanted.circle.centre, listing.location.point) if wanted.circle else 0.0
        radius = wanted.circle.radius_m if wanted.circle else None
        if (
            (radius is None or away <= radius)
            and in_scope(listing, wanted.scope)
            and all(holds(listing, criterion) for criterion in wanted.criteria)
            and (listing.npi or not wanted.with_npi)
            and (wanted.since is None or at >= wanted.since)
            and (wanted.before is None or at < wanted.before)
        ):
            found.append((away, "" if wanted.circle else listing.npi or "nobody", listing))
    return sorted(found, key=lambda row: (row[0], row[1], row[2].id))


def undecided(listings: Sequence[Dated], circle: Circle | None) -> bool:
    """Whether a listing lies on the knife's edge of a circle."""
    if circle is None or circle.radius_m is None:
        return False
    return any(
        listing.location.point != circle.centre
        and abs(distance(circle.centre, listing.location.point) - circle.radius_m) < KNIFE_EDGE_M
        for listing, _ in listings
    )
