"""Looks over all that an operator answers for, and says of each what is wrong and what to do.

It changes nothing: it migrates no table, makes no index, sends no letter.
"""

import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from directory.mail import MailUnavailable, reach
from directory.publishing import OTHER_HISTORY
from directory.search.engine import EngineUnavailable
from directory.services import Services
from directory.settings import Settings
from directory.store import changefeed, listings
from directory.store.database import StoreUnavailable
from directory.store.listings import Status

LEAST_FREE, SCARCE_FREE = 200_000_000, 2_000_000_000
"""Bytes: below the first, writes are about to fail; below the second, a rebuild may not fit."""

LONGEST_LAG = timedelta(minutes=5)
CLOCK_OFF = timedelta(seconds=60)

_FILE = "sqlite:///"

_ELASTICSEARCH = 9
"""The major version of the client: it does not speak with others."""


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """What one check found; `said` has what to do, where something is to be done."""

    name: str
    verdict: Verdict
    said: str


_Said = tuple[Verdict, str]
_Check = Callable[[Settings, Services], _Said]


def missing(settings: Settings) -> Iterator[Finding]:
    """Files that the first start makes and that are not there: whoever opens them makes them."""
    if settings.database_url.startswith(_FILE):
        path = Path(settings.database_url.removeprefix(_FILE))
        if not path.exists():
            said = f"no {path}: `directory serve` makes it; or is DIRECTORY_DATABASE_URL misspelt?"
            yield Finding("store", Verdict.WRONG, said)
    path = settings.secret_file
    if not settings.secret_key.get_secret_value() and not path.exists():
        said = f"no {path}: put it back, or `directory serve` makes another"
        yield Finding("secret", Verdict.WRONG, said)


def examine(settings: Settings, parts: Services) -> Iterator[Finding]:
    """A finding of every check, in the order in which things are best put right."""
    for name, check in _CHECKS.items():
        try:
            verdict, said = check(settings, parts)
        except (StoreUnavailable, EngineUnavailable, MailUnavailable) as error:
            verdict, said = Verdict.WRONG, str(error)
        yield Finding(name, verdict, said)


def _python(_: Settings, __: Services) -> _Said:
    return Verdict.OK, sys.version.split()[0]


def _store(_: Settings, parts: Services) -> _Said:
    return Verdict.OK, parts.database.version()


def _migrations(_: Settings, parts: Services) -> _Said:
    if parts.database.is_migrated():
        return Verdict.OK, "the tables are those of this version"
    return Verdict.WRONG, "tables are missing: `directory serve` and every `indexer` add them"


def _engine(settings: Settings, parts: Services) -> _Said:
    said = parts.engine.version()
    is_server = urlsplit(settings.search_url).scheme != "sqlite"
    if is_server and int(said.split()[1].split(".")[0]) != _ELASTICSEARCH:
        return Verdict.WRONG, f"{said}: this version needs Elasticsearch {_ELASTICSEARCH}"
    return Verdict.OK, said


def _index(_: Settings, parts: Services) -> _Said:
    served = parts.engine.status()
    if not served:
        return Verdict.WRONG, "there is none that this version can read: run `indexer sync`"
    if not served.current:
        return Verdict.WRONG, "another version has made it: run `indexer sync`"
    with parts.database.reading() as session:
        if not changefeed.has_history(session, served.position, served.mark):
            return Verdict.WRONG, OTHER_HISTORY
    return Verdict.OK, f"generation {served.generation}"


def _lag(_: Settings, parts: Services) -> _Said:
    served = parts.engine.status()
    with parts.database.reading() as session:
        since = changefeed.first_after(session, served.position if served else 0)
    waited = parts.clock() - since if since else timedelta()
    said = f"the oldest change that is not in the index is {waited.total_seconds():,.0f} s old"
    if waited > LONGEST_LAG:
        return Verdict.WRONG, f"{said}: run `indexer sync`, and see the log of the server"
    return Verdict.OK, said if since else "the index has seen every change"


def _counts(_: Settings, parts: Services) -> _Said:
    served = parts.engine.status()
    with parts.database.reading() as session:
        published = listings.counts(session)[Status.PUBLISHED]
        later = changefeed.counts(session, served.position if served else 0)[1]
    held = served.documents if served else 0
    said = f"{published:,} published, {held:,} in the index"
    if abs(published - held) > later:
        return Verdict.WRONG, f"{said}: run `indexer rebuild`"
    return Verdict.OK, said


def _clock(_: Settings, parts: Services) -> _Said:
    now = parts.clock()
    off = abs(parts.database.now() - now)
    if off > CLOCK_OFF:
        said = f"{off.total_seconds():,.0f} s apart from the store's clock"
        return Verdict.WRONG, f"{said}: let both machines keep time (NTP)"
    with parts.database.reading() as session:
        last = changefeed.last_at(session)
    if last and last > now + CLOCK_OFF:
        said = f"it is {now:%Y-%m-%d %H:%M} UTC, but the last change was made {last:%Y-%m-%d %H:%M}"
        return Verdict.WRONG, f"{said}: set the clock, before it hides or shows what it should not"
    return Verdict.OK, f"{now:%Y-%m-%d %H:%M} UTC"


def _mail(settings: Settings, _: Services) -> _Said:
    reach(settings.mail_url)
    if urlsplit(settings.mail_url).scheme == "file":
        said = "letters go to a folder, and to nobody: set DIRECTORY_MAIL_URL=smtp://…"
        return Verdict.WARNING, said
    return Verdict.OK, "the server answers"


def _proxy(settings: Settings, _: Services) -> _Said:
    if settings.base_url.startswith("https:") and not settings.trusted_proxies:
        said = "none is trusted, so all visitors count as one: see DIRECTORY_TRUSTED_PROXIES"
        return Verdict.WARNING, said
    return Verdict.OK, f"{settings.trusted_proxies} before the site are trusted"


def _disk(settings: Settings, _: Services) -> _Said:
    free = min(shutil.disk_usage(folder).free for folder in _folders(settings))
    said = f"{free / 1e9:,.1f} GB free"
    if free < LEAST_FREE:
        return Verdict.WRONG, f"{said}: make room, writes are about to fail"
    if free < SCARCE_FREE:
        return Verdict.WARNING, f"{said}: a rebuild needs as much again as the index has"
    return Verdict.OK, said


def _folders(settings: Settings) -> Iterator[Path]:
    """Where something is written, or the nearest folder above that is there."""
    urls = (settings.database_url, settings.search_url)
    files = [Path(u.removeprefix(_FILE)) for u in urls if u.startswith(_FILE)]
    for path in (*files, settings.secret_file, settings.rejects_folder):
        yield next(each for each in path.absolute().parents if each.is_dir())


def _secret(settings: Settings, _: Services) -> _Said:
    if settings.secret_key.get_secret_value():
        return Verdict.OK, "set by DIRECTORY_SECRET_KEY"
    path = settings.secret_file
    if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        return Verdict.WRONG, f"others may read {path}: `chmod 600 {path}`, or remove it for a new"
    return Verdict.OK, f"{path}, which only its owner may read"


_CHECKS: dict[str, _Check] = {
    "Python": _python,
    "store": _store,
    "migrations": _migrations,
    "search engine": _engine,
    "index": _index,
    "sync": _lag,
    "listings": _counts,
    "clock": _clock,
    "mail": _mail,
    "proxy": _proxy,
    "disk": _disk,
    "secret": _secret,
}
