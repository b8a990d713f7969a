"""The registry: two real weeks, the layout of 2018, real edges, and dirt that is made here.

What should come of a file is worked out by a few lines of csv of our own, not by what is tested.
"""

import csv
import gzip
import io
import random
import time
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from directory.fields import npi_is_valid
from directory.listing import Listing, Source
from directory.places import Places
from directory.services import Services
from directory.states import STATE_NAMES
from directory.store import clinics, record
from directory.store.listings import Status, StoredListing, counts
from directory.store.said import SaidOf, keys_said, statements_said
from indexer.load import Loader
from indexer.sources.csv import Csv
from indexer.sources.files import SourceError
from indexer.sources.nppes import Nppes
from indexer.sources.record import Passed, RecordSource
from indexer.sources.table import Row
from indexer.summary import Result, Summary
from tests.indexer.test_load import find, load

WEEKS = ("npidata_pfile_20240101-20240107.csv.gz", "npidata_pfile_20240122-20240128.csv.gz")
PROFESSIONS = ("207X", "111N", "2251")
CLINICS = ("261QP2000X", "261QR0400X", "261QR0401X")
SLOTS = range(1, 16)
AT = "Provider Business Practice Location Address"
FURTHER = "Provider Secondary Practice Location Address"
NAMED = {
    "npi": "NPI", "kind": "Entity Type Code", "given": "Provider First Name",
    "middle": "Provider Middle Name", "family": "Provider Last Name (Legal Name)",
    "suffix": "Provider Name Suffix Text", "letters": "Provider Credential Text",
    "sex": "Provider Gender Code", "company": "Provider Organization Name (Legal Business Name)",
    "trading": "Provider Other Organization Name",
    "line1": "Provider First Line Business Practice Location Address",
    "line2": "Provider Second Line Business Practice Location Address",
    "city": f"{AT} City Name", "state": f"{AT} State Name", "postal_code": f"{AT} Postal Code",
    "country": f"{AT} Country Code (If outside U.S.)", "phone": f"{AT} Telephone Number",
    "updated": "Last Update Date", "off": "NPI Deactivation Date", "on": "NPI Reactivation Date",
    "taxonomy": "Healthcare Provider Taxonomy Code_1",
}  # fmt: skip
FURTHER_NAMED = {
    "npi": "NPI", "line1": f"{FURTHER}- Address Line 1", "line2": f"{FURTHER}-  Address Line 2",
    "city": f"{FURTHER} - City Name", "state": f"{FURTHER} - State Name",
    "postal_code": f"{FURTHER} - Postal Code", "phone": f"{FURTHER} - Telephone Number",
    "country": f"{FURTHER} - Country Code (If outside U.S.)",
}  # fmt: skip
AUSTIN = {"city": "AUSTIN", "state": "TX", "postal_code": "787010000", "country": "US"}

Cells = Mapping[str, str]


def rows_of(path: Path) -> list[dict[str, str]]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def taxonomies(row: Cells) -> list[tuple[str, bool, str, str]]:
    """Code, whether it is the primary one, licence and its state; the primary one first."""
    found = []
    for n in SLOTS:
        state = row[f"Provider License Number State Code_{n}"]
        licence = (row[f"Provider License Number_{n}"].strip(), state)
        primary = row[f"Healthcare Provider Primary Taxonomy Switch_{n}"] == "Y"
        if code := row[f"Healthcare Provider Taxonomy Code_{n}"]:
            is_told = all(licence) and state in STATE_NAMES
            found.append((code, primary, *(licence if is_told else ("", ""))))
    return [t for t in found if t[1]] + [t for t in found if not t[1]]


def wanted(rows: Iterable[Cells], places: Places) -> tuple[dict[str, Cells], dict[str, Cells]]:
    """The individuals and the clinics of ours that are active, in the US, and can be found."""
    found: tuple[dict[str, Cells], dict[str, Cells]] = ({}, {})
    for row in rows:
        is_individual = row["Entity Type Code"] == "1"
        beginnings = PROFESSIONS if is_individual else PROFESSIONS + CLINICS
        is_ours = any(code.startswith(beginnings) for code, *_ in taxonomies(row))
        gone = row[NAMED["off"]] and not row[NAMED["on"]]
        if not is_ours or gone or row[NAMED["country"]] not in ("", "US"):
            continue
        state = row[NAMED["state"]]
        texts = (row[NAMED["postal_code"]][:5], f"{row[NAMED['city']]}, {state}")
        if any(p.state == state for text in texts for p in places.matches(text)):
            found[0 if is_individual else 1][row["NPI"]] = row
    return found


def essence(row: Cells) -> list[Any]:
    """What is told of a row, as it stands in it; of a clinic, the name that it trades under."""
    place = ("line1", "line2", "city", "state", "postal_code", "phone")
    told = [row[NAMED[name]] for name in place]
    if row["Entity Type Code"] == "2":
        trades = row["Provider Other Organization Name Type Code"] == "3"
        return [*told, row[NAMED["trading" if trades else "company"]]]
    person = ("given", "middle", "family", "suffix", "letters", "sex")
    return [*told, *(row[NAMED[name]] for name in person), taxonomies(row)]


def said(parts: Services) -> dict[str, SaidOf]:
    """What the registry says of individuals, by key."""
    with parts.database.reading() as session:
        names = [(Source.NPPES, key) for key in keys_said(session, Source.NPPES)]
        return {key: each for (_, key), each in statements_said(session, names).items()}


