"""Plan-Net directories: what becomes of roles, whatever they come in and however misshapen.

The real ones are counted anew with nothing but the json module.
"""

import gzip
import json
import random
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from directory.listing import Listing, Source
from directory.places import Places
from directory.places.place import Place
from directory.services import Services
from directory.store import record
from directory.store.listings import Status, StoredListing
from indexer.sources.fhir import Fhir
from indexer.sources.files import SourceError
from indexer.summary import Result, Summary
from tests.indexer.test_load import find, load
from tests.judge import distance

Resource = dict[str, Any]

SAMPLE, EXAMPLES = "fhir/plan_net_sample.ndjson.gz", "fhir/plan_net_examples.ndjson"
NUCC, NPI = "http://nucc.org/provider-taxonomy", "http://hl7.org/fhir/sid/us-npi"
PLAN_NET = "http://hl7.org/fhir/us/davinci-pdex-plan-net/StructureDefinition/"
PREFIXES = ("207X", "111N", "2251")
SITES = (
    ("9 Elm St", "Austin", "TX", "78701", (30.2711, -97.7437)),
    ("20 Oak Ave", "Hartford", "CT", "061030001", (41.7658, -72.6734)),
    ("3 Pine Rd", "Denver", "CO", "80202", None),
)
AT = ((1,), (2,), (3,), (1, 2), (2, 3), (1, 2, 3))
"""The sites of six people."""


def luhn(npi: str) -> bool:
    """The check of the textbook: every second digit from the right doubled, 80840 before it all."""
    total = 0
    for n, digit in enumerate(reversed(f"80840{npi}")):
        value = int(digit) * (1 + n % 2)
        total += value - 9 if value > 9 else value
    return len(npi) == 10 and npi[0] in "12" and total % 10 == 0


def an_npi(number: int) -> str:
    return next(npi for d in range(10) if luhn(npi := f"2{number:08}{d}"))


def coded(code: str, system: str = NUCC) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def accepts(code: str) -> dict[str, Any]:
    inner = {"url": "acceptingPatients", "valueCodeableConcept": coded(code, "acceptance")}
    return {"url": f"{PLAN_NET}newpatients", "extension": [inner]}


def practitioner(number: int = 1, **more: Any) -> Resource:
    licence = {
        "identifier": [{"system": "https://board.example.org", "value": f"L-{number}"}],
        "code": coded("225100000X"),
        "extension": [{
            "url": f"{PLAN_NET}practitioner-qualification",
            "extension": [
                {"url": "status", "valueCode": "active"},
                {"url": "whereValid", "valueCodeableConcept": coded("TX", "https://www.usps.com/")},
            ],
        }],
    }  # fmt: skip
    return {
        "resourceType": "Practitioner", "id": f"p{number}",
        "meta": {"lastUpdated": "2026-03-01T10:00:00Z"},
        "active": True, "gender": "female",
        "identifier": [{"system": "urn:other", "value": "7"},
                       {"system": NPI, "value": an_npi(number)}],
        "name": [{"use": "old", "family": "Before", "given": ["Ana"]},
                 {"use": "usual", "family": "Núñez", "given": ["Anita"]},
                 {"use": "official", "family": "Núñez", "given": ["ANA", "MARÍA"],
                  "suffix": ["P.T.", "DPT"]}],
        "qualification": [licence],
        "communication": [coded("es-MX", "urn:ietf:bcp:47"), coded("en", "urn:ietf:bcp:47"),
                          coded("xx", "urn:ietf:bcp:47")],
        **more,
    }  # fmt: skip


def location(number: int = 1, **more: Any) -> Resource:
    line, city, state, zip_, point = SITES[(number - 1) % len(SITES)]
    made = {
        "resourceType": "Location", "id": f"l{number}",
        "meta": {"lastUpdated": "2026-04-02T10:00:00Z"}, "status": "active",
        "telecom": [{"system": "fax", "value": "512-555-0198"},
                    {"system": "phone", "value": "512-555-0199"},
                    {"system": "url", "value": "https://place.example.org/"}],
        "address": {"line": [line, "Suite 4"], "city": city, "state": state, "postalCode": zip_},
    }  # fmt: skip
    if point:
        made["position"] = {"latitude": point[0], "longitude": point[1]}
    return made | more


def organization(number: int = 1) -> Resource:
    return {"resourceType": "Organization", "id": f"o{number}", "name": "ELM STREET CLINIC PLLC"}


