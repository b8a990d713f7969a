"""The judge of FHIR searches: it reads the resources as they are served, one by one.

It shares with the search nothing but the resources' own drawing: it folds texts anew, follows the
references in the JSON, and measures by the haversine of the textbook. What is asked of a
Practitioner it does not read from the person as served, but from each listing's own.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from directory.fhir.elements import Record, Site
from directory.fhir.resources import Type, subjects
from tests.judge import KNIFE_EDGE_M, distance

Json = dict[str, Any]
Pairs = Sequence[tuple[str, str]]

METRES = {"": 1000.0, "km": 1000.0, "m": 1.0, "mi": 1609.344, "ft": 0.3048}
LINKS = {
    ("PractitionerRole", "practitioner"): "practitioner",
    ("PractitionerRole", "organization"): "organization",
    ("PractitionerRole", "location"): "location",
    ("PractitionerRole", "service"): "healthcareService",
    ("Location", "organization"): "managingOrganization",
    ("HealthcareService", "organization"): "providedBy",
    ("HealthcareService", "location"): "location",
}
STRINGS = {
    "family": ["name.family"],
    "given": ["name.given"],
    "address": ["address.line", "address.city", "address.state", "address.postalCode"],
    "address-city": ["address.city"],
    "address-state": ["address.state"],
    "address-postalcode": ["address.postalCode"],
    "name": ["name"],
}
TOKENS = {
    "role": "code",
    "specialty": "specialty",
    "type": "type",
    "service-category": "category",
    "service-type": "type",
    "characteristic": "characteristic",
}


def folded(text: str) -> str:
    """Words without case, accents and apostrophes, parted by one space."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if unicodedata.category(c)[0] != "M")
    for odd, even in ("ß", "ss"), ("ø", "o"), ("ł", "l"), ("'", ""), ("’", ""):
        plain = plain.replace(odd, even)
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def values(resource: Any, path: str) -> list[Any]:
    found = [resource]
    for step in path.split("."):
        inside = [each.get(step, []) for each in found]
        found = [one for each in inside for one in (each if isinstance(each, list) else [each])]
    return found


def referred(resource: Json, link: str) -> list[str]:
    """`Location/1`, …: what a resource refers to by a search parameter's name."""
    element = LINKS.get((resource["resourceType"], link))
    return values(resource, f"{element}.reference") if element else []


