"""The store on SQLite and PostgreSQL: nothing lost, nothing trampled, changes in order."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from directory.listing import Source
from directory.store import age, changefeed, listings, record
from directory.store.age import TooManyLapsed
from directory.store.database import Database
from directory.store.listings import Made, Outcome, Status
from directory.store.models import RevisionRow
from directory.store.statement import Statement
from tests.builders import TODAY, facts
from tests.conftest import clock

MADE = Made("a test", clock(), "because")
REGISTRY_KEY = "1234567893"


def statement(source: Source, key: str, **fields: Any) -> Statement:
    return Statement.of(source, key, TODAY, facts(**fields))


def put(
    database: Database, id_: str = "ana", source: Source = Source.FILE, **fields: Any
) -> Outcome:
    with database.writing() as session:
        return record.record(session, id_, statement(source, f"{source}-{id_}", **fields), MADE)


def found(database: Database, id_: str = "ana") -> listings.StoredListing:
    with database.reading() as session:
        listing = listings.find(session, id_)
    assert listing
    return listing


def feed(database: Database, since: int = 0) -> list[tuple[int, str, bool]]:
    with database.reading() as session:
        changes = changefeed.changes(session, since=since, limit=1000)
    return [(change.number, change.id, change.listing is not None) for change in changes]


def test_saying_the_same_again_changes_nothing(database: Database) -> None:
    assert put(database) is Outcome.ADDED
    assert put(database) is Outcome.UNCHANGED
    assert feed(database) == [(1, "ana", True)]
    assert put(database, clinic="Elsewhere") is Outcome.CHANGED
    assert feed(database) == [(2, "ana", True)]


def test_a_registry_never_tramples_a_clinic(database: Database) -> None:
    clinic = {"clinic": "Núñez Needling", "phone": "512 555 0101", "dry_needling": "yes"}
    put(database, source=Source.CLINIC, **clinic)
    put(database, source=Source.NPPES, clinic="NUNEZ PC", phone="512 555 0199", npi=REGISTRY_KEY)
    listing = found(database).listing
    assert listing
    assert (listing.clinic, listing.phone) == ("Núñez Needling", "+15125550101")
    assert listing.npi == REGISTRY_KEY
    assert listing.provenance["clinic"].source is Source.CLINIC
    assert listing.provenance["npi"].source is Source.NPPES
    with database.writing() as session:
        assert record.withdraw(session, Source.CLINIC, "clinic-ana", MADE)
    listing = found(database).listing
    assert listing
    assert (listing.clinic, listing.dry_needling) == ("NUNEZ PC", "unknown")


def test_the_last_source_to_leave_takes_the_listing_with_it(database: Database) -> None:
    put(database)
    with database.writing() as session:
        assert record.withdraw(session, Source.FILE, "file-ana", MADE)
        assert not record.withdraw(session, Source.FILE, "file-ana", MADE)
    assert found(database).status is Status.WITHDRAWN
    assert found(database).listing is None
    assert feed(database) == [(2, "ana", False)]
    with database.reading() as session:
        revisions = session.scalars(select(RevisionRow).order_by(RevisionRow.id)).all()
    assert [(r.listing_id, r.author, r.fields is None) for r in revisions] == [
        ("ana", "a test", False),
        ("ana", "a test", True),
    ]


def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    put(database)
    with pytest.raises(RuntimeError), database.writing() as session:
        record.record(session, "bob", statement(Source.FILE, "bob"), MADE)
        raise RuntimeError("the power went")
    assert feed(database) == [(1, "ana", True)]
    put(database, "cem")
    assert feed(database) == [(1, "ana", True), (2, "cem", True)]


@pytest.mark.parametrize("bars", [True, False])
def test_what_is_held_or_not_offered_is_not_in_the_feed(database: Database, bars: bool) -> None:
    california = {"city": "Los Angeles", "state": "CA", "postal_code": "90001"}
    put(database, dry_needling="yes" if bars else "no", **({"address": california} if bars else {}))
    assert found(database).status is (Status.HELD if bars else Status.NOT_OFFERED)
    assert ("may not do dry needling" in str(found(database).reason)) is bars
    assert feed(database) == [(1, "ana", False)]


def test_a_held_claim_stays_held_until_a_moderator_says_otherwise(database: Database) -> None:
    california = {"city": "Los Angeles", "state": "CA", "postal_code": "90001"}
    put(database, source=Source.CLINIC, dry_needling="yes", address=california)
    put(database, source=Source.NPPES, address=california, npi=REGISTRY_KEY)
    assert found(database).status is Status.HELD
    reviewed = Statement(Source.MODERATOR, "m-1", TODAY, {"dry_needling": "yes"})
    with database.writing() as session:
        record.record(session, "ana", reviewed, MADE)
    assert found(database).status is Status.PUBLISHED


def test_sources_that_disagree_on_insurance_or_address_do_not_block(database: Database) -> None:
    area = {"lat": 30.2713, "lon": -97.7426, "precision": "postal_code"}
    put(database, source=Source.FILE, insurance_refused=["aetna"])
    put(database, source=Source.CLINIC, insurance_accepted=["aetna"], area_only=True, location=area)
    listing = found(database).listing
    assert listing
    assert (listing.insurance_accepted, listing.insurance_refused) == (("aetna",), ())
    assert listing.area_only


def test_a_source_s_record_that_moves_leaves_its_old_listing(database: Database) -> None:
    put(database)
    said = statement(Source.FILE, "file-ana")
    with database.writing() as session:
        record.record(session, "elsewhere", said, MADE)
    assert found(database).status is Status.WITHDRAWN
    assert found(database, "elsewhere").status is Status.PUBLISHED


def test_an_older_word_of_a_source_changes_nothing(database: Database) -> None:
    put(database, clinic="Now")
    fields = statement(Source.FILE, "file-ana", clinic="Then").fields
    older = Statement(Source.FILE, "file-ana", TODAY - timedelta(1), fields)
    with database.writing() as session:
        assert record.record(session, "ana", older, MADE) is Outcome.UNCHANGED


def test_a_licence_check_expires(database: Database) -> None:
    check = {"state": "TX", "checked_on": TODAY - timedelta(9), "expires_on": TODAY}
    put(database, licence_check=check)
    assert found(database).listing.licence_check  # type: ignore[union-attr]
    tomorrow = Made("the clock", clock() + timedelta(days=1), "time has passed")
    with database.writing() as session:
        assert age.age(session, tomorrow) == 0
    assert found(database).listing.licence_check is None  # type: ignore[union-attr]
    assert feed(database) == [(2, "ana", True)]


def attested(days_ago: int) -> dict[str, Any]:
    return {"attestation": {"on": TODAY - timedelta(days_ago), "by": "Ana", "method": "form"}}


def test_listings_lapse_after_180_days_and_come_back(database: Database) -> None:
    for number in range(40):
        put(database, f"l{number:02}", **attested(10))
    put(database, "old", **attested(180))
    put(database, "older", **attested(181))
    assert found(database, "old").status is Status.PUBLISHED
    assert found(database, "older").status is Status.LAPSED
    tomorrow = Made("the clock", clock() + timedelta(days=1), "out of date")
    with database.writing() as session:
        assert age.age(session, tomorrow) == 1
        assert age.age(session, tomorrow) == 0
    assert found(database, "old").status is Status.LAPSED
    assert ("old", False) in [(id_, put_) for _, id_, put_ in feed(database)]
    put(database, "old", **attested(0))
    assert found(database, "old").status is Status.PUBLISHED


def test_a_clock_that_jumps_hides_nothing(database: Database) -> None:
    for number in range(20):
        put(database, f"l{number:02}", **attested(10))
    next_year = Made("the clock", clock() + timedelta(days=400), "out of date")
    with pytest.raises(TooManyLapsed, match="20 of 20"), database.writing() as session:
        age.age(session, next_year)
    assert {found(database, f"l{number:02}").status for number in range(20)} == {Status.PUBLISHED}
    with database.writing() as session:
        assert age.age(session, next_year, accept=True) == 20


def test_change_numbers_become_visible_in_order(database: Database) -> None:
    """Writers race; a reader that only ever looks behind the last number misses nothing."""
    writers, each = 4, 25
    done = threading.Event()
    seen: list[str] = []

    def write(writer: int) -> None:
        for number in range(each):
            put(database, f"w{writer}-{number:02}")

    def read() -> None:
        position = 0
        while True:
            last_round = done.is_set()
            for number, id_, _ in feed(database, position):
                assert number > position
                position = number
                seen.append(id_)
            if last_round:
                return

    threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
    reader = threading.Thread(target=read)
    for thread in (*threads, reader):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reader.join()
    assert sorted(seen) == sorted(f"w{w}-{n:02}" for w in range(writers) for n in range(each))
    assert [number for number, _, _ in feed(database)] == list(range(1, writers * each + 1))


def test_migrating_twice_does_nothing(database: Database) -> None:
    put(database)
    database.migrate()
    assert feed(database) == [(1, "ana", True)]
