"""An older version goes on with the tables of a newer one, and can be started on them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from directory.store.database import Database
from tests.store.test_batches import migrated
from tests.store.test_store import found, put

_RELEASED = "0006"
"""From here on, what a migration does must not disturb the version before it."""

_SAYS = """
INSERT INTO address_point (building, found_by, found_at) VALUES ('b', 'x', '2026-11-24');
UPDATE change_counter SET number = number + 1;
INSERT INTO outgoing_mail (recipient, subject, text, html, made_at, try_at, tries)
    VALUES ('a@example.org', 's', 't', 'h', '2026-11-24', '2026-11-24', 0);
INSERT INTO moderator (email, since) VALUES ('a@example.org', '2026-11-24');
SELECT id, status, reason, document, npi, person, building, attested_on, true_until, change_number,
    updated_at FROM listing
"""
"""Statements as the released version makes them."""


@pytest.fixture
def released(database: Database) -> Database:
    migrated(database, command.downgrade, _RELEASED)
    return database


def columns(database: Database) -> dict[tuple[str, str], tuple[str, bool, bool]]:
    """The type of each column, whether it may be empty, and whether it fills itself."""
    with database._engine.connect() as connection:
        inspector = sa.inspect(connection)
        return {
            (table, each["name"]): (
                str(each["type"]),
                bool(each["nullable"]),
                each.get("default") is not None or "identity" in each,
            )
            for table in inspector.get_table_names()
            for each in inspector.get_columns(table)
        }


def test_all_migrations_are_one_transaction(database: Database) -> None:
    """Between two, another process would find some of the tables and make the rest as well."""
    migrated(database, command.downgrade, "0001")
    commits: list[object] = []
    sa.event.listen(database._engine, "commit", commits.append)
    database.migrate()
    assert len(commits) == 1


def test_threads_that_migrate_two_stores_at_once_do_not_mix_them(tmp_path: Path) -> None:
    together = threading.Barrier(2)

    def migrate(number: int) -> bool:
        store = Database(f"sqlite:///{tmp_path / f'{number}.db'}")
        together.wait()
        store.migrate()
        is_done = store.is_migrated()
        store.close()
        return is_done

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(migrate, range(2))) == [True, True]


def test_migrations_only_add(released: Database) -> None:
    before = columns(released)
    tables = {table for table, _ in before}
    released.migrate()
    after = columns(released)
    assert {name: after.get(name) for name in before} == before
    for (table, name), (_, may_be_empty, fills_itself) in after.items():
        if table in tables and (table, name) not in before:
            assert may_be_empty or fills_itself, f"{table}.{name}: older code does not fill it"


def test_what_the_released_version_says_is_still_understood(released: Database) -> None:
    released.migrate()
    put(released, "before")
    with released._engine.begin() as connection:
        for statement in _SAYS.split(";"):
            connection.execute(sa.text(statement))
    put(released, "after")
    assert found(released, "after").change_number == 3


def test_an_older_version_starts_on_later_tables(database: Database) -> None:
    with database._engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database.migrate()
    assert database.is_migrated()
    put(database)


def test_tables_of_an_older_version_are_noticed(released: Database) -> None:
    assert not released.is_migrated()
    released.migrate()
    assert released.is_migrated()
