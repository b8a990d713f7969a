"""The Flask application: registers the web's parts and attaches the services, nothing else."""

from flask import Flask

from directory import language
from directory.services import Services, services
from directory.settings import Settings
from directory.web import (
    api,
    city_pages,
    guide,
    health,
    listing_pages,
    pages,
    rendering,
    report_pages,
    responses,
)

MOST_SENT_BYTES = 100_000
"""A form is refused that is larger."""


def create_app(settings: Settings, parts: Services | None = None) -> Flask:
    """The application. Tests pass their own services; else the settings choose them."""
    app = Flask(__name__, template_folder="web/templates", static_folder="web/static")
    app.json.sort_keys = False  # type: ignore[attr-defined]  # answers keep the order of the docs
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # the extension's own
        lambda message: language.catalog().gettext(message),
        lambda one, several, count: language.catalog().ngettext(one, several, count),
        newstyle=True,
    )
    app.config["MAX_CONTENT_LENGTH"] = MOST_SENT_BYTES
    app.config["BASE_URL"] = settings.base_url
    app.extensions["services"] = parts or services(settings)
    for part in (pages, listing_pages, city_pages, report_pages, guide, api, health):
        app.register_blueprint(part.blueprint)
    rendering.register(app)
    responses.register(app)
    return app
