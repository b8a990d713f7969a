"""The gazetteer that ships: every US ZIP with its city, offline, as a geopy geocoder.

ZIPs, cities and points come from the package `zipcodes` (points: GeoNames, CC BY 4.0); what it
answers with 0,0 (872 ZIPs, most of them military) is unknown. An operator's Census files
(census.py) add populations, better points, and places that are no post office.
"""

import heapq
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from math import cos, radians
from typing import Any

import zipcodes
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location
from rapidfuzz import fuzz, process

from directory.places.census import CensusPlace
from directory.places.place import Place
from directory.states import STATE_NAMES
from directory.vocabulary.words import words

_ABBREVIATED = {"saint": "st", "sainte": "ste", "fort": "ft", "mount": "mt"}
_ZIP = re.compile(r"(\d{5})(?:-\d{4})?(?: \(.*\))?")
_COUNTRY = re.compile(r"[\s,]+(usa|u\.s\.a?\.?|united states)$", re.IGNORECASE)
_LONGEST = 200
_TAIL_ZIP = re.compile(r"[\s,](\d{5})(?:-\d{4})?$")
_SIMILAR_AT_LEAST = 70
"""Of 100, by rapidfuzz's ratio: `Austn` is 91 like `Austin`, `Boston` 50."""

_MOST = 10

_Key = tuple[str, str]
"""A city's folded name and its state."""


def name_key(name: str) -> str:
    """A place's name for comparing: without case, accents, marks and spaces; Saint is St.

    `Coeur d'Alene` and `Coeur D Alene`, `O'Fallon` and `O Fallon` are one.
    """
    return _joined(words(name))


_cached_key = lru_cache(50_000)(name_key)


def _joined(several: Iterable[str]) -> str:
    return "".join(_ABBREVIATED.get(word, word) for word in several)


def _largest_first(place: Place) -> tuple[bool, int, str]:
    return place.kind != "state", -place.weight, place.label


