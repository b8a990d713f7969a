"""The application as any WSGI server can load it; the product serves itself (web/server.py)."""

from flask import Flask

from directory.app import create_app
from directory.services import services
from directory.settings import settings


def create() -> Flask:
    """The site on the settings of the environment."""
    chosen = settings()
    parts = services(chosen)
    parts.places.matches("")
    return create_app(chosen, parts)