def clinic_keys(parts: Services) -> set[str]:
    with parts.database.reading() as session:
        return clinics.keys(session, Source.NPPES)


def standing(parts: Services) -> Counter[Status]:
    with parts.database.reading() as session:
        return counts(session)


def checked(summary: Summary, rows: int) -> Summary:
    """A summary, when it adds up to these rows and its reasons to its counts."""
    assert summary.read == rows == sum(summary.counted.values())
    for result in (Result.SKIPPED, Result.REJECTED):
        assert summary.why.get(result, Counter()).total() == summary.counts[result]
    return summary


def assert_said(parts: Services, rows: Mapping[str, Cells]) -> None:
    """Of these individuals, and of no others, just what is in their rows."""
    found = said(parts)
    assert found.keys() == rows.keys()
    for npi, row in rows.items():
        fields = found[npi].fields or {}
        address = fields["address"]
        for part in ("line1", "city", "state"):
            assert address[part].upper() == row[NAMED[part]].strip().upper()
        assert address["postal_code"][:5] == row[NAMED["postal_code"]][:5]
        assert fields["name"]["family"].upper() == row[NAMED["family"]].upper()
        assert [
            (t["code"], t["primary"], t.get("licence_number", ""), t.get("licence_state", ""))
            for t in fields["taxonomies"]
        ] == taxonomies(row)


@pytest.fixture(scope="module")
def weeks(shared_data: Path) -> list[list[dict[str, str]]]:
    return [rows_of(shared_data / "nppes" / week) for week in WEEKS]


def changes(before: Mapping[str, Cells], after: Mapping[str, Cells]) -> set[str]:
    both = before.keys() & after.keys()
    return {npi for npi in both if essence(before[npi]) != essence(after[npi])}


def test_two_real_weeks_say_what_is_in_them(
    parts: Services, shared_data: Path, weeks: list[list[dict[str, str]]], tmp_path: Path
) -> None:
    first, second = (wanted(week, parts.places) for week in weeks)
    files = [shared_data / "nppes" / week for week in WEEKS]
    rejects = tmp_path / "rejects"
    checked(load(parts, Nppes(), files[0], rejects), len(weeks[0]))
    before = said(parts)
    assert_said(parts, first[0])
    assert clinic_keys(parts) == first[1].keys()
    assert standing(parts) == Counter({Status.PUBLISHED: len(first[0])})

    later = checked(load(parts, Nppes(), files[1], rejects), len(weeks[1]))
    after = said(parts)
    gone = {r["NPI"] for r in weeks[1]} - second[0].keys() - second[1].keys()
    assert after.keys() == (first[0].keys() | second[0].keys()) - gone
    assert clinic_keys(parts) == (first[1].keys() | second[1].keys()) - gone
    kept = before.keys() & after.keys()
    changed = changes(first[0], second[0])
    assert {npi for npi in kept if before[npi].fields != after[npi].fields} == changed
    renamed = changes(first[1], second[1])
    assert changed
    assert renamed
    assert later.counts[Result.CHANGED] == len(changed) + len(renamed)
    assert later.counts[Result.WITHDRAWN] == len(gone & (first[0].keys() | first[1].keys()))
    again = checked(load(parts, Nppes(), files[1], rejects), len(weeks[1]))
    assert again.counts.keys() == {Result.UNCHANGED, Result.SKIPPED}
    assert again.counts[Result.UNCHANGED] == len(second[0]) + len(second[1])


@pytest.mark.parametrize("name", ["practitioners_2018.csv", "organizations_2018.csv"])
def test_the_layout_of_2018_is_read_by_its_columns(
    parts: Services, shared_data: Path, tmp_path: Path, name: str
) -> None:
    path = shared_data / "nppes" / name
    rows = rows_of(path)
    individuals, organisations = wanted(rows, parts.places)
    assert bool(individuals) == name.startswith("practitioners")
    checked(load(parts, Nppes(), path, tmp_path / "rejects"), len(rows))
    assert clinic_keys(parts) == organisations.keys()
    assert_said(parts, individuals)


