"""A listing for whoever it belongs to: changed, confirmed, taken out, gone back with."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson
from flask import (
    Blueprint,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from pydantic import ValidationError
from werkzeug import Response

from directory import keeping, language
from directory.language import gettext
from directory.listing import Facts, published
from directory.search.query import ParameterError
from directory.store import erasure, history, links, listings, owners, reports, seen, submissions
from directory.store.database import Transaction
from directory.store.listings import Made, StoredListing
from directory.store.statement import Fields
from directory.store.submissions import Asked, Kind, State
from directory.web import accounts, listing_form
from directory.web.cards import card_of
from directory.web.context import services
from directory.web.listing_form import STEPS
from directory.web.names import FIELD_NAMES, SOURCE_NAMES
from directory.web.parameters import number_of
from directory.web.report_pages import CHOICES
from directory.web.responses import Problem, private, typed, wrong_form
from directory.web.structured import structured

blueprint = Blueprint("owners", __name__)


@blueprint.get("/clinics/listings/<id_>")
def edit(id_: str) -> Response:
    """An owner's listing, field by field."""
    with services().database.reading() as session:
        accounts.must_be_owner(session, id_)
        found = _standing(session, id_)
    return _edit_page(found, None)


@blueprint.post("/clinics/listings/<id_>")
def change(id_: str) -> Response:
    """Change a listing: at once, or after a look where it says who somebody is."""
    parts = services()
    fields, errors = listing_form.said(
        request.form.to_dict(flat=False), tuple(listing_form.PARTS.values())
    )
    seen = number_of(request.form.get("seen", ""))
    if not errors:
        errors = listing_form.located(fields, parts.places)[1]
    with parts.database.writing() as session:
        email = accounts.must_be_owner(session, id_)
        found = _standing(session, id_)
        if errors or seen is None:
            return _edit_page(found, wrong_form(errors))
        made = Made(email, parts.clock(), gettext("The practice has changed it."))
        changes = keeping.wanted_changes(found, fields)
        if changes and found.change_number != seen:
            return _edit_page(found, _conflict(), mine=_touched(fields))
        risky = [each for each in changes if each.field in keeping.HIGH_RISK]
        try:
            if risky:
                asked = Asked(Kind.CHANGE, email, language.spoken(), fields, id_)
                submissions.keep(session, asked, State.WAITING, parts.clock())
            elif changes:
                keeping.change(session, id_, fields, seen, made, parts.places)
            if request.form.get("still_right") and not risky:
                keeping.attest(session, id_, made, "form")
        except ValidationError:
            session.rollback()
            wrong = gettext("Some fields contradict each other. Please look at them again.")
            return _edit_page(found, wrong_form([ParameterError("name", wrong)]))
    saved = "waits" if risky else "saved"
    return redirect(url_for("owners.edit", id_=id_, done=saved), HTTPStatus.SEE_OTHER)


@blueprint.post("/clinics/listings/<id_>/attest")
def attest(id_: str) -> Response:
    """All is still right."""
    return _do(id_, "confirmed", keeping.attest, "form")


@blueprint.post("/clinics/listings/<id_>/leave")
def leave(id_: str) -> Response:
    """Take the listing out of the directory."""
    if not request.form.get("sure"):
        return redirect(url_for("owners.edit", id_=id_, done="unsure"), HTTPStatus.SEE_OTHER)
    return _do(id_, "left", keeping.leave)


@blueprint.post("/clinics/listings/<id_>/erase")
def erase(id_: str) -> Response:
    """Take the listing out and erase what its clinic and its patients have said of it."""
    if not request.form.get("sure"):
        return redirect(url_for("owners.edit", id_=id_, done="unsure"), HTTPStatus.SEE_OTHER)
    parts = services()
    with parts.database.writing() as session:
        accounts.must_be_owner(session, id_)
        _standing(session, id_)
        keeping.erase(session, id_, Made(erasure.NOBODY, parts.clock(), "erased by its owner"))
    return redirect(url_for("clinics.home"), HTTPStatus.SEE_OTHER)


@blueprint.post("/clinics/listings/<id_>/another")
def another(id_: str) -> Response:
    """A draft of another place of this practitioner, or of a colleague at this place."""
    parts, wants_place = services(), request.form.get("what") == "place"
    with parts.database.writing() as session:
        email = accounts.must_be_owner(session, id_)
        listing = _standing(session, id_).listing
        document = listing.model_dump(mode="json", exclude_unset=True) if listing else {}
        same = listing_form.OF_A_PERSON if wants_place else listing_form.OF_A_PLACE
        fields = {name: document[name] for name in same if name in document}
        asked = Asked(Kind.NEW, email, language.spoken(), fields)
        _, secret = submissions.keep(session, asked, State.DRAFT, parts.clock())
    step = "where" if wants_place else "who"
    return redirect(url_for("drafts.draft", secret=secret, step=step), HTTPStatus.SEE_OTHER)


@blueprint.post("/clinics/listings/<id_>/preview")
def preview_listing(id_: str) -> Response:
    """The card as patients will see it, from what is typed so far; nothing is kept."""
    with services().database.reading() as session:
        accounts.must_be_owner(session, id_)
        found = _standing(session, id_)
    sent = request.form.to_dict(flat=False)
    filled = listing_form.said(sent, tuple(listing_form.PARTS.values()))[0]
    before = found.listing.model_dump(mode="json", exclude_unset=True) if found.listing else {}
    fields = {n: v for n, v in before.items() if n in Facts.model_fields} | filled
    facts, _ = listing_form.whole(fields, services().places)
    page = render_template("_preview.html", preview=listing_form.preview(facts))
    return private(make_response(page))


