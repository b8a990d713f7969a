"""Words to a point: what people type, what an online service adds, and the real addresses."""

import csv
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import perf_counter, sleep

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directory.places import Places, post_offices, post_offices_made
from directory.places import places as chosen
from directory.places.census import GazetteerFileError, read, save, saved
from directory.places.gazetteer import Gazetteer
from directory.places.place import PlaceNotFound, PlacesUnavailable
from tests.judge import distance


@pytest.mark.parametrize(
    ("text", "label", "kind"),
    [
        ("78701", "78701 (Austin, TX)", "postal_code"),
        (" 78701-1234 ", "78701 (Austin, TX)", "postal_code"),
        ("Austin, TX", "Austin, TX", "city"),
        ("austin tx", "Austin, TX", "city"),
        ("AUSTIN, Texas", "Austin, TX", "city"),
        ("Austin", "Austin, TX", "city"),
        ("St. Louis, MO", "Saint Louis, MO", "city"),
        ("Ft Worth TX", "Fort Worth, TX", "city"),
        ("O'Fallon MO", "O Fallon, MO", "city"),
        ("Winston-Salem, NC", "Winston Salem, NC", "city"),
        ("Texas", "Texas", "state"),
        ("tx", "Texas", "state"),
        ("New York", "New York", "state"),
        ("New York, NY", "New York, NY", "city"),
        ("Washington, DC", "Washington, DC", "city"),
        ("123 Main St, Austin, TX 78701", "78701 (Austin, TX)", "postal_code"),
        ("123 Main St, Austin, TX", "Austin, TX", "city"),
        ("30.2713,-97.7426", "30.2713, -97.7426", "point"),
        ("-0.0 , 180", "-0, -180", "point"),
    ],
)
def test_what_people_type(places: Places, text: str, label: str, kind: str) -> None:
    found = places.locate(text)
    assert (found.label, found.kind) == (label, kind)


def test_an_ambiguous_name_is_the_largest_and_offers_the_others(places: Places) -> None:
    found = places.locate("Springfield")
    assert found.label == "Springfield, MA"
    assert "Springfield, IL" in [each.label for each in found.alternatives]
    assert [each.label for each in places.locate("new york").alternatives][0] == "New York, NY"


@pytest.mark.parametrize(
    ("text", "suggested"),
    [("Austn", "Austin, TX"), ("Austn, TX", "Austin, TX"), ("78700", "78701 (Austin, TX)")],
)
def test_an_unknown_place_is_named_and_others_suggested(
    places: Places, text: str, suggested: str
) -> None:
    with pytest.raises(PlaceNotFound, match=text) as raised:
        places.locate(text)
    assert suggested in raised.value.suggestions


@pytest.mark.parametrize("zip_", ["09180", "96271"])
def test_a_zip_at_nothing_and_nothing_is_unknown(places: Places, zip_: str) -> None:
    with pytest.raises(PlaceNotFound):
        places.locate(zip_)


@settings(max_examples=300, deadline=1000)
@given(text=st.text(min_size=1, max_size=60))
def test_any_text_is_a_place_or_none(places: Places, text: str) -> None:
    try:
        assert places.locate(text).label
    except (PlaceNotFound, ValueError) as error:
        assert str(error)


def test_it_is_a_geopy_geocoder() -> None:
    gazetteer = Gazetteer()
    one, many = (
        gazetteer.geocode("Springfield"),
        gazetteer.geocode("Springfield", exactly_one=False),
    )
    assert one.address == "Springfield, MA"
    assert len(many) > 5
    assert gazetteer.geocode("Nowhereville", exactly_one=False) is None