def role(number: int = 1, at: Iterable[int] = (1,), **more: Any) -> Resource:
    return {
        "resourceType": "PractitionerRole", "id": f"r{number}", "active": True,
        "practitioner": {"reference": f"Practitioner/p{number}"},
        "organization": {"reference": "Organization/o1"},
        "location": [{"reference": f"Location/l{n}"} for n in at],
        "specialty": [coded("2251X0800X")],
        "telecom": [{"system": "phone", "value": "(512) 555-0101"}],
        **more,
    }  # fmt: skip


def one(**more: Any) -> list[Resource]:
    """A directory of one listing; `more` of its role."""
    return [practitioner(), location(), organization(), role(**more)]


def several() -> list[Resource]:
    """Six people at one, two or three of three places."""
    return [
        *map(practitioner, range(1, 7)), *map(location, range(1, 4)), organization(),
        *(role(n, where) for n, where in enumerate(AT, start=1)),
    ]  # fmt: skip


def ndjson(resources: Iterable[Resource]) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in resources)


def bundle(resources: Iterable[Resource]) -> Resource:
    return {"resourceType": "Bundle", "entry": [{"resource": each} for each in resources]}


def load_text(parts: Services, folder: Path, text: str, **options: Any) -> Summary:
    path = folder / "network.json"
    path.write_text(text, encoding="utf-8")
    return load(parts, Fhir(), path, folder / "rejects", **options)


def stored(parts: Services, key: str = "r1/l1") -> StoredListing:
    return find(parts, record.listing_id(Fhir.SOURCE, key))


def listed(parts: Services, key: str = "r1/l1") -> Listing:
    listing = stored(parts, key).listing
    assert listing
    return listing


def rejects(folder: Path) -> list[Resource]:
    (path,) = (folder / "rejects").iterdir()
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def tag(resource: Resource) -> tuple[str, str]:
    (said,) = resource["meta"]["tag"]
    assert said["system"] == "urn:directory:rejected"
    return said["code"], said["display"]


def real(path: Path) -> dict[str, Resource]:
    data = path.read_bytes()
    lines = (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()
    return {f"{r['resourceType']}/{r['id']}": r for r in map(json.loads, lines)}


def roles_at(resources: Mapping[str, Resource]) -> list[tuple[Resource, str | None]]:
    return [
        (each, there and there["reference"])
        for name, each in resources.items() if name.startswith("PractitionerRole/")
        for there in each.get("location") or [None]
    ]  # fmt: skip


def is_ours(one_role: Resource, person: Resource) -> bool:
    qualified = [q["code"] for q in person.get("qualification", [])]
    codings = [c for concept in (*one_role.get("specialty", []), *qualified)
               for c in concept["coding"]]  # fmt: skip
    return any(c["system"] == NUCC and c["code"].startswith(PREFIXES) for c in codings)


def is_near(places: Places, at: Resource) -> bool:
    """Whether a location's point is no more than 50 km from its ZIP's or its city's middle."""
    address, position = at["address"], at["position"]
    point = (position["latitude"], position["longitude"])
    texts = (address["postalCode"][:5], f"{address['city']}, {address['state']}")
    known: list[Place] = [p for text in texts for p in places.matches(text)[:1]]
    there = [p for p in known if p.state == address["state"]]
    return not there or min(distance(p.point, point) for p in there) <= 50_000


@pytest.mark.parametrize("name", [SAMPLE, EXAMPLES])
def test_a_real_directory_is_read_whole_and_ours_are_taken(
    parts: Services, shared_data: Path, tmp_path: Path, name: str
) -> None:
    resources = real(shared_data / name)
    wanted = 0
    for one_role, there in roles_at(resources):
        person = resources.get(one_role.get("practitioner", {}).get("reference", ""))
        if not person or not there or not is_ours(one_role, person):
            continue
        (npi,) = (i["value"] for i in person["identifier"] if i.get("system") == NPI)
        if luhn(npi) and is_near(parts.places, resources[there]):
            numbers = [i["value"] for q in person["qualification"] for i in q["identifier"]]
            phone = next(t["value"] for t in one_role["telecom"] if t["system"] == "phone")
            # A licence that is no string and a number that cannot be dialled are rejected, too.
            wanted += all(isinstance(n, str) for n in numbers) and not phone.startswith("1-139")
    first = load(parts, Fhir(), shared_data / name, tmp_path / "rejects")
    assert first.read == first.counts.total() == len(roles_at(resources))
    assert first.counts[Result.ADDED] == wanted
    assert (wanted > 0) is (name == SAMPLE)
    again = load(parts, Fhir(), shared_data / name, tmp_path / "rejects")
    assert again.counts[Result.UNCHANGED] == wanted
    assert again.counts[Result.ADDED] == again.counts[Result.CHANGED] == 0
    assert again.read == first.read


def written(shape: str, folder: Path, resources: list[Resource]) -> Path:
    """A directory in one of its shapes; all but the folder are one file."""
    path = folder / "network"
    match shape.split():
        case ["shuffled", seed]:
            path.write_text(ndjson(random.Random(seed).sample(resources, len(resources))))
        case ["bundle"]:
            path.write_text(json.dumps(bundle(resources), indent=2))
        case ["nested"]:
            inner = [bundle(resources[n::3]) for n in range(3)]
            path.write_text(json.dumps(bundle([bundle(inner[:2]), inner[2]])))
        case ["folder"]:
            for n, each in enumerate(resources):
                file = path / str(n % 3) / f"{each['id']}.json"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(each, indent=n % 2 or None))
        case ["zip"]:
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("a/roles.ndjson", ndjson(resources[10:]))
                archive.writestr("b/rest.json", json.dumps(bundle(resources[:10]), indent=1))
        case ["gz"]:
            path.write_bytes(gzip.compress(ndjson(resources).encode()))
    return path