class Gazetteer(Geocoder):  # type: ignore[misc]  # geopy has no types
    """Resolves ZIPs, cities and states. `more` are the operator's Census places."""

    def __init__(self, more: Iterable[CensusPlace] = ()) -> None:
        super().__init__()
        self._whole_states: dict[str, Place] = {}
        self._state_codes = {name_key(name): code for code, name in STATE_NAMES.items()}
        self._zips: dict[str, Place] = {}
        self._cities: dict[_Key, Place] = {}
        self._nicknames: dict[_Key, Place] = {}
        self._add_post_offices()
        for census in more:
            self._add_census(census)
        self._named: dict[str, list[Place]] = defaultdict(list)
        for (name, _), place in self._cities.items():
            self._named[name].append(place)
        for (name, _), place in self._nicknames.items():
            if name not in self._named:  # `Springfield` is no other name of Montalba, TX
                self._named[name].append(place)
        for named in self._named.values():
            named.sort(key=lambda place: (-place.weight, place.label))

    def geocode(
        self,
        query: str,
        *,
        exactly_one: bool = True,
        timeout: object = DEFAULT_SENTINEL,  # noqa: ARG002  # geopy's interface
    ) -> Location | list[Location] | None:
        """What geopy's geocoders answer: a location, a list of them (the largest first), or None.

        Each location's `raw` holds its Place. Never waits for anything.
        """
        found = [Location(place.label, place.point, {"place": place}) for place in self._all(query)]
        if exactly_one:
            return found[0] if found else None
        return found or None

    def _all(self, typed: str) -> tuple[Place, ...]:
        text = _COUNTRY.sub("", typed[:_LONGEST].strip())
        if zip_ := _ZIP.fullmatch(text.strip()):
            return tuple(filter(None, [self._zips.get(zip_[1])]))
        if tail := _TAIL_ZIP.search(text.strip()):
            known = self._zips.get(tail[1])
            return (known,) if known else self._all(text.strip()[: tail.start()])
        return self._state(text) + (self._city_and_state(text) or self._city(text))

    def zip_in(self, zip_: str, state: str) -> Place | None:
        """The place of a ZIP, if it is in this state."""
        known = self._zips.get(zip_)
        return known if known and known.state == state else None

    def zone(self, zip_: str) -> str | None:
        """The time zone of a ZIP (IANA), where it is known."""
        known = self._zips.get(zip_)
        return known.zone if known else None

    def city_in(self, city: str, state: str) -> Place | None:
        """The place of a city in a state."""
        key = (_cached_key(city), state)
        return self._cities.get(key) or self._nicknames.get(key)

    def beginning_with(self, text: str, limit: int) -> tuple[Place, ...]:
        """The places whose ZIP, or whose name and state, begin so: the largest first."""
        typed = _joined(words(text[:_LONGEST]))
        if not typed:
            return ()
        names, places = self._in_order
        here = slice(bisect_left(names, typed), bisect_left(names, f"{typed}\uffff"))
        found = heapq.nsmallest(limit, places[here], key=_largest_first)
        return tuple(found)

    def largest(self, many: int) -> list[Place]:
        """The largest cities, for a map to name."""
        return heapq.nsmallest(many, self._cities.values(), key=_largest_first)

    @cached_property
    def _in_order(self) -> tuple[list[str], list[Place]]:
        """Every place by what people type of it, in the order of that."""
        cities = (
            (f"{name}{state.lower()}", place) for (name, state), place in self._cities.items()
        )
        states = ((name_key(n), place) for n in STATE_NAMES.values() for place in self._state(n))
        every = [*cities, *self._zips.items(), *states]
        every.sort(key=lambda each: each[0])
        return [name for name, _ in every], [place for _, place in every]

    def nearest(self, point: tuple[float, float]) -> Place:
        """The ZIP whose middle is nearest to a point (degrees), as near as a flat map tells."""
        latitude, longitude = point
        squeezed = cos(radians(latitude))

        def far(place: Place) -> float:
            north, east = place.point
            return (north - latitude) ** 2 + ((east - longitude) * squeezed) ** 2

        return min(self._zips.values(), key=far)

    def similar(self, text: str) -> tuple[str, ...]:
        """Labels of places with a name like this one, the likeliest first."""
        if zip_ := _ZIP.fullmatch(text.strip()):
            near = [z for z in self._zips if z[:3] == zip_[1][:3]]
            closest = sorted(near, key=lambda z: abs(int(z) - int(zip_[1])))[:3]
            return tuple(self._zips[z].label for z in closest)
        name, state = next(iter(self._splits(text)), (name_key(text), None))
        pool = [n for n, s in self._cities if s == state] if state else self._named.keys()
        matches = process.extract(
            name, pool, scorer=fuzz.ratio, limit=5, score_cutoff=_SIMILAR_AT_LEAST
        )
        similar = (self._cities[n, state] if state else self._named[n][0] for n, _, _ in matches)
        return tuple(dict.fromkeys(place.label for place in similar))

    def _state(self, text: str) -> tuple[Place, ...]:
        code = self._state_code(name_key(text))
        return (self._whole_states[code],) if code else ()

    def _state_code(self, key: str) -> str | None:
        return key.upper() if key.upper() in STATE_NAMES else self._state_codes.get(key)

    def _city_and_state(self, text: str) -> tuple[Place, ...]:
        """`City, ST`, `City ST`, and the end of an address: `12 Main St, City, ST`."""
        found = (self._cities.get(key) or self._nicknames.get(key) for key in self._splits(text))
        return tuple(filter(None, found))[:1]

    def _city(self, text: str) -> tuple[Place, ...]:
        return tuple(self._named.get(name_key(text), [])[:_MOST])

    def _splits(self, text: str) -> Iterable[_Key]:
        """Each way in which a text ends in a city and a state."""
        parts = [name_key(part) for part in text.split(",") if part.strip()]
        if len(parts) > 1 and (state := self._state_code(parts[-1])):
            yield parts[-2], state
        typed = words(text)
        for length in range(min(4, len(typed) - 1), 0, -1):
            if state := self._state_code(_joined(typed[-length:])):
                yield _joined(typed[:-length]), state

    def _add_post_offices(self) -> None:
        """Each ZIP, and each city at the middle of its ZIPs (delivery areas first)."""
        areas: dict[str, list[tuple[float, float]]] = defaultdict(list)
        others: dict[str, list[tuple[float, float]]] = defaultdict(list)
        in_state: dict[str, list[tuple[float, float]]] = defaultdict(list)
        nicknames: dict[_Key, str] = {}
        for row in _post_offices():
            point, state = (float(row["lat"]), float(row["long"])), row["state"]
            if point == (0.0, 0.0):
                continue
            in_state[state].append(point)
            city = f"{row['city']}, {state}"
            zip_ = row["zip_code"]
            zone = row["timezone"] or None
            self._zips[zip_] = Place(f"{zip_} ({city})", "postal_code", point, state, zone=zone)
            is_area = row["zip_code_type"] == "STANDARD" and row["active"]
            (areas if is_area else others)[city].append(point)
            for name in row["acceptable_cities"]:
                others[f"{name}, {state}"].append(point)
            for name in row["unacceptable_cities"]:
                nicknames.setdefault((name_key(name), state), city)
        for code, points in in_state.items():
            self._whole_states[code] = Place(STATE_NAMES[code], "state", _mean(points), code)
        for label in (*others, *areas):  # two spellings of one name: that of the areas stays
            key, middle = _key(label), _mean(areas.get(label) or others[label])
            self._cities[key] = Place(label, "city", middle, key[1], len(areas.get(label, ())))
        for (name, state), city in nicknames.items():
            if name:
                self._nicknames[name, state] = self._cities[_key(city)]

    def _add_census(self, place: CensusPlace) -> None:
        point = (place.lat, place.lon)
        if place.postal_code:
            known = self._zips.get(place.postal_code)
            label = known.label if known else place.postal_code
            state, zone = (known.state, known.zone) if known else (place.state, None)
            self._zips[place.postal_code] = Place(label, "postal_code", point, state, zone=zone)
            return
        for name in filter(None, (place.name, place.everyday_name)):
            key = (name_key(name), place.state)
            known = self._cities.get(key)
            weight = place.population or (known.weight if known else 0)
            if known is None or weight >= known.weight:
                label = f"{name}, {place.state}"
                self._cities[key] = Place(label, "city", point, place.state, weight)


def _post_offices() -> Iterator[dict[str, Any]]:
    """The package's ZIPs, a state at a time: all at once they take 85 MB more."""
    for state in STATE_NAMES:
        yield from zipcodes.filter_by(state=state)  # type: ignore[no-untyped-call]  # compiled


def _key(label: str) -> _Key:
    """The key of `City, ST`."""
    name, state = label.rsplit(", ", 1)
    return name_key(name), state


def _mean(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The middle of a city's ZIPs, rounded to a metre; no city spans the antimeridian."""
    latitudes, longitudes = zip(*points, strict=True)
    return round(sum(latitudes) / len(points), 5), round(sum(longitudes) / len(points), 5)
