"""Loading files: what is taken, what is rejected and why, and that nothing is done twice."""

import csv as csv_module
import gzip
import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from directory.search.engine import Ask, Engine, Sort
from directory.search.scope import Circle
from directory.services import Services
from directory.store import listings, record
from directory.store.listings import Status
from fixtures import generate
from indexer import normalise, sync
from indexer.load import Loader
from indexer.sources.csv import Csv
from indexer.sources.files import SourceError
from indexer.sources.jsonl import Jsonl
from indexer.sources.nppes import Nppes
from indexer.sources.record import RecordSource
from indexer.summary import Result, Summary
from tests.builders import FIELDS, TODAY
from tests.judge import distance

COLUMNS = "id,given_name,family_name,profession,city,state,postal_code"
ROW = "ana-1,Ana,Núñez,physical-therapist,Austin,TX,78701"


def load(
    parts: Services, source: RecordSource, path: Path, rejects: Path | None = None, **options: Any
) -> Summary:
    """Load one file whole; `options` are those of the loader."""
    (summary,) = load_all(parts, source, path, rejects=rejects, **options)
    if summary.error:
        raise summary.error
    return summary


def load_all(
    parts: Services,
    source: RecordSource,
    *paths: Path,
    rejects: Path | None = None,
    **options: Any,
) -> list[Summary]:
    """Load files with one command."""
    folder = rejects or paths[0].parent / "rejects"
    loader = Loader(parts.database, parts.places, parts.clock, folder, **options)
    return loader.load(source, source.parts(paths))


def rehearse(parts: Services, source: RecordSource, path: Path) -> Summary:
    return load(parts, source, path, rehearsal=True)


def load_csv(parts: Services, folder: Path, *lines: str) -> Summary:
    path = folder / "list.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load(parts, Csv(), path)


def rejected(folder: Path) -> list[dict[str, str]]:
    (path,) = (folder / "rejects").iterdir()
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv_module.DictReader(file))


def find(parts: Services, id_: str) -> listings.StoredListing:
    with parts.database.reading() as session:
        found = listings.find(session, id_)
    assert found
    return found


