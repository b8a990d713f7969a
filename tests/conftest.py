"""The real parts that tests talk to, each started once: Elasticsearch, PostgreSQL, the site.

What cannot be had on a machine skips its tests and says why; with CI=true that is a failure.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest
from itsdangerous import URLSafeTimedSerializer

from directory.mail import post
from directory.partner_keys import PartnerKeys
from directory.places import Places
from directory.places.census import CensusPlace
from directory.search.cursor import Cursors
from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.engine import Engine
from directory.search.sqlite import SqliteEngine
from directory.services import Services
from directory.store.database import Database
from tests import elasticsearch_node, postgresql_server
from tests.builders import TODAY
from tests.elasticsearch_node import NodeUnavailable

SHARED_DATA = Path(__file__).parents[1] / ".." / "shared" / "data"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two processes share the tests, so that each starts what it needs once.

    One has all that asks Elasticsearch, and with it the only node; the site on the embedded engine
    belongs to one, too; the rest goes file by file to whoever is free.
    """
    for item in items:
        called = getattr(item, "callspec", None)
        parameters = called.params if called else {}
        asked = {*getattr(item, "fixturenames", ()), *map(str, parameters.values())}
        group = item.path.name
        if not asked.isdisjoint({"elasticsearch", "elasticsearch_url", "engines"}):
            group = "elasticsearch"
        elif "site" in asked:
            group = "site"
        item.add_marker(pytest.mark.xdist_group(group))


def not_here(why: str) -> None:
    """Skip, or fail where nothing may be skipped."""
    if os.environ.get("CI") == "true":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, beside the project."""
    if not SHARED_DATA.is_dir():
        not_here(f"there is no real data at {SHARED_DATA.resolve()}")
    return SHARED_DATA


def _running(start: Callable[[Path], AbstractContextManager[str]]) -> Iterator[str]:
    """A server in a folder that its unprivileged user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="directory-test-"))
    folder.chmod(0o755)
    try:
        with start(folder) as url:
            yield url
    except NodeUnavailable as error:
        not_here(str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """The address of a real node: the one of DIRECTORY_TEST_ELASTICSEARCH_URL, or our own."""
    if url := os.environ.get("DIRECTORY_TEST_ELASTICSEARCH_URL"):
        yield url
    else:
        short_lived = partial(elasticsearch_node.node, java=elasticsearch_node.SHORT_LIVED)
        yield from _running(short_lived)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The SQLAlchemy URL of a real PostgreSQL server."""
    yield from _running(postgresql_server.server)


def closed(engine: Engine) -> None:
    """Close an engine of the tests, and leave nothing on a node that is not ours."""
    if isinstance(engine, ElasticsearchEngine):
        client = engine._client
        for name in client.indices.get(index=f"{engine._alias}-*").body:
            client.indices.delete(index=name)
    engine.close()


def fresh_elastic(url: str) -> ElasticsearchEngine:
    """An engine with an alias of its own."""
    return ElasticsearchEngine(f"{url}/test-{uuid.uuid4().hex[:8]}")


@pytest.fixture(scope="module")
def engines(
    elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Engine]]:
    """Both engines, empty at the start of a module; tests fill them anew."""
    embedded = SqliteEngine(tmp_path_factory.mktemp("index") / "search.db")
    elastic = fresh_elastic(elasticsearch_url)
    yield embedded, elastic
    closed(embedded)
    closed(elastic)


@pytest.fixture(params=["sqlite", "elasticsearch"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Each engine in turn, with no index yet."""
    if request.param == "sqlite":
        made: Engine = SqliteEngine(tmp_path / "search.db")
    else:
        made = fresh_elastic(request.getfixturevalue("elasticsearch_url"))
    yield made
    closed(made)


@pytest.fixture(scope="session")
def fresh_postgresql(postgresql_url: str) -> Callable[[], str]:
    """Makes an empty database and tells its URL."""

    def make() -> str:
        name = f"t{uuid.uuid4().hex[:8]}"
        with psycopg.connect(postgresql_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        return f"{postgresql_url.rpartition('/')[0]}/{name}"

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Each kind of store in turn, with its tables and nothing in them."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path / 'store.db'}")
    else:
        made = Database(request.getfixturevalue("fresh_postgresql")())
    made.migrate()
    yield made
    made.close()


@pytest.fixture(scope="session")
def places() -> Places:
    """The gazetteer that ships, alone."""
    nothing: Callable[[], list[CensusPlace]] = list
    return Places(nothing)


def clock() -> datetime:
    """Noon of the tests' day."""
    return datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)


@pytest.fixture
def parts(tmp_path: Path, places: Places) -> Iterator[Services]:
    """Services on files of their own, the embedded engine, and the tests' clock."""
    made = own_services(tmp_path, places)
    yield made
    made.close()


def own_services(folder: Path, places: Places) -> Services:
    """Services on files in a folder."""
    database = Database(f"sqlite:///{folder / 'store.db'}")
    database.migrate()
    return Services(
        database=database,
        engine=SqliteEngine(folder / "search.db"),
        places=places,
        cursors=Cursors("a secret of the tests"),
        clock=clock,
        post=post(f"file:{folder / 'mail'}", "Directory <directory@example.org>"),
        base_url="http://127.0.0.1:8000",
        sessions=URLSafeTimedSerializer("a secret of the tests", salt="session"),
        keys=PartnerKeys(database, clock),
    )
