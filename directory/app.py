"""The Flask application: registers the web's parts and attaches the services, nothing else."""

from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from directory import language
from directory.counters import Counters
from directory.metrics import Metrics
from directory.services import Services, services
from directory.settings import Settings
from directory.web import (
    accounts,
    api,
    bulk_api,
    city_pages,
    claim_pages,
    clinic_pages,
    docs_pages,
    doorstep,
    draft_pages,
    embed,
    fhir,
    guide,
    health,
    link_pages,
    listing_pages,
    metrics_page,
    moderation_pages,
    npi_registry,
    owner_pages,
    pages,
    partner_access,
    partner_pages,
    quality_pages,
    rendering,
    report_pages,
    responses,
    submission_api,
    upload_pages,
)
from directory.web.translation import TranslatedTemplates

if TYPE_CHECKING:
    from directory.traces import Traces

MOST_SENT_BYTES = 100_000
"""A form is refused that is larger."""


def create_app(
    settings: Settings,
    parts: Services | None = None,
    counters: Counters | None = None,
    metrics: Metrics | None = None,
    traces: "Traces | None" = None,
) -> Flask:
    """The application. Tests pass their own services; else the settings choose them.

    Processes that serve together count together: they pass the same counters, and metrics that
    share a folder. Requests are traced where there are traces.
    """
    app = Flask(__name__, template_folder="web/templates", static_folder="web/static")
    app.url_map.merge_slashes = False  # a redirect would name the host that the request claims
    app.url_map.converters["int"] = doorstep.Number
    app.json.sort_keys = False  # type: ignore[attr-defined]  # answers keep the order of the docs
    app.jinja_environment = TranslatedTemplates
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # the extension's own
        lambda message: language.catalog().gettext(message),
        lambda one, several, count: language.catalog().ngettext(one, several, count),
        newstyle=True,
    )
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # Flask's own documented way
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0
        )
    if traces:
        app.wsgi_app = traces.around(  # type: ignore[method-assign, assignment]  # as above
            app.wsgi_app
        )
    app.config["MAX_CONTENT_LENGTH"] = MOST_SENT_BYTES
    app.config["BASE_URL"] = settings.base_url
    app.config["REQUESTS_A_MINUTE"] = settings.requests_a_minute
    app.config["SECURITY_CONTACT"] = settings.security_contact
    app.config["GEOCODER"] = settings.geocoder
    app.config["MAP_TILES_URL"] = settings.map_tiles_url
    app.config["MAP_TILES_CREDIT"] = settings.map_tiles_credit
    app.config["METRICS_TOKEN"] = settings.metrics_token.get_secret_value()
    app.extensions["metrics"] = metrics or Metrics()
    app.extensions["traces"] = traces
    app.extensions["services"] = parts or services(settings)
    app.extensions["counters"] = counters or Counters()
    for part in (
        pages,
        listing_pages,
        city_pages,
        report_pages,
        guide,
        api,
        bulk_api,
        docs_pages,
        embed,
        fhir,
        npi_registry,
        health,
        metrics_page,
    ):
        app.register_blueprint(part.blueprint)
    for part in (
        clinic_pages,
        draft_pages,
        owner_pages,
        partner_pages,
        claim_pages,
        link_pages,
        moderation_pages,
        quality_pages,
        submission_api,
        upload_pages,
    ):
        app.register_blueprint(part.blueprint)
    rendering.register(app)
    responses.register(app)
    doorstep.register(app)
    partner_access.register(app)
    app.before_request(accounts.refuse_other_sites)
    app.after_request(accounts.keep_signed_in)
    return app
