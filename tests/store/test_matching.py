"""Who is one listing: addresses that are one building, records that are one practitioner there."""

import csv as csv_module
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from directory.listing import Listing, Source
from directory.places.street import is_po_box, street_of
from directory.services import Services
from directory.store import listings
from directory.store.models import StatementRow
from indexer.sources.csv import Csv
from indexer.sources.jsonl import Jsonl
from indexer.sources.nppes import Nppes
from indexer.sources.record import RecordSource
from indexer.summary import Result
from tests.builders import TODAY
from tests.indexer.test_load import load, load_csv

ONE_NPI, OTHER_NPI = "1234567893", "1245319599"
Row = dict[str, str]


def street(line: str) -> tuple[str, str] | None:
    """Line 1, a bar and line 2; a ZIP may stand before an @."""
    zip_, _, lines = line.rpartition("@")
    line1, _, line2 = lines.partition("|")
    return street_of({"line1": line1, "line2": line2 or None, "postal_code": zip_ or "78701"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("123 North Main Street|Suite 200", "123 N MAIN ST # 200"),
        ("123 N. Main St.|#200", "123 N Main St Ste. 200"),
        ("123 N Main St Suite #200", "123 N Main St|Ste 200"),
        ("5 SW Oak Boulevard", "5 Southwest Oak Blvd"),
        ("5 Oak Av", "5 Oak Avenue"),
        ("10 Third Ave", "10 3RD AVENUE"),
        ("10 Tenth St", "10 10th Street"),
        ("1 Saint Mary's Place", "1 St Marys Pl"),
        ("1 Fort Point Parkway", "1 Ft Pt Pkwy"),
        ("1 Peña Boulevard", "1 PENA BLVD"),
        ("9 State Route 7", "9 State Rt 7"),
        ("9 Oak Ln Building 2|Suite 3", "9 Oak Lane|Bldg 2 #3"),
        ("9 Oak Ln|Floor 4", "9 OAK LN FL 4"),
        ("78701-1234@9 Oak Ln", "78701@9 Oak Ln"),
        ("PO Box 12", "po box 12"),
    ],
)
def test_one_address_written_in_two_ways_has_one_key(one: str, other: str) -> None:
    assert street(one) == street(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("123 N Main St", "123 S Main St"),
        ("123 N Main St", "123 Main St"),
        ("123 Main St", "124 Main St"),
        ("12 3rd St", "123 Rd St"),
        ("123 Main St", "123 Main Ave"),
        ("10 3rd Ave", "10 4th Ave"),
        ("123A Main St", "123 Main St"),
        ("78701@123 Main St", "78702@123 Main St"),
        ("PO Box 12", "PO Box 13"),
        ("123 Main St", "PO Box 123"),
    ],
)
def test_two_buildings_have_two_keys(one: str, other: str) -> None:
    first, second = street(one), street(other)
    assert first
    assert second
    assert first[0] != second[0]


def test_suites_tell_units_of_one_building_apart() -> None:
    suites = [street(f"123 Main St{suite}") for suite in ("", " Ste 1", " #2", "|Unit 2", "|Apt 2")]
    assert len({each[0] for each in suites if each}) == 1
    assert len({each[1] for each in suites if each}) == len(suites)


def test_an_address_without_a_street_has_no_key() -> None:
    for line1 in (None, "", "  ", "..."):
        assert street_of({"line1": line1, "postal_code": "78701"}) is None
    assert street_of(None) is None


def test_a_post_office_box_is_known_in_every_spelling() -> None:
    for line1 in ("PO Box 12", "P.O. Box 12", "p o box 12", " Post Office Box 12"):
        assert is_po_box({"line1": line1})
    for other in ("12 PO Box Rd", "Poboxer Ln 1", "1 Post Office Sq", None):
        assert not is_po_box({"line1": other})


ANA = {
    "given_name": "Ana", "family_name": "Núñez", "profession": "physical-therapist",
    "line1": "1 Main St", "city": "Austin", "state": "TX", "postal_code": "78701",
    "phone": "512-555-0101",
}  # fmt: skip


def at(kilometres: float) -> Row:
    return {"lat": f"{30.27 + kilometres / 111.2:.5f}", "lon": "-97.74", "precision": "street"}


