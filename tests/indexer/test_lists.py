"""Lists as people have them: real ones whole, and every kind of spelling, dirt and malice.

What a file holds is counted by the csv module directly, never by the reader under test.
"""

import csv
import gzip
import io
import json
import time
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directory.listing import Listing, Range
from directory.places import Places
from directory.services import Services
from directory.store import changefeed
from fixtures import generate
from indexer.geocode import upgrade
from indexer.load import Loader
from indexer.normalise import person_name
from indexer.sources import table
from indexer.sources.clinics import Clinics
from indexer.sources.columns import COLUMNS, column_named, template_rows
from indexer.sources.csv import Csv
from indexer.sources.files import SourceError
from indexer.sources.jsonl import Jsonl
from indexer.sources.record import RecordSource
from indexer.sources.wording import worded
from indexer.summary import Result, Summary
from tests.builders import FIELDS, TODAY
from tests.conftest import clock
from tests.indexer.test_load import find, load, rehearse, rejected
from tests.judge import distance

HEADER = ("id", "given_name", "family_name", "profession", "city", "state", "postal_code")
ANA = ("ana-1", "Ana", "Núñez", "physical-therapist", "Austin", "TX", "78701")
BOB = ("bob-1", "Bob", "Ode", "chiropractor", "Portland", "ME", "04102")
PROFESSIONS = {
    "PHYSICAL THERAPIST IN PRIVATE PRACTICE": "physical-therapist",
    "CHIROPRACTIC": "chiropractor",
    "ORTHOPEDIC SURGERY": "orthopedic-doctor",
}
ADDED, REJECTED, SKIPPED = Result.ADDED, Result.REJECTED, Result.SKIPPED
FULL = {
    "id": "ana-1", "npi": "1234567893", "given_name": "Ana", "middle_name": "M",
    "family_name": "Núñez", "suffix": "Jr", "letters": "PT DPT", "profession": "Physical Therapist",
    "gender": "F", "clinic": "Austin Needling", "line1": "1 Main St", "line2": "Ste 4",
    "city": "Austin", "state": "Texas", "postal_code": "78701", "area_only": "no",
    "lat": "30.27", "lon": "-97.74", "precision": "street", "phone": "(512) 555-0101",
    "website": "https://example.org/", "booking_url": "https://example.org/book",
    "setting": "Therapy clinic", "private_room": "yes", "languages": "English; Spanish",
    "about": "Gentle hands", "dry_needling": "y", "techniques": "Deep;Superficial",
    "conditions": "neck pain|Headache", "single_use_needles": "YES",
    "insurance_accepted": "Blue Cross;Aetna", "insurance_refused": "uhc", "cash_pay": "true",
    "superbill": "no", "accepting": "Yes", "first_visit_least": "$90.00",
    "first_visit_most": "120", "follow_up_least": "70", "follow_up_most": "$80",
    "visit_minutes_least": "30", "visit_minutes_most": "60", "typical_visits_least": "3",
    "typical_visits_most": "6", "attested_on": "2026-11-20", "attested_by": "Ana",
}  # fmt: skip


def text(rows: Iterable[Sequence[str]], **dialect: Any) -> str:
    written = io.StringIO()
    csv.writer(written, **dialect).writerows(rows)
    return written.getvalue()


def load_bytes(
    parts: Services, folder: Path, content: bytes | str, source: RecordSource | None = None
) -> Summary:
    path = folder / "list.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load(parts, source or Csv(), path)


def load_rows(
    parts: Services, folder: Path, *rows: Sequence[str], more: Sequence[str] = ()
) -> Summary:
    return load_bytes(parts, folder, text([(*HEADER, *more), *rows]))


def listed(parts: Services) -> list[Listing]:
    with parts.database.reading() as session:
        changes = changefeed.changes(session, since=0, limit=100_000)
    return [change.listing for change in changes if change.listing]


def position_of(parts: Services) -> int:
    with parts.database.reading() as session:
        return changefeed.position(session)


def the_one(parts: Services, id_: str = "ana-1") -> Listing:
    listing = find(parts, id_).listing
    assert listing
    return listing


def zipped(folder: Path, members: Mapping[str, bytes | str]) -> Path:
    path = folder / "lists.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    raw = path.read_bytes()
    plain = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return list(csv.DictReader(io.StringIO(plain.decode(), newline="")))