@pytest.mark.parametrize(
    "shape", [*(f"shuffled {n}" for n in range(5)), "bundle", "nested", "folder", "zip", "gz"]
)
def test_every_shape_and_order_gives_the_same_listings(
    parts: Services, tmp_path: Path, shape: str
) -> None:
    resources = several()
    keys = [f"r{n}/{at}" for n, where in enumerate(AT, start=1) for at in (f"l{w}" for w in where)]
    summary = load(parts, Fhir(), written(shape, tmp_path, resources), tmp_path / "rejects")
    assert summary.counts == Counter({Result.ADDED: len(keys)})
    found = [listed(parts, key) for key in keys]
    assert load_text(parts, tmp_path, ndjson(resources)).counts == Counter(
        {Result.UNCHANGED: len(keys)}
    )
    assert [listed(parts, key) for key in keys] == found
    assert [each.address.city for each in found[3:5]] == ["Austin", "Hartford"]
    assert len({each.npi for each in found}) == len(AT)


def test_a_role_at_a_location_becomes_a_listing(parts: Services, tmp_path: Path) -> None:
    load_text(parts, tmp_path, ndjson(one(extension=[accepts("newpt")])))
    listing = listed(parts)
    assert listing.title == "Ana María Núñez, PT, DPT"
    assert (listing.npi, listing.gender) == (an_npi(1), "female")
    assert (listing.profession, listing.languages) == ("physical-therapist", ("es", "en"))
    assert [each.model_dump(exclude_none=True) for each in listing.taxonomies] == [
        {"code": "2251X0800X", "primary": True},
        {"code": "225100000X", "primary": False, "licence_number": "L-1", "licence_state": "TX"},
    ]
    assert listing.clinic == "Elm Street Clinic PLLC"
    assert listing.address.model_dump() == {
        "line1": "9 Elm St", "line2": "Suite 4", "city": "Austin", "state": "TX",
        "postal_code": "78701",
    }  # fmt: skip
    assert listing.location.point == SITES[0][4]
    assert (listing.location.precision, listing.location.method) == ("street", "given")
    assert listing.phone == "+15125550101"
    assert listing.website == "https://place.example.org/"
    assert (listing.accepting, listing.dry_needling) == ("yes", "unknown")
    assert not listing.confirmed
    assert listing.provenance["npi"].as_of == date(2026, 4, 2)
    assert {each.source for each in listing.provenance.values()} == {Source.FHIR}


