"""Batches end as one by one would, what was taken back stays so, and old stores are migrated."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from directory.fields import STORED
from directory.listing import Listing, Source
from directory.places.street import Street, street_of
from directory.store import clinics, listings, record
from directory.store.batch import Taken
from directory.store.bulk import table_of
from directory.store.clinics import Clinic
from directory.store.database import Database
from directory.store.keys import Keys, keys_of
from directory.store.listings import Outcome, Status
from directory.store.models import (
    ChangeCounterRow,
    ClinicRow,
    ListingRow,
    Model,
    RevisionRow,
    StatementRow,
)
from directory.store.said import keys_said, statements_said
from directory.store.statement import Fields, Statement, combine
from tests.builders import TODAY, facts
from tests.store.test_store import MADE, found, put

NPPES, FILE, CLINIC, MODERATOR = Source.NPPES, Source.FILE, Source.CLINIC, Source.MODERATOR
IDS = ("one", "two", "three", "four")
POINT = {"lat": 30.2713, "lon": -97.7426, "precision": "street"}
IN_THE_CITY = POINT | {"precision": "city"}


def address(id_: str) -> dict[str, str]:
    """Three buildings; the last, where two listings are, is in a state that bars a profession."""
    if id_ in ("three", "four"):
        return {"line1": "3 Elm St", "city": "Los Angeles", "state": "CA", "postal_code": "90001"}
    line1 = f"{IDS.index(id_) + 1} Main St"
    return {"line1": line1, "city": "Austin", "state": "TX", "postal_code": "78701"}


@dataclass(frozen=True)
class Say:
    """A statement of the listing with this id."""

    id: str
    statement: Statement


@dataclass(frozen=True)
class Forget:
    """A clinic that is no more."""

    key: str


Operation = Say | Taken | Clinic | Forget

_days = st.integers(0, 4).map(lambda day: TODAY - timedelta(day))
_ids = st.sampled_from(IDS)
_some = {
    "clinic": st.sampled_from(["Said Clinic", "Other Clinic"]),
    "phone": st.sampled_from(["+15125550101", "+15125550102"]),
    "dry_needling": st.sampled_from(["yes", "no"]),
    "npi": st.just("1234567893"),
    "insurance_accepted": st.sampled_from([["aetna"], ["cigna"]]),
}


@st.composite
def _whole(draw: st.DrawFn) -> Say:
    id_, source = draw(_ids), draw(st.sampled_from([NPPES, FILE, CLINIC]))
    fields = draw(st.fixed_dictionaries({}, optional=_some))
    said = facts(address=address(id_), location=POINT, **fields)
    key = draw(st.sampled_from(["a", "b"]))
    return Say(id_, Statement.of(source, key, draw(_days), said))


@st.composite
def _further(draw: st.DrawFn) -> Say:
    id_, base = draw(_ids), draw(st.sampled_from(["a", "b"]))
    fields: Fields = {"address": address(id_), "location": POINT}
    key = f"{base}@{draw(st.sampled_from('12'))}"
    return Say(id_, Statement(NPPES, key, draw(_days), fields, base, keys=keys_of(fields)))


_partly = st.builds(
    lambda id_, day, answer: Say(id_, Statement(MODERATOR, "m", day, {"dry_needling": answer})),
    _ids, _days, st.sampled_from(["yes", "no"]),
)  # fmt: skip
_taken = st.builds(
    Taken, st.sampled_from([NPPES, FILE, CLINIC, MODERATOR]),
    st.sampled_from(["a", "b", "a@1", "b@1", "m"]), st.just("gone"), st.none() | _days,
)  # fmt: skip
_clinic = st.builds(
    Clinic, st.just(NPPES), st.sampled_from("xyz"), st.sampled_from(["Found", "Also Found"]),
    _ids.map(lambda id_: street_of(address(id_)) or Street("", "")),
    st.sampled_from([None, "+15125550101", "+15125550102"]), _days,
)  # fmt: skip
_forget = st.builds(Forget, st.sampled_from("xyz"))
_said = st.lists(_whole() | _whole() | _further() | _partly, min_size=1, max_size=6)
_runs = _said | _said | st.lists(_taken, max_size=4) | st.lists(_clinic, max_size=4) | st.lists(
    _forget, max_size=2
)  # fmt: skip
_operations = st.lists(_runs, min_size=1, max_size=8).map(
    lambda runs: [operation for run in runs for operation in run]
)


def _gone(key: str) -> Taken:
    return Taken(NPPES, key, "gone")


def run(database: Database, operations: Sequence[Operation]) -> None:
    """Carry out operations of one kind in one transaction, as one batch."""
    with database.writing() as session:
        match operations[0]:
            case Say():
                sayings = [(each.id, each.statement) for each in operations]  # type: ignore[union-attr]
                said = statements_said(session, ((s.source, s.key) for _, s in sayings))
                record.record_all(session, sayings, MADE, said)
            case Taken():
                record.withdraw_all(session, operations, MADE)  # type: ignore[arg-type]
            case Clinic():
                record.keep_clinics(session, operations, MADE)  # type: ignore[arg-type]
            case Forget():
                keys = [each.key for each in operations]  # type: ignore[union-attr]
                record.forget_clinics(session, [_gone(key) for key in keys], MADE)


def one_by_one(database: Database, operations: Sequence[Operation]) -> None:
    for each in operations:
        if isinstance(each, Say):
            with suppress(ValidationError), database.writing() as session:
                record.record(session, each.id, each.statement, MADE)
        else:
            run(database, [each])


def batches(operations: Sequence[Operation], size: int) -> Iterator[list[Operation]]:
    """Batches of one kind; a name is taken back once in each, and a base said before it is used."""
    for _, same in groupby(operations, type):
        batch: list[Operation] = []
        for each in same:
            if len(batch) == size or any(_needs(each, before) for before in batch):
                yield batch
                batch = []
            batch.append(each)
        if batch:
            yield batch


def _needs(operation: Operation, before: Operation) -> bool:
    match operation, before:
        case Say(_, new), Say(_, old):
            return new.source is old.source and new.base == old.key
        case Taken(), Taken():
            return operation.key.split("@")[0] == before.key.split("@")[0]
    return False


def cleared(database: Database) -> None:
    with database.writing() as session:
        for row in (RevisionRow, StatementRow, ListingRow, ClinicRow):
            session.execute(sa.delete(row))
        session.get_one(ChangeCounterRow, 1).number = 0


def content(database: Database) -> tuple[Any, ...]:
    """Listings, statements and clinics, without the numbers of changes."""
    listing, statement, clinic = map(table_of, (ListingRow, StatementRow, ClinicRow))
    columns = [c for c in listing.c if c.name not in ("change_number", "updated_at")]
    with database.reading() as session:
        return tuple(
            [tuple(row) for row in session.execute(found)]
            for found in (
                sa.select(*columns).order_by(listing.c.id),
                sa.select(statement).order_by(statement.c.source, statement.c.key),
                sa.select(clinic).order_by(clinic.c.key),
            )
        )


def check(database: Database) -> None:
    """The changes are numbered without a gap, and each listing is what is said of it."""
    with database.reading() as session:
        revisions = session.scalars(sa.select(RevisionRow).order_by(RevisionRow.id)).all()
        counter = session.get_one(ChangeCounterRow, 1).number
        assert [each.change_number for each in revisions] == list(range(1, counter + 1))
        last = {each.listing_id: each for each in revisions}
        rows = session.scalars(sa.select(ListingRow)).all()
        assert {row.id for row in rows} == last.keys()
        said = {(s.source, s.key): s for s in session.scalars(sa.select(StatementRow))}
        for row in rows:
            assert row.change_number == last[row.id].change_number
            assert row.status == last[row.id].status
            of_it = [s for s in said.values() if s.listing_id == row.id and s.fields is not None]
            expected = _document(row.id, of_it, said)
            if expected:
                building = keys_of(expected).building or ""
                there = clinics.at_buildings(session, {building})
                expected = clinics.with_clinic(expected, there)
            assert row.document == expected
            assert Keys(row.npi, row.person, row.building) == keys_of(expected or {})
            assert (row.status == Status.WITHDRAWN) is (expected is None)


def _document(
    id_: str, of_it: list[StatementRow], said: dict[tuple[str, str], StatementRow]
) -> Fields | None:
    whole = []
    for row in of_it:
        statement = Statement(Source(row.source), row.key, row.as_of, row.fields or {}, row.base)
        base = said.get((row.source, row.base)) if row.base else None
        whole.append(statement.upon(base.fields or {}) if base else statement)
    document = combine(id_, whole)
    try:
        Listing.model_validate(document, context=STORED)
    except ValidationError:
        return None
    return document


def compare(database: Database, operations: list[Operation], size: int) -> None:
    cleared(database)
    one_by_one(database, operations)
    expected = content(database)
    check(database)
    cleared(database)
    for batch in batches(operations, size):
        run(database, batch)
    check(database)
    assert content(database) == expected


EXAMPLES = {"sqlite": 120, "postgresql": 20}


def test_batches_end_as_one_by_one_would(
    database: Database, request: pytest.FixtureRequest
) -> None:
    examples = EXAMPLES[request.node.callspec.params["database"]]

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_operations, st.sampled_from([2, 3, 7, 50]))
    def holds(operations: list[Operation], size: int) -> None:
        compare(database, operations, size)

    holds()


def test_a_base_that_passes_through_a_building_in_one_batch(database: Database) -> None:
    """A further practice that is the first one for a moment is no other practice after that."""
    elsewhere: Fields = {"address": address("one"), "location": POINT}
    further = Statement(NPPES, "a@1", TODAY, elsewhere, "a", keys=keys_of(elsewhere))

    def base(id_: str) -> Say:
        said = facts(address=address(id_), location=POINT)
        return Say(id_, Statement.of(NPPES, "a", TODAY, said))

    compare(database, [base("two"), Say("one", further), base("one"), base("four")], 50)


def said_on(day: date, **fields: Any) -> Statement:
    return replace(Statement.of(NPPES, "a", day, facts(**fields)), as_of=day)


def test_what_was_taken_back_comes_back_only_by_a_newer_word(database: Database) -> None:
    yesterday, tomorrow = TODAY - timedelta(1), TODAY + timedelta(1)
    with database.writing() as session:
        record.record(session, "one", said_on(yesterday), MADE)
        assert record.withdraw_all(session, [Taken(NPPES, "a", "gone", TODAY)], MADE) == [True]
    with database.writing() as session:
        again = record.record(session, "one", said_on(yesterday, clinic="Then"), MADE)
        assert again is Outcome.UNCHANGED
        assert not record.withdraw(session, NPPES, "a", MADE)
    assert found(database, "one").status is Status.WITHDRAWN
    with database.writing() as session:
        assert keys_said(session, NPPES) == set()
        record.record(session, "one", said_on(tomorrow, clinic="Now"), MADE)
        assert keys_said(session, NPPES) == {"a"}
    assert found(database, "one").status is Status.PUBLISHED
    check(database)


def test_further_practices_go_with_their_base_and_follow_it(database: Database) -> None:
    elsewhere: Fields = {"address": address("two"), "location": POINT}
    further = Statement(NPPES, "a@2", TODAY, elsewhere, "a", keys=keys_of(elsewhere))
    with database.writing() as session:
        record.record(session, "one", said_on(TODAY, clinic="One", languages=["es"]), MADE)
        record.record(session, "two", further, MADE)
    listing = found(database, "two").listing
    assert listing
    assert (listing.languages, listing.clinic, listing.phone) == (("es",), None, None)
    with database.writing() as session:
        record.record(session, "one", said_on(TODAY, languages=["vi"]), MADE)
    assert found(database, "two").listing.languages == ("vi",)  # type: ignore[union-attr]
    with database.writing() as session:
        record.withdraw(session, NPPES, "a", MADE)
    assert found(database, "two").status is Status.WITHDRAWN
    check(database)


def test_clinics_of_one_batch_are_kept_in_order_and_the_older_word_is_not(
    database: Database,
) -> None:
    there = street_of(address("one")) or Street("", "")
    first = Clinic(NPPES, "x", "First", there, None, TODAY)
    older = replace(first, name="Older", as_of=TODAY - timedelta(1))
    put(database, "one", address=address("one"))
    for found_, outcomes, name in (
        ([first, older], [Outcome.ADDED, Outcome.UNCHANGED], "First"),
        ([older, replace(first, name="Last")], [Outcome.UNCHANGED, Outcome.CHANGED], "Last"),
        ([replace(first, name="Last"), older], [Outcome.UNCHANGED, Outcome.UNCHANGED], "Last"),
        ([replace(first, key="y", name="Next Door")], [Outcome.ADDED], None),
    ):
        with database.writing() as session:
            assert record.keep_clinics(session, found_, MADE) == outcomes
        assert found(database, "one").listing.clinic == name  # type: ignore[union-attr]
    with database.writing() as session:
        record.forget_clinics(session, [_gone("x"), _gone("z")], MADE)
        yesterday = replace(_gone("y"), as_of=TODAY - timedelta(1))
        record.forget_clinics(session, [yesterday], MADE)  # it was there after that
    assert found(database, "one").listing.clinic == "Next Door"  # type: ignore[union-attr]
    check(database)


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Each kind of store in turn, as the first version of the code made it."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_postgresql")()
    made = Database(url)
    migrated(made, command.upgrade, "0001")
    yield made
    made.close()


def migrated(database: Database, move: Callable[[Config, str], None], to: str) -> None:
    config = Config()
    config.set_main_option("script_location", "directory.store:migrations")
    engine = sa.create_engine(database._engine.url)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        move(config, to)
        connection.commit()
    engine.dispose()


def write_as_before(database: Database) -> dict[str, Fields | None]:
    """Rows as the first version wrote them: two listings, and one whose word was taken back."""
    documents: dict[str, Fields | None] = {"gone": None}
    meta = sa.MetaData()
    with database._engine.connect() as connection:
        meta.reflect(connection)
        tables = meta.tables
        reachable = {"npi": "1234567893", "phone": "+15125550101"}
        for id_, fields in (("one", reachable), ("two", {"location": IN_THE_CITY})):
            statement = Statement.of(FILE, id_, TODAY, facts(address=address(id_), **fields))
            documents[id_] = combine(id_, [statement])
        for number, (id_, document) in enumerate(documents.items(), start=1):
            change = {"change_number": number, "status": "published" if document else "withdrawn"}
            connection.execute(tables["listing"].insert().values(
                id=id_, document=document or sa.null(), updated_at=MADE.at, **change
            ))  # fmt: skip
            said = {k: v for k, v in (document or {}).items() if k not in ("id", "provenance")}
            connection.execute(tables["revision"].insert().values(
                listing_id=id_, source="file", author="a", reason="r", made_at=MADE.at,
                fields=said or sa.null(), **change,
            ))  # fmt: skip
            if document:
                connection.execute(tables["statement"].insert().values(
                    source="file", key=f"file-{id_}", listing_id=id_, as_of=TODAY, fields=said
                ))  # fmt: skip
        connection.execute(tables["change_counter"].update().values(number=len(documents)))
        connection.commit()
    return documents


def test_an_old_store_is_migrated_there_and_back(old: Database) -> None:
    documents = write_as_before(old)
    old.migrate()
    with old.reading() as session:
        rows = session.scalars(sa.select(ListingRow)).all()
        keys = {row.id: Keys(row.npi, row.person, row.building) for row in rows}
    assert keys == {
        "one": Keys("1234567893", "+15125550101 nunez", "78701 1 main st"),
        "two": Keys(None, None, "78701 2 main st"),
        "gone": Keys(),
    }
    worked_out = IN_THE_CITY | {"method": "gazetteer"}
    documents["two"] = {**(documents["two"] or {}), "location": worked_out}
    with old.reading() as session:
        assert {r.id: r.document for r in session.scalars(sa.select(ListingRow))} == documents
    check(old)
    assert put(old, "two", address=address("two"), location=worked_out) is Outcome.UNCHANGED
    with old.writing() as session:
        assert record.withdraw(session, FILE, "file-two", MADE)
    documents["two"] = None
    check(old)
    migrated(old, command.downgrade, "0001")
    with old._engine.connect() as connection:
        inspector = sa.inspect(connection)
        assert set(inspector.get_table_names()) == {
            "alembic_version", "change_counter", "listing", "revision", "statement"
        }  # fmt: skip
        columns = {column["name"] for column in inspector.get_columns("listing")}
        assert columns.isdisjoint(Keys._fields)
        said = connection.execute(sa.text("SELECT source, key, listing_id FROM statement"))
        assert [tuple(row) for row in said] == [("file", "file-one", "one")]
    old.migrate()
    with old.reading() as session:
        assert {r.id: r.document for r in session.scalars(sa.select(ListingRow))} == documents
    check(old)


def test_more_may_be_asked_for_at_once_than_a_statement_takes(database: Database) -> None:
    put(database, "one", address=address("one"))
    put(database, "two", address=address("two"))
    many = {"one", "two", *(f"nobody-{number}" for number in range(70_000))}
    with database.reading() as session:
        assert listings.existing(session, many) == {"one", "two"}
        assert clinics.listings_at(session, ["78701 1 main st", *many]) == ["one"]


def test_the_tables_are_those_of_the_models(database: Database) -> None:
    with database._engine.connect() as connection:
        # SQLite keeps a type only as a hint: FLOAT and DOUBLE are one to it.
        opts = {"compare_type": connection.dialect.name != "sqlite"}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Model.metadata) == []


def test_a_listing_that_falls_back_to_another_building_finds_its_clinic(
    database: Database,
) -> None:
    oak = {"line1": "9 Oak Ave", "city": "Austin", "state": "TX", "postal_code": "78701"}
    there = street_of(oak)
    assert there
    said = facts(address=oak, location=POINT)
    with database.writing() as session:
        record.keep_clinics(session, [Clinic(NPPES, "x", "Oak Rehab", there, None, TODAY)], MADE)
        record.record(session, "one", Statement.of(FILE, "f", TODAY, facts()), MADE)
        record.record(session, "one", Statement.of(NPPES, "n", TODAY, said), MADE)
    with database.writing() as session:
        record.withdraw(session, FILE, "f", MADE)
    with database.reading() as session:
        found = listings.find(session, "one")
    assert found
    assert found.listing
    assert found.listing.clinic == "Oak Rehab"


def test_an_older_taking_back_is_not_believed(database: Database) -> None:
    with database.writing() as session:
        record.record(session, "one", said_on(TODAY), MADE)
        before = Taken(NPPES, "a", "gone", TODAY - timedelta(1))
        assert record.withdraw_all(session, [before], MADE) == [False]
        assert record.withdraw_all(session, [Taken(NPPES, "a", "gone", TODAY)], MADE) == [True]
