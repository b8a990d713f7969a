"""Each line of the doctor, well and with a real fault."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from directory import doctor
from directory.doctor import Finding, Verdict
from directory.publishing import publish
from directory.search.elasticsearch import ElasticsearchEngine
from directory.services import Services
from directory.settings import Settings
from directory.store.database import Database
from indexer import sync
from tests.builders import a_listing, a_put
from tests.conftest import clock
from tests.faults.site import environment
from tests.store.test_store import put
from tests.web.conftest import run
from tests.web.mailbox import mailbox

NOW_S = clock().timestamp()


class Today(Database):
    """A store whose clock is that of the tests: the real one is of another day."""

    def now(self):  # type: ignore[no-untyped-def]  # noqa: ANN201
        return clock()


@pytest.fixture
def well(parts: Services, tmp_path: Path) -> Iterator[Services]:
    """Nothing is wrong: a store with a listing, and its index."""
    database = Today(f"sqlite:///{tmp_path / 'store.db'}")
    put(database, "ana")
    sync.sync(database, parts.engine)
    yield replace(parts, database=database)
    database.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "secret.key").write_text("a secret of the tests")
    (tmp_path / "secret.key").chmod(0o600)
    return Settings(
        database_url=f"sqlite:///{tmp_path / 'store.db'}",
        search_url=f"sqlite:///{tmp_path / 'search.db'}",
        mail_url=f"file:{tmp_path / 'mail'}",
        secret_file=tmp_path / "secret.key",
        rejects_folder=tmp_path / "rejects",
    )


def of(name: str, settings: Settings, parts: Services) -> Finding:
    (found,) = (each for each in doctor.examine(settings, parts) if each.name == name)
    return found


def test_all_is_well(settings: Settings, well: Services) -> None:
    with mailbox() as box:
        chosen = settings.model_copy(update={"mail_url": box.url})
        found = {each.name: each.verdict for each in doctor.examine(chosen, well)}
        assert set(found) == {
            "Python", "store", "migrations", "search engine", "index", "sync", "listings", "clock",
            "mail", "proxy", "disk", "secret",
        }  # fmt: skip
        assert {v for name, v in found.items() if name != "disk"} == {Verdict.OK}


def test_a_store_that_is_down(settings: Settings, well: Services) -> None:
    gone = Database("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    found = {e.name: e.verdict for e in doctor.examine(settings, replace(well, database=gone))}
    assert found["store"] is found["migrations"] is found["sync"] is Verdict.WRONG
    assert found["search engine"] is Verdict.OK


def test_an_engine_that_is_down(settings: Settings, well: Services) -> None:
    down = replace(well, engine=ElasticsearchEngine("http://127.0.0.1:9/nothing"))
    assert of("search engine", settings, down).verdict is Verdict.WRONG
    assert of("index", settings, down).verdict is Verdict.WRONG


def test_tables_that_are_missing(settings: Settings, well: Services, tmp_path: Path) -> None:
    bare = replace(well, database=Database(f"sqlite:///{tmp_path / 'bare.db'}"))
    assert of("migrations", settings, bare).verdict is Verdict.WRONG


def test_an_index_that_is_missing_or_of_another_history(
    settings: Settings, well: Services, tmp_path: Path
) -> None:
    well.engine.apply([a_put(9, a_listing("ghost"))], 9)
    assert "another history" in of("index", settings, well).said
    well.engine.close()
    for file in tmp_path.glob("search.db*"):
        file.unlink()
    found = of("index", settings, well)
    assert found.verdict is Verdict.WRONG
    assert "`indexer sync`" in found.said


def test_an_index_that_lags(settings: Settings, well: Services) -> None:
    put(well.database, "bob")
    assert of("sync", settings, well).verdict is Verdict.OK
    later = replace(well, clock=lambda: clock() + doctor.LONGEST_LAG + timedelta(seconds=1))
    assert of("sync", settings, later).verdict is Verdict.WRONG
    publish(well.database, well.engine, 1)
    assert of("sync", settings, later).verdict is Verdict.OK


def test_an_index_that_holds_another_number(settings: Settings, well: Services) -> None:
    well.engine.apply([a_put(1, a_listing("ghost"))], 1)
    found = of("listings", settings, well)
    assert found.verdict is Verdict.WRONG
    assert "1 published, 2 in the index" in found.said


def test_a_clock_that_is_off(settings: Settings, well: Services, parts: Services) -> None:
    assert "store's clock" in of("clock", settings, parts).said, "the tests' day is not today"
    back = timedelta(hours=1)

    class Back(Database):
        def now(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            return clock() - back

    early = replace(well, clock=lambda: clock() - back, database=Back(settings.database_url))
    found = of("clock", settings, early)
    assert found.verdict is Verdict.WRONG
    assert "last change was made" in found.said


def test_the_clock_of_each_store(database: Database) -> None:
    first, second = database.now(), database.now()
    assert first <= second
    assert first.tzinfo is not None
    assert database.version().split()[0] in ("SQLite", "PostgreSQL")


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Neither by the first look at a new site, nor where an address is misspelt."""
    folder = tmp_path / "site"
    folder.mkdir()

    def said() -> str:
        done = run(folder, environment(folder, DIRECTORY_SECRET_KEY=""), "directory", "doctor")
        assert done.returncode == 1, done.stdout
        return done.stdout

    first = said()
    assert "store.db: `directory serve` makes it" in first
    assert "secret.key: put it back" in first
    assert [*folder.iterdir()] == []
    store = Database(f"sqlite:///{folder / 'store.db'}")
    store.migrate()
    store.close()
    assert "store.db" not in said()
    (folder / "var").mkdir()
    (folder / "var" / "secret.key").write_text("a secret of the tests")
    before = sorted(folder.rglob("*"))
    assert "store: SQLite" in said()
    assert sorted(folder.rglob("*")) == before


def test_mail_that_cannot_leave(settings: Settings, well: Services, tmp_path: Path) -> None:
    assert of("mail", settings, well).verdict is Verdict.WARNING
    down = settings.model_copy(update={"mail_url": "smtp://127.0.0.1:9"})
    assert of("mail", down, well).verdict is Verdict.WRONG
    (tmp_path / "file").touch()
    blocked = settings.model_copy(update={"mail_url": f"file:{tmp_path / 'file'}"})
    assert of("mail", blocked, well).verdict is Verdict.WRONG


def test_a_proxy_that_is_not_trusted(settings: Settings, well: Services) -> None:
    """By https somebody else takes the requests, and is taken for every visitor."""
    away = settings.model_copy(update={"base_url": "https://dir.example.org"})
    assert of("proxy", away, well).verdict is Verdict.WARNING
    told = away.model_copy(update={"trusted_proxies": 1})
    assert of("proxy", told, well).verdict is Verdict.OK


def test_a_secret_that_others_may_read(settings: Settings, well: Services) -> None:
    settings.secret_file.chmod(0o644)
    found = of("secret", settings, well)
    assert found.verdict is Verdict.WRONG
    assert "chmod 600" in found.said


def test_versions_of_the_engine(engine, settings: Settings, well: Services) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    url = "http://localhost:9200/x" if "Elastic" in engine.version() else settings.search_url
    chosen = settings.model_copy(update={"search_url": url})
    assert of("search engine", chosen, replace(well, engine=engine)).verdict is Verdict.OK