def test_without_a_position_the_gazetteer_places_it(parts: Services, tmp_path: Path) -> None:
    load_text(parts, tmp_path, ndjson([practitioner(), location(3), role(at=(3,))]))
    place = listed(parts, "r1/l3").location
    assert (place.precision, place.method) == ("postal_code", "gazetteer")
    assert place.point == parts.places.matches("80202")[0].point


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"extension": [accepts("newpt")]}, "accepting", "yes"),
        ({"extension": [accepts("nopt")]}, "accepting", "no"),
        ({"extension": [accepts("existptonly")]}, "accepting", "no"),
        ({"extension": [accepts("existptfam")]}, "accepting", "no"),
        ({"extension": [accepts("else")]}, "accepting", "unknown"),
        ({"extension": [{"url": "urn:x", "valueString": "newpt"}]}, "accepting", "unknown"),
        ({"telecom": []}, "phone", "+15125550199"),
        ({"telecom": [{"system": "url", "value": "https://r.example.org/"}]},
         "website", "https://r.example.org/"),
        ({"specialty": [coded("207XS0114X")]}, "profession", "orthopedic-doctor"),
        ({"specialty": [coded("111NX0800X")]}, "profession", "chiropractor"),
        ({"specialty": [coded("207R00000X"), coded("111N00000X", "urn:other")]},
         "profession", "physical-therapist"),
        ({"practitioner": {"reference": "https://x.example.org/fhir/Practitioner/p1"}},
         "npi", an_npi(1)),
        ({"practitioner": {"reference": "Practitioner/p1/_history/3"}}, "npi", an_npi(1)),
        ({"organization": {"reference": "http://x/Organization/o1/_history/2"}},
         "clinic", "Elm Street Clinic PLLC"),
        ({"organization": {"reference": "Organization/none"}}, "clinic", None),
    ],
)  # fmt: skip
def test_what_a_role_says_is_understood(
    parts: Services, tmp_path: Path, change: dict[str, Any], field: str, value: str | None
) -> None:
    assert load_text(parts, tmp_path, ndjson(one(**change))).counts == Counter({Result.ADDED: 1})
    assert getattr(listed(parts), field) == value


def test_other_professions_are_passed_over(parts: Services, tmp_path: Path) -> None:
    person = practitioner(qualification=[{"code": coded("207R00000X")}])
    resources = [person, location(), role(specialty=[coded("207R00000X")])]
    assert load_text(parts, tmp_path, ndjson(resources)).counts == Counter({Result.SKIPPED: 1})


@pytest.mark.parametrize(
    "gone",
    [role(active=False), practitioner(active=False), location(status="suspended"),
     location(status="inactive"), practitioner(qualification=[]) | {"active": False}],
)  # fmt: skip
def test_what_is_no_longer_active_is_withdrawn(
    parts: Services, tmp_path: Path, gone: Resource
) -> None:
    load_text(parts, tmp_path, ndjson(one()))
    later = [gone if each["id"] == gone["id"] else each for each in one()]
    summary = load_text(parts, tmp_path, ndjson(later))
    assert summary.counts == Counter({Result.WITHDRAWN: 1})
    assert stored(parts).status is Status.WITHDRAWN
    assert load_text(parts, tmp_path, ndjson(one())).counts == Counter({Result.ADDED: 1})


MISSHAPEN: list[tuple[Resource, str, str]] = [
    (practitioner(2, name="Ana"), "Practitioner.name", "valid array"),
    (practitioner(2, name=[{"use": "old", "family": "X"}]), "name", "is missing"),
    (practitioner(2, meta={"lastUpdated": "today"}), "Practitioner.meta.lastUpdated", "today"),
    (practitioner(2, identifier=[{"system": NPI, "value": "2000000000"}]), "npi", "is no NPI"),
    (role(2, location=7), "PractitionerRole.location", "valid array"),
    (role(2, location=[]), "location", "is missing"),
    (role(2, extension=None), "PractitionerRole.extension", "valid array"),
    (role(2, at=(9,)), "location", "Location/l9 is not in what was loaded"),
    (role(2, practitioner={"reference": "http://x.example.org/Practitioner/p9"}),
     "practitioner", "http://x.example.org/Practitioner/p9 is not in what was loaded"),
    (role(2, practitioner={"display": "Ana"}), "practitioner", "is missing"),
    (role(2, at=(2,)) | {"telecom": [{"system": "phone", "value": "12"}]}, "phone", "no telephone"),
    (location(2, position={"latitude": float("nan"), "longitude": 1}), "location.lat", "finite"),
    (location(2, position={"latitude": 30.2711, "longitude": -97.7437}), "location", "lies 2"),
    (location(2, position=None, address={"city": "Atlantis", "state": "CT", "postalCode": "00000"}),
     "address", "no place"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "field", "reason"), MISSHAPEN)