def middles(places: Places, zip_: str, city: str, state: str) -> list[tuple[float, float]]:
    """The middles of a ZIP and a city, each only where it is in the state."""
    found = (*places.matches(zip_[:5]), *places.matches(f"{city}, {state}"))
    return [p.point for p in found if p.state == state and p.kind in ("postal_code", "city")]


def test_the_cms_file_of_maine_loads(parts: Services, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "providers/cms_clinicians_maine.csv"
    rows = rows_of(path)
    ours = [row for row in rows if row["Primary Specialty"] in PROFESSIONS]
    for row in ours:
        digits = row["ZIP Code"]
        row["zip"] = digits.zfill(5) if len(digits) <= 5 else digits.zfill(9)
    placed = [row for row in ours if middles(parts.places, row["zip"], row["City/Town"], "ME")]
    summary = load(parts, Csv(), path, tmp_path / "rejects")
    assert summary.read == summary.counts.total() == len(rows) == 6_090
    assert summary.why[SKIPPED]["a blank row"] == sum(not any(row.values()) for row in rows)
    assert summary.counts[ADDED] == len(placed) == 367
    assert summary.counts[REJECTED] == len(ours) - len(placed)
    found = listed(parts)
    expected = Counter(PROFESSIONS[row["Primary Specialty"]] for row in placed)
    assert Counter(each.profession for each in found) == expected
    zips = {row["NPI"]: f"{row['zip'][:5]}-{row['zip'][5:]}".rstrip("-") for row in placed}
    assert {each.npi: each.address.postal_code for each in found} == zips
    assert not any(each.name.family.isupper() and len(each.name.family) > 3 for each in found)
    position = position_of(parts)
    again = load(parts, Csv(), path, tmp_path / "rejects")
    assert again.counts == summary.counts - Counter({ADDED: 367}) + Counter({Result.UNCHANGED: 367})
    assert position_of(parts) == position


def test_one_npi_at_two_addresses_gives_two_listings(parts: Services, tmp_path: Path) -> None:
    header = ("NPI", "Provider Name", "Primary Specialty", "Address", "City", "State", "ZIP Code")
    one = ("1003025214", "KELLY HANSCOM", "CHIROPRACTIC")
    city = ("WATERVILLE", "ME", "49014936")
    rows = [(*one, street, *city) for street in ("120 ELM PLZ", "9 MAIN ST", "120 Elm Plaza")]
    summary = load_bytes(parts, tmp_path, text([header, *rows]))
    assert summary.counts == Counter({ADDED: 2, SKIPPED: 1})
    assert {each.npi for each in listed(parts)} == {"1003025214"}


def test_facilities_become_clinics(parts: Services, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "providers/rehab_facilities.csv.gz"
    rows = rows_of(path)
    wrong: dict[int, str] = {}
    for number, row in enumerate(rows, start=2):
        zip_ = row["zip"].zfill(9 if len(row["zip"]) > 5 else 5)
        point = float(row["lat"]), float(row["lon"])
        there = middles(parts.places, zip_, row["city"], row["state"])
        if not there:
            wrong[number] = "address"
        elif min(distance(each, point) for each in there) > 50_000:
            wrong[number] = "location"
        if row["address"].upper().startswith(("PO BOX", "P.O.", "UNIT A")) or (
            number not in wrong and not row["address"].strip()
        ):
            wrong[number] = "address.line1"
    # Practitioners at facilities that are alone in their ZIP; half are listed before these are.
    alone = Counter(row["zip"][:5] for row in rows)
    chosen = [
        row for number, row in enumerate(rows, start=2)
        if number not in wrong and len(row["zip"]) == 9 and len(row["phone"]) == 10
        and alone[row["zip"][:5]] == 1
        and middles(parts.places, row["zip"], row["city"], row["state"])
    ][:60]  # fmt: skip
    workers = [
        (row["npi"], "Ana", "Núñez", "PT", row["city"], row["state"], row["zip"], row["address"],
         row["phone"]) for row in chosen
    ]  # fmt: skip
    workers[0] = (*workers[0][:7], "999 Other Rd", workers[0][8])
    more = ("line1", "phone")
    assert load_rows(parts, tmp_path, *workers[:30], more=more).counts == Counter({ADDED: 30})
    summary = load(parts, Clinics(), path, tmp_path / "clinics")
    assert summary.read == summary.counts.total() == len(rows)
    (kept,) = (tmp_path / "clinics").iterdir()
    refused = {int(row["rejected_row"]): row["rejected_field"] for row in rows_of(kept)}
    assert refused == wrong
    assert len(wrong) > 300
    assert the_one(parts, workers[1][0]).location.precision == "postal_code"
    assert load_rows(parts, tmp_path, *workers[30:], more=more).counts == Counter({ADDED: 30})
    assert the_one(parts, workers[31][0]).location.precision == "street"
    assert upgrade(parts.database, parts.places, None, clock).moved == 29
    assert upgrade(parts.database, parts.places, None, clock).moved == 0
    for row in chosen[1:]:
        listing = the_one(parts, row["npi"])
        assert (listing.clinic or "").casefold() == " ".join(row["name"].split()).casefold()
        assert listing.location.point == (float(row["lat"]), float(row["lon"]))
        assert not listing.location.precision.approximate
    elsewhere = the_one(parts, workers[0][0])
    assert (elsewhere.clinic, elsewhere.location.precision) == (None, "postal_code")


def test_every_spelling_of_a_header_is_understood(parts: Services, tmp_path: Path) -> None:
    for column, others in COLUMNS.items():
        for name in (column, *others.split()):
            forms = (name, name.upper(), name.replace("_", " ").title(), f" {name}: ")
            assert {column_named(typed) for typed in forms} == {column}
    assert load_bytes(parts, tmp_path, text([[*FULL], [*FULL.values()]])).counts[ADDED] == 1
    for nth in range(max(len(others.split()) for others in COLUMNS.values())):
        names = [(COLUMNS[c].split() or [c])[: nth + 1][-1].replace("_", " ").title() for c in FULL]
        again = load_bytes(parts, tmp_path, text([names, [*FULL.values()]]))
        assert again.counts == Counter({Result.UNCHANGED: 1}), names


def test_the_template_loads_as_it_is_and_filled_in(parts: Services, tmp_path: Path) -> None:
    template = "\n".join(template_rows()) + "\n"
    assert load_bytes(parts, tmp_path, template).counts == Counter({SKIPPED: 1})
    filled = template + text([[FULL.get(column, "") for column in COLUMNS]])
    assert load_bytes(parts, tmp_path, filled).counts == Counter({SKIPPED: 1, ADDED: 1})
    listing = the_one(parts)
    assert (listing.title, listing.npi) == ("Ana M Núñez Jr, PT, DPT", "1234567893")
    assert (listing.address.state, listing.setting) == ("TX", "therapy-clinic")
    assert listing.insurance_accepted == ("blue-cross-blue-shield", "aetna")
    assert listing.insurance_refused == ("unitedhealthcare",)
    assert (listing.techniques, listing.languages) == (("deep", "superficial"), ("en", "es"))
    assert listing.conditions == ("neck-pain", "headache")
    assert (listing.cash_pay, listing.superbill, listing.dry_needling) == ("yes", "no", "yes")
    assert (price := listing.first_visit_price)
    assert (price.least, price.most) == (90, 120)
    assert (said := listing.attestation)
    assert (said.by, said.method) == ("Ana", "file")


TABLE = text([HEADER, ANA, BOB], lineterminator="\n")


@pytest.mark.parametrize(
    "content",
    [
        *(TABLE.replace(",", delimiter).encode() for delimiter in ",;\t|"),
        *(f"{bom}sep=;\r\n{TABLE.replace(',', ';')}".encode() for bom in ("", "\ufeff")),
        *(TABLE.encode(each) for each in ("utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1")),
        b"\xfe\xff" + TABLE.encode("utf-16-be"),
        *(TABLE.replace("\n", line_end).encode() for line_end in ("\r", "\r\n")),
        TABLE.replace("\n", "\r", 1).replace("\n", "\r\n", 1).encode(),
        f"\n\n{TABLE}\n,,,,,,\n".encode().rstrip(b"\n"),
        text([HEADER, ANA, BOB], quoting=csv.QUOTE_ALL).encode(),
        gzip.compress(TABLE.encode()),
        TABLE.replace("Ana,Núñez", "ANA,NÚÑEZ").replace("TX", " texas ").encode(),
        *(TABLE.replace("04102", zip_).encode() for zip_ in ("'04102", '"=""04102"""', "4102")),
        TABLE.replace("78701", "78701-0000").encode(),
        TABLE.replace("physical-therapist", "Physical Therapist").encode(),
        TABLE.replace("physical-therapist", "PHYSIOTHERAPIST").encode(),
    ],
)
def test_a_table_written_in_any_way(parts: Services, tmp_path: Path, content: bytes) -> None:
    assert load_bytes(parts, tmp_path, content).counts[ADDED] == 2
    for expected in (ANA, BOB):
        one = the_one(parts, expected[0])
        where = one.address.city, one.address.state, one.address.postal_code
        assert (one.id, one.name.given, one.name.family, one.profession, *where) == expected


def test_line_breaks_within_quotes_are_part_of_the_cell(parts: Services, tmp_path: Path) -> None:
    for line_end in ("\n", "\r\n", "\r"):
        rows = [(*HEADER, "about"), (*ANA, f"One,{line_end}two"), (*BOB, "")]
        load_bytes(parts, tmp_path, text(rows, lineterminator=line_end))
        assert the_one(parts).about == "One,\ntwo"
        assert the_one(parts, "bob-1").about is None


def test_a_name_in_one_cell_is_taken_apart() -> None:
    for cell, name, letters in (
        ("Dr. Ana M. Núñez, PT, DPT", "Ana M. Núñez", ("PT", "DPT")),
        ("NUNEZ, ANA", "Ana Nunez", ()),
        ("NÚÑEZ-O'BRIEN, ANA MARIA", "Ana Maria Núñez-O'Brien", ()),
        ("MCDONALD, ANA M, P.T., D.P.T.", "Ana M McDonald", ("PT", "DPT")),
        ("Ana Núñez, PT DPT", "Ana Núñez", ("PT", "DPT")),
        ("Smith Jr., John", "John Smith Jr.", ()),
        ("JOHN SMITH III", "John Smith III", ()),
    ):
        said, behind = person_name(cell)
        parts = (said[part] for part in ("given", "middle", "family", "suffix") if part in said)
        assert (" ".join(parts), behind) == (name, letters)


def test_phones_of_many_forms_are_one(parts: Services, tmp_path: Path) -> None:
    forms = ["(512) 555-0101", "512.555.0101", "5125550101", "+1 512 555 0101", "1-512-555-0101"]
    rows = [(f"{n}-{n}-{n}", f"Ana{n}", *ANA[2:], phone) for n, phone in enumerate(forms)]
    bad = ("bad", *ANA[1:], "call us")
    summary = load_rows(parts, tmp_path, *rows, bad, more=("phone",))
    assert summary.counts == Counter({ADDED: len(forms), REJECTED: 1})
    assert {each.phone for each in listed(parts)} == {"+15125550101"}


def test_a_row_without_an_id_keeps_its_listing(parts: Services, tmp_path: Path) -> None:
    header = ("name", "specialty", "address", "city", "state", "zip", "phone")
    first = ("NUNEZ, ANA", "PT", "1 Main Street, Suite 4", "AUSTIN", "TX", "78701", "")
    later = ("Ana Nunez", "PT", "1 MAIN ST STE 4", "Austin", "Texas", "787011234", "512 555 0101")
    other = ("Ana Nunez", "PT", "7 Elm St", "Austin", "Texas", "78704", "")
    assert load_bytes(parts, tmp_path, text([header, first])).counts == Counter({ADDED: 1})
    summary = load_bytes(parts, tmp_path, text([header, later, other]))
    assert summary.counts == Counter({Result.CHANGED: 1, ADDED: 1})
    assert {each.phone for each in listed(parts)} == {"+15125550101", None}


@pytest.mark.parametrize(
    ("bad", "refused"),
    [
        ('ana-1,"Ana,Núñez,physical-therapist,Austin,TX,78701\n', 1),
        (",".join(ANA) + ",surplus\n" + ",".join(ANA[:-1]) + "\n", 2),
        (",".join(ANA).replace("Ana", "A\0na") + "\n", 1),
        (",".join(ANA) + "x" * 10_000_000 + "\n", 1),
        (",".join(ANA[:-1]) + ',"' + "x" * 10_000_000 + '"\n', 1),
        (",".join(ANA) + ",x" * 100_000 + "\n", 1),
        ('ana-1,"Ana" Maria,Núñez,physical-therapist,Austin,TX,78701\n', 1),
    ],
)
def test_dirt_alone_is_rejected(parts: Services, tmp_path: Path, bad: str, refused: int) -> None:
    good = [",".join((f"bob-{n}", f"Bob{n}", *BOB[2:])) for n in range(150)]
    for cut_short in ("bob-x,Bob,Od", 'bob-x,"Bob'):
        content = "\n".join([",".join(HEADER), bad, *good, cut_short])
        summary = load_bytes(parts, tmp_path, content)
        assert summary.counts[REJECTED] == refused + 1 == len(rejected(tmp_path))
        assert len(listed(parts)) == 150


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\n\n", "is empty"),
        (b"\n <html><body><table>", "begins with '<html>"),
        (TABLE.replace("city", "id").encode(), "'id' is there twice"),
        (TABLE.replace("\n", ",zip\n", 1).encode(), "'postal_code' is there twice"),
        (TABLE.replace("\n", ",insurence\n", 1).encode(), "unknown columns: insurence"),
        (",".join(f"c{n}" for n in range(100_000)).encode() + b"\nx\n", "list.csv"),
        (f'"{TABLE}'.encode(), "broken"),
        (bytes(range(256)) * 1_000, "list.csv"),
    ],
)
def test_what_is_no_list(parts: Services, tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(SourceError, match=why):
        load_bytes(parts, tmp_path, content)
    assert listed(parts) == []


def test_unknown_columns_are_left_out_if_so_told(parts: Services, tmp_path: Path) -> None:
    content = text([(*HEADER, "fax", "", ""), (*ANA, "5125550199", "x", "")])
    summary = load_bytes(parts, tmp_path, content, Csv(ignore_unknown=True))
    assert summary.counts == Counter({ADDED: 1})


def test_a_workbook_is_refused(parts: Services, tmp_path: Path) -> None:
    path = zipped(tmp_path, {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"})
    for source in (Csv(), Clinics()):
        with pytest.raises(SourceError, match="is an Excel workbook"):
            load(parts, source, path)


def test_the_lists_of_a_zip_are_loaded_each_for_itself(parts: Services, tmp_path: Path) -> None:
    bad = TABLE.replace("TX", "XX")
    packed = zipped(tmp_path, {"x.csv": TABLE}).read_bytes()
    members: dict[str, bytes | str]
    members = {"in.zip": packed, "a/list.csv": TABLE, "b/list.csv": bad, "../../evil.csv": bad}
    nested, *others = Csv().parts([zipped(tmp_path, members)])
    loader = Loader(parts.database, parts.places, parts.clock, tmp_path / "rejects")
    inner, *summaries = loader.load(Csv(), [nested, *others])
    assert "zip within a zip" in str(inner.error)
    assert [each.counts[REJECTED] for each in summaries] == [0, 1, 1]
    assert len(listed(parts)) == 2
    kept = {each.rejects for each in summaries[1:] if each.rejects}
    assert set((tmp_path / "rejects").iterdir()) == kept
    assert len(kept) == 2
    assert not any(tmp_path.parent.rglob("evil.csv"))


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"list.csv": TABLE})
    content = bytearray(path.read_bytes())
    for mark, flags in (b"PK\x03\x04", 6), (b"PK\x01\x02", 8):
        content[content.index(mark) + flags] |= 1
    path.write_bytes(content)
    with pytest.raises(SourceError, match="is encrypted"):
        Csv().parts([path])


def test_bombs_are_refused_with_little_memory(parts: Services, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="200 times"):
        Csv().parts([zipped(tmp_path, {"list.csv": b"0" * 100_000_000})])
    (tmp_path / "list.csv.gz").write_bytes(gzip.compress(b"0" * 100_000_000, 1))
    parts.places.middle({})
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match="200 times"):
            load(parts, Csv(), tmp_path / "list.csv.gz")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_every_rejected_row_loads_once_it_is_mended(parts: Services, tmp_path: Path) -> None:
    formulas = ("=1+1", "+1 day", "-5 degrees", "@home", '=HYPERLINK("x")')
    rows = [(f"row-{n}", f"Ana{n}", *ANA[2:5], "XX", "78701", f) for n, f in enumerate(formulas)]
    rows += [("id 9", "Eve", *ANA[2:], "x"), ("row-8", "Eve", "Ngo", "wizard", *ANA[4:], "x")]
    broken = 'row-7,"Zoë,Núñez,physical-therapist,Austin,TX,78701,x'
    content = text([(*HEADER, "about"), *rows]) + broken + "\n"
    summary = load_bytes(parts, tmp_path, content)
    assert summary.counts == Counter({REJECTED: len(rows) + 1})
    kept = summary.rejects
    assert kept
    *found, last = rejected(tmp_path)
    assert [row["about"] for row in found[: len(formulas)]] == [f"'{f}" for f in formulas]
    assert last["id"] == broken
    mended = {"address.state": {"state": "TX"}, "id": {"id": "row-9"}}
    for row in found:
        row |= mended.get(row["rejected_field"], {"profession": "PT"})
    last |= zip((*HEADER, "about"), broken.replace('"', "").split(","), strict=True)
    whole = [[*last], *([*row.values()] for row in (*found, last))]
    kept.write_text(text(whole), encoding="utf-8", newline="")
    assert load(parts, Csv(), kept, kept.parent).counts == Counter({ADDED: len(rows) + 1})
    assert not kept.exists()
    for n, formula in enumerate(formulas):
        assert the_one(parts, f"row-{n}").about == formula


