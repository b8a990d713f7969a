"""The gazetteer that ships: every US ZIP with its city, offline, as a geopy geocoder.

ZIPs, cities and points come from post_offices.py. An operator's Census files (census.py) add
populations, better points, and places that are no post office. What is kept are the file's plain
records, and a Place is made of one when somebody asks for it: 80,000 of them took a second to make.
"""

import heapq
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from math import cos, radians

from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location
from rapidfuzz import fuzz, process

from directory.places import post_offices
from directory.places.census import CensusPlace
from directory.places.place import Kind, Place
from directory.places.post_offices import joined, name_key
from directory.states import STATE_NAMES
from directory.vocabulary.words import words

_ZIP = re.compile(r"(\d{5})(?:-\d{4})?(?: \(.*\))?")
_COUNTRY = re.compile(r"[\s,]+(usa|u\.s\.a?\.?|united states)$", re.IGNORECASE)
_LONGEST = 200
_TAIL_ZIP = re.compile(r"[\s,](\d{5})(?:-\d{4})?$")
_SIMILAR_AT_LEAST = 70
"""Of 100, by rapidfuzz's ratio: `Austn` is 91 like `Austin`, `Boston` 50."""

_MOST = 10
MOST_BEGUN = 20

_Key = tuple[str, str]
"""A city's folded name and its state."""

_Entry = tuple[bool, int, str, Kind, _Key]
"""A place in the order of suggestions, states first, then the largest: by what it is made again.

A ZIP's key is its digits, and a state's its letters, with nothing behind.
"""

_cached_key = lru_cache(50_000)(name_key)


