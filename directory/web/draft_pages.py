"""A new listing: begun, written step by step, and sent."""

from http import HTTPStatus

from flask import (
    Blueprint,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug import Response

from directory import keeping, language
from directory.language import gettext
from directory.listing import Listing
from directory.mail import letters
from directory.mail.address import folded
from directory.mail.letters import To
from directory.search.query import ParameterError
from directory.store import links, listings, mails, submissions
from directory.store.database import Transaction
from directory.store.links import Purpose
from directory.store.statement import Fields
from directory.store.submissions import Asked, Kind, State, Submission
from directory.web import accounts, listing_form
from directory.web.context import services
from directory.web.listing_form import STEPS
from directory.web.rendering import absolute
from directory.web.responses import Problem, private, typed, wrong_form

blueprint = Blueprint("drafts", __name__)

_STEP_NAMES = (*STEPS, "check")


@blueprint.get("/clinics/new")
def new() -> Response:
    """Where a listing begins: whose address letters about it go to."""
    return _begin({}, None)


@blueprint.post("/clinics/new")
def begin() -> Response:
    """A draft; the link back to it is mailed."""
    accounts.slow_down_sender()
    typed, npi = folded(request.form.get("email", "")), request.form.get("npi", "").strip()
    sent = {name: [value] for name, value in {"npi": npi}.items() if value}
    fields, wrong = listing_form.said(sent, [listing_form.PARTS["npi"]])
    errors = [*accounts.address_errors(typed), *wrong]
    if request.form.get("website_of_robots"):
        errors.append(ParameterError("email", gettext("Leave the hidden field empty.")))
    if errors:
        return _begin({"email": typed, "npi": npi}, wrong_form(errors))
    parts, now = services(), services().clock()
    accounts.slow_down(f"to {typed}", accounts.LETTERS_AN_HOUR)
    with parts.database.writing() as session:
        known = listings.of_npi(session, npi) if npi else []
        asked = Asked(Kind.NEW, typed, language.spoken(), _prefilled(known, fields))
        _, secret = submissions.keep(session, asked, State.DRAFT, now)
        back = absolute(url_for("drafts.draft", secret=secret, step="who"))
        mails.keep(session, letters.go_on(To(typed, language.spoken()), back), now)
    return redirect(url_for("drafts.draft", secret=secret, step="who"), HTTPStatus.SEE_OTHER)


def _prefilled(known: list[Listing], fields: Fields) -> Fields:
    """What is known of a practitioner already; a place only where there is but one."""
    if not known:
        return {name: value for name, value in fields.items() if value is not None}
    document = known[0].model_dump(mode="json", exclude_unset=True)
    person = ("name", "npi", "letters", "profession", "languages")
    place = ("clinic", "address", "phone") if len(known) == 1 else ()
    return {name: document[name] for name in (*person, *place) if document.get(name)}


@blueprint.get("/clinics/drafts/<secret>")
def go_on(secret: str) -> Response:
    """The link that was mailed: to the draft, or to where it stands once it was sent."""
    with services().database.reading() as session:
        found = submissions.of_secret(session, secret)
    if found and found.state not in (State.DRAFT, State.ASKED):
        return redirect(url_for("drafts.sent", secret=secret))
    _draft(secret)
    return redirect(url_for("drafts.draft", secret=secret, step="who"))


@blueprint.get("/clinics/drafts/<secret>/<step>")
def draft(secret: str, step: str) -> Response:
    """One step of a draft, or all of it before it is sent."""
    return _draft_page(_draft(secret), secret, step, None)


@blueprint.post("/clinics/drafts/<secret>/<step>")
def save(secret: str, step: str) -> Response:
    """Keep a step and go to the next; what is right is kept even where something is wrong."""
    found = _draft(secret)
    if step not in STEPS:
        abort(HTTPStatus.NOT_FOUND)
    fields, errors = listing_form.said(request.form.to_dict(flat=False), STEPS[step])
    if step == "where" and not errors:
        errors = listing_form.located(fields, services().places)[1]
    with services().database.writing() as session:
        submissions.save(session, found.reference, fields={**found.fields, **fields})
    if errors:
        return _draft_page(_draft(secret), secret, step, wrong_form(errors))
    after = _STEP_NAMES[_STEP_NAMES.index(step) + 1]
    return redirect(url_for("drafts.draft", secret=secret, step=after), HTTPStatus.SEE_OTHER)


@blueprint.post("/clinics/drafts/<secret>/<step>/preview")
def preview_draft(secret: str, step: str) -> Response:
    """The card as patients will see it, from what is typed so far; nothing is kept."""
    found = _draft(secret)
    filled = listing_form.said(request.form.to_dict(flat=False), STEPS.get(step, ()))[0]
    facts, _ = listing_form.whole({**found.fields, **filled}, services().places)
    page = render_template("_preview.html", preview=listing_form.preview(facts))
    return private(make_response(page))


@blueprint.post("/clinics/drafts/<secret>/send")
def send(secret: str) -> Response:
    """Send a draft: the address behind it is proved by a letter, then it is looked at."""
    accounts.slow_down_sender()
    parts = services()
    with parts.database.writing() as session:
        found = submissions.of_secret(session, secret)
        if not found:
            abort(HTTPStatus.NOT_FOUND, gettext("There is no such draft (any more)."))
        if found.state is State.DRAFT or found.state is State.ASKED:
            facts, errors = listing_form.whole(found.fields, parts.places)
            if errors or not facts:
                return _draft_page(found, secret, "check", wrong_form(errors))
            fields = facts.model_dump(mode="json", exclude_unset=True)
            is_proved = found.state is State.ASKED or accounts.signed_in() == found.email
            after = State.WAITING if is_proved else State.UNPROVED
            submissions.save(session, found.reference, fields=fields, state=after)
            if not is_proved:
                ask_for_proof(session, found)
    return redirect(url_for("drafts.sent", secret=secret), HTTPStatus.SEE_OTHER)


def ask_for_proof(session: Transaction, asked: Submission) -> None:
    """Write the letter whose link proves the address behind a submission."""
    now = services().clock()
    token = links.make(session, Purpose.SUBMIT, asked.email, asked.reference, now)
    address = absolute(url_for("links.link", token=token))
    mails.keep(session, letters.prove(To(asked.email, asked.language), address), now)


@blueprint.get("/clinics/sent/<secret>")
def sent(secret: str) -> Response:
    """Where a submission stands, for whoever has its secret."""
    with services().database.reading() as session:
        found = submissions.of_secret(session, secret)
    if not found:
        abort(HTTPStatus.NOT_FOUND, gettext("There is no such submission."))
    return private(make_response(render_template("sent.html", asked=found)))


def _draft(secret: str) -> Submission:
    with services().database.reading() as session:
        found = submissions.of_secret(session, secret)
    if not found or found.state not in (State.DRAFT, State.ASKED):
        abort(HTTPStatus.NOT_FOUND, gettext("There is no such draft (any more)."))
    return found


def _draft_page(found: Submission, secret: str, step: str, problem: Problem | None) -> Response:
    if step not in _STEP_NAMES:
        abort(HTTPStatus.NOT_FOUND)
    values = {**found.fields}
    same = None
    facts, errors = listing_form.whole(found.fields, services().places)
    if step == "check" and facts:
        with services().database.reading() as session:
            same = keeping.same_as(session, facts.model_dump(mode="json", exclude_unset=True))
    page = render_template(
        "draft.html", asked=found, secret=secret, step=step, steps=_STEP_NAMES,
        parts=STEPS.get(step, ()), values=values, sent=typed(problem), problem=problem,
        missing=errors, step_of=listing_form.step_of, same=same,
        preview=listing_form.preview(facts),
        certificates=listing_form.CERTIFICATES,
    )  # fmt: skip
    return private(make_response(page, problem.status if problem else HTTPStatus.OK))


def _begin(values: dict[str, str], problem: Problem | None) -> Response:
    page = render_template("begin.html", values=values, problem=problem)
    return private(make_response(page, problem.status if problem else HTTPStatus.OK))