def test_points_that_cannot_be_are_rejected(parts: Services, tmp_path: Path) -> None:
    points = {
        "box": ("PO Box 5", "30.27", "-97.74"), "far": ("1 Main St", "30.27", "97.74"),
        "half": ("1 Main St", "30.27", ""), "none": ("1 Main St", "95", "-97.74"),
        "good": ("1 Main St", "30.27", "-97.74"), "box-2": ("P.O. Box 5", "", ""),
    }  # fmt: skip
    rows = [(id_, id_.title(), *ANA[2:], *point) for id_, point in points.items()]
    summary = load_rows(parts, tmp_path, *rows, more=("line1", "lat", "lon"))
    assert {each.id for each in listed(parts)} == {"good", "box-2"}
    assert summary.counts == Counter({ADDED: 2, REJECTED: 4})
    assert [row["id"] for row in rejected(tmp_path)] == ["box", "far", "half", "none"]
    assert the_one(parts, "box-2").location.precision == "postal_code"


def test_two_lists_may_have_the_same_ids(parts: Services, tmp_path: Path) -> None:
    of_a, of_b, corrected = (tmp_path / f"{name}.csv" for name in "abc")
    rows = {of_a: ANA, of_b: ("ana-1", *BOB[1:]), corrected: ("ana-1", "Rob", *BOB[2:])}
    for path, row in rows.items():
        path.write_text(text([HEADER, row]), encoding="utf-8")
    for path, origin in (of_a, "A"), (of_b, "B"):
        assert load(parts, Csv(), path, origin=origin).counts == Counter({ADDED: 1})
    for path, origin in (of_a, "A"), (of_b, "B"):
        assert load(parts, Csv(), path, origin=origin).counts == Counter({Result.UNCHANGED: 1})
    assert load(parts, Csv(), corrected, origin="B").counts == Counter({Result.CHANGED: 1})
    assert sorted(each.name.given for each in listed(parts)) == ["Ana", "Rob"]


