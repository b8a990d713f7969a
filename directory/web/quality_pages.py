"""How true the listings are: a scorecard for anybody, as a page and as JSON."""

from flask import Blueprint, make_response, render_template, request
from werkzeug import Response

from directory.store.quality import Scorecard, scorecard
from directory.web.compression import vary_by
from directory.web.context import services
from directory.web.names import FIELD_NAMES
from directory.web.responses import json_response

blueprint = Blueprint("quality", __name__)


@blueprint.get("/quality")
def quality() -> Response:
    """The scorecard; `Accept: application/json` has it as JSON."""
    parts = services()
    with parts.database.reading() as session:
        card = scorecard(session, parts.clock())
    accepted = request.accept_mimetypes
    if accepted.best_match(["text/html", "application/json"]) == "application/json":
        answer: Response = json_response(_as_json(card))
    else:
        page = render_template("quality.html", card=card, fields=FIELD_NAMES)
        answer = make_response(page)
    vary_by(answer, "Accept")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


def _as_json(card: Scorecard) -> dict[str, object]:
    return {
        "as_of": card.as_of,
        "published": card.published,
        "confirmed": card.confirmed,
        "fresh": card.fresh,
        "unknown": card.unknown,
        "groups": [
            {"state": g.state, "profession": g.profession, "published": g.published,
             "confirmed": g.confirmed, "fresh": g.fresh}
            for g in card.groups
        ],
        "reports": {
            "open": card.reports_open,
            "outcomes": card.outcomes,
            "median_hours_to_answer": card.median_hours,
        },
    }  # fmt: skip