@contextmanager
def nominatim(answer: list[dict[str, str]] | None) -> Iterator[tuple[str, list[str]]]:
    """A real HTTP server that answers as Nominatim does; None: it never answers in time."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if answer is None:
                sleep(4)
            self.send_response(200)
            self.end_headers()
            try:
                self.wfile.write(json.dumps(answer or []).encode())
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


HOUSE = {"display_name": "12 Main Street, Austin", "lat": "30.27", "lon": "-97.74"}


def online(domain: str) -> Places:
    options = {"domain": domain, "scheme": "http", "user_agent": "tests"}
    return chosen("nominatim", options, list)


def test_a_service_is_asked_for_addresses_only_and_once() -> None:
    with nominatim([HOUSE]) as (domain, asked):
        places = online(domain)
        assert places.locate("Austin, TX").kind == "city"
        assert places.locate("78701").kind == "postal_code"
        assert asked == []
        for _ in range(3):
            found = places.locate("12 Main St, Austin, TX")
            assert (found.kind, found.point) == ("address", (30.27, -97.74))
        assert len(asked) == 1


def test_not_found_is_an_answer_that_is_remembered() -> None:
    with nominatim([]) as (domain, asked):
        places = online(domain)
        for _ in range(2):
            with pytest.raises(PlaceNotFound):
                places.locate("1 Rue de Rivoli")
            assert places.locate("99 Nowhere St, Austin, TX").kind == "city"
        assert len(asked) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_unavailable_is_said_within_the_time_limit_and_not_remembered() -> None:
    with nominatim(None) as (domain, asked):
        places = online(domain)
        places.matches("")  # the gazetteer takes its second now
        for _ in range(2):
            started = perf_counter()
            with pytest.raises(PlacesUnavailable):
                places.locate("12 Main St, Austin, TX")
            assert perf_counter() - started < 3.5
        assert len(asked) == 2
    with pytest.raises(PlacesUnavailable):
        online("127.0.0.1:9").locate("12 Main St, Austin, TX")


def test_an_unknown_service_is_named() -> None:
    with pytest.raises(ValueError, match="there is no geocoder 'nope'; there are gazetteer"):
        chosen("nope", {}, list)
    with pytest.raises(ValueError, match="geocoder nominatim"):
        chosen("nominatim", {"no_such_option": 1}, list)


CENSUS = (
    "USPS\tGEOID\tANSICODE\tNAME\tLSAD\tFUNCSTAT\tALAND\tAWATER\tALAND_SQMI\tAWATER_SQMI\t"
    "INTPTLAT\tINTPTLONG            \n"
    "TX\t4805000\t02409761\tAustin city\t25\tA\t1\t1\t1\t1\t30.301192\t-97.754228        \n"
    "TX\t4800000\t0\tNo Post Office CDP\t57\tS\t1\t1\t1\t1\t30.5\t-97.5        \n"
)


def test_census_files_add_places_and_populations(tmp_path: Path) -> None:
    bureau, compiled, kept = (tmp_path / n for n in ("2025_Gaz_place.txt", "p.csv", "kept.csv"))
    bureau.write_text(CENSUS)
    compiled.write_text(
        "geoid,name,also,kind,state,lat,lon,population\n"
        "1,Springfield,,city,IL,39.8,-89.6,114394\n2,Nashville-Davidson,Nashville,,TN,36.2,-86.8,689447\n"
    )
    assert save((p for path in (bureau, compiled) for p in read(path)), kept) == 4
    places = chosen("gazetteer", {}, lambda: saved(kept))
    assert places.locate("No Post Office, TX").point == (30.5, -97.5)
    assert places.locate("Austin, TX").point == (30.301192, -97.754228)
    assert places.locate("Springfield").label == "Springfield, IL"
    assert places.locate("Nashville").label == "Nashville, TN"


@pytest.mark.parametrize(
    ("content", "says"),
    [("a,b\n1,2\n", "no gazetteer file"), ("name,lat,lon\nX,1,north\n", "row 2"), ("name,lat,lon\nX,99,1\n", "row 2")],
)  # fmt: skip
def test_a_file_that_is_no_gazetteer(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(GazetteerFileError, match=says):
        list(read(path))


WEEKS = ("npidata_pfile_20240101-20240107.csv.gz", "npidata_pfile_20240122-20240128.csv.gz")
PRACTICE = "Provider Business Practice Location Address"


def test_the_real_addresses_of_two_weeks_are_found(places: Places, shared_data: Path) -> None:
    """At least 99.5 % by ZIP or `City, ST`; 99 % of the ZIPs' points within 25 km of the bureau's."""
    with (shared_data / "gazetteer" / "zips.csv").open() as file:
        bureau = {r["zip"]: (float(r["lat"]), float(r["lon"])) for r in csv.DictReader(file)}
    rows = found = compared = near = 0
    for week in WEEKS:
        with gzip.open(shared_data / "nppes" / week, "rt", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row[f"{PRACTICE} Country Code (If outside U.S.)"] != "US":
                    continue
                rows += 1
                zip_ = row[f"{PRACTICE} Postal Code"][:5]
                by_zip = next(iter(places.matches(zip_)), None)
                city = f"{row[f'{PRACTICE} City Name']}, {row[f'{PRACTICE} State Name']}"
                found += bool(by_zip or places.matches(city))
                if by_zip and zip_ in bureau:
                    compared += 1
                    near += distance(by_zip.point, bureau[zip_]) <= 25_000
    assert rows == 43_684
    assert found / rows >= 0.995
    assert near / compared >= 0.99


def test_the_post_offices_that_ship_are_those_of_the_package() -> None:
    assert orjson.dumps(post_offices_made.made()) == orjson.dumps(post_offices.read())