def test_a_rehearsal_only_tells_what_would_change(parts: Services, tmp_path: Path) -> None:
    load_rows(parts, tmp_path, (*ANA, "512-555-0101"), more=("phone",))
    position = position_of(parts)
    path = tmp_path / "next.csv"
    rows = [(*ANA, "512-555-0102"), (*BOB, ""), ("x", *ANA[1:], "")]
    path.write_text(text([(*HEADER, "phone"), *rows]), encoding="utf-8")
    summary = rehearse(parts, Csv(), path)
    assert summary.counts == Counter({Result.CHANGED: 1, ADDED: 1, REJECTED: 1})
    said = "\n".join(summary.examples)
    assert "row 2: changed ana-1: phone: +15125550101 -> +15125550102" in said
    assert "row 3: added bob-1: name: nothing -> {'given': 'Bob'" in said
    assert "row 4: rejected (id: 'x' is no id" in said
    assert position_of(parts) == position
    assert load(parts, Csv(), path).counts == summary.counts


AS_JSON: dict[str, Any] = {
    "id": "ana-1", "npi": "1234567893",
    "name": {"given": "ANA", "middle": "M", "family": "NÚÑEZ", "suffix": "JR"},
    "letters": ["P.T.", "DPT"], "profession": "Physical Therapist", "gender": "F",
    "clinic": "AUSTIN NEEDLING",
    "address": {"line1": "1 MAIN ST", "line2": "STE 4", "city": "AUSTIN", "state": "Texas",
                "postal_code": "78701-0000"},
    "area_only": False, "location": {"lat": 30.27, "lon": -97.74, "precision": "Street"},
    "phone": "(512) 555-0101", "website": "https://example.org/",
    "booking_url": "https://example.org/book", "setting": "Therapy clinic", "private_room": True,
    "languages": ["English", "Spanish"], "about": "Gentle hands", "dry_needling": "Y",
    "techniques": ["Deep", "Superficial"], "conditions": "neck pain|Headache",
    "single_use_needles": "YES", "insurance_accepted": ["Blue Cross", "aetna"],
    "insurance_refused": ["uhc"], "cash_pay": "true", "superbill": False, "accepting": "Yes",
    "first_visit_price": {"least": "$90.00", "most": 120},
    "follow_up_price": {"least": "70", "most": "$80"}, "visit_minutes": {"least": 30, "most": 60},
    "typical_visits": {"least": 3, "most": 6},
    "attestation": {"on": "2026-11-20", "by": "Ana", "method": "file"},
}  # fmt: skip
"""What FULL says, as somebody's own JSON may have it."""