@blueprint.get("/clinics/listings/<id_>/history")
def past(id_: str) -> Response:
    """Every change of a listing, for its owner and for moderators."""
    with services().database.reading() as session:
        email = accounts.must_be_signed_in()
        if not owners.is_moderator(session, email):
            accounts.must_be_owner(session, id_)
        revisions = history.revisions(session, id_)
    page = render_template(
        "history.html", id_=id_, revisions=revisions, fields=FIELD_NAMES, sources=SOURCE_NAMES
    )
    return private(make_response(page))


@blueprint.post("/clinics/listings/<id_>/history/<int:revision>")
def go_back(id_: str, revision: int) -> Response:
    """Back to what the owner stated in a revision; that is a revision, too."""
    return _do(id_, "saved", keeping.go_back, revision)


@blueprint.get("/clinics/listings/<id_>/export")
def export(id_: str) -> Response:
    """All that is held about a listing, as JSON, for its owner."""
    with services().database.reading() as session:
        accounts.must_be_owner(session, id_)
        found = listings.find(session, id_)
        content = {
            "listing": found and found.listing and found.listing.model_dump(mode="json"),
            "owners": [each.email for each in owners.owners(session, id_)],
            "revisions": history.revisions(session, id_),
            "submissions": submissions.of_listing(session, id_),
            "reports": reports.of_listing(session, id_),
        }
    answer = Response(
        orjson.dumps(content, option=orjson.OPT_INDENT_2), mimetype="application/json"
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="{id_}.json"'
    return private(answer)


@blueprint.post("/clinics/listings/<id_>/give-up")
def give_up(id_: str) -> Response:
    """Be its owner no more: nothing of this address stays with the listing but its past changes.

    Links that prove something else go on working.
    """
    with services().database.writing() as session:
        email = accounts.must_be_owner(session, id_)
        owners.remove(session, id_, email)
        links.forget_of(session, email, id_)
    return redirect(url_for("clinics.home"), HTTPStatus.SEE_OTHER)


def _do(id_: str, done: str, what: Callable[..., None], *more: Any) -> Response:  # noqa: ANN401
    """Let an owner do something to a listing."""
    parts = services()
    with parts.database.writing() as session:
        email = accounts.must_be_owner(session, id_)
        made = Made(email, parts.clock(), gettext("The practice has said so."))
        arguments = (made, *more) if what is not keeping.go_back else (*more, made)
        try:
            what(session, id_, *arguments)
        except keeping.Gone:
            abort(HTTPStatus.NOT_FOUND, gettext("There is no such listing."))
    return redirect(url_for("owners.edit", id_=id_, done=done), HTTPStatus.SEE_OTHER)


def _touched(fields: Fields) -> Fields:
    """What was changed in the form; the form brings along how the listing stood when it was shown.

    That is for showing a conflict alone: what is saved is compared with how the listing stands.
    """
    try:
        base = orjson.loads(request.form.get("base", ""))
    except orjson.JSONDecodeError:
        base = None
    if not isinstance(base, dict):
        return fields
    return {each.field: each.after for each in history.differences(base, fields)}


def _edit_page(
    found: StoredListing, problem: Problem | None, mine: Fields | None = None
) -> Response:
    values = found.listing.model_dump(mode="json", exclude_unset=True) if found.listing else {}
    is_conflict = mine is not None
    said = (
        []
        if not mine
        else list(history.differences({name: values.get(name) for name in mine}, mine))
    )
    with services().database.reading() as session:
        told = [each for each in reports.of_listing(session, found.id) if not each.outcome]
        waits = submissions.of_listing(session, found.id)
        months = seen.of_listing(session, found.id)
    base = {name: values.get(name) for name in listing_form.PARTS}
    public = found.listing and published(found.listing)
    page = render_template(
        "edit.html", base=orjson.dumps(base).decode(), found=found, listing=found.listing,
        steps=STEPS,
        values=values | (mine or {}),
        sent=None if is_conflict else typed(problem), problem=problem, conflict=said,
        fields=FIELD_NAMES, reports=told, choices=CHOICES,
        waits=waits, done=request.args.get("done"),
        lacking=_lacking(values), months=months, certificates=listing_form.CERTIFICATES,
        preview=public and card_of(public), structured=public and structured(public),
    )  # fmt: skip
    return private(make_response(page, problem.status if problem else HTTPStatus.OK))


_WANTED = ("phone", "website", "hours", "first_visit_price", "insurance_accepted", "accepting",
           "techniques", "conditions", "languages", "certificates", "about")  # fmt: skip


def _lacking(values: Fields) -> list[str]:
    """What patients ask for that the listing does not say."""
    return [FIELD_NAMES[name] for name in _WANTED if history.plain(values.get(name)) is None]


def _standing(session: Transaction, id_: str) -> StoredListing:
    try:
        return keeping.standing(session, id_)
    except keeping.Gone:
        abort(HTTPStatus.NOT_FOUND, gettext("There is no such listing."))


def _conflict() -> Problem:
    said = gettext(
        "Somebody else has changed this listing meanwhile. Your changes are below and not saved "
        "yet: look at them again and save them if they are still right."
    )
    errors = (ParameterError("name", said),)
    title = gettext("There is a problem")
    return Problem("done-already", HTTPStatus.CONFLICT, title, "", errors)