def test_a_row_becomes_a_listing(parts: Services, tmp_path: Path) -> None:
    header = (
        f"{COLUMNS},letters,phone,insurance_accepted,cash_pay,first_visit_least,first_visit_most"
    )
    summary = load_csv(
        parts, tmp_path, header, f"{ROW},PT; DPT,512-555-0101,aetna;cigna,YES,90,120"
    )
    assert summary.counts == Counter({Result.ADDED: 1})
    listing = find(parts, "ana-1").listing
    assert listing
    assert (listing.title, listing.phone) == ("Ana Núñez, PT, DPT", "+15125550101")
    assert (listing.location.precision, listing.accepting) == ("postal_code", "unknown")
    assert listing.first_visit_price
    assert listing.first_visit_price.most == 120
    assert "accepting" not in listing.provenance


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (ROW.replace("physical-therapist", "wizard"), "profession", "'wizard' is no profession"),
        (ROW.replace(",TX,", ",XX,"), "address.state", "'XX' is no state"),
        (ROW.replace("Austin,TX,78701", "Atlantis,TX,00000"), "address", "it has no place"),
        (ROW.replace("ana-1", "Ana 1"), "id", "is no id"),
        (ROW.replace("Núñez", "Nú\x07ñez"), "name.family", "control character"),
        (f"{ROW},surplus", "row", "more cells"),
        (ROW.removesuffix(",78701"), "row", "fewer cells"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_taken_is_rejected_by_field(
    parts: Services, tmp_path: Path, row: str, field: str, reason: str
) -> None:
    summary = load_csv(parts, tmp_path, COLUMNS, row, ROW.replace("ana-1", "bob-1"))
    assert summary.counts == Counter({Result.REJECTED: 1, Result.ADDED: 1})
    (found,) = rejected(tmp_path)
    assert (found["rejected_row"], found["rejected_field"]) == ("2", field)
    assert reason in found["rejected_reason"]


def test_an_id_that_stands_twice_in_a_file_is_rejected(parts: Services, tmp_path: Path) -> None:
    summary = load_csv(parts, tmp_path, COLUMNS, ROW, ROW.replace("Ana", "Eva"))
    assert summary.counts == Counter({Result.ADDED: 1, Result.REJECTED: 1})
    listing = find(parts, "ana-1").listing
    assert listing
    assert listing.name.given == "Ana"


def test_mended_rejects_load(parts: Services, tmp_path: Path) -> None:
    rejects = load_csv(parts, tmp_path, COLUMNS, ROW.replace("TX", "XX")).rejects
    assert rejects
    rejects.write_text(
        rejects.read_text(encoding="utf-8").replace(",XX,", ",TX,"), encoding="utf-8"
    )
    mended = load(parts, Csv(), rejects, rejects.parent)
    assert mended.counts == Counter({Result.ADDED: 1})
    assert mended.rejects is None
    assert not rejects.exists()


def test_a_file_that_is_none_is_an_error(parts: Services, tmp_path: Path) -> None:
    for content, why in {
        b"name,town\nAna,Austin\n": "no column profession or specialty",
        b"<!DOCTYPE html><html><body>": "begins with '<!DOCTYPE html",
        b"": "is empty",
        f"{COLUMNS},insurence\n".encode(): "unknown columns: insurence",
        f"{COLUMNS},City\n".encode(): "'city' is there twice",
    }.items():
        (tmp_path / "list.csv").write_bytes(content)
        with pytest.raises(SourceError, match=why):
            load(parts, Csv(), tmp_path / "list.csv")


def test_a_dry_run_changes_nothing(parts: Services, tmp_path: Path) -> None:
    load_csv(parts, tmp_path, COLUMNS, ROW)
    path = tmp_path / "next.csv"
    path.write_text(f"{COLUMNS}\n{ROW.replace('Ana', 'Eva')}\n{ROW.replace('ana-1', 'bob-1')}\n")
    summary = rehearse(parts, Csv(), path)
    assert summary.counts == Counter({Result.CHANGED: 1, Result.ADDED: 1})
    changed, added = summary.examples
    assert changed.startswith("row 2: changed ana-1: name: {'given': 'Ana'")
    assert added.startswith("row 3: added bob-1: name: nothing -> {'given': 'Ana'")
    listing = find(parts, "ana-1").listing
    assert listing
    assert listing.name.given == "Ana"
    with parts.database.reading() as session:
        assert listings.find(session, "bob-1") is None


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[1, 2]",
        '{"id": 7}',
        '{"id": "bob"}',
        "[" * 100_000,
        '{"id": "x y", "name": NaN}',
    ],
)
def test_a_line_that_cannot_be_taken_is_rejected(
    parts: Services, tmp_path: Path, line: str
) -> None:
    path = tmp_path / "list.jsonl"
    path.write_text(line + "\n")
    assert load(parts, Jsonl(), path).counts == Counter({Result.REJECTED: 1})
    (kept,) = (tmp_path / "rejects").iterdir()
    (again,) = kept.read_text().splitlines()
    assert json.loads(again)["rejected"]["row"] == 1


def test_the_fictional_listings_load_and_load_again(parts: Services, tmp_path: Path) -> None:
    path = tmp_path / "fixtures.jsonl"
    made = list(generate.listings(TODAY))
    path.write_text("\n".join(json.dumps(listing) for listing in made))
    first = load(parts, Jsonl(), path)
    assert first.counts == Counter({Result.ADDED: len(made)})
    assert load(parts, Jsonl(), path).counts == Counter({Result.UNCHANGED: len(made)})
    with parts.database.reading() as session:
        standing = listings.counts(session)
    assert all(standing[s] for s in Status if s is not Status.WITHDRAWN)