def test_json_lines_and_a_table_that_say_the_same_are_one(parts: Services, tmp_path: Path) -> None:
    load_bytes(parts, tmp_path, text([list(FULL), list(FULL.values())]))
    of_table = the_one(parts)
    path = tmp_path / "list.jsonl"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"):
        path.write_bytes(json.dumps(AS_JSON, ensure_ascii=False).encode(encoding))
        assert load(parts, Jsonl(), path).counts == Counter({Result.UNCHANGED: 1})
    assert the_one(parts) == of_table
    assert of_table.name.family == "Núñez"
    alone = {**AS_JSON, "first_visit_price": {"most": 120}}
    path.write_text(json.dumps(alone))
    assert load(parts, Jsonl(), path).counts == Counter({Result.CHANGED: 1})
    assert (the_one(parts).first_visit_price or Range(least=0, most=0)).least == 120


def test_letters_that_are_none_say_nothing(parts: Services, tmp_path: Path) -> None:
    row = (*ANA, "a physical therapist for twenty years")
    load_rows(parts, tmp_path, row, more=("letters",))
    assert "letters" not in the_one(parts).provenance


def test_a_listing_that_is_right_already_stays_as_it_is() -> None:
    for listing in generate.listings(TODAY):
        assert json.dumps(worded(listing)) == json.dumps(listing)