def write_csv(path: Path, *rows: Row) -> Path:
    columns = sorted({column for row in rows for column in row})
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv_module.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def statements(parts: Services) -> dict[tuple[str, str], str]:
    """The listing of each statement."""
    with parts.database.reading() as session:
        rows = session.scalars(select(StatementRow)).all()
        return {(row.source, row.key): row.listing_id for row in rows}


def listing_of(parts: Services, id_: str) -> Listing:
    with parts.database.reading() as session:
        found = listings.find(session, id_)
    assert found
    assert found.listing
    return found.listing


def are_one(parts: Services, folder: Path, rows: tuple[Row, Row], *, in_one_file: bool) -> bool:
    named = [{**ANA, **row, "id": f"row-{n}"} for n, row in enumerate(rows)]
    files = [named] if in_one_file else [[row] for row in named]
    for number, each in enumerate(files):
        summary = load(parts, Csv(), write_csv(folder / f"{number}.csv", *each))
        assert not summary.counts[Result.REJECTED]
    found = statements(parts)
    assert len(found) == len(rows)
    return len(set(found.values())) == 1


HOWS = pytest.mark.parametrize("how", ["one file", "two files", "two files, the other first"])
NPI, ELSEWHERE = {"npi": ONE_NPI}, {"line1": "9 Oak Ave"}
NO_PHONE, OTHER_PHONE = {"phone": ""}, {"phone": "512-555-0199"}
OTHER_ZIP = {"postal_code": "78704"}


@HOWS
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"given_name": "Rob"}, {"given_name": "ROBERT"}),
        ({"family_name": "Nunez"}, {"family_name": "NÚÑEZ"}),
        ({"suffix": "Jr"}, {}),
        ({"line1": ""}, ELSEWHERE),
        (NPI, {}),
        (at(0), at(0.5) | OTHER_ZIP | ELSEWHERE),
        (NPI, NPI | OTHER_PHONE),
        (NPI, NPI | {"given_name": "Eva", "family_name": "Ruiz"} | NO_PHONE),
        (NPI | NO_PHONE, NPI | NO_PHONE | {"line1": "1 MAIN STREET", "line2": "Suite 4"}),
        (NPI, NPI | {"line1": "Main Street Plaza"}),
        (NPI | NO_PHONE | at(0), NPI | NO_PHONE | ELSEWHERE | at(0.05)),
    ],
)
def test_two_records_of_one_practitioner_at_one_practice_are_one_listing(
    parts: Services, tmp_path: Path, one: Row, other: Row, how: str
) -> None:
    rows = (other, one) if "other" in how else (one, other)
    assert are_one(parts, tmp_path, rows, in_one_file=how == "one file")


@HOWS
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"given_name": "J"}, {"given_name": "Jane"}),
        ({"given_name": "Jo"}, {"given_name": "Joan"}),
        ({"given_name": "Ana"}, {"given_name": "Eva"}),
        ({"family_name": "Núñez"}, {"family_name": "Ruiz"}),
        ({"suffix": "Jr"}, {"suffix": "Sr"}),
        ({}, {"profession": "chiropractor"}),
        ({}, OTHER_PHONE),
        (NO_PHONE, NO_PHONE),
        ({}, OTHER_ZIP),
        (at(0), at(2)),
        (NPI, {"npi": OTHER_NPI}),
        (NPI, NPI | ELSEWHERE),
        (NPI, NPI | ELSEWHERE | OTHER_PHONE),
        (NPI, NPI | OTHER_ZIP),
        (NPI | NO_PHONE | at(0), NPI | NO_PHONE | ELSEWHERE | at(0.2)),
    ],
)
def test_two_practitioners_or_two_practices_are_two_listings(
    parts: Services, tmp_path: Path, one: Row, other: Row, how: str
) -> None:
    rows = (other, one) if "other" in how else (one, other)
    assert not are_one(parts, tmp_path, rows, in_one_file=how == "one file")


def test_an_npi_that_joined_a_listing_keeps_the_next_one_out(
    parts: Services, tmp_path: Path
) -> None:
    for number, npi in enumerate(("", ONE_NPI, OTHER_NPI)):
        row = {**ANA, "npi": npi, "id": f"row-{number}"}
        load(parts, Csv(), write_csv(tmp_path / f"{number}.csv", row))
    found = statements(parts)
    assert found["file", "row-0"] == found["file", "row-1"] == "row-0"
    assert found["file", "row-2"] == "row-2"