def test_the_fictional_listings_are_what_they_should_be() -> None:
    made = list(generate.listings(date(2026, 11, 1)))
    kept = Path(generate.__file__).with_name("listings.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line) for line in kept.splitlines()] == made
    assert len(made) >= 600
    assert len({listing["address"]["state"] for listing in made}) == 51
    assert all(listing["npi"].startswith("2") for listing in made)
    assert all("555-01" in listing["phone"] for listing in made)
    assert all(".example.org/" in listing["website"] for listing in made)
    assert max(Counter(listing["npi"] for listing in made).values()) == 2
    said = {field for listing in made for field in (*listing, *listing.get("moderator", ()))}
    assert said == {"id", "moderator", *FIELDS}
    names = {listing["name"]["family"] for listing in made}
    assert any("'" in name for name in names)
    assert any(not name.isascii() for name in names)


WEEK = "nppes/npidata_pfile_20240101-20240107.csv.gz"
PREFIXES = ("207X", "111N", "2251")
PLACES = {"Austin, TX": ("78701", 50), "Hartford, CT": ("06103", 50)}


def licensed(path: Path, places: Any) -> dict[str, tuple[float, float]]:
    """An independent reading of the week: NPI and point of each practitioner of ours."""
    found = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv_module.DictReader(file):
            codes = [row[f"Healthcare Provider Taxonomy Code_{n}"] for n in range(1, 16)]
            gone = row["NPI Deactivation Date"] and not row["NPI Reactivation Date"]
            if (
                row["Entity Type Code"] != "1"
                or gone
                or not any(c.startswith(PREFIXES) for c in codes)
            ):
                continue
            zip_ = row["Provider Business Practice Location Address Postal Code"][:5]
            if place := next(iter(places.matches(zip_)), None):
                found[row["NPI"]] = place.point
    return found


def test_a_real_week_of_the_registry_on_both_engines(
    parts: Services, engines: tuple[Engine, Engine], shared_data: Path, tmp_path: Path
) -> None:
    summary = load(parts, Nppes(), shared_data / WEEK, tmp_path / "rejects")
    assert summary.read == 19_785 == summary.counts.total()
    expected = licensed(shared_data / WEEK, parts.places)
    with parts.database.reading() as session:
        assert listings.counts(session) == Counter({Status.PUBLISHED: len(expected)})
    for engine in engines:
        sync.rebuild(parts.database, engine)
        for zip_, miles in PLACES.values():
            centre = parts.places.locate(zip_).point
            near = sorted(
                (distance(centre, point), npi)
                for npi, point in expected.items()
                if distance(centre, point) <= miles * 1609.344
            )
            ask = Ask(area=Circle(centre, miles * 1609.344), sort=Sort.DISTANCE, limit=100)
            hits = engine.search(ask).hits
            assert near
            assert len(hits) == len(near)
            assert [hit.key.distance_m for hit in hits] == pytest.approx(
                [d for d, _ in near], abs=1
            )
            assert {hit.listing.npi for hit in hits} == {npi for _, npi in near}
            assert not any(hit.listing.confirmed for hit in hits)


def test_a_later_week_updates_and_withdraws(
    parts: Services, shared_data: Path, tmp_path: Path
) -> None:
    later = shared_data / "nppes/npidata_pfile_20240122-20240128.csv.gz"
    load(parts, Nppes(), shared_data / WEEK, tmp_path / "rejects")
    # One of the first week is deactivated in a week that we make from the later one's header.
    gone = next(iter(licensed(shared_data / WEEK, parts.places)))
    with gzip.open(later, "rt", encoding="utf-8", newline="") as file:
        header = next(csv_module.reader(file))
    row = dict.fromkeys(header, "") | {"NPI": gone, "NPI Deactivation Date": "01/20/2024"}
    with (tmp_path / "deactivated.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv_module.DictWriter(file, header)
        writer.writeheader()
        writer.writerow(row)
    assert load(
        parts, Nppes(), tmp_path / "deactivated.csv", tmp_path / "rejects"
    ).counts == Counter({Result.WITHDRAWN: 1})
    assert find(parts, record.listing_id(Nppes.SOURCE, gone)).status is Status.WITHDRAWN
    summary = load(parts, Nppes(), later, tmp_path / "rejects")
    assert summary.read == summary.counts.total() == 25_515
    assert summary.counts[Result.ADDED] > 500
    again = load(parts, Nppes(), later, tmp_path / "rejects")
    assert again.counts[Result.ADDED] == again.counts[Result.CHANGED] == 0


def test_registry_text_in_capitals_is_made_readable() -> None:
    for text, readable in {
        "MCDONALD-O'BRIEN": "McDonald-O'Brien",
        "DE LA CRUZ": "De la Cruz",
        "12 NW 3RD ST STE 4": "12 NW 3rd St Ste 4",
        "WOMEN'S CARE PLLC": "Women's Care PLLC",
        "NÚÑEZ": "Núñez",
        "van der Berg": "van der Berg",
    }.items():
        assert normalise.readable(text) == readable


def test_an_attestation_of_a_file_lapses_with_it(parts: Services, tmp_path: Path) -> None:
    old = (TODAY - timedelta(days=200)).isoformat()
    load_csv(parts, tmp_path, f"{COLUMNS},attested_on,dry_needling", f"{ROW},{old},yes")
    assert find(parts, "ana-1").status is Status.LAPSED


def test_a_claim_that_the_state_bars_is_held(parts: Services, tmp_path: Path) -> None:
    row = "ana-1,Ana,Núñez,physical-therapist,Los Angeles,CA,90001,yes"
    load_csv(parts, tmp_path, f"{COLUMNS},dry_needling", row)
    assert find(parts, "ana-1").status is Status.HELD
    assert "may not do dry needling" in str(find(parts, "ana-1").reason)
