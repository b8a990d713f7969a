"""What belongs together in the files of a Plan-Net directory, and what they are called."""

import json
import sqlite3
import tracemalloc
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from directory.services import Services
from directory.store import loads
from indexer.load import Loader
from indexer.sources.fhir import Fhir
from indexer.sources.files import SourceError
from indexer.sources.resources import laid_down
from indexer.summary import Result, Summary
from tests.indexer.test_fhir import (
    Resource,
    listed,
    load_text,
    location,
    ndjson,
    one,
    practitioner,
    rejects,
    role,
    tag,
)
from tests.indexer.test_load import load

LATER = {"lastUpdated": "2026-11-01T10:00:00Z"}
EARLIER = {"lastUpdated": "2026-11-01T11:00:00+02:00"}
"""By the clock on the wall it is the later one."""


def bundled(resources: Iterable[Resource], url: str) -> Resource:
    """A Bundle whose entries have URLs like this one, and refer to each other by them."""
    given = list(resources)
    urls = {f"{each['resourceType']}/{each['id']}": url.format(each["id"]) for each in given}
    text = json.dumps(given)
    for name, its in urls.items():
        text = text.replace(f'"{name}"', f'"{its}"')
    entries = [
        {"fullUrl": its, "resource": each}
        for its, each in zip(urls.values(), json.loads(text), strict=True)
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def load_all(parts: Services, paths: list[Path], folder: Path) -> Summary:
    source = Fhir()
    (part,) = source.parts(paths)
    (summary,) = Loader(parts.database, parts.places, parts.clock, folder).load(source, [part])
    if summary.error:
        raise summary.error
    return summary


def load_two(parts: Services, folder: Path, *texts: str) -> Summary:
    """Load two files of a folder, in this order."""
    network = folder / "network"
    network.mkdir(exist_ok=True)
    for number, text in enumerate(texts):
        (network / f"{number}.json").write_text(text, encoding="utf-8")
    return load_all(parts, [network], folder / "rejects")


@pytest.mark.parametrize(
    "url",
    ["urn:uuid:8f6b1a2c-0000-4000-8000-{}", "urn:oid:1.2.{}",
     "https://x.example.org/get?what={}", "https://x.example.org/fhir/other/{}-there"],
)  # fmt: skip
@pytest.mark.parametrize("has_service", [False, True])
def test_entries_are_found_by_their_urls(
    parts: Services, tmp_path: Path, url: str, has_service: bool
) -> None:
    resources = one()
    if has_service:
        where = resources[-1].pop("location")
        resources[-1]["healthcareService"] = [{"reference": "HealthcareService/s1"}]
        resources.append({"resourceType": "HealthcareService", "id": "s1", "location": where})
    load_text(parts, tmp_path, json.dumps(bundled(resources, url)))
    found = listed(parts)
    assert (found.clinic, found.phone) == ("Elm Street Clinic PLLC", "+15125550101")
    # The same again with the references that everybody has: nothing is new, and nobody has moved.
    assert load_text(parts, tmp_path, ndjson(resources)).counts == Counter({Result.UNCHANGED: 1})


def test_rejects_of_a_bundle_with_urns_are_found_when_loaded_again(
    parts: Services, tmp_path: Path
) -> None:
    bad = [practitioner(), location(phone=None, address={"state": "TX"}), *one()[2:]]
    load_text(parts, tmp_path, json.dumps(bundled(bad, "urn:uuid:{}")))
    (path,) = (tmp_path / "rejects").iterdir()
    mended = [location() if each["id"] == "l1" else each for each in rejects(tmp_path)]
    path.write_text(ndjson(mended), encoding="utf-8")
    again = load(parts, Fhir(), path, path.parent)
    assert (again.counts, again.rejects) == (Counter({Result.ADDED: 1}), None)
    assert listed(parts).clinic == "Elm Street Clinic PLLC"


def test_a_urn_of_two_resources_is_nobodys(parts: Services, tmp_path: Path) -> None:
    first = bundled(one(), "urn:uuid:{}")
    other = {"fullUrl": "urn:uuid:p1", "resource": practitioner(2)}
    first["entry"].append(other)
    assert load_text(parts, tmp_path, json.dumps(first)).counts == Counter({Result.REJECTED: 1})
    assert tag(rejects(tmp_path)[0])[0] == "practitioner"


def test_a_bundle_on_many_lines_that_is_too_large_is_refused(
    parts: Services, tmp_path: Path
) -> None:
    entries = [
        *({"resource": {**location(n), "text": "x" * 900_000}} for n in range(1, 75)),
        *({"resource": each} for each in one()),
    ]
    text = json.dumps({"resourceType": "Bundle", "entry": entries}, indent=1)
    with pytest.raises(SourceError, match="a Bundle of more than 64,000,000 bytes"):
        load_text(parts, tmp_path, text)
    assert not (tmp_path / "rejects").exists()


def test_a_long_file_of_lines_with_a_broken_first_one_is_read(
    parts: Services, tmp_path: Path
) -> None:
    big = ({**location(n), "text": "x" * 900_000} for n in range(2, 75))
    text = '{"resourceType": \n' + ndjson([*big, *one()])
    assert load_text(parts, tmp_path, text).counts == Counter({Result.ADDED: 1, Result.REJECTED: 1})


def test_a_bundle_with_an_error_in_it_is_one_reject(parts: Services, tmp_path: Path) -> None:
    text = json.dumps(
        {"resourceType": "Bundle", "entry": [{"resource": r} for r in one()]}, indent=1
    )
    summary = load_text(parts, tmp_path, text.replace('"active": true,', '"active": true', 1))
    assert summary.counts == Counter({Result.REJECTED: 1})
    assert "is no JSON: Expecting ',' delimiter: line " in tag(rejects(tmp_path)[0])[1]


def test_a_folder_is_called_by_its_name(parts: Services, tmp_path: Path) -> None:
    summary = load_two(parts, tmp_path, ndjson(one()), "no JSON")
    with parts.database.reading() as session:
        (last,) = loads.last(session)
    assert last.file == "network"
    assert summary.rejects
    assert summary.rejects.name.startswith("network-")
    assert summary.rejects.suffix == ".ndjson"


def test_several_files_are_called_by_the_first_and_how_many_more(
    parts: Services, tmp_path: Path
) -> None:
    names = ("roles.ndjson", "people.json", "places.json")
    paths = [tmp_path / name for name in names]
    for path in paths:
        path.write_text("no JSON")
    (part,) = Fhir().parts(paths)
    assert part.name == "roles.ndjson and 2 more"
    all_, two, other_two, single = (
        load_all(parts, some, tmp_path / "rejects").rejects
        for some in (paths, paths[:2], paths[::2], paths[:1])
    )
    assert all_
    assert all_.name.startswith("roles-and-2-more-")
    assert single
    assert single.name.startswith("roles-")
    assert single.suffix == ".ndjson"
    assert len({all_, two, other_two, single}) == 4


def test_each_part_knows_its_own_files(parts: Services, tmp_path: Path) -> None:
    source = Fhir()
    made = []
    for number in (1, 2):
        path = tmp_path / f"{number}.json"
        path.write_text(ndjson([practitioner(number), location(), role(number)]))
        made += source.parts([path])
    loader = Loader(parts.database, parts.places, parts.clock, tmp_path / "rejects")
    assert [each.counts for each in loader.load(source, made)] == [
        Counter({Result.ADDED: 1})
    ] * 2  # fmt: skip
    assert listed(parts, "r1/l1").npi != listed(parts, "r2/l1").npi


@pytest.mark.parametrize(
    ("first", "second", "phone"),
    [
        (EARLIER, LATER, "+15125550102"),
        (LATER, EARLIER, "+15125550101"),
        ({"lastUpdated": "2026-10-01"}, {"lastUpdated": "2026-10-02"}, "+15125550102"),
    ],
)
def test_of_a_resource_that_is_there_twice_the_newer_counts(
    parts: Services, tmp_path: Path, first: Resource, second: Resource, phone: str
) -> None:
    other = role(meta=second, telecom=[{"system": "phone", "value": "512-555-0102"}])
    summary = load_two(parts, tmp_path, ndjson(one(meta=first)), ndjson([other]))
    assert summary.counts == Counter({Result.ADDED: 1, Result.SKIPPED: 1})
    assert summary.why[Result.SKIPPED] == Counter({"again in these files": 1})
    assert listed(parts).phone == phone


@pytest.mark.parametrize("meta", [{}, LATER, {"lastUpdated": 7}, {"versionId": "2"}])
def test_the_same_resource_again_is_passed_over(
    parts: Services, tmp_path: Path, meta: Resource
) -> None:
    again = [location(meta=meta), role()]
    summary = load_two(parts, tmp_path, ndjson(one()), ndjson(again))
    assert summary.counts == Counter({Result.ADDED: 1, Result.SKIPPED: 2})
    assert summary.why[Result.SKIPPED] == Counter({"again in these files": 2})


@pytest.mark.parametrize(
    ("first", "second"),
    [(LATER, LATER), (LATER, {}), ({}, LATER), ({}, {}), (LATER, {"lastUpdated": "today"})],
)
def test_two_that_differ_and_neither_is_newer_are_told(
    parts: Services, tmp_path: Path, first: Resource, second: Resource
) -> None:
    other = role(meta=second, telecom=[{"system": "phone", "value": "512-555-0102"}])
    summary = load_two(parts, tmp_path, ndjson(one(meta=first)), ndjson([other]))
    assert summary.counts == Counter({Result.ADDED: 1, Result.REJECTED: 1})
    (kept,) = rejects(tmp_path)
    assert "PractitionerRole/r1 is in row 4 already and says otherwise" in tag(kept)[1]
    assert json.loads(kept["not_fhir"])["telecom"] == other["telecom"]
    assert listed(parts).phone == "+15125550101"
    # Loaded again unmended, the one that was not taken does not become the one that is.
    (path,) = (tmp_path / "rejects").iterdir()
    assert load(parts, Fhir(), path, path.parent).counts == Counter({Result.REJECTED: 1})
    assert listed(parts).phone == "+15125550101"


def test_laying_down_writes_in_one_transaction_and_waits_for_no_disk(tmp_path: Path) -> None:
    path = tmp_path / "network.ndjson"
    path.write_text(ndjson(one()))
    (part,) = Fhir().parts([path])
    statements: list[str] = []
    with laid_down([part]) as resources:
        database: sqlite3.Connection = resources._db
        database.set_trace_callback(statements.append)
        assert not list(resources.lay_down())
        assert database.execute("PRAGMA synchronous").fetchone() == (0,)
    assert [each for each in statements if each in ("BEGIN", "COMMIT")] == ["BEGIN", "COMMIT"]


def test_a_directory_is_never_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "network.ndjson"
    with path.open("w") as file:
        for number in range(1, 1001):
            long = {"text": f"{number}" + "x" * 10_000}
            some = (practitioner(number), location(number), role(number, at=(number,)))
            file.write(ndjson({**each, **long} for each in some))
    (part,) = Fhir().parts([path])
    tracemalloc.start()
    count = sum(1 for _ in Fhir().read(part, set()))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 1000
    assert path.stat().st_size > 30_000_000 > 10 * most
