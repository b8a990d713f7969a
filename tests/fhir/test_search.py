"""Searches on both engines against a judge that reads the resources one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations_with_replacement
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient

from directory.app import create_app
from directory.fhir.elements import Record, Site
from directory.fhir.parameters import PARAMETERS
from directory.fhir.resources import Type
from directory.fhir.values import FARTHEST_M
from directory.listing import Change
from directory.search.engine import Engine
from directory.services import Services
from directory.settings import Settings
from tests.builders import TODAY, metres_between
from tests.contract.strategies import a_point
from tests.fhir.judge import LINKS, Pairs, World, name
from tests.fhir.worlds import a_value, a_world

SITE = Site("http://127.0.0.1:8000", TODAY)
DISTANCE = "http://hl7.org/fhir/StructureDefinition/location-distance"
TARGETS = {
    "practitioner": "Practitioner", "organization": "Organization", "location": "Location", "service": "HealthcareService",
}  # fmt: skip
DIRECT = [(type_.value, each) for type_ in Type for each in PARAMETERS[type_]]
SEEDS = range(8)
in_every_world = pytest.mark.parametrize("seed", SEEDS)


def fill(engine: Engine, records: Sequence[Record]) -> None:
    with engine.new_generation() as generation:
        generation.apply(
            Change.of(n, r.listing, r.updated_at) for n, r in enumerate(records, start=1)
        )
        generation.serve(position=len(records))


@pytest.fixture
def sites(parts: Services, engines: tuple[Engine, Engine]) -> list[FlaskClient]:
    """The site on each engine."""
    return [
        create_app(Settings(requests_a_minute=100_000), replace(parts, engine=engine)).test_client()
        for engine in engines
    ]


def ask(site: FlaskClient, type_: str, pairs: Pairs) -> Any:
    answer = site.get(f"/fhir/r4/{type_}", query_string=pairs)
    assert answer.status_code == 200, (type_, pairs, answer.text)
    return answer.json


def pages(site: FlaskClient, type_: str, pairs: Pairs) -> Iterator[Any]:
    bundle = ask(site, type_, pairs)
    yield bundle
    while next_ := [each["url"] for each in bundle["link"] if each["relation"] == "next"]:
        answer = site.get(next_[0].removeprefix(SITE.base_url))
        assert answer.status_code == 200, answer.text
        bundle = answer.json
        yield bundle


def entries(bundle: Any, mode: str) -> list[Any]:
    return [each for each in bundle.get("entry", []) if each["search"]["mode"] == mode]


def links(bundle: Any) -> dict[str, str]:
    return {each["relation"]: each["url"] for each in bundle["link"]}


def found(site: FlaskClient, type_: str, pairs: Pairs) -> list[str]:
    """The names of all that is found, in order, page after page."""
    bundles = list(pages(site, type_, [*pairs, ("_count", "11")]))
    names = [name(each["resource"]) for bundle in bundles for each in entries(bundle, "match")]
    assert len(names) == len(set(names))
    assert all(bundle.get("total", len(names)) == len(names) for bundle in bundles)
    return names


def assert_right(sites: Sequence[FlaskClient], world: World, type_: str, pairs: Pairs) -> None:
    world.undecided = False
    expected = world.found(type_, pairs)
    answers = [found(site, type_, pairs) for site in sites]
    assert answers[0] == answers[1]
    if not world.undecided:
        assert set(answers[0]) == expected, (type_, pairs)


def fill_both(engines: tuple[Engine, Engine], seed: int) -> tuple[list[Record], World]:
    records = a_world(seed, 40)
    for engine in engines:
        fill(engine, records)
    return records, World(records, SITE)


def a_parameter(rng: Random, type_: str) -> tuple[str, str]:
    """A parameter of a type, now and then at the end of a chain; and the type that has it."""
    links = [link for source, link in LINKS if source == type_]
    against = [
        (source, link) for source, link in LINKS if source != type_ and TARGETS[link] == type_
    ]
    if links and rng.random() < 0.4:
        link = rng.choice(links)
        rest, owner = a_parameter(rng, TARGETS[link])
        if rest.startswith("_has:"):
            return link, type_
        return f"{link}{rng.choice(['', '', ':' + TARGETS[link]])}.{rest}", owner
    if against and rng.random() < 0.2:
        source, link = rng.choice(against)
        rest, owner = a_parameter(rng, source)
        return f"_has:{source}:{link}:{rest}", owner
    return rng.choice(sorted(PARAMETERS[Type(type_)])), type_


def a_pair(rng: Random, type_: str, records: Sequence[Record]) -> tuple[str, str]:
    parameter, owner = a_parameter(rng, type_)
    return parameter, a_value(
        rng, owner, parameter.rpartition(".")[2].rpartition(":")[2], records, SITE.fhir
    )


@in_every_world
def test_every_parameter(
    sites: list[FlaskClient], engines: tuple[Engine, Engine], seed: int
) -> None:
    records, world = fill_both(engines, seed)
    for type_, pair in each_parameter(seed, records):
        assert_right(sites, world, type_, [pair])


def each_parameter(seed: int, records: Sequence[Record]) -> Iterator[tuple[str, tuple[str, str]]]:
    rng = Random(seed)
    for type_, parameter in DIRECT:
        yield type_, (parameter, a_value(rng, type_, parameter, records, SITE.fhir))


def test_every_parameter_finds_something_in_one_of_the_worlds() -> None:
    fruitful = set()
    for seed in SEEDS:
        records = a_world(seed, 40)
        world = World(records, SITE)
        for type_, pair in each_parameter(seed, records):
            fruitful |= {(type_, pair[0])} if world.found(type_, [pair]) else set()
    assert fruitful == set(DIRECT)


@in_every_world
def test_chains_and_several_at_once(
    sites: list[FlaskClient], engines: tuple[Engine, Engine], seed: int
) -> None:
    records, world = fill_both(engines, seed)
    rng = Random(seed)
    for _ in range(40):
        type_ = rng.choice(list(Type)).value
        pairs = [a_pair(rng, type_, records) for _ in range(rng.choice([1, 1, 2, 3]))]
        circles = sum("near" in parameter for parameter, _ in pairs)
        if circles <= (type_ != "Practitioner"):
            assert_right(sites, world, type_, pairs)


def test_any_two_hold_both(sites: list[FlaskClient], engines: tuple[Engine, Engine]) -> None:
    asked = [
        ("Location", "location.near"), ("Location", "location.type"), ("Location", "location.address-city"),
        ("HealthcareService", "service.service-type"), ("HealthcareService", "service.characteristic"),
        ("Organization", "organization.name"), ("Practitioner", "practitioner.name"),
        ("PractitionerRole", "role"), ("PractitionerRole", "specialty"), ("PractitionerRole", "_lastUpdated"),
    ]  # fmt: skip
    narrowed = 0
    for seed in (11, 12):
        records, world = fill_both(engines, seed)
        rng = Random(seed)
        for two in combinations_with_replacement(asked, 2):
            pairs = [
                (name_, a_value(rng, owner, name_.rpartition(".")[2], records, SITE.fhir))
                for owner, name_ in two
            ]
            if two != (asked[0], asked[0]):
                assert_right(sites, world, "PractitionerRole", pairs)
                each = [world.found("PractitionerRole", [pair]) for pair in pairs]
                narrowed += 0 < len(each[0] & each[1]) < min(map(len, each))
    assert narrowed > 12


@in_every_world
def test_near_is_exact_and_nearest_first(
    sites: list[FlaskClient], engines: tuple[Engine, Engine], seed: int
) -> None:
    records, world = fill_both(engines, seed)
    rng = Random(seed)
    for _ in range(6):
        value = a_value(rng, "Location", "near", records, SITE.fhir)
        metres = {"km": 1000.0, "m": 1.0, "mi": 1609.344, "ft": 0.3048}[value.rsplit("|", 1)[1]]
        for site in sites:
            for type_, parameter in (("Location", "near"), ("PractitionerRole", "location.near")):
                bundles = pages(site, type_, [(parameter, value), ("_count", "9")])
                rows = [each for bundle in bundles for each in entries(bundle, "match")]
                away = []
                for row in rows:
                    said = {each["url"]: each for each in row["search"]["extension"]}
                    length = said[DISTANCE]["valueDistance"]["value"] * metres
                    assert length == pytest.approx(
                        world.away(row["resource"]["id"], value)[0], abs=1
                    )
                    is_inexact = (
                        "position" not in world.resources[f"Location/{row['resource']['id']}"]
                    )
                    assert (len(said) == 2) == is_inexact
                    away.append(length)
                assert away == sorted(away)
        assert_right(sites, world, "Location", [("near", value)])


def test_what_lies_on_the_circle_is_in(
    sites: list[FlaskClient], engines: tuple[Engine, Engine]
) -> None:
    records, _ = fill_both(engines, 5)
    rng = Random(5)
    points = {each.listing.id: each.listing.location.point for each in records}
    pairs = [(a_point(rng), rng.choice(sorted(points))) for _ in range(1_000)]
    away = {pair: metres_between(pair[0], points[pair[1]]) for pair in pairs}
    reached = [pair for pair in pairs if 1 < away[pair] < FARTHEST_M][:40]
    assert len(reached) == 40
    for centre, id_ in reached:
        for site in sites:
            for radius, is_in in ((away[centre, id_], True), (away[centre, id_] - 1, False)):
                value = f"{centre[0]!r}|{centre[1]!r}|{radius!r}|m"
                within = found(site, "Location", [("near", value)])
                assert (f"Location/{id_}" in within) == is_in, value


@in_every_world
def test_what_comes_along(
    sites: list[FlaskClient], engines: tuple[Engine, Engine], seed: int
) -> None:
    records, world = fill_both(engines, seed)
    rng = Random(seed)
    brought = 0
    for _ in range(10):
        type_ = rng.choice(list(Type)).value
        includes = [an_include(rng, type_) for _ in range(rng.choice([1, 2, 3]))]
        pair = a_pair(rng, type_, records)
        if type_ == "Practitioner" and "near" in pair[0]:
            continue
        for site in sites:
            bundle = ask(site, type_, [pair, *includes, ("_count", "5")])
            matches = [name(each["resource"]) for each in entries(bundle, "match")]
            come = [name(each["resource"]) for each in entries(bundle, "include")]
            assert len(come) == len(set(come))
            assert set(come) == world.along(matches, includes), (pair, includes)
            for each in bundle.get("entry", []):
                assert each["resource"] == world.resources[name(each["resource"])]
                assert each["fullUrl"] == f"{SITE.fhir}/{name(each['resource'])}"
            brought += bool(come)
    assert brought > 5


def an_include(rng: Random, type_: str) -> tuple[str, str]:
    forward = [f"{source}:{link}" for source, link in LINKS if source == type_]
    backward = [f"{source}:{link}" for source, link in LINKS if TARGETS[link] == type_]
    usable = [("_include", each) for each in forward] + [("_revinclude", each) for each in backward]
    source, link = rng.choice(list(LINKS))
    usable += [(f"{kind}:iterate", f"{source}:{link}") for kind in ("_include", "_revinclude")]
    return rng.choice(usable)