def load_registry(parts: Services, folder: Path) -> None:
    practice = "Provider Business Practice Location Address"
    row = {
        "NPI": ONE_NPI, "Entity Type Code": "1", "Provider Last Name (Legal Name)": "NUNEZ",
        "Provider First Name": "ANA", f"Provider First Line {practice[9:]}": "1 MAIN STREET",
        f"{practice} City Name": "AUSTIN", f"{practice} State Name": "TX",
        f"{practice} Postal Code": "787011234", f"{practice} Telephone Number": "5125550199",
        "Provider Sex Code": "F", "Last Update Date": "01/02/2024", "NPI Deactivation Date": "",
        "NPI Reactivation Date": "", "Healthcare Provider Taxonomy Code_1": "225100000X",
    }  # fmt: skip
    path = folder / "npidata.csv"
    with path.open("w", newline="") as file:
        csv_module.writer(file, quoting=csv_module.QUOTE_ALL).writerows((row.keys(), row.values()))
    counts = load(parts, Nppes(), path).counts
    assert counts[Result.ADDED] + counts[Result.CHANGED] == counts.total() == 1


def test_two_numbers_in_one_file_are_two_people(parts: Services, tmp_path: Path) -> None:
    """Whoever had no number until now is the first of them, in one batch as in two."""
    chris = "chris-0,,Chris,Lee"
    several = (f"chris-1,{ONE_NPI},Chris,Lee", f"chris-2,{OTHER_NPI},Christine,Lee")
    header = "id,npi,given_name,family_name,profession,line1,city,state,postal_code,phone"
    rest = "physical-therapist,1 Main St,Austin,TX,78701,5125550101"
    for rows in ([chris], several):
        load_csv(parts, tmp_path, header, *(f"{row},{rest}" for row in rows))
    with parts.database.reading() as session:
        found = {row.key: row.listing_id for row in session.query(StatementRow)}
    assert found == {"chris-0": "chris-0", "chris-1": "chris-0", "chris-2": "chris-2"}


@pytest.mark.parametrize("is_json", [True, False])
@pytest.mark.parametrize("registry_first", [True, False])
@pytest.mark.parametrize("knows_npi", [True, False])
def test_a_list_and_the_registry_make_one_listing_in_either_order(
    parts: Services, tmp_path: Path, is_json: bool, registry_first: bool, knows_npi: bool
) -> None:
    phone = "512-555-0101" if knows_npi else "512-555-0199"
    row = {**ANA, "id": "ana-1", "phone": phone, "clinic": "Núñez Needling", "dry_needling": "yes"}
    row |= NPI if knows_npi else {}
    if registry_first:
        load_registry(parts, tmp_path)
    source, path = _list(tmp_path, row, is_json=is_json)
    load(parts, source, path)
    if not registry_first:
        load_registry(parts, tmp_path)
    found = statements(parts)
    assert found.keys() == {("file", "ana-1"), ("nppes", ONE_NPI)}
    assert len(set(found.values())) == 1
    listing = listing_of(parts, found["file", "ana-1"])
    assert (listing.npi, listing.gender, str(listing.name)) == (ONE_NPI, "female", "Ana Núñez")
    assert (listing.clinic, listing.dry_needling) == ("Núñez Needling", "yes")
    assert listing.phone == f"+1{phone.replace('-', '')}"
    assert listing.address.line1 == "1 Main St"
    said = {field: each.source for field, each in listing.provenance.items()}
    assert said["gender"] is said["taxonomies"] is Source.NPPES
    assert said["clinic"] is said["phone"] is said["address"] is said["name"] is Source.FILE
    assert listing.provenance["clinic"].as_of == TODAY


def _list(folder: Path, row: Row, *, is_json: bool) -> tuple[RecordSource, Path]:
    if not is_json:
        return Csv(), write_csv(folder / "list.csv", row)
    said: dict[str, Any] = {
        "name": {"given": row["given_name"], "family": row["family_name"]},
        "address": {name: row[name] for name in ("line1", "city", "state", "postal_code")},
    }
    same = ("id", "npi", "profession", "phone", "clinic", "dry_needling")
    said |= {name: row[name] for name in same if name in row}
    path = folder / "list.jsonl"
    path.write_text(json.dumps(said), encoding="utf-8")
    return Jsonl(), path
