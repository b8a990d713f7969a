"""The API's document, the page that explains it, and what programs look for at a site.

The page is in English alone.
"""

from datetime import timedelta

from flask import Blueprint, Response, abort, current_app, render_template, url_for

from directory.web import openapi
from directory.web.caching import known_by_content
from directory.web.context import services
from directory.web.embedding import HIDES, LOCKS
from directory.web.rendering import absolute
from directory.web.responses import PROBLEMS

blueprint = Blueprint("docs", __name__)

SECURITY_HOLDS = timedelta(days=180)
"""RFC 9116 (2022-04) recommends less than a year."""


@blueprint.get("/api/v1/openapi.json")
def document() -> Response:
    """OpenAPI 3.1."""
    answer = known_by_content(openapi.document(current_app.config["BASE_URL"]))
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


@blueprint.get("/opensearch.xml")
def opensearch() -> Response:
    """How a browser's own search box searches here (OpenSearch 1.1)."""
    page = render_template("opensearch.xml")
    return Response(page, content_type="application/opensearchdescription+xml; charset=utf-8")


@blueprint.get("/.well-known/security.txt")
def security() -> Response:
    """Whom to tell of a weakness (RFC 9116); 404 where the operator has not said."""
    contact = current_app.config["SECURITY_CONTACT"]
    if not contact:
        abort(404)
    until = services().clock().replace(microsecond=0) + SECURITY_HOLDS
    lines = [
        f"Contact: {contact}", f"Expires: {until.isoformat()}", "Preferred-Languages: en, es",
        f"Canonical: {absolute(url_for('docs.security'))}",
    ]  # fmt: skip
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@blueprint.get("/api/docs")
def docs() -> str:
    """Keys, the embed, formats, limits, problems, and every operation."""
    found = openapi.document(current_app.config["BASE_URL"])
    return render_template(
        "docs.html",
        document=found,
        problems=PROBLEMS,
        locks=LOCKS,
        hides=HIDES,
        canonical="/api/docs",
    )