def test_each_edge_ends_as_it_should(parts: Services, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "nppes" / "edge_rows_2024.csv"
    rows = rows_of(path)
    edges: dict[str, list[str]] = {}
    for each in rows_of(shared_data / "nppes" / "edge_rows_2024.index.csv"):
        edges.setdefault(each["edge"].split(":")[0].split(" ")[0], []).append(each["npi"])
    individuals, organisations = wanted(rows, parts.places)
    summary = checked(load(parts, Nppes(), path, tmp_path / "rejects"), len(rows))
    assert_said(parts, individuals)
    assert clinic_keys(parts) == organisations.keys()
    kept = said(parts)
    for edge in ("deactivated", "foreign", "military", "student"):
        assert not kept.keys() & edges[edge]
        assert not clinic_keys(parts) & set(edges[edge])
    for edge in ("reactivated", "primary", "same", "target", "territory", "licence", "practice"):
        there = kept.keys() & edges[edge]
        assert there, edge
        for npi in there:
            fields = kept[npi].fields or {}
            assert fields["taxonomies"][0]["primary"]
            assert fields["location"]["precision"] in ("postal_code", "city")
    assert summary.counts[Result.REJECTED] == 0


# What follows is made up: nobody has an NPI that begins with 2.


def npi(n: int) -> str:
    return next(each for d in range(10) if npi_is_valid(each := f"2{n:08d}{d}"))


def person(n: int = 1, /, **cells: str) -> dict[str, str]:
    return {
        "npi": npi(n), "kind": "1", "given": "ANA", "family": "NUÑEZ", "letters": "PT, DPT",
        "line1": f"{n} MAIN ST", **AUSTIN, "phone": f"51255501{n:02d}", "updated": "01/05/2024",
        "taxonomy": "225100000X", **cells,
    }  # fmt: skip


def company(n: int = 50, /, **cells: str) -> dict[str, str]:
    name = cells.pop("company", f"FICTIONAL CLINIC {n}")
    return person(n, **{"kind": "2", "given": "", "family": "", "company": name, **cells})


def place(n: int = 1, /, **cells: str) -> dict[str, str]:
    return {"npi": npi(n), "line1": "900 ELM ST", **AUSTIN, "phone": "5125550199", **cells}


@dataclass(frozen=True)
class Desk:
    """Where files of the registry are made and loaded."""

    parts: Services
    folder: Path
    header: Sequence[str]
    further: Sequence[str]

    def table(self, rows: Iterable[Cells], quoting: int = csv.QUOTE_ALL, end: str = "\r\n") -> str:
        return _table(self.header, NAMED, rows, quoting, end)

    def locations(self, *rows: Cells) -> str:
        return _table(self.further, FURTHER_NAMED, rows)

    def load(self, *rows: Cells, source: RecordSource | None = None, **options: Any) -> Summary:
        """Load these practitioners; what is withdrawn is accepted unless it is said otherwise."""
        return self.load_text(self.table(rows), len(rows), source, **options)

    def load_text(
        self, text: str | bytes, rows: int, source: RecordSource | None = None, **options: Any
    ) -> Summary:
        path = self.folder / "file.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        options = {"accept_withdrawals": True, **options}
        return checked(load(self.parts, source or Nppes(), path, **options), rows)

    def load_zip(self, members: Mapping[str, str | bytes], **options: Any) -> Counter[Result]:
        path = self.folder / "registry.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in members.items():
                archive.writestr(name, text)
        loader = Loader(
            self.parts.database, self.parts.places, self.parts.clock, self.folder / "rejects",
            **options,
        )  # fmt: skip
        loads = [each.counts for each in loader.load(Nppes(), Nppes().parts([path]))]
        return sum(loads, Counter[Result]())

    def stored(self, n: int = 1, building: str = "") -> StoredListing:
        key = f"{npi(n)}@{building}" if building else npi(n)
        return find(self.parts, record.listing_id(Source.NPPES, key))

    def listing(self, n: int = 1, building: str = "") -> Listing:
        found = self.stored(n, building).listing
        assert found
        return found


def _table(
    header: Sequence[str],
    names: Mapping[str, str],
    rows: Iterable[Cells],
    quoting: int = csv.QUOTE_ALL,
    end: str = "\r\n",
) -> str:
    file = io.StringIO()
    writer = csv.writer(file, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerow(header)
    for row in rows:
        named = {names.get(name, name): cell for name, cell in row.items()}
        writer.writerow([named.get(column, "") for column in header])
    return file.getvalue()


@pytest.fixture
def desk(
    parts: Services, shared_data: Path, weeks: list[list[dict[str, str]]], tmp_path: Path
) -> Desk:
    further = rows_of(shared_data / "nppes" / "pl_pfile_sample.csv")[0]
    return Desk(parts, tmp_path, list(weeks[0][0]), list(further))


ELM, OAK = "78701 900 elm st", "78701 7 oak st"


def test_the_practice_address_is_taken_and_never_the_mailing_address(desk: Desk) -> None:
    mailing = {name.replace("Practice Location", "Mailing"): "ELSEWHERE" for name in NAMED.values()
               if "Practice Location" in name}  # fmt: skip
    assert len(mailing.keys() & set(desk.header)) == len(mailing)
    desk.load(person(1, **mailing), person(2, line1="", **mailing))
    assert desk.listing().address.line1 == "1 Main St"
    assert desk.listing(2).address.line1 is None
    assert "lsewhere" not in f"{desk.listing()}{desk.listing(2)}".lower()


def test_fifteen_taxonomies_are_kept_and_none_need_be_primary(desk: Desk) -> None:
    codes = {f"Healthcare Provider Taxonomy Code_{n}": "208100000X" for n in SLOTS}
    last = {"Healthcare Provider Taxonomy Code_15": "111N00000X"}
    desk.load(person(**{"taxonomy": "208100000X", **codes, **last}))
    assert [t.code for t in desk.listing().taxonomies] == ["208100000X"] * 14 + ["111N00000X"]
    assert not any(t.primary for t in desk.listing().taxonomies)
    assert desk.listing().profession == "chiropractor"


def test_an_older_date_never_wins(desk: Desk) -> None:
    desk.load(person(given="EVA", updated="03/01/2024"), company(updated="03/01/2024"))
    older = desk.load(person(updated="02/01/2024"), company(updated="02/01/2024", company="OLD"))
    assert older.counts == Counter({Result.UNCHANGED: 2})
    assert desk.listing().name.given == "Eva"


def test_further_locations_are_further_listings_of_the_same_person(desk: Desk) -> None:
    locations = (place(), place(line1="7 OAK ST", phone="5125550198"), place(2),
                 place(line1="1 Main Street", line2="Suite 4"), place(country="CA"))  # fmt: skip
    members = {
        "pl_pfile_1.csv": desk.locations(*locations),
        "othername_pfile_1.csv": '"NPI","Provider Other Organization Name"\r\n"1","X"\r\n',
        "npidata_pfile_1_fileheader.csv": desk.table([]),
        "readme.pdf": "%PDF",
        "npidata_pfile_1.csv": desk.table([person()]),
    }
    total = desk.load_zip(members)
    assert total - Counter({Result.SKIPPED: 9}) == Counter({Result.ADDED: 3})
    assert standing(desk.parts) == Counter({Status.PUBLISHED: 3})
    for building, line1 in {"": "1 Main St", ELM: "900 Elm St", OAK: "7 Oak St"}.items():
        listing = desk.listing(building=building)
        assert (listing.npi, listing.title) == (npi(1), "Ana Nuñez, PT, DPT")
        assert listing.address.line1 == line1
    members.pop("npidata_pfile_1_fileheader.csv")
    total = desk.load_zip(dict(reversed(members.items())))
    assert total == Counter({Result.UNCHANGED: 3, Result.SKIPPED: 3})


def test_a_change_of_name_is_one_of_all_locations(desk: Desk) -> None:
    desk.load(person())
    desk.load_text(desk.locations(place(), place(line1="7 OAK ST", phone="5125550198")), 2)
    desk.load(person(family="O'NEILL", updated="02/01/2024"))
    for building in ("", ELM, OAK):
        assert desk.listing(building=building).name.family == "O'Neill"
    assert desk.listing(building=ELM).phone == "+15125550199"


def test_who_is_deactivated_leaves_all_locations_and_may_come_back(desk: Desk) -> None:
    desk.load(person(), person(2))
    desk.load_text(desk.locations(place(), place(2)), 2)
    gone = {"npi": npi(1), "off": "02/01/2024"}
    assert desk.load(gone).counts == Counter({Result.WITHDRAWN: 1})
    for building in ("", ELM):
        assert desk.stored(building=building).reason == "the NPI was deactivated on 02/01/2024"
    assert standing(desk.parts) == Counter({Status.PUBLISHED: 2, Status.WITHDRAWN: 2})
    assert desk.load(person()).counts == Counter({Result.UNCHANGED: 1})  # older: not believed
    desk.load(person(**gone, on="03/01/2024", updated="03/01/2024"))
    assert desk.stored().status is Status.PUBLISHED


@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
def test_the_report_of_deactivations_withdraws_with_its_reason(desk: Desk, quoting: int) -> None:
    desk.load(person(), person(2), company(line1="2 MAIN ST"))
    assert desk.listing(2).clinic
    columns = ["NPI", "NPPES Deactivation Date"]
    rows = [dict(zip(columns, (npi(n), "02/01/2024"), strict=True)) for n in (1, 9, 50)]
    report = _table(columns, {}, rows, quoting)
    assert desk.load_text(report, 3).counts == Counter({Result.WITHDRAWN: 2, Result.SKIPPED: 1})
    assert desk.stored().reason == "the NPI was deactivated on 02/01/2024"
    assert desk.listing(2).clinic is None
    assert desk.load_text(report, 3).counts == Counter({Result.SKIPPED: 3})


@pytest.mark.parametrize("on", ["02/01/2024", datetime(2024, 2, 1)])  # noqa: DTZ001  # Excel's
def test_the_report_of_deactivations_may_be_a_workbook(desk: Desk, on: object) -> None:
    desk.load(person(), person(2))
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (["NPPES Deactivated NPI Report as of Feb 5 2024"],
                ["NPI", "NPPES Deactivation Date"], [npi(9), on], [int(npi(1)), on]):  # fmt: skip
        sheet.append(row)
    path = desk.folder / "report.xlsx"
    book.save(path)
    for result in (Result.WITHDRAWN, Result.SKIPPED):
        summary = checked(load(desk.parts, Nppes(), path, accept_withdrawals=True), 2)
        assert summary.counts == Counter({Result.SKIPPED: 1}) + Counter({result: 1})
    assert desk.stored().reason == "the NPI was deactivated on 02/01/2024"
    assert desk.stored(2).status is Status.PUBLISHED


@pytest.mark.parametrize("order", ["together", "person first", "clinic first"])
def test_a_practitioner_has_the_name_of_the_clinic_there(desk: Desk, order: str) -> None:
    here = {"line1": "5 OAK ST STE 2", "phone": "5125550177"}
    rows = [person(**here), company(**here, taxonomy=CLINICS[0])]
    if order == "together":
        desk.load(*rows)
    else:
        for row in rows if order == "person first" else reversed(rows):
            desk.load(row)
    assert desk.listing().clinic == "Fictional Clinic 50"
    assert desk.listing().provenance["clinic"].as_of == date(2024, 1, 5)
    desk.load({"npi": npi(50), "off": "02/01/2024"})
    assert desk.listing().clinic is None
    assert desk.stored().status is Status.PUBLISHED


def test_of_two_clinics_it_is_the_one_with_the_phone_or_suite_or_none(desk: Desk) -> None:
    here = {"line1": "5 OAK ST", "phone": "5125550177"}
    desk.load(person(1, **here), person(2, line1="5 Oak Street, Suite 9"), company(**here))
    assert desk.listing().clinic == "Fictional Clinic 50"
    assert desk.listing(2).clinic is None
    desk.load(company(51, line1="5 OAK ST", line2="STE 9"))
    assert desk.listing().clinic == "Fictional Clinic 50"
    assert desk.listing(2).clinic == "Fictional Clinic 51"
    desk.load(company(52, **here))
    assert desk.listing().clinic is None
    desk.load(company(52, line1="6 ELM ST", updated="02/01/2024"))
    assert desk.listing().clinic == "Fictional Clinic 50"


def test_a_source_that_names_the_clinic_overrides_the_one_that_is_found(desk: Desk) -> None:
    here = {"line1": "5 OAK ST", "phone": "5125550177"}
    desk.load(person(**here), company(**here))
    desk.load_text(
        "npi,given_name,family_name,profession,line1,city,state,postal_code,clinic\n"
        f"{npi(1)},Ana,Nuñez,physical-therapist,5 Oak Street,Austin,TX,78701,Our Own Name\n",
        1, Csv(),
    )  # fmt: skip
    assert standing(desk.parts) == Counter({Status.PUBLISHED: 1})
    desk.load(company(**here, company="RENAMED", updated="02/01/2024"))
    assert desk.listing().clinic == "Our Own Name"
    assert desk.listing().provenance["clinic"].source is Source.FILE


def test_only_some_states_and_taxonomies_are_loaded_and_who_is_listed_stays_true(
    desk: Desk,
) -> None:
    source = Nppes(taxonomies=("2251",), states=("TX",))
    away = {"line1": "8 OAK ST", "city": "TULSA", "state": "OK", "postal_code": "74103"}
    desk.load(person(1), person(2), person(3, taxonomy="111N00000X"), person(4, **away),
              company(taxonomy=CLINICS[0]), company(51), source=source)  # fmt: skip
    assert said(desk.parts).keys() == {npi(1), npi(2)}
    assert clinic_keys(desk.parts) == {npi(51)}
    later = {"updated": "02/01/2024"}
    summary = desk.load(person(1, **away, **later), person(2, taxonomy="111N00000X", **later),
                        person(5, **away, **later), source=source)  # fmt: skip
    assert summary.counts == Counter({Result.CHANGED: 2, Result.SKIPPED: 1})
    assert desk.listing(1).address.state == "OK"
    assert desk.listing(2).profession == "chiropractor"


def test_a_clinic_that_is_no_more_is_not_brought_back_by_an_older_file(desk: Desk) -> None:
    desk.load(company(50))
    desk.load({"npi": npi(50), "off": "06/01/2024"})
    assert desk.load(company(50)).counts == Counter({Result.UNCHANGED: 1})
    assert not clinic_keys(desk.parts)
    desk.load(company(50, updated="07/01/2024"))
    assert clinic_keys(desk.parts) == {npi(50)}


def test_a_number_that_is_none_is_rejected(desk: Desk) -> None:
    wrong = {**company(50), "npi": "1234567890"}
    assert desk.load(wrong, person(1)).counts == Counter({Result.REJECTED: 1, Result.ADDED: 1})


def test_more_than_a_twentieth_is_withdrawn_only_when_accepted(desk: Desk) -> None:
    desk.load(*(person(n) for n in range(40)))
    gone = [{"npi": npi(n), "off": "02/01/2024"} for n in range(6)]
    few = desk.load(*gone[:5], accept_withdrawals=False)
    assert (few.withheld, few.counts) == (0, Counter({Result.WITHDRAWN: 5}))
    desk.load(*(person(n, updated="03/01/2024") for n in range(5)))
    gone = [{"npi": npi(n), "off": "04/01/2024"} for n in range(6)]
    summary = desk.load(*gone, person(90), accept_withdrawals=False)
    assert (summary.withheld, standing(desk.parts)) == (6, Counter({Status.PUBLISHED: 41}))
    assert summary.counts == Counter({Result.SKIPPED: 6, Result.ADDED: 1})
    accepted = desk.load(*gone, person(90))
    assert (accepted.withheld, accepted.counts[Result.WITHDRAWN]) == (0, 6)
    assert standing(desk.parts) == Counter({Status.PUBLISHED: 35, Status.WITHDRAWN: 6})


@pytest.mark.parametrize("seed", range(12))
def test_no_cell_hides_a_row(desk: Desk, seed: int) -> None:
    draw = random.Random(seed)
    pieces = ['"', '""', "\n", "\r\n", "\r", ",", "1", '\n"1', "\n1", '","', "ñ", "A", " ", '"207X']
    free = [name for name in desk.header if name not in NAMED.values()]
    rows = []
    for n in range(40):
        row = dict.fromkeys(desk.header, "") | {NAMED[k]: v for k, v in person(n).items()}
        row[NAMED["taxonomy"]] = draw.choice(["207Q00000X", "2251S0007X"])
        row["Entity Type Code"] = draw.choice("12")
        for name in draw.sample(free, 30):
            row[name] = "".join(draw.choices(pieces, k=draw.randint(1, 8)))
        rows.append(row)
    path = desk.folder / "file.csv"
    path.write_text(desk.table(rows, end=draw.choice(["\n", "\r\n"])), "utf-8", newline="")
    assert rows_of(path) == rows
    known = {npi(n) for n in draw.sample(range(40), 4)}
    found: dict[str, list[str]] = {}
    passed = 0
    for each in Nppes().read(Nppes().parts([path])[0], known):
        if isinstance(each, Passed):
            passed += each.count
        else:
            raw = each.raw if isinstance(each.raw, Row) else each.raw.row()
            cells = list(raw.cells)
            found[cells[0]] = cells
    assert len(found) + passed == len(rows)
    for row in rows:
        is_wanted = row["NPI"] in known or row[NAMED["taxonomy"]].startswith("2251")
        if is_wanted or row["NPI"] in found:
            assert found[row["NPI"]] == list(row.values())


@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
def test_dirt_costs_only_its_own_row(desk: Desk, quoting: int) -> None:
    other = "Provider Other Last Name"
    marks = {"@LATIN@": "NÚÑEZ".encode("latin-1"), "@NUL@": b"A\0B", "@HUGE@": b"x" * 10_000_000}
    dirty = [person(2, family="@LATIN@"), person(3, given="@NUL@"),
             person(4, **{other: "@HUGE@"})]  # fmt: skip
    rows = [row for n, row in enumerate(dirty) for row in (row, person(10 + n))]
    content = desk.table([person(1), *rows, person(5)], quoting=quoting).encode()
    for mark, dirt in marks.items():
        content = content.replace(mark.encode(), dirt)
    summary = desk.load_text(content[:-200], 8)  # the last row is cut in the middle
    good = {npi(n) for n in (1, 2, 10, 11, 12)}
    assert said(desk.parts).keys() - {npi(4)} == good
    assert desk.listing(2).name.family == "Núñez"
    assert summary.rejects
    told = summary.rejects.read_text(encoding="utf-8")
    assert "control character" in told
    assert "longer than 100,000 characters" in told


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_that_was_saved_again_is_read(desk: Desk, mark: str, end: str) -> None:
    desk.load_text(mark + desk.table([person(1), person(2)], csv.QUOTE_MINIMAL, end), 2)
    desk.load_text(mark + desk.table([person(3)], end=end), 1)
    assert said(desk.parts).keys() == {npi(1), npi(2), npi(3)}


def test_the_weeks_in_the_wrong_order_end_the_same(
    parts: Services, shared_data: Path, weeks: list[list[dict[str, str]]], tmp_path: Path
) -> None:
    for week in reversed(WEEKS):
        load(parts, Nppes(), shared_data / "nppes" / week, tmp_path / "rejects")
    latest = {row["NPI"]: row for week in weeks for row in week}.values()
    assert_said(parts, wanted(latest, parts.places)[0])


def test_an_older_row_neither_withdraws_nor_overrides(desk: Desk) -> None:
    desk.load(person(updated="03/01/2024"))
    desk.load(person(updated="01/01/2024", taxonomy="207Q00000X"))
    desk.load(person(off="01/01/2020", on="02/01/2020", updated="03/02/2024"))
    desk.load({"npi": npi(1), "off": "01/01/2020"})
    assert standing(desk.parts) == Counter({Status.PUBLISHED: 1})
    # The same again, but later: what came between them is older than that.
    desk.load(person(updated="05/01/2024"))
    assert desk.load(person(updated="04/01/2024", given="OLD")).counts[Result.UNCHANGED] == 1


def test_further_practices_with_one_telephone_are_several(desk: Desk) -> None:
    phone = {"phone": "5125550100"}
    desk.load(person(**phone))
    further = [place(**phone), place(line1="800 ELM ST", **phone)]
    desk.load_text(desk.locations(*further), len(further))
    assert standing(desk.parts) == Counter({Status.PUBLISHED: 3})


def test_a_practice_that_becomes_the_first_is_no_further_one(desk: Desk) -> None:
    desk.load(person())
    desk.load_text(desk.locations(place()), 1)
    assert standing(desk.parts) == Counter({Status.PUBLISHED: 2})
    desk.load(person(line1=place()["line1"], updated="06/01/2024"))
    assert standing(desk.parts) == Counter({Status.PUBLISHED: 1, Status.WITHDRAWN: 1})


def test_further_practices_of_other_states_are_skipped(desk: Desk) -> None:
    desk.load(person())
    tulsa = place(city="TULSA", state="OK", postal_code="741030000")
    summary = desk.load_text(desk.locations(tulsa), 1, Nppes(states=("TX",)))
    assert summary.counts == Counter({Result.SKIPPED: 1})


def test_lines_that_are_no_rows_cost_no_other(desk: Desk) -> None:
    rows = [person(1), person(2), {**person(3), "npi": ""}, person(4)]
    for junk in ("\x1a", "  ", ",,,"):
        summary = desk.load_text(f"{desk.table(rows)}{junk}\n", len(rows) + 1)
        assert summary.counts[Result.ADDED] + summary.counts[Result.UNCHANGED] == 3


def test_numbers_without_quotes_are_read(desk: Desk) -> None:
    text = desk.table([person(1), person(2)])
    for number in (1, 2):
        text = text.replace(f'"{npi(number)}"', npi(number))
    assert desk.load_text(text, 2).counts == Counter({Result.ADDED: 2})


def test_an_origin_has_its_own_registry(desk: Desk) -> None:
    desk.load(person(), origin="mine")
    desk.load_text(desk.locations(place()), 1, origin="mine")
    assert standing(desk.parts) == Counter({Status.PUBLISHED: 2})
    desk.load({"npi": npi(1), "off": "06/01/2024"}, origin="mine")
    assert standing(desk.parts) == Counter({Status.WITHDRAWN: 2})


def test_what_else_lies_in_a_zip_is_left(desk: Desk) -> None:
    pdf = "%PDF-1.5\r%\xe2\xe3"
    found = desk.load_zip({"readme.pdf": pdf, "npidata.csv": desk.table([person(1)])})
    assert found == Counter({Result.ADDED: 1})


def numbers_read(path: Path, known: Iterable[str] = ()) -> tuple[list[str], int]:
    """The NPIs of the rows that are read of a file, and how many others were passed over."""
    found, passed = [], 0
    for each in Nppes().read(Nppes().parts([path])[0], set(known)):
        if isinstance(each, Passed):
            passed += each.count
        else:
            raw = each.raw if isinstance(each.raw, Row) else each.raw.row()
            found.append(raw.cells[0])
    return found, passed


def test_no_line_is_lost_where_no_quoted_row_begins_for_long(desk: Desk) -> None:
    quoted = desk.table([person(1), person(2, taxonomy="207Q00000X")])
    plain = desk.table([person(n) for n in range(3, 5_003)], csv.QUOTE_MINIMAL).split("\n", 1)[1]
    assert len(plain) > 2_000_000
    path = desk.folder / "file.csv"
    path.write_text(quoted + plain + quoted.split("\n", 1)[1], encoding="utf-8")
    found, passed = numbers_read(path)
    assert found == [npi(1), npi(2), *(npi(n) for n in range(3, 5_003)), npi(1)][: len(found)]
    assert len(found) + passed == 5_004


def test_a_cell_of_very_many_lines_costs_no_more_than_its_length(desk: Desk) -> None:
    def seconds(lines: int) -> float:
        path = desk.folder / "file.csv"
        rows = [person(1), person(2, given="x\n" * lines), person(3)]
        path.write_text(desk.table(rows), encoding="utf-8")
        (part,) = Nppes().parts([path])
        started = time.perf_counter()
        assert sum(1 for each in Nppes().read(part, ()) if not isinstance(each, Passed)) > lines
        return time.perf_counter() - started

    few, many = (min(seconds(lines) for _ in range(2)) for lines in (60_000, 300_000))
    assert many < 10 * few  # five times as long; by the square it was 25 times


@pytest.mark.parametrize("first", [f"{AT} Postal Code", "NPI"])
def test_the_columns_may_stand_in_another_order(desk: Desk, first: str) -> None:
    front = (first, "NPI") if first != "NPI" else ("NPI", "Replacement NPI")
    rest = [name for name in desk.header if name not in front]
    moved = Desk(desk.parts, desk.folder, [*dict.fromkeys(front), *rest], desk.further)
    desk.load(person(1))
    other = {"Replacement NPI": "1", "updated": "02/01/2024"}
    summary = moved.load(person(1, taxonomy="207Q00000X", **other), person(2, **other),
                         company(50, taxonomy=CLINICS[0], **other))  # fmt: skip
    assert summary.counts == Counter({Result.WITHDRAWN: 1, Result.ADDED: 2})
    assert clinic_keys(desk.parts) == {npi(50)}


def test_a_file_of_which_only_the_numbers_are_quoted_is_read(desk: Desk) -> None:
    text = desk.table([person(1), person(2)], csv.QUOTE_MINIMAL)
    for number in (1, 2):
        text = text.replace(npi(number), f'"{npi(number)}"')
    assert desk.load_text(text, 2).counts == Counter({Result.ADDED: 2})


def test_a_row_without_quotes_is_read_among_quoted_ones(desk: Desk) -> None:
    desk.load(person(1), person(2))
    moved = person(2, taxonomy="207Q00000X", updated="02/01/2024")
    text = desk.table([person(1)]) + desk.table([moved], csv.QUOTE_MINIMAL).split("\n", 1)[1]
    counts = desk.load_text(text, 2).counts
    assert counts == Counter({Result.UNCHANGED: 1, Result.WITHDRAWN: 1})


@pytest.mark.parametrize(
    ("source", "later"),
    [
        (Nppes(states=("TX",)), {"city": "TULSA", "state": "OK", "postal_code": "74103"}),
        (Nppes(taxonomies=("2251",)), {"taxonomy": CLINICS[0], "line1": "8 OAK ST"}),
    ],
)
def test_a_known_clinic_is_kept_true_wherever_it_is_now(
    desk: Desk, source: Nppes, later: Cells
) -> None:
    here = {"line1": "5 OAK ST", "phone": "5125550177"}
    desk.load(person(1, **here), company(50, **here), source=source)
    assert desk.listing().clinic == "Fictional Clinic 50"
    moved = {**here, **later, "updated": "02/01/2024"}
    summary = desk.load(company(50, **moved), company(51, **moved), source=source)
    assert summary.counts == Counter({Result.CHANGED: 1, Result.SKIPPED: 1})
    assert clinic_keys(desk.parts) == {npi(50)}
    assert desk.listing().clinic is None


MONTH, NEXT_MONTH = ("pl_pfile_20050523-20240107.csv", "pl_pfile_20050523-20240211.csv")


def kept(desk: Desk) -> set[str]:
    """The keys of the further practices that are said."""
    return {key for key in said(desk.parts) if "@" in key}


@pytest.mark.parametrize("rows", [[place(line1="7 OAK ST", phone="5125550198")], []])
def test_a_practice_that_the_next_whole_file_does_not_name_is_gone(
    desk: Desk, rows: list[Cells]
) -> None:
    desk.load(person(1), person(2))
    both = [place(), place(line1="7 OAK ST", phone="5125550198")]
    desk.load_zip({MONTH: desk.locations(*both)})
    assert kept(desk) == {f"{npi(1)}@{building}" for building in (ELM, OAK)}
    later = {NEXT_MONTH: desk.locations(*rows, place(9))}
    total = desk.load_zip(later)
    assert total[Result.WITHDRAWN] == 2 - len(rows)
    assert kept(desk) == {f"{npi(1)}@{OAK}" for _ in rows}
    assert desk.stored(building=ELM).reason == "the registry names this practice no more"
    assert desk.load_zip({MONTH: desk.locations(*both)})[Result.ADDED] == 0  # it is older
    assert desk.load_zip(later)[Result.WITHDRAWN] == 0


@pytest.mark.parametrize("name", ["pl_pfile_20240205-20240211.csv", "mine.csv"])
def test_a_file_that_is_not_known_to_be_whole_withdraws_nothing(desk: Desk, name: str) -> None:
    desk.load(person())
    desk.load_zip({MONTH: desk.locations(place())})
    other = desk.locations(place(line1="7 OAK ST", phone="5125550198"))
    desk.load_zip({name: other}, accept_withdrawals=True)
    path = desk.folder / NEXT_MONTH
    path.write_text(other, encoding="utf-8")  # not in its zip, it may be cut short
    load(desk.parts, Nppes(), path, accept_withdrawals=True)
    assert len(kept(desk)) == 2


@pytest.mark.parametrize("cells", [{"line1": ""}, {"postal_code": "?"}])
def test_who_has_an_unclear_row_loses_no_practice_and_nobody_by_a_broken_one(
    desk: Desk, cells: Cells
) -> None:
    desk.load(person(1), person(2))
    desk.load_zip({MONTH: desk.locations(place(1), place(2))})
    unclear = desk.locations(place(1, **cells), place(9))
    for broken in (f'"{npi(2)}","5 ELM', f'"{npi(2)}","5 ELM ST"\n'):
        desk.load_zip({NEXT_MONTH: unclear + broken}, accept_withdrawals=True)
        assert kept(desk) == {f"{npi(n)}@{ELM}" for n in (1, 2)}
    desk.load_zip({NEXT_MONTH: unclear}, accept_withdrawals=True)
    assert kept(desk) == {f"{npi(1)}@{ELM}"}


def test_the_locations_of_an_older_file_never_win(desk: Desk) -> None:
    desk.load(person())
    desk.load_zip({"pl_pfile_20240205-20240211.csv": desk.locations(place(phone="5125550111"))})
    assert desk.listing(building=ELM).provenance["phone"].as_of == date(2024, 2, 11)
    older = desk.load_zip({MONTH: desk.locations(place(phone="5125550122"))})
    assert older == Counter({Result.UNCHANGED: 1})
    assert desk.listing(building=ELM).phone == "+15125550111"
    newer = desk.load_zip({"pl_pfile_20240212-20240218.csv": desk.locations(place())})
    assert newer == Counter({Result.CHANGED: 1})


@pytest.mark.parametrize(("off", "on", "is_listed"), [
    ("02/01/2024", "01/31/2024", False), ("02/01/2024", "02/01/2024", True),
    ("02/01/2024", "02/02/2024", True),
])  # fmt: skip
def test_who_is_deactivated_again_is_not_listed(
    desk: Desk, off: str, on: str, is_listed: bool
) -> None:
    desk.load(person())
    desk.load(person(off=off, on=on, updated="02/02/2024"))
    assert (desk.stored().status is Status.PUBLISHED) == is_listed


def workbook(*rows: Sequence[object]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(file)
    return file.getvalue()


def zipped(**members: str | bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_sheet(content: bytes) -> bytes:
    """A workbook with something else where its sheet should be."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(["NPI"]))) as whole, zipfile.ZipFile(file, "w") as new:
        for name in whole.namelist():
            new.writestr(name, content if name.endswith("sheet1.xml") else whole.read(name))
    return file.getvalue()


def test_other_workbooks_and_zips_in_a_zip_are_left(desk: Desk) -> None:
    stray = {"codes.xlsx": workbook(["NPI", "Meaning"], [npi(1), "x"]), "empty.xlsx": workbook(),
             "inner.zip": zipped(a="b")}  # fmt: skip
    found = desk.load_zip({**stray, "npidata.csv": desk.table([person(1)])})
    assert found == Counter({Result.ADDED: 1})
    with pytest.raises(SourceError, match="is to be taken out"):
        desk.load_zip({"inner.zip": zipped(a="b")})


@pytest.mark.parametrize(
    "content",
    [b"junk", zipped(a="b"), with_sheet(b"<worksheet><"), with_sheet(b""), workbook(),
     workbook(["NPI", "Meaning"], [npi(1), "x"])],
)  # fmt: skip
def test_a_workbook_that_is_no_report_is_an_error_that_names_it(desk: Desk, content: bytes) -> None:
    path = desk.folder / "report.xlsx"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"report\.xlsx"):
        load(desk.parts, Nppes(), path)


def test_a_broken_workbook_stops_no_other_file_of_its_zip(desk: Desk) -> None:
    path = desk.folder / "registry.zip"
    path.write_bytes(zipped(**{"a.xlsx": with_sheet(b"<"), "b.csv": desk.table([person(1)])}))
    assert [part.name for part in Nppes().parts([path])] == ["b.csv", "a.xlsx"]
