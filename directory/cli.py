"""The command `directory`: serve the site, show the settings."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import click
from pydantic import ValidationError

from directory import doctor, reminders
from directory.mail.address import folded, is_address
from directory.partner import Partner, snippet
from directory.services import Services, services
from directory.settings import InvalidSettings, Settings, settings
from directory.sqlite_file import copy_whole
from directory.store import mails, owners, partners
from directory.store.database import StoreUnavailable
from directory.store.partners import KeyKind
from directory.web.server import Server


@click.group()
def main() -> None:
    """Serve the directory of dry-needling practitioners."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="And its port."
)
def serve(host: str, port: int) -> None:
    """Serve the site, its API and its health checks."""
    chosen = _settings()
    try:
        parts = services(chosen)
        parts.database.migrate()
        parts.close()
    except InvalidSettings as error:
        _fail(error)
    except StoreUnavailable as error:
        # Searching needs no store: serve, and let /readyz tell.
        click.echo(f"Warning: {error}", err=True)
    is_version_6 = ":" in host
    where = f"[{host}]:{port}" if is_version_6 else f"{host}:{port}"
    try:
        family = socket.AF_INET6 if is_version_6 else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        _fail(OSError(f"cannot listen on {where}: {error.strerror}"))
    click.echo(f"Serving on http://{where}", err=True)
    Server(chosen, where).run()


@main.command(name="settings")
def show() -> None:
    """Print every setting, its value and its meaning; passwords are left out."""
    for name, value in _settings().shown().items():
        click.echo(f"DIRECTORY_{name.upper()}={value}")
        click.echo(f"    {Settings.model_fields[name].description}")


@main.command(name="doctor")
def examine() -> None:
    """Look over configuration, versions, store, index, clock, mail and disk; changes nothing.

    A line each, with what to do. Exit code 1 if something is wrong.
    """
    chosen = _settings()
    found = list(doctor.missing(chosen))
    if not found:
        try:
            parts = services(chosen)
        except InvalidSettings as error:
            _fail(error)
        found = list(doctor.examine(chosen, parts))
        parts.close()
    click.echo("ok       settings: see `directory settings`")
    for each in found:
        click.echo(f"{each.verdict:8} {each.name}: {each.said}")
    sys.exit(any(each.verdict is doctor.Verdict.WRONG for each in found))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the store to a new FILE while it is written to. Of PostgreSQL: use pg_dump.

    A plain copy of the file would miss what lies in its write-ahead log.
    """
    chosen = _settings()
    if not chosen.database_url.startswith("sqlite:///"):
        _fail(ValueError("the store is no file: back it up with pg_dump"))
    try:
        copy_whole(Path(chosen.database_url.removeprefix("sqlite:///")), file)
    except OSError as error:
        _fail(error)
    click.echo(f"{file} holds the store as it was just now.")


@main.group()
def moderator() -> None:
    """Say who may decide what clinics send."""


@moderator.command(name="add")
@click.argument("email")
def add_moderator(email: str) -> None:
    """Let an e-mail address moderate; it signs in by a link that is mailed to it."""
    if not is_address(folded(email)):
        _fail(ValueError(f"{email!r} is no e-mail address"))
    with _open() as parts, parts.database.writing() as session:
        owners.add_moderator(session, folded(email), parts.clock())
    click.echo(f"{folded(email)} may moderate now.")


@main.group()
def partner() -> None:
    """Say which sites may embed the search, and give them keys."""


@partner.command(name="add")
@click.argument("name")
@click.option(
    "--origin", "origins", multiple=True, required=True, help="Where it embeds: https://…."
)
@click.option("--email", help="Who may see the partner's page.")
@click.option("--state", "states", multiple=True, help="Only listings there (two letters).")
@click.option("--profession", "professions", multiple=True, help="Only listings of it.")
@click.option("--insurer", "insurers", multiple=True, help="Only listings that accept it.")
@click.option("--a-minute", type=int, default=600, show_default=True, help="Requests a minute.")
def add_partner(name: str, **said: object) -> None:
    """Let a site embed the search. Its key is shown now, and never again."""
    with _open() as parts, parts.database.writing() as session:
        try:
            id_ = partners.new_id(session, name)
            made = Partner.model_validate({"id": id_, "name": name, **said})
        except ValidationError as error:
            _fail(ValueError("; ".join(each["msg"] for each in error.errors())))
        partners.keep(session, made)
        key = partners.make_key(session, made.id, KeyKind.PUBLIC, parts.clock())
    click.echo(f"{made.id}: this key is shown only now. The line for its pages:\n")
    click.echo(snippet(parts.base_url, key))


@partner.command(name="key")
@click.argument("id_", metavar="ID")
@click.option("--secret", is_flag=True, help="For its servers: bulk access, never in a page.")
@click.option("--days", type=click.IntRange(1, 3650), help="The key ends after so many.")
def make_key(id_: str, *, secret: bool, days: int | None) -> None:
    """Give a partner a new key; the last one of the kind goes on for 30 days."""
    kind = KeyKind.SECRET if secret else KeyKind.PUBLIC
    with _open() as parts, parts.database.writing() as session:
        if not partners.find(session, id_):
            _fail(ValueError(f"there is no partner {id_!r}: see `directory partner list`"))
        now = parts.clock()
        ends = now + timedelta(days=days) if days else None
        key = partners.make_key(session, id_, kind, now, ends)
    click.echo(f"{key}\nIt is shown only now.")


@partner.command(name="list")
def list_partners() -> None:
    """Every partner, its origins and its keys that are live."""
    with _open() as parts, parts.database.reading() as session:
        for each in partners.partners(session):
            click.echo(f"{each.id}  {each.name}  {' '.join(each.origins)}")
            for key in partners.keys(session, each.id, parts.clock()):
                ends = f", ends {key.expires_at:%Y-%m-%d}" if key.expires_at else ""
                click.echo(f"    {key.hint}…  made {key.made_at:%Y-%m-%d}{ends}")


@main.command()
def remind() -> None:
    """Ask the owners of listings that were confirmed 75, 85 or 90 days ago whether all is right.

    The serving process does so every day by itself; this is for cron, where nothing serves.
    """
    with _open() as parts:
        written = reminders.remind(parts)
        sent = mails.send_due(parts.database, parts.post, parts.clock(), click.echo)
    click.echo(f"{written} reminders written, {sent} letters sent.")


@contextmanager
def _open() -> Iterator[Services]:
    """The parts, with the tables up to date."""
    try:
        parts = services(_settings())
        parts.database.migrate()
        yield parts
        parts.close()
    except (InvalidSettings, StoreUnavailable) as error:
        _fail(error)


def _settings() -> Settings:
    try:
        return settings()
    except InvalidSettings as error:
        _fail(error)


def _fail(error: Exception) -> NoReturn:
    click.echo(f"Error: {error}", err=True)
    sys.exit(1)