_TEXT = st.text("aBcÉ 19.,;|/$-'", max_size=9)
_PART = st.sampled_from(("given", "family", "line1", "state", "postal_code", "least", "most"))
_PLAIN = st.none() | st.booleans() | st.integers() | _TEXT
_JSON = _PLAIN | st.lists(_PLAIN, max_size=3) | st.dictionaries(_PART, _PLAIN, max_size=4)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), _JSON))
def test_what_makes_no_sense_is_left_and_our_way_is_the_end(fields: dict[str, Any]) -> None:
    once = worded(fields)
    assert worded(once) == once
    assert once.keys() == fields.keys()
    for name, said in fields.items():
        if not isinstance(said, str | bool | list | dict):
            assert once[name] is said


def test_json_lines_that_are_rejected_load_once_mended(parts: Services, tmp_path: Path) -> None:
    address = {"city": "Austin", "state": "TX", "postal_code": "78701"}
    name = {"given": "Ana", "family": "Núñez"}
    good = {"name": name, "profession": "physical-therapist", "address": address}
    lines = [
        "\ufeff" + json.dumps({**good, "id": "ana-1", "moderator": {"x": 1}}), "",
        json.dumps({**good, "id": "bob-1", "phone": "none"}), '{"id": "cut-1", "na',
    ]  # fmt: skip
    path = tmp_path / "list.jsonl.gz"
    path.write_bytes(gzip.compress("\r\n".join(lines).encode()))
    summary = load(parts, Jsonl(), path)
    assert summary.counts == Counter({ADDED: 1, SKIPPED: 1, REJECTED: 2})
    kept = summary.rejects
    assert kept
    phone, cut = map(json.loads, kept.read_text().splitlines())
    assert (phone["rejected"]["row"], phone["rejected"]["field"]) == (3, "phone")
    assert cut["not_json"] == lines[3]
    kept.write_text("\n".join(json.dumps(e) for e in ({**phone, "phone": None}, cut | good)))
    again = load(parts, Jsonl(), kept, kept.parent)
    assert again.counts == Counter({ADDED: 1, REJECTED: 1})
    assert {each.id for each in listed(parts)} == {"ana-1", "bob-1"}


