"""Reporting a mistake in a listing, and seeing that it was received."""

from dataclasses import dataclass
from http import HTTPStatus

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as Redirect

from directory.language import gettext, marked
from directory.mail import letters
from directory.mail.letters import To
from directory.search.query import ParameterError
from directory.store import mails, owners, reports
from directory.store.reports import LONGEST_TEXT, Outcome
from directory.web import accounts
from directory.web.context import listing_or_abort, services
from directory.web.limits import sender
from directory.web.names import FIELD_NAMES
from directory.web.rendering import absolute
from directory.web.responses import wrong_form

blueprint = Blueprint("reports", __name__)

_WHOLE = {
    "gone": marked("This practitioner is not there any more"),
    "offer": marked("Dry needling is not offered here"),
    "other": marked("Something else"),
}
_FIELDS = (
    "phone", "address", "name", "insurance_accepted", "first_visit_price", "accepting", "website",
)  # fmt: skip
CHOICES = {
    "gone": _WHOLE["gone"],
    "offer": _WHOLE["offer"],
    **{name: FIELD_NAMES[name] for name in _FIELDS},
    "other": _WHOLE["other"],
}
"""What may be wrong, the most harmful first."""


OUTCOMES = {
    Outcome.MENDED: marked("It was wrong and is mended."),
    Outcome.RIGHT: marked("It is right as it stands."),
    Outcome.UNCLEAR: marked("It could not be found out."),
}


MOST_OF_ONE = 2
"""Reports of one listing from one network address within an hour: three bring a warning, and one
competitor alone is not to make it."""


@dataclass(frozen=True)
class _Said:
    field: str
    text: str


@blueprint.get("/listings/<id_>/report")
def form(id_: str) -> str:
    """The form."""
    _, shown = listing_or_abort(id_)
    return render_template(
        "report.html", listing=shown, choices=CHOICES, said=_Said("", ""), longest=LONGEST_TEXT
    )


@blueprint.post("/listings/<id_>/report")
def send(id_: str) -> Response | Redirect:
    """Keep what was reported, or say what is missing."""
    accounts.slow_down_sender()
    _, shown = listing_or_abort(id_)
    said = _Said(request.form.get("field", ""), request.form.get("text", "").strip())
    if errors := _errors(said):
        problem = wrong_form(errors)
        page = render_template(
            "report.html", listing=shown, choices=CHOICES, said=said, problem=problem,
            longest=LONGEST_TEXT,
        )  # fmt: skip
        return make_response(page, HTTPStatus.BAD_REQUEST)
    accounts.slow_down(f"report of {id_} from {sender()}", MOST_OF_ONE)
    now = services().clock()
    with services().database.writing() as session:
        reference = reports.keep(session, id_, said.field, said.text, now)
        for owner in owners.owners(session, id_):
            to, mine = To(owner.email, owner.language), absolute(url_for("clinics.home", lang=None))
            letter = letters.reported(to, shown.title, CHOICES[said.field], said.text, mine)
            mails.keep(session, letter, now)
    return redirect(url_for("reports.receipt", reference=reference), HTTPStatus.SEE_OTHER)


@blueprint.get("/reports/<reference>")
def receipt(reference: str) -> str:
    """What was reported when, for whoever has its reference."""
    with services().database.reading() as session:
        found = reports.find(session, reference)
    if not found:
        abort(404, gettext("There is no report with this reference."))
    return render_template(
        "receipt.html", report=found, what=CHOICES[found.field], outcomes=OUTCOMES
    )


def _errors(said: _Said) -> tuple[ParameterError, ...]:
    errors = []
    if said.field not in CHOICES:
        errors.append(ParameterError("field", gettext("Choose what is wrong.")))
    if len(said.text) > LONGEST_TEXT or any(
        not each.isprintable() for each in said.text.splitlines()
    ):
        most = gettext("Write at most %(most)s letters of plain text.", most=LONGEST_TEXT)
        errors.append(ParameterError("text", most))
    if said.field == "other" and not said.text:
        errors.append(ParameterError("text", gettext("Say what is wrong.")))
    return tuple(errors)
