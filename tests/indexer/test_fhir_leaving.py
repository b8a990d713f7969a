"""Plan-Net roles that leave a location, and rejected ones: nobody leaves for want of data."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from directory.services import Services
from directory.store.listings import Status
from indexer.sources.fhir import Fhir
from indexer.summary import Result, Summary
from tests.indexer.test_fhir import (
    Resource,
    load_text,
    location,
    ndjson,
    organization,
    practitioner,
    rejects,
    role,
    stored,
    tag,
)
from tests.indexer.test_load import load

LATER = {"lastUpdated": "2026-11-01T00:00:00Z"}
NOWHERE = {"latitude": 30.2711, "longitude": -97.7437}
"""In Austin, which is far from Hartford and Denver."""


def network(*roles: Resource, **changed: Resource) -> list[Resource]:
    """Ana, three places, a clinic and these roles; `changed` by id instead of what it was."""
    all_ = [practitioner(), *map(location, (1, 2, 3)), organization(), *roles]
    return [changed.get(each["id"], each) for each in all_]


def located_by(*services: int, **more: Any) -> Resource:
    """A role that names services and no location."""
    named = [{"reference": f"HealthcareService/s{n}"} for n in services]
    return role(at=(), healthcareService=named, **more)


def service(number: int, at: int) -> Resource:
    where = [{"reference": f"Location/l{at}"}]
    return {"resourceType": "HealthcareService", "id": f"s{number}", "location": where}


def reload(parts: Services, folder: Path) -> Summary:
    (path,) = (folder / "rejects").iterdir()
    return load(parts, Fhir(), path, path.parent, accept_withdrawals=True)


def statuses(parts: Services, *keys: str) -> list[Status]:
    return [stored(parts, key).status for key in keys]


@pytest.mark.parametrize("has_services", [False, True])
def test_rejects_loaded_again_withdraw_nobody(
    parts: Services, tmp_path: Path, has_services: bool
) -> None:
    services = [service(n, n) for n in (1, 2, 3)] if has_services else []
    one_role = located_by(1, 2, 3) if has_services else role(at=(1, 2, 3))
    good = [*network(one_role), *services]
    load_text(parts, tmp_path, ndjson(good))
    bad = [location(2, position=NOWHERE) if each["id"] == "l2" else each for each in good]
    summary = load_text(parts, tmp_path, ndjson(bad))
    assert summary.counts == Counter({Result.UNCHANGED: 2, Result.REJECTED: 1})
    again = reload(parts, tmp_path)
    assert again.counts == Counter({Result.UNCHANGED: 2, Result.REJECTED: 1})
    keys = ("r1/l1", "r1/l2", "r1/l3")
    assert set(statuses(parts, *keys)) == {Status.PUBLISHED}
    (path,) = (tmp_path / "rejects").iterdir()
    good_lines = [location(2) if each["id"] == "l2" else each for each in rejects(tmp_path)]
    path.write_text(ndjson(good_lines), encoding="utf-8")
    assert reload(parts, tmp_path).counts == Counter({Result.UNCHANGED: 3})


def test_a_role_rejected_at_two_locations_is_kept_once_with_both_reasons(
    parts: Services, tmp_path: Path
) -> None:
    bad = {"l2": location(2, position=NOWHERE), "l3": location(3, address={"state": "CO"})}
    second = role(2, at=(1,), practitioner={"reference": "Practitioner/p9"})
    given = role(at=(1, 2, 3))
    summary = load_text(parts, tmp_path, ndjson(network(given, second, **bad)))
    assert summary.counts == Counter({Result.ADDED: 1, Result.REJECTED: 3})
    kept = rejects(tmp_path)
    names = [f"{each['resourceType']}/{each['id']}" for each in kept]
    assert Counter(names).most_common(1)[0][1] == 1
    wanted = {"PractitionerRole/r1", "PractitionerRole/r2", "Practitioner/p1", "Organization/o1",
              "Location/l1", "Location/l2", "Location/l3"}  # fmt: skip
    assert {name for name in names if "OperationOutcome" not in name} == wanted
    assert kept[0] | {"meta": None} == given | {"meta": None}
    assert tag(kept[0])[1].endswith("(at Location/l2)")
    (outcome,) = (each for each in kept if each["resourceType"] == "OperationOutcome")
    (issue,) = outcome["issue"]
    assert issue["diagnostics"] == "PractitionerRole/r1"
    (why,) = issue["details"]["coding"]
    assert why["code"].startswith("address")
    assert why["display"].endswith("(at Location/l3)")
    again = reload(parts, tmp_path)
    assert again.counts == Counter({Result.UNCHANGED: 1, Result.REJECTED: 3})


def test_a_role_mended_to_name_fewer_locations_has_left_the_others(
    parts: Services, tmp_path: Path
) -> None:
    load_text(parts, tmp_path, ndjson(network(role(at=(1, 2)))))
    load_text(parts, tmp_path, ndjson(network(role(at=(1, 2)), l2=location(2, position=NOWHERE))))
    (path,) = (tmp_path / "rejects").iterdir()
    mended = [role(at=(1,), meta=LATER) if each["id"] == "r1" else each
              for each in rejects(tmp_path)]  # fmt: skip
    path.write_text(ndjson(mended), encoding="utf-8")
    assert reload(parts, tmp_path).counts[Result.WITHDRAWN] == 1
    assert statuses(parts, "r1/l1", "r1/l2") == [Status.PUBLISHED, Status.WITHDRAWN]


UNSURE: list[list[Resource]] = [
    [located_by(1, 2, meta=LATER), service(1, 1)],
    [located_by(1, 2, meta=LATER), service(1, 1), service(2, 2) | {"location": "l2"}],
    [located_by(1, 2, meta=LATER)],
    [role(at=(), meta=LATER)],
    [role(at=(1,), meta=LATER) | {"location": 7}],
    [role(meta=LATER, location=[{"reference": "Location/l1"}, {"display": "Hartford"}])],
    [role(meta=LATER, location=[{"reference": "Location/l1"}, {"reference": "urn:uuid:2"}])],
]


@pytest.mark.parametrize(
    "later", UNSURE, ids=("service", "shape", "services", "none", "number", "display", "urn")
)
def test_a_role_whose_locations_are_not_all_known_has_left_none(
    parts: Services, tmp_path: Path, later: list[Resource]
) -> None:
    before = [*network(located_by(1, 2)), service(1, 1), service(2, 2)]
    assert load_text(parts, tmp_path, ndjson(before)).counts == Counter({Result.ADDED: 2})
    summary = load_text(parts, tmp_path, ndjson([*network(), *later]), accept_withdrawals=True)
    assert summary.counts[Result.WITHDRAWN] == 0
    assert statuses(parts, "r1/l1", "r1/l2") == [Status.PUBLISHED] * 2


def test_a_role_whose_services_are_all_known_has_left_the_rest(
    parts: Services, tmp_path: Path
) -> None:
    both = [service(1, 1), service(2, 2)]
    load_text(parts, tmp_path, ndjson([*network(located_by(1, 2)), *both]))
    later = [*network(located_by(1, meta=LATER)), *both]
    summary = load_text(parts, tmp_path, ndjson(later), accept_withdrawals=True)
    assert summary.counts[Result.WITHDRAWN] == 1
    assert statuses(parts, "r1/l1", "r1/l2") == [Status.PUBLISHED, Status.WITHDRAWN]


def test_leaving_is_as_new_as_the_practitioner(parts: Services, tmp_path: Path) -> None:
    load_text(parts, tmp_path, ndjson(network(role(at=(1, 2)))))  # as of 2026-04-02, by its places
    moved = network(role(at=(1,)), p1=practitioner(meta=LATER))
    summary = load_text(parts, tmp_path, ndjson(moved), accept_withdrawals=True)
    assert summary.counts[Result.WITHDRAWN] == 1
    older = network(role(at=(1, 2)), p1=practitioner(meta={"lastUpdated": "2026-10-31T00:00:00Z"}))
    load_text(parts, tmp_path, ndjson(older))
    assert statuses(parts, "r1/l2") == [Status.WITHDRAWN]