def name(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


class World:
    """All that is served of some records, by name.

    Of a Practitioner one listing must be all that is asked (docs/fhir.md), so what is asked of one
    is judged in the worlds of each listing alone; and what a role asks of its practitioner in the
    world of the role's listing.
    """

    def __init__(self, records: Sequence[Record], site: Site) -> None:
        self.site = site
        self.points = {each.listing.id: each.listing.location.point for each in records}
        drawn = [each.draw(site) for type_ in Type for each in subjects(type_, records)]
        self.resources = {name(each): each for each in drawn}
        several = len(records) > 1
        self.alone = {each.listing.id: World([each], site) for each in records if several}
        self.undecided = False

    @property
    def person(self) -> Json:
        """The person of a world of one listing."""
        return next(
            each for each in self.resources.values() if each["resourceType"] == "Practitioner"
        )

    def found(self, type_: str, pairs: Pairs) -> set[str]:
        """The names of the resources for which everything holds."""
        return {
            named
            for named, resource in self.resources.items()
            if resource["resourceType"] == type_ and self._holds(named, resource, pairs)
        }

    def _holds(self, named: str, resource: Json, pairs: Pairs) -> bool:
        if resource["resourceType"] != "Practitioner" or not self.alone:
            return all(self.matches(resource, *pair) for pair in pairs)
        dates = [pair for pair in pairs if pair[0] == "_lastUpdated"]
        theirs = [each for each in self.alone.values() if named in each.resources]
        return all(self.matches(resource, *pair) for pair in dates) and any(
            all(each.matches(each.person, *pair) for pair in pairs) for each in theirs
        )

    def matches(self, resource: Json, parameter: str, said: str) -> bool:
        if parameter.startswith("_has:"):
            _, source, link, rest = parameter.split(":", 3)
            return any(
                name(resource) in referred(each, link) and self.matches(each, rest, said)
                for each in self.resources.values()
                if each["resourceType"] == source
            )
        if "." in parameter:
            link, rest = parameter.split(".", 1)
            if link.startswith("practitioner") and self.alone:
                alone = self.alone[resource["id"]]
                return alone.matches(alone.person, rest, said)
            targets = referred(resource, link.split(":")[0])
            return any(self.matches(self.resources[each], rest, said) for each in targets)
        return any(self._is(resource, parameter, each) for each in said.split(","))

    def _is(self, resource: Json, parameter: str, said: str) -> bool:
        type_ = resource["resourceType"]
        if parameter == "_id":
            return bool(resource["id"] == said)
        if parameter == "_lastUpdated":
            return at_that_time(resource["meta"]["lastUpdated"], said)
        if parameter == "near":
            away, radius = self.away(resource["id"], said)
            self.undecided |= away > 0 and abs(away - radius) < KNIFE_EDGE_M
            return away <= radius
        if (type_, parameter) in LINKS:
            target = said.removeprefix(f"{self.site.base_url}/fhir/r4/")
            return any(
                target in (each, each.split("/")[1]) for each in referred(resource, parameter)
            )
        if parameter == "identifier":
            return any(
                is_token(each["system"], each["value"], said)
                for each in resource.get("identifier", [])
            )
        if parameter == "name" and type_ == "Practitioner":
            return is_named(resource, said)
        if parameter in STRINGS:
            texts = [folded(each) for each in searched(resource, parameter)]
            return bool(folded(said)) and any(each.startswith(folded(said)) for each in texts)
        codings = values(resource, f"{TOKENS[parameter]}.coding")
        return any(is_token(each["system"], each["code"], said) for each in codings)

    def away(self, id_: str, said: str) -> tuple[float, float]:
        """How far a listing's practice is from a circle's centre, and the circle's radius; metres."""
        latitude, longitude, length, unit = said.split("|")
        centre = (float(latitude), float(longitude))
        return distance(centre, self.points[id_]), float(length) * METRES[unit]

    def along(self, found: Iterable[str], includes: Pairs) -> set[str]:
        """The names of what comes along."""
        first = set(found)
        new, there = self._linked_by(first, includes), set(first)
        while new - there:
            there |= new
            new = self._linked_by(
                there, [each for each in includes if each[0].endswith(":iterate")]
            )
        return there - first

    def _linked_by(self, sources: set[str], includes: Pairs) -> set[str]:
        found: set[str] = set()
        for parameter, said in includes:
            found |= self._linked(sources, parameter.split(":")[0], *said.split(":")[:2])
        return found

    def _linked(self, sources: set[str], kind: str, type_: str, link: str) -> set[str]:
        if kind == "_include":
            here = [self.resources[each] for each in sources if each.startswith(f"{type_}/")]
            return {target for each in here for target in referred(each, link)}
        return {
            named
            for named, each in self.resources.items()
            if each["resourceType"] == type_ and sources & set(referred(each, link))
        }


def searched(resource: Json, parameter: str) -> list[str]:
    """The texts that a parameter searches: of a street the first line alone (docs/fhir.md)."""
    first, *more = (values(resource, path) for path in STRINGS[parameter])
    return (first[:1] if parameter == "address" else first) + [text for of in more for text in of]


def is_named(person: Json, said: str) -> bool:
    """Each word begins a word of one of the names."""
    asked = folded(said).split()
    names = [[*values(each, "given"), each["family"]] for each in person["name"]]
    return bool(asked) and any(
        all(
            any(own.startswith(word) for part in parts for own in folded(part).split())
            for word in asked
        )
        for parts in names
    )


def is_token(system: str, code: str, said: str) -> bool:
    if "|" not in said:
        return folded(code) == folded(said)
    asked_system, asked = said.split("|")
    return asked_system == system and folded(code) == folded(asked)


def at_that_time(time: str, said: str) -> bool:
    """By the text of a time: as many characters of it as the date has."""
    prefix, asked = (said[:2], said[2:]) if said[0].isalpha() else ("eq", said)
    whole = datetime.fromisoformat(time).strftime("%Y-%m-%dT%H:%M:%S.%f")
    begins = whole[: len(asked.removesuffix("Z"))]
    asked = asked.removesuffix("Z")
    return {
        "eq": begins == asked, "ge": begins >= asked, "gt": begins > asked, "le": begins <= asked, "lt": begins < asked,
    }[prefix]  # fmt: skip