class Gazetteer(Geocoder):  # type: ignore[misc]  # geopy has no types
    """Resolves ZIPs, cities and states. `more` are the operator's Census places."""

    def __init__(self, more: Iterable[CensusPlace] = ()) -> None:
        super().__init__()
        found = post_offices.read()
        self._zips, self._cities, self._zones = found["zips"], found["cities"], found["zones"]
        self._nicknames, self._states = found["nicknames"], found["states"]
        self._state_codes = {name_key(name): code for code, name in STATE_NAMES.items()}
        for census in more:
            self._add_census(census)

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
            return tuple(filter(None, [self._zip(zip_[1])]))
        if tail := _TAIL_ZIP.search(text.strip()):
            known = self._zip(tail[1])
            return (known,) if known else self._all(text.strip()[: tail.start()])
        return self._state(text) + (self._city_and_state(text) or self._city(text))

    def zip_in(self, zip_: str, state: str) -> Place | None:
        """The place of a ZIP, if it is in this state."""
        known = self._zip(zip_)
        return known if known and known.state == state else None

    def zone(self, zip_: str) -> str | None:
        """The time zone of a ZIP (IANA), where it is known."""
        known = self._zip(zip_)
        return known.zone if known else None

    def city_in(self, city: str, state: str) -> Place | None:
        """The place of a city in a state."""
        return self._known((_cached_key(city), state))

    def beginning_with(self, text: str, limit: int) -> tuple[Place, ...]:
        """The places whose ZIP, or whose name and state, begin so: the largest, 20 at most."""
        typed = joined(words(text[:_LONGEST]))
        return self._begun(typed)[:limit] if typed else ()

    @lru_cache(10_000)  # noqa: B019  # one gazetteer lives as long as its process
    def _begun(self, typed: str) -> tuple[Place, ...]:
        """To choose among the thousands that begin with one letter takes 3 ms, once."""
        names, entries = self._in_order
        here = slice(bisect_left(names, typed), bisect_left(names, f"{typed}\uffff"))
        return tuple(map(self._made, heapq.nsmallest(MOST_BEGUN, entries[here])))

    def largest(self, many: int) -> list[Place]:
        """The largest cities, for a map to name."""
        cities = (entry for entry in self._in_order[1] if entry[3] == "city")
        return list(map(self._made, heapq.nsmallest(many, cities)))

    @cached_property
    def _in_order(self) -> tuple[list[str], list[_Entry]]:
        """Every place by what people type of it, in the order of that."""
        every = [*self._cities_in_any_order()]
        every += [(z, (True, 0, z, "postal_code", (z, ""))) for z in self._zips]
        names = ((code, STATE_NAMES[code]) for code in self._states)
        every += [(name_key(n), (False, 0, n, "state", (code, ""))) for code, n in names]
        every.sort(key=lambda each: each[0])
        return [name for name, _ in every], [entry for _, entry in every]

    def _cities_in_any_order(self) -> Iterator[tuple[str, _Entry]]:
        for state, cities in self._cities.items():
            end = state.lower()
            for name, (label, _, _, weight) in cities.items():
                yield f"{name}{end}", (True, -weight, f"{label}, {state}", "city", (name, state))

    def _made(self, entry: _Entry) -> Place:
        *_, kind, key = entry
        if kind == "city":
            return self._city_of(key)
        return self._state_of(key[0]) if kind == "state" else self._zip_of(key[0])

    def nearest(self, point: tuple[float, float]) -> Place:
        """The ZIP whose middle is nearest to a point (degrees), as near as a flat map tells."""
        latitude, longitude = point
        squeezed = cos(radians(latitude))

        def far(zip_: str) -> float:
            _, _, north, east, _ = self._zips[zip_]
            return (north - latitude) ** 2 + ((east - longitude) * squeezed) ** 2

        return self._zip_of(min(self._zips, key=far))

    def similar(self, text: str) -> tuple[str, ...]:
        """Labels of places with a name like this one, the likeliest first."""
        if zip_ := _ZIP.fullmatch(text.strip()):
            near = [z for z in self._zips if z[:3] == zip_[1][:3]]
            closest = sorted(near, key=lambda z: abs(int(z) - int(zip_[1])))[:3]
            return tuple(self._zip_of(z).label for z in closest)
        name, state = next(iter(self._splits(text)), (name_key(text), None))
        pool = self._cities.get(state, {}) if state else self._named
        matches = process.extract(
            name, pool.keys(), scorer=fuzz.ratio, limit=5, score_cutoff=_SIMILAR_AT_LEAST
        )
        keys = ((n, state) if state else self._named[n][0] for n, _, _ in matches)
        return tuple(dict.fromkeys(self._city_of(key).label for key in keys))

    def _state(self, text: str) -> tuple[Place, ...]:
        code = self._state_code(name_key(text))
        return (self._state_of(code),) if code else ()

    def _state_code(self, key: str) -> str | None:
        return key.upper() if key.upper() in STATE_NAMES else self._state_codes.get(key)

    def _city_and_state(self, text: str) -> tuple[Place, ...]:
        """`City, ST`, `City ST`, and the end of an address: `12 Main St, City, ST`."""
        return tuple(filter(None, map(self._known, self._splits(text))))[:1]

    def _city(self, text: str) -> tuple[Place, ...]:
        return tuple(map(self._city_of, self._named.get(name_key(text), [])[:_MOST]))

    def _splits(self, text: str) -> Iterable[_Key]:
        """Each way in which a text ends in a city and a state."""
        parts = [name_key(part) for part in text.split(",") if part.strip()]
        if len(parts) > 1 and (state := self._state_code(parts[-1])):
            yield parts[-2], state
        typed = words(text)
        for length in range(min(4, len(typed) - 1), 0, -1):
            if state := self._state_code(joined(typed[-length:])):
                yield joined(typed[:-length]), state

    @cached_property
    def _named(self) -> dict[str, list[_Key]]:
        """The cities of each name, the largest first; by nicknames where no city has the name."""
        named: dict[str, list[_Key]] = defaultdict(list)
        for state, cities in self._cities.items():
            for name in cities:
                named[name].append((name, state))
        only_called: dict[str, list[_Key]] = defaultdict(list)
        for state, nicknames in self._nicknames.items():
            for name, city in nicknames.items():
                if name not in named:  # `Springfield` is no other name of Montalba, TX
                    only_called[name].append((city, state))
        for keys in (*named.values(), *only_called.values()):
            if len(keys) > 1:
                keys.sort(key=self._largest_first)
        return {**only_called, **named}

    def _largest_first(self, key: _Key) -> tuple[int, str]:
        label, _, _, weight = self._cities[key[1]][key[0]]
        return -weight, f"{label}, {key[1]}"

    def _known(self, key: _Key) -> Place | None:
        """The city of a name, or of a nickname."""
        name, state = key
        if name not in self._cities.get(state, {}):
            name = self._nicknames.get(state, {}).get(name, "")
        return self._city_of((name, state)) if name else None

    def _city_of(self, key: _Key) -> Place:
        name, state = key
        label, latitude, longitude, weight = self._cities[state][name]
        return Place(f"{label}, {state}", "city", (latitude, longitude), state, weight)

    def _zip(self, zip_: str) -> Place | None:
        return self._zip_of(zip_) if zip_ in self._zips else None

    def _zip_of(self, zip_: str) -> Place:
        city, state, latitude, longitude, zone = self._zips[zip_]
        label = f"{zip_} ({city}, {state})" if city else zip_
        known = self._zones[zone] if zone >= 0 else None
        return Place(label, "postal_code", (latitude, longitude), state, zone=known)

    def _state_of(self, code: str) -> Place:
        latitude, longitude = self._states[code]
        return Place(STATE_NAMES[code], "state", (latitude, longitude), code)

    def _add_census(self, place: CensusPlace) -> None:
        if place.postal_code:
            city, state, _, _, zone = self._zips.get(
                place.postal_code, ("", place.state, 0.0, 0.0, -1)
            )
            self._zips[place.postal_code] = (city, state, place.lat, place.lon, zone)
            return
        cities = self._cities.setdefault(place.state, {})
        for name in filter(None, (place.name, place.everyday_name)):
            known = cities.get(name_key(name))
            weight = place.population or (known[3] if known else 0)
            if known is None or weight >= known[3]:
                cities[name_key(name)] = (name, place.lat, place.lon, weight)