def test_what_is_misshapen_is_rejected_and_the_rest_loads(
    parts: Services, tmp_path: Path, bad: Resource, field: str, reason: str
) -> None:
    whole = [*one(), practitioner(2), location(2), role(2, at=(2,))]
    resources = [bad if each["id"] == bad["id"] else each for each in whole]
    summary = load_text(parts, tmp_path, ndjson(resources))
    assert summary.counts == Counter({Result.ADDED: 1, Result.REJECTED: 1})
    found = rejects(tmp_path)
    assert found[0]["id"] == "r2"
    code, display = tag(found[0])
    assert code == field
    assert display.startswith("row 7: ")
    assert reason in display
    mended = [r for r in whole if r["id"] in ("p2", "l2", "r2")]
    (path,) = (tmp_path / "rejects").iterdir()
    path.write_text(ndjson([r for r in found if r["id"] == "o1"] + mended), encoding="utf-8")
    again = load(parts, Fhir(), path, path.parent)
    assert (again.counts, again.rejects) == (Counter({Result.ADDED: 1}), None)
    assert listed(parts, "r2/l2").npi == an_npi(2)
    assert listed(parts, "r2/l2").clinic == listed(parts).clinic
    assert not path.exists()


@pytest.mark.parametrize(
    "line",
    ["not json", "[1, 2]", '"text"', "[" * 100_000, '{"a":' * 100_000, '{"id": "x", "id": "x"}',
     '{"resourceType": "Location"}', '{"resourceType": "Location", "id": 7}', "\x00"],
)  # fmt: skip
def test_a_line_that_is_no_resource_is_rejected_and_the_rest_loads(
    parts: Services, tmp_path: Path, line: str
) -> None:
    summary = load_text(parts, tmp_path, ndjson(one()[:3]) + line + "\n\n" + ndjson(one()[3:]))
    assert summary.counts == Counter({Result.ADDED: 1, Result.REJECTED: 1})
    (kept,) = rejects(tmp_path)
    assert tag(kept)[0] == "resource"
    assert tag(kept)[1].startswith("row 4: ")


@pytest.mark.parametrize("text", ["<html><body>no JSON</body>", "[" * 100_000, "{\n"])
def test_a_file_that_is_no_json_is_rejected(parts: Services, tmp_path: Path, text: str) -> None:
    assert load_text(parts, tmp_path, text).counts == Counter({Result.REJECTED: 1})
    assert "is no JSON" in tag(rejects(tmp_path)[0])[1]


def test_a_broken_first_line_loses_no_other(parts: Services, tmp_path: Path) -> None:
    for number, line in enumerate(('{"resourceType": ', "[" * 100_000, '{"a": 1, "a": 2}')):
        summary = load_text(parts, tmp_path, line + "\n" + ndjson(one()))
        assert summary.counts[Result.REJECTED] == 1
        assert summary.counts[Result.UNCHANGED if number else Result.ADDED] == 1


def test_a_bundle_on_one_long_line_is_read(parts: Services, tmp_path: Path) -> None:
    entries = [{"resource": {**each, "text": "x" * 700_000}} for each in one()]
    text = json.dumps({"resourceType": "Bundle", "entry": entries})
    assert load_text(parts, tmp_path, text).counts == Counter({Result.ADDED: 1})


def test_a_role_that_moves_leaves_its_old_location(parts: Services, tmp_path: Path) -> None:
    load_text(parts, tmp_path, ndjson(one()))
    later = {"lastUpdated": "2026-11-01T00:00:00Z"}
    moved = [practitioner(), location(9), role(at=(9,), meta=later)]
    summary = load_text(parts, tmp_path, ndjson(moved), accept_withdrawals=True)
    assert summary.counts == Counter({Result.ADDED: 1, Result.WITHDRAWN: 1})


def test_a_folder_without_files_is_an_error(parts: Services, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(SourceError, match="no files in"):
        load(parts, Fhir(), tmp_path / "nothing")


def test_resources_lie_in_a_temporary_file_that_is_gone_afterwards(
    parts: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, path = tmp_path / "temporary", tmp_path / "network.ndjson"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    path.write_text(ndjson([*several(), location(9, description="x" * 500_000)]))
    source = Fhir()
    (part,) = source.parts([path])
    reading = source.read(part, set())
    next(reading)
    (laid,) = folder.iterdir()
    assert laid.stat().st_size > 500_000
    assert sum(1 for _ in reading) == sum(map(len, AT)) - 1
    assert not list(folder.iterdir())
    cut_short = iter(source.read(part, set()))
    next(cut_short)
    del cut_short
    assert not list(folder.iterdir())
    load(parts, source, path, tmp_path / "rejects")
    assert not list(folder.iterdir())
