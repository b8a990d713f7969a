"""The one place where concrete parts are chosen, from the settings; tests pass their own."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

from itsdangerous import URLSafeTimedSerializer

from directory.mail import Post, post
from directory.partner_keys import PartnerKeys
from directory.places import Places, places
from directory.places.census import saved
from directory.search.cursor import Cursors
from directory.search.engine import Engine
from directory.search.find import Finder
from directory.search.sqlite import SqliteEngine
from directory.seen import Seen
from directory.settings import InvalidSettings, Settings
from directory.store.database import Database
from directory.store.watched import Around, Watched

Clock = Callable[[], datetime]
"""The one clock, UTC; every date and deadline of the product comes from it."""

SHORTEST_SECRET = 16
"""Characters."""


def system_clock() -> datetime:
    """The time by the machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    """Everything long-lived, opened once."""

    database: Database
    engine: Engine
    places: Places
    cursors: Cursors
    clock: Clock
    post: Post
    base_url: str
    sessions: URLSafeTimedSerializer
    keys: PartnerKeys
    seen: Seen = field(default_factory=Seen)

    @property
    def finder(self) -> Finder:
        """What a search needs."""
        return Finder(self.engine, self.places, self.cursors, lambda: self.clock().date())

    def close(self) -> None:
        """Let go of every connection and file."""
        self.engine.close()
        self.database.close()


def services(
    settings: Settings, clock: Clock = system_clock, transaction: Around | None = None
) -> Services:
    """The parts that the settings name; nothing is connected to yet. Raises InvalidSettings.

    Whoever wants to know of each transaction of the store is told by `transaction`.
    """
    census = partial(saved, settings.gazetteer_file)
    try:
        secret = _secret(settings)
        url = settings.database_url
        database = Watched(url, transaction) if transaction else Database(url)
        return Services(
            database=database,
            engine=engine(settings),
            places=places(settings.geocoder, settings.geocoder_options, census),
            cursors=Cursors(secret),
            clock=clock,
            post=post(settings.mail_url, settings.mail_from),
            base_url=settings.base_url,
            sessions=URLSafeTimedSerializer(secret, salt="session"),
            keys=PartnerKeys(database, clock),
        )
    except (ValueError, OSError) as error:
        raise InvalidSettings(str(error)) from error


def engine(settings: Settings) -> Engine:
    """The search engine of the settings: a file is the embedded one, http(s) is Elasticsearch."""
    url = settings.search_url
    if urlsplit(url).scheme == "sqlite":
        return SqliteEngine(Path(url.removeprefix("sqlite:///")))
    # Its client takes a tenth of a second to import, which the embedded engine need not wait for.
    from directory.search.elasticsearch import ElasticsearchEngine

    api_key = settings.search_api_key.get_secret_value()
    return ElasticsearchEngine(url, api_key=api_key, ca_file=settings.search_ca_file)


def _secret(settings: Settings) -> str:
    """The secret of the settings, or of the file where one is kept. ValueError where it is short.

    An empty file comes of a disk that was full, and whoever knows that could sign what we believe.
    """
    given = settings.secret_key.get_secret_value() or _kept(settings.secret_file)
    secret = given.strip()
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(
            f"the secret has fewer than {SHORTEST_SECRET} characters: set another in "
            f"DIRECTORY_SECRET_KEY, or remove {settings.secret_file}, and a new one is made"
        )
    return secret


def _kept(path: Path) -> str:
    """What is kept in a file that only we may read, made when it is first needed.

    Processes that start at once agree: linking the finished file is one step, and whoever comes
    second reads the first one's.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as own:
            own.write(secrets.token_urlsafe(32))
            own.flush()
            os.fsync(own.fileno())  # else the name may outlive a power cut, and what is in it not
            with suppress(FileExistsError):
                path.hardlink_to(own.name)
    return path.read_text(encoding="ascii")
