"""Better points from a geocoding service: which are believed, kept and never asked for again.

The service is geopy's own Nominatim class, asking a small server here.
"""

import csv as csv_module
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from geopy.geocoders import Nominatim

from directory.listing import Facts, Location, Source
from directory.places import Places, exact
from directory.places.place import PlacesUnavailable
from directory.services import Services
from directory.store import listings, record
from directory.store.listings import Made
from directory.store.statement import Statement
from indexer.geocode import Upgrade, upgrade
from indexer.sources.csv import Csv
from indexer.sources.nppes import Nppes
from indexer.summary import Result, Summary
from tests.builders import TODAY
from tests.indexer.test_cli import run
from tests.indexer.test_load import find, load

Point = tuple[float, float]

COLUMNS = (
    "id", "given_name", "family_name", "profession", "line1", "line2", "city", "state",
    "postal_code", "lat", "lon", "precision", "area_only",
)  # fmt: skip
ELM, OAK, FAR = (30.2701, -97.7401), (30.2755, -97.7333), (34.05, -118.24)
SLACK_S = 0.05
"""How much earlier than its time a timer may ring."""


@dataclass
class Service:
    """A geocoding service of a few addresses; it notes what it was asked, and when."""

    port: int = 0
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    down_after: int | None = None
    unreadable: str | None = None

    def knows(self, street: str, point: Point, **address: str) -> None:
        """Answer what begins with a street by a point; `address` is what the answer names."""
        named = ", ".join(address.values())
        self.answers[street] = {
            "place_id": 1, "lat": str(point[0]), "lon": str(point[1]), "display_name": named,
            "importance": 0.5, "address": {**address, "country_code": "us"},
        }  # fmt: skip

    def answer(self, query: str) -> tuple[int, list[dict[str, Any]]]:
        self.asked.append(query)
        self.at.append(time.monotonic())
        if self.down_after is not None and len(self.asked) > self.down_after:
            return 503, []
        if self.unreadable and query.startswith(self.unreadable):
            return 400, []
        return 200, [a for street, a in self.answers.items() if query.startswith(street)][:1]

    @property
    def options(self) -> dict[str, str]:
        return {"domain": f"127.0.0.1:{self.port}", "scheme": "http", "user_agent": "tests"}


class Handler(BaseHTTPRequestHandler):
    """Speaks as much of Nominatim as geopy asks for."""

    def __init__(self, service: Service, *args: Any) -> None:
        self.service = service
        super().__init__(*args)

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        assert (asked["format"], asked["addressdetails"]) == (["json"], ["1"])
        status, found = self.service.answer(asked["q"][0])
        body = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(exact, "WAIT_S", 0.05)
    made = Service()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, made)) as server:
        made.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def geocode(
    parts: Services, service: Service, per_second: float = 1_000, **options: Any
) -> Upgrade:
    asking = Places(list, Nominatim(**service.options))
    finder = asking.finder(per_second)
    return upgrade(parts.database, parts.places, finder, parts.clock, **options)


def row(id_: str, line1: str = "1 Elm St", **more: str) -> dict[str, str]:
    return {
        "id": id_, "given_name": "Ana", "family_name": f"Doe {id_}",
        "profession": "physical-therapist", "line1": line1, "city": "Austin", "state": "TX",
        "postal_code": "78701", **more,
    }  # fmt: skip


