"""What is loaded, served, and loaded again elsewhere is the same, as far as both can say it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from directory.app import create_app
from directory.listing import Listing, Source
from directory.search.sqlite import SqliteEngine
from directory.services import Services
from directory.settings import Settings
from directory.store import changefeed, record
from directory.store.database import Database
from indexer.sources.fhir import Fhir
from indexer.sources.nppes import Nppes
from indexer.sources.record import RecordSource
from indexer.summary import Result
from indexer.sync import rebuild
from tests.fhir.test_search import links
from tests.indexer.test_fhir import SAMPLE, ndjson, several
from tests.indexer.test_load import load

SAID = (
    "name", "npi", "letters", "profession", "taxonomies", "gender", "languages", "clinic", "address", "location",
    "phone", "website", "accepting",
)  # fmt: skip
"""The fields that both can say (docs/fhir.md)."""


def served(parts: Services) -> Iterator[dict[str, Any]]:
    """Every resource that is served, each once."""
    site = create_app(Settings(requests_a_minute=100_000), parts).test_client()
    along = "&".join(
        f"_include=PractitionerRole:{each}"
        for each in ("practitioner", "organization", "location", "service")
    )
    path, seen = f"/fhir/r4/PractitionerRole?_count=100&{along}", set()
    while path:
        bundle: Any = site.get(path).json
        for entry in bundle["entry"]:
            if entry["fullUrl"] not in seen:
                seen.add(entry["fullUrl"])
                yield entry["resource"]
        next_ = urlsplit(links(bundle).get("next", ""))
        path = next_.path and f"{next_.path}?{next_.query}"


@contextmanager
def elsewhere(parts: Services, folder: Path) -> Iterator[Services]:
    """A second directory, with nothing in it."""
    folder.mkdir()
    database = Database(f"sqlite:///{folder / 'store.db'}")
    database.migrate()
    engine = SqliteEngine(folder / "search.db")
    yield replace(parts, database=database, engine=engine)
    engine.close()
    database.close()


def published(parts: Services) -> dict[str, Listing]:
    with parts.database.reading() as session:
        changes = changefeed.changes(session, since=0, limit=10_000)
    return {each.id: each.listing for each in changes if each.listing}


def said(listing: Listing) -> dict[str, Any]:
    """What FHIR can say of a listing: no rooftops, and of a taxonomy its licences, where it has any."""
    content = listing.model_dump(mode="json", include=set(SAID))
    if content["location"]["precision"] == "rooftop":
        content["location"]["precision"] = "street"
    several = [(t["code"], t["licence_number"], t["licence_state"]) for t in content["taxonomies"]]
    licensed = {code for code, number, _ in several if number}
    kept = {each for each in several if each[1] or each[0] not in licensed}
    primary = [t["code"] for t in content["taxonomies"] if t["primary"]] + [t[0] for t in several]
    return content | {"taxonomies": (primary[:1], kept)}


def there_and_back(
    parts: Services, folder: Path, source: RecordSource, path: Path
) -> tuple[dict[str, Listing], dict[str, Listing]]:
    """The listings of one directory, and by the same ids those of another that has loaded it."""
    load(parts, source, path, folder / "rejects")
    rebuild(parts.database, parts.engine)
    file = folder / "served.ndjson"
    file.write_text(ndjson(served(parts)), encoding="utf-8")
    with elsewhere(parts, folder / "elsewhere") as other:
        summary = load(other, Fhir(), file, folder / "rejects2")
        first, second = published(parts), published(other)
    assert summary.counts[Result.ADDED] == len(first) == len(second), summary.counts
    return first, {id_: second[record.listing_id(Source.FHIR, f"{id_}/{id_}")] for id_ in first}


def assert_same(first: dict[str, Listing], second: dict[str, Listing]) -> None:
    for id_, listing in first.items():
        assert said(listing) == said(second[id_])


def test_a_real_directory(parts: Services, shared_data: Path, tmp_path: Path) -> None:
    first, second = there_and_back(parts, tmp_path, Fhir(), shared_data / SAMPLE)
    assert len(first) > 2
    assert_same(first, second)


def test_people_at_several_places(parts: Services, tmp_path: Path) -> None:
    path = tmp_path / "network.ndjson"
    path.write_text(ndjson(several()), encoding="utf-8")
    first, second = there_and_back(parts, tmp_path, Fhir(), path)
    assert len(first) == 10
    assert_same(first, second)


def test_the_registry(parts: Services, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "nppes" / "musculoskeletal_2024.csv.gz"
    first, second = there_and_back(parts, tmp_path, Nppes(), path)
    assert len(first) > 1_000
    assert any(len({t.licence_state for t in each.taxonomies}) > 2 for each in first.values())
    assert_same(first, second)