def test_ten_thousand_rows_are_loaded_in_a_minute(parts: Services, tmp_path: Path) -> None:
    rows = [(f"row-{n:05}", f"Ana{n}", *ANA[2:], f"{n} Main St") for n in range(10_000)]
    started = time.monotonic()
    summary = load_rows(parts, tmp_path, *rows, more=("line1",))
    assert time.monotonic() - started < 60
    assert summary.counts == Counter({ADDED: 10_000})


CELL = st.text(st.sampled_from("ab é€,;\t|\"'=\n\r#0"), max_size=8).filter(
    lambda cell: cell[:1] not in ("'", "=")  # what Excel takes as text is another matter
)


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=6),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from((csv.QUOTE_ALL, csv.QUOTE_MINIMAL)),
    line_end=st.sampled_from(("\n", "\r\n", "\r")),
    encoding=st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "cp1252")),
)
def test_any_table_is_read_back_cell_for_cell(
    rows: list[list[str]], delimiter: str, quoting: int, line_end: str, encoding: str
) -> None:
    if quoting == csv.QUOTE_MINIMAL:  # the writer quotes no other line end than its own
        rows = [[" ".join(cell.splitlines()) for cell in row] for row in rows]
    whole = [["one", "two", "three"], *rows]
    written = text(whole, delimiter=delimiter, quoting=quoting, lineterminator=line_end)
    stream: Any = io.BufferedReader(io.BytesIO(written.encode(encoding)))
    assert [cells for _, cells in table.rows(stream)] == whole


