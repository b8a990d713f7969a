"""TLS and passwords, to a real Elasticsearch node and a real PostgreSQL server that insist on them."""

import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlalchemy import text

from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.engine import Ask, EngineUnavailable
from directory.services import services
from directory.settings import InvalidSettings, Settings
from directory.store.database import Database, StoreUnavailable
from tests import postgresql_server
from tests.builders import a_listing, a_put
from tests.certificates import Authority
from tests.conftest import not_here
from tests.contract.test_engines import fill
from tests.elasticsearch_node import SHORT_LIVED, NodeUnavailable, Server, free_port, running
from tests.store.test_store import found, put

PASSWORD = "a pass/word:of@ours"
QUOTED = "a%20pass%2Fword%3Aof%40ours"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that the servers' unprivileged users can reach."""
    made = Path(tempfile.mkdtemp(prefix="directory-secure-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    try:
        return Authority(folder)
    except NodeUnavailable as error:
        not_here(str(error))
        raise


@dataclass
class Secure:
    """A node that speaks to its one user only, and only over TLS."""

    host: str
    ca: Path

    def engine(
        self, login: str = f"searcher:{QUOTED}@", ca: Path | None = None
    ) -> ElasticsearchEngine:
        return ElasticsearchEngine(f"https://{login}{self.host}/listings", ca_file=ca or self.ca)


@pytest.fixture(scope="module")
def secure(folder: Path, authority: Authority) -> Iterator[Secure]:
    ssl = "xpack.security.http.ssl"
    options = {
        "discovery.type": "single-node", "xpack.security.enabled": "true",
        f"{ssl}.enabled": "true", f"{ssl}.key": "server.key", f"{ssl}.certificate": "server.pem",
    }  # fmt: skip
    try:
        server = Server(folder / "node")
        own = server.configure("secure", {})
        shutil.copy(authority.key, own / "config")
        shutil.copy(authority.certificate, own / "config")
        server.run(
            "elasticsearch-users", own, "useradd", "searcher", "-p", PASSWORD, "-r", "superuser"
        )
        with running(server, "secure", options, "512m", SHORT_LIVED) as one:
            host = f"127.0.0.1:{one.port}"
            one.wait(f"https://searcher:{QUOTED}@{host}", authority.trusting())
            yield Secure(host, authority.ca)
    except NodeUnavailable as error:
        not_here(str(error))


@pytest.mark.soak  # a node of its own takes half a minute
def test_a_user_with_a_password_searches_and_writes_over_tls(secure: Secure) -> None:
    engine = secure.engine()
    fill(engine, [a_listing("ana"), a_listing("bob")])
    engine.apply([a_put(3, a_listing("cid"))], 3)
    assert engine.search(Ask()).total == 3
    served = engine.status()
    assert served
    assert (served.documents, served.position) == (3, 3)
    engine.close()


@pytest.mark.soak  # a node of its own takes half a minute
def test_of_two_secure_nodes_one_is_down(secure: Secure) -> None:
    one = secure.engine()
    fill(one, [a_listing("ana")])
    one.close()
    engine = ElasticsearchEngine(
        f"https://searcher:{QUOTED}@127.0.0.1:{free_port()},{secure.host}/listings",
        ca_file=secure.ca,
    )
    assert [engine.search(Ask()).total for _ in range(4)] == [1] * 4
    engine.close()


@pytest.mark.parametrize("login", ["searcher:wrong@", "nobody:wrong@", ""])
@pytest.mark.soak  # a node of its own takes half a minute
def test_who_has_no_right_password_is_refused_and_the_password_is_not_told(
    secure: Secure, login: str
) -> None:
    engine = secure.engine(login)
    with pytest.raises(EngineUnavailable, match="401") as raised:
        engine.search(Ask())
    assert "wrong" not in str(raised.value)
    engine.close()


@pytest.mark.soak  # a node of its own takes half a minute
def test_a_node_that_nobody_vouches_for_is_told_nothing(secure: Secure, tmp_path: Path) -> None:
    engine = secure.engine(ca=Authority(tmp_path).ca)
    with pytest.raises(EngineUnavailable, match="certificate verify failed"):
        engine.search(Ask())
    engine.close()


def test_an_api_key_is_sent_over_tls_and_nothing_else(authority: Authority) -> None:
    """The server core cannot make API keys, so what is sent is looked at."""
    heard: list[str | None] = []

    class Listening(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.headers["Authorization"])
            self.send_error(503)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listening)
    server.socket = authority.serving().wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings = Settings(
        search_url=f"https://127.0.0.1:{server.server_port}/listings",
        search_api_key="a2V5OnNlY3JldA==",  # type: ignore[arg-type]
        search_ca_file=authority.ca,
        secret_key="a secret of the tests",  # type: ignore[arg-type]
    )
    parts = services(settings)
    with pytest.raises(EngineUnavailable) as raised:
        parts.engine.search(Ask())
    assert "a2V5" not in str(raised.value) + str(settings.shown())
    parts.close()
    server.shutdown()
    thread.join()
    server.server_close()
    assert heard
    assert set(heard) == {"ApiKey a2V5OnNlY3JldA=="}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"search_url": "https://a:9200,/x"}, "no host"),
        ({"search_url": "https://a:port,b/x"}, "port"),
        ({"search_url": "https://a,a/x"}, "duplicate"),
        ({"search_url": "https://u:p@a/x", "search_api_key": "k"}, "api_key"),
        ({"search_url": "https://a/x", "search_ca_file": "/no/such/file"}, "/no/such/file"),
        ({"search_url": "https://a/x", "search_api_key": "k\nX-Other: 1"}, "new line"),
    ],
)
def test_settings_that_cannot_be_are_refused_at_the_start(
    given: dict[str, str], said: str, tmp_path: Path
) -> None:
    settings = Settings.model_validate({**given, "secret_file": tmp_path / "key"})
    with pytest.raises(InvalidSettings, match=said):
        services(settings)


@pytest.fixture(scope="module")
def postgresql(folder: Path, authority: Authority) -> Iterator[str]:
    """The URL of a server that takes passwords over TLS only; user and password are to be put in."""
    own = folder / "postgresql"
    own.mkdir()
    try:
        with postgresql_server.server(own, authority, PASSWORD) as url:
            yield url
    except NodeUnavailable as error:
        not_here(str(error))


def _database(url: str, password: str = QUOTED, *, ca: Path, mode: str = "verify-full") -> Database:
    account = f"postgres:{password}@"
    return Database(f"{url.replace('postgres@', account)}?sslmode={mode}&sslrootcert={ca}")


def test_the_store_is_reached_over_tls_with_a_password(
    postgresql: str, authority: Authority
) -> None:
    database = _database(postgresql, ca=authority.ca)
    database.migrate()
    put(database, "ana")
    assert found(database, "ana").listing
    with database.reading() as session:
        encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert session.execute(text(encrypted)).scalar_one() is True
    database.close()


def test_a_store_that_cannot_be_trusted_or_does_not_trust_us_is_unavailable(
    postgresql: str, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path).ca
    for database in (
        _database(postgresql, "wrong", ca=authority.ca),
        _database(postgresql, ca=stranger),
        _database(postgresql, ca=authority.ca, mode="disable"),
    ):
        with pytest.raises(StoreUnavailable) as raised:
            database.version()
        assert "wrong" not in str(raised.value)
        assert QUOTED not in str(raised.value)
        database.close()