def write(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv_module.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def load_rows(parts: Services, folder: Path, *rows: dict[str, str]) -> Summary:
    return load(parts, Csv(), write(folder / "list.csv", *rows))


def place(parts: Services, id_: str) -> Location:
    listing = find(parts, id_).listing
    assert listing
    return listing.location


def streets(parts: Services, folder: Path, count: int) -> None:
    """Load so many listings, each in a street of its own."""
    load_rows(parts, folder, *(row(f"ana-{n}", f"{n + 1} Elm St") for n in range(count)))


@pytest.mark.parametrize(
    ("point", "address", "precision"),
    [
        (ELM, {"house_number": "1", "road": "Elm Street", "city": "Austin"}, "rooftop"),
        (ELM, {"road": "Elm Street", "city": "Austin", "postcode": "78701"}, "street"),
        (ELM, {"city": "Austin", "county": "Travis County", "state": "Texas"}, None),
        (ELM, {"postcode": "78701", "city": "Austin", "state": "Texas"}, None),
        (FAR, {"house_number": "1", "road": "Elm Street", "city": "Los Angeles"}, None),
    ],
)
def test_what_is_believed_of_an_answer(
    parts: Services, tmp_path: Path, service: Service,
    point: Point, address: dict[str, str], precision: str | None,
) -> None:  # fmt: skip
    service.knows("1 Elm St, Austin, TX 78701", point, **address)
    load_rows(parts, tmp_path, row("ana-1"))
    before = place(parts, "ana-1")
    assert (before.precision, before.method) == ("postal_code", "gazetteer")
    done = geocode(parts, service)
    assert service.asked == ["1 Elm St, Austin, TX 78701"]
    found = place(parts, "ana-1")
    if precision:
        assert done == Upgrade(moved=1, asked=1, unknown=0)
        assert (found.point, found.precision, found.method) == (point, precision, "geocoder")
    else:
        assert done == Upgrade(moved=0, asked=1, unknown=1)
        assert found == before
    assert geocode(parts, service) == Upgrade()
    assert len(service.asked) == 1


def test_an_address_is_asked_for_once(parts: Services, tmp_path: Path, service: Service) -> None:
    service.knows("1 Elm St", ELM, house_number="1", road="Elm Street")
    load_rows(
        parts, tmp_path,
        row("ana-1"), row("ana-2", "1 ELM STREET"), row("ana-3", line2="Suite 7"),
        row("ana-4", "2 Oak Ave"), row("ana-5", "2 Oak Avenue", line2="# 9"),
    )  # fmt: skip
    assert geocode(parts, service) == Upgrade(moved=3, asked=2, unknown=1)
    assert [place(parts, f"ana-{n}").point for n in (1, 2, 3)] == [ELM] * 3
    assert {place(parts, f"ana-{n}").method for n in (4, 5)} == {"gazetteer"}
    assert geocode(parts, service) == Upgrade()
    assert len(service.asked) == 2


def test_a_service_that_is_down_keeps_what_was_found(
    parts: Services, tmp_path: Path, service: Service
) -> None:
    streets(parts, tmp_path, 4)
    for n in range(1, 5):
        service.knows(f"{n} Elm St", ELM, house_number=str(n), road="Elm Street")
    service.down_after = 2
    with pytest.raises(PlacesUnavailable, match=r"the geocoding service nominatim: .*503"):
        geocode(parts, service)
    assert len(service.asked) == 2 + 1 + exact.RETRIES
    service.down_after = None
    assert geocode(parts, service) == Upgrade(moved=2, asked=2, unknown=0)
    assert Counter(service.asked[-2:]) == Counter(f"{n} Elm St, Austin, TX 78701" for n in (3, 4))
    assert {place(parts, f"ana-{n}").point for n in range(4)} == {ELM}


def test_an_address_that_the_service_cannot_read_holds_up_no_other(
    parts: Services, tmp_path: Path, service: Service
) -> None:
    service.unreadable = "1 Elm"
    service.knows("2 Oak", OAK, house_number="2", road="Oak Avenue")
    load_rows(parts, tmp_path, row("ana-1"), row("ana-2", "2 Oak Ave"))
    assert geocode(parts, service) == Upgrade(moved=1, asked=2, unknown=1)
    assert len(service.asked) == 2
    assert geocode(parts, service) == Upgrade()


def test_a_run_with_a_limit_goes_on_where_it_was(
    parts: Services, tmp_path: Path, service: Service
) -> None:
    streets(parts, tmp_path, 5)
    service.knows("", OAK, road="Elm Street")
    told: list[int] = []
    for left in (5, 3, 1):
        done = geocode(parts, service, limit=2, progress=lambda d: told.append(d.asked))
        assert (done.moved, done.asked) == (min(left, 2), min(left, 2))
    assert max(told) == 2
    assert len(set(service.asked)) == len(service.asked) == 5
    assert geocode(parts, service, limit=2) == Upgrade()


def test_what_must_not_move_does_not(parts: Services, tmp_path: Path, service: Service) -> None:
    service.knows("", ELM, house_number="1", road="Elm Street")
    near = {"lat": "30.3", "lon": "-97.7"}
    load_rows(
        parts, tmp_path,
        row("given-1", "1 Elm St", **near, precision="rooftop"),
        row("given-2", "2 Elm St", **near, precision="city"),
        row("hidden-1", "3 Elm St", area_only="yes"),
        row("box-1", "P.O. Box 12"),
        row("city-1", ""),
    )  # fmt: skip
    ids = ("given-1", "given-2", "hidden-1", "box-1", "city-1")
    before = [place(parts, id_) for id_ in ids]
    assert geocode(parts, service).moved == 0
    assert service.asked == []
    assert [place(parts, id_) for id_ in ids] == before
    assert before[0].point == (30.3, -97.7)


def test_the_point_of_a_clinic_is_not_moved(
    parts: Services, tmp_path: Path, service: Service
) -> None:
    service.knows("", ELM, house_number="1", road="Elm Street")
    load_rows(parts, tmp_path, row("ana-1"))
    listing = find(parts, "ana-1").listing
    assert listing
    given = {"lat": 30.3, "lon": -97.7, "precision": "street"}
    said = listing.model_dump(exclude={"id", "provenance"}) | {"location": given}
    statement = Statement.of(Source.CLINIC, "ana-1", TODAY, Facts.model_validate(said))
    with parts.database.writing() as session:
        record.record(session, "ana-1", statement, Made("a clinic", parts.clock(), "said so"))
    geocode(parts, service)
    assert place(parts, "ana-1").point == (30.3, -97.7)
    assert service.asked == []


def test_loading_again_does_not_throw_a_point_back(
    parts: Services, tmp_path: Path, service: Service
) -> None:
    service.knows("1 Elm St", ELM, house_number="1", road="Elm Street")
    rows = row("ana-1"), row("ana-2", "2 Oak Ave")
    load_rows(parts, tmp_path, *rows)
    geocode(parts, service)
    assert load_rows(parts, tmp_path, *rows).counts == Counter({Result.UNCHANGED: 2})
    assert place(parts, "ana-1").point == ELM
    newcomer = row("bob-1", "1 Elm Street", line2="Ste 3")
    moved = row("ana-2", "1 ELM ST")
    again = load_rows(parts, tmp_path, rows[0], moved, newcomer)
    assert again.counts == Counter({Result.UNCHANGED: 1, Result.CHANGED: 1, Result.ADDED: 1})
    assert {place(parts, id_).point for id_ in ("ana-2", "bob-1")} == {ELM}
    assert load_rows(parts, tmp_path, row("ana-1", "2 Oak Ave")).counts[Result.CHANGED] == 1
    assert place(parts, "ana-1").method == "gazetteer"
    assert len(service.asked) == 2


def test_a_registry_keeps_its_better_points(
    parts: Services, shared_data: Path, tmp_path: Path, service: Service
) -> None:
    path, folder = shared_data / "nppes/practitioners_2018.csv", tmp_path / "rejects"
    with path.open(encoding="utf-8", newline="") as file:
        addresses = {
            each["NPI"]: each["Provider First Line Business Practice Location Address"]
            for each in csv_module.DictReader(file)
        }
    first = load(parts, Nppes(), path, folder)
    ids = {record.listing_id(Source.NPPES, npi): npi for npi in addresses}
    with parts.database.reading() as session:
        ours = {id_: npi for id_, npi in ids.items() if listings.find(session, id_)}
    assert len(ours) == first.counts[Result.ADDED] > 100
    id_, npi = min(ours.items())
    listing = find(parts, id_).listing
    assert listing
    street = str(listing.address.line1)
    assert street.upper() == addresses[npi].upper()
    point = (round(listing.location.lat + 0.01, 6), listing.location.lon)
    number, road = street.split(" ", 1)
    asked = f"{street}, {listing.address.city}"
    service.knows(asked, point, house_number=number, road=road)
    done = geocode(parts, service)
    assert done.asked == len(service.asked)
    assert 1 <= done.moved < len(ours)
    assert done.unknown == done.asked - 1
    assert place(parts, id_).point == point
    again = load(parts, Nppes(), path, folder)
    assert again.counts[Result.UNCHANGED] == len(ours)
    assert again.counts[Result.ADDED] == again.counts[Result.CHANGED] == 0
    assert place(parts, id_).point == point


def test_a_service_is_asked_no_oftener_than_it_wants(
    parts: Services, tmp_path: Path, service: Service
) -> None:
    streets(parts, tmp_path, 11)
    geocode(parts, service, per_second=20)
    assert len(service.at) == 11
    assert service.at[-1] - service.at[0] >= 10 / 20 - SLACK_S


def test_the_command_asks_the_service_of_the_settings(tmp_path: Path, service: Service) -> None:
    service.knows("1 Elm St", ELM, house_number="1", road="Elm Street")
    write(tmp_path / "list.csv", row("ana-1"), row("ana-2", "2 Oak Ave"), row("ana-3", "3 Oak Ave"))
    assert run(tmp_path, "indexer", "load", "csv", "list.csv").returncode == 0
    alone = run(tmp_path, "indexer", "geocode")
    assert (alone.returncode, alone.stdout) == (
        0,
        "moved 0 listings\nasked nobody: no service is set (DIRECTORY_GEOCODER)\n",
    )
    command = ("indexer", "geocode", "--per-second", "50", "--limit", "2")
    settings = {"geocoder": "nominatim", "geocoder_options": json.dumps(service.options)}
    for says in (
        "moved 1 listings\nasked nominatim 2 times, 1 in vain\n",
        "moved 0 listings\nasked nominatim 1 times, 1 in vain\n",
    ):
        done = run(tmp_path, *command, **settings)
        assert (done.returncode, done.stdout) == (0, says)
    assert len(service.asked) == len(set(service.asked)) == 3