@pytest.mark.parametrize(
    ("cell", "name", "letters"),
    [
        ("John Smith, Jr., DC", "John Smith Jr.", ("DC",)),
        ("Ana M. Núñez, Ph.D.", "Ana M. Núñez", ("PhD",)),
        ("ANA NUNEZ (she/her)", "Ana Nunez", ()),
        ("van der Berg, Jan", "Jan van der Berg", ()),
        ("SMITH-JONES, MARY ANN", "Mary Ann Smith-Jones", ()),
    ],
)
def test_a_name_with_all_sorts_in_its_cell(cell: str, name: str, letters: tuple[str, ...]) -> None:
    parts, behind = person_name(cell)
    said = (parts.get(part) for part in ("given", "middle", "family", "suffix"))
    assert (" ".join(filter(None, said)), behind) == (name, letters)


@pytest.mark.parametrize(
    "cell", ["Ana Núñez, Certified Hand Therapist", "Ana Núñez PT DPT", "ANA NUNEZ D.C."]
)
def test_a_name_that_is_unclear_is_asked_about(cell: str) -> None:
    with pytest.raises(ValueError, match="unclear"):
        person_name(cell)


def test_a_telephone_number_needs_its_area_code(parts: Services, tmp_path: Path) -> None:
    row = "ana-1,Ana,Núñez,physical-therapist,Austin,TX,78701,555-0101"
    header = "id,given_name,family_name,profession,city,state,postal_code,phone"
    (tmp_path / "list.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    assert load(parts, Csv(), tmp_path / "list.csv").counts == Counter({Result.REJECTED: 1})


def test_the_hints_of_the_template_stand_under_their_columns() -> None:
    header, hints = csv.reader(io.StringIO("\n".join(template_rows())))
    assert len(header) == len(hints)
    assert hints[header.index("area_only")] == "yes hides the street"
