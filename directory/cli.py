"""The command `directory`: serve the site, show the settings."""

import socket
import sys
from typing import NoReturn

import click

from directory.services import services
from directory.settings import InvalidSettings, Settings, settings
from directory.store.database import StoreUnavailable
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
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            _fail(OSError(f"cannot listen on {host}:{port}: {error.strerror}"))
    click.echo(f"Serving on http://{host}:{port}", err=True)
    Server(chosen, f"{host}:{port}").run()


@main.command(name="settings")
def show() -> None:
    """Print every setting, its value and its meaning; passwords are left out."""
    for name, value in _settings().shown().items():
        click.echo(f"DIRECTORY_{name.upper()}={value}")
        click.echo(f"    {Settings.model_fields[name].description}")


def _settings() -> Settings:
    try:
        return settings()
    except InvalidSettings as error:
        _fail(error)


def _fail(error: Exception) -> NoReturn:
    click.echo(f"Error: {error}", err=True)
    sys.exit(1)
