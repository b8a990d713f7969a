"""A clinic uploads a list: it sees what each row would do, and then does it with one press."""

import tempfile
from http import HTTPStatus
from pathlib import Path

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug import Response

from directory import language, lists, uploads
from directory.language import gettext
from directory.lists import ListRow, ListUnreadable, WrongRow
from directory.search.query import ParameterError
from directory.store import submissions
from directory.store.links import hashed
from directory.store.listings import Made
from directory.store.submissions import Asked, Kind, State, Submission
from directory.web import accounts
from directory.web.context import services
from directory.web.names import FIELD_NAMES
from directory.web.responses import private, wrong_form

blueprint = Blueprint("uploads", __name__)

SHOWN = 500
"""Rows that a preview shows; all are counted."""


@blueprint.get("/clinics/upload")
def form() -> Response:
    """Where a list is chosen."""
    accounts.must_be_signed_in()
    return _form(None)


@blueprint.post("/clinics/upload")
def upload() -> Response:
    """Read a list and keep it for the preview; nothing is changed yet."""
    request.max_content_length = lists.MOST_BYTES
    email, parts = accounts.must_be_signed_in(), services()
    accounts.slow_down_sender()
    sent = request.files.get("file")
    if not sent or not sent.filename:
        return _form(gettext("Choose a file."))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        sent.save(path)
        try:
            read = lists.reader("csv")(path, parts.places, parts.clock().date())
        except ListUnreadable as error:
            return _form(gettext("This file cannot be read: %(why)s", why=str(error)))
    content = {
        "rows": [{"row": r.row, "id": r.id, "fields": r.fields} for r in read.rows],
        "wrong": [{"row": w.row, "field": w.field, "reason": w.reason} for w in read.wrong],
        "to_mend": read.to_mend,
    }
    with parts.database.writing() as session:
        asked = Asked(Kind.LIST, email, language.spoken(), content)
        reference, _ = submissions.keep(session, asked, State.DRAFT, parts.clock())
    return redirect(url_for("uploads.preview", reference=reference), HTTPStatus.SEE_OTHER)


@blueprint.get("/clinics/upload/<reference>")
def preview(reference: str) -> Response:
    """What each row would do."""
    return _preview(reference, None)


@blueprint.get("/clinics/upload/<reference>/to-mend.csv")
def to_mend(reference: str) -> Response:
    """The wrong rows alone, each with its reason: mend them and upload that file."""
    text = _mine(reference).fields["to_mend"]
    answer = Response(text, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="to-mend.csv"'
    return private(answer)


@blueprint.post("/clinics/upload/<reference>")
def apply(reference: str) -> Response:
    """Do all of it or nothing; what has changed since the preview is shown again first."""
    parts = services()
    email = accounts.must_be_signed_in()
    seen = request.form.get("seen", "")
    try:
        with parts.database.writing() as session:
            found = submissions.find(session, reference)
            if not found or found.email != email or found.kind is not Kind.LIST:
                abort(HTTPStatus.NOT_FOUND, gettext("There is no such list."))
            if found.state is State.APPROVED:
                return redirect(url_for("clinics.home"), HTTPStatus.SEE_OTHER)
            planned = uploads.plan(session, _rows(found), email)
            if _mark(planned) != seen or any(each.fate in uploads.WRONG for each in planned):
                again = gettext("Look at it again: something has changed, or is wrong.")
                return _preview(reference, again)
            made = Made(email, parts.clock(), gettext("The practice has uploaded a list."))
            uploads.apply(session, planned, found.language, made, parts.places)
            submissions.move(session, reference, State.APPROVED, email, made.at)
    except ValidationError as error:
        wrong = "; ".join(str(each["msg"]) for each in error.errors())
        return _preview(reference, gettext("Nothing was changed: %(why)s", why=wrong))
    return redirect(url_for("clinics.home"), HTTPStatus.SEE_OTHER)


def _preview(reference: str, wrong: str | None) -> Response:
    found = _mine(reference)
    with services().database.reading() as session:
        planned = uploads.plan(session, _rows(found), found.email)
    page = render_template(
        "preview.html", asked=found, planned=planned[:SHOWN], counts=uploads.counts(planned),
        wrong_rows=[WrongRow(**each) for each in found.fields["wrong"]], problem=wrong,
        seen=_mark(planned), fields=FIELD_NAMES, is_wrong=uploads.WRONG,
        can_apply=planned and not any(each.fate in uploads.WRONG for each in planned),
    )  # fmt: skip
    return private(make_response(page, HTTPStatus.CONFLICT if wrong else HTTPStatus.OK))


def _mine(reference: str) -> Submission:
    email = accounts.must_be_signed_in()
    with services().database.reading() as session:
        found = submissions.find(session, reference)
    if not found or found.email != email or found.kind is not Kind.LIST:
        abort(HTTPStatus.NOT_FOUND, gettext("There is no such list."))
    return found


def _rows(found: Submission) -> list[ListRow]:
    return [ListRow(each["row"], each["fields"], each["id"]) for each in found.fields["rows"]]


def _mark(planned: list[uploads.Planned]) -> str:
    """What was planned upon which states of the listings: another mark, another plan."""
    states = (f"{p.row.row} {p.fate} {p.found.change_number if p.found else 0}" for p in planned)
    return hashed("\n".join(states))


def _form(wrong: str | None) -> Response:
    problem = wrong and wrong_form([ParameterError("file", wrong)])
    page = render_template("upload.html", problem=problem, most=lists.MOST_ROWS)
    return private(make_response(page, HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK))
