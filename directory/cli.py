"""The command `directory`: serve the site, show the settings."""

import sys

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from directory.app import create_app
from directory.services import services
from directory.settings import Settings
from directory.store.database import Database, StoreUnavailable

WORKERS, THREADS = 2, 4
"""Two processes share two cores; four threads each wait for the engine (shared benchmarks: no
WSGI server was measurably faster, and gunicorn's threads are the simplest)."""


@click.group()
def main() -> None:
    """Serve the directory of dry-needling practitioners."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
def serve(host: str, port: int) -> None:
    """Serve the site, its API and its health checks."""
    settings = Settings()
    try:
        database = Database(settings.database_url)
        database.migrate()
        database.close()
    except StoreUnavailable as error:
        # Searching needs no store: serve, and let /readyz tell.
        click.echo(f"Warning: {error}", err=True)
    click.echo(f"Serving on http://{host}:{port}", err=True)
    _Server(settings, f"{host}:{port}").run()


@main.command(name="settings")
def show_settings() -> None:
    """Print every setting, its value and its meaning."""
    settings = Settings()
    for name, field in Settings.model_fields.items():
        click.echo(f"DIRECTORY_{name.upper()}={getattr(settings, name)}")
        click.echo(f"    {field.description}")


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn, configured here instead of in a file of its own.

    Every worker opens its own services: connections do not survive a fork. Gunicorn's own access
    log stays off, as it would hold what people search for; web/responses.py writes ours.
    """

    def __init__(self, settings: Settings, bind: str) -> None:
        self._settings = settings
        self._bind = bind
        super().__init__()

    def load_config(self) -> None:
        """Gunicorn asks for its configuration."""
        chosen = {
            "bind": self._bind,
            "workers": WORKERS,
            "threads": THREADS,
            "worker_class": "gthread",
            "accesslog": None,
            "loglevel": "warning",
            "graceful_timeout": 20,
        }
        for key, value in chosen.items():
            self.cfg.set(key, value)

    def load(self) -> Flask:
        """Gunicorn asks each worker for its application."""
        parts = services(self._settings)
        parts.places.matches("")  # makes the gazetteer before the first visitor comes
        return create_app(self._settings, parts)


if __name__ == "__main__":
    sys.exit(main())
