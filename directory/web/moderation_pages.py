"""For moderators: what waits for a decision, with what can be checked beside it.

These pages are in English: whoever runs a directory writes for its moderators.
"""

from datetime import date
from http import HTTPStatus

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug import Response

from directory import keeping
from directory.fields import LISTING_ID
from directory.mail import letters
from directory.mail.letters import To
from directory.store import (
    duplicates,
    history,
    listings,
    mails,
    merges,
    reports,
    reviews,
    submissions,
)
from directory.store.checks import Check, checks
from directory.store.database import Transaction
from directory.store.listings import Made, Status
from directory.store.reports import Outcome
from directory.store.submissions import Kind, State, Submission
from directory.web import accounts
from directory.web.context import services
from directory.web.names import FIELD_NAMES
from directory.web.parameters import number_of
from directory.web.rendering import absolute
from directory.web.report_pages import CHOICES, OUTCOMES
from directory.web.responses import private

blueprint = Blueprint("moderation", __name__)


@blueprint.get("/moderation/")
def queue() -> Response:
    """What waits: reports, submissions and changes, the oldest first."""
    accounts.must_be_moderator()
    return _queue(None)


def _queue(wrong: str | None) -> Response:
    with services().database.reading() as session:
        waits, told = submissions.waiting(session), reports.unanswered(session)
        held, made = listings.counts(session)[Status.HELD], reviews.to_review(session)
        wrong_checks = {each.reference: _wrong(session, each) for each in waits}
    page = render_template(
        "moderation.html", waits=waits, reports=told, fields=CHOICES, held=held, made=made,
        names=FIELD_NAMES, wrong_checks=wrong_checks, wrong=wrong, now=services().clock(),
    )  # fmt: skip
    return private(make_response(page, HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK))


def _wrong(session: Transaction, asked: Submission) -> list[Check]:
    """What speaks against a submission, at a glance."""
    of = listings.find(session, asked.listing_id) if asked.listing_id else None
    found = checks(session, asked, of, services().places)
    return [each for each in found if each.is_right is False]


@blueprint.post("/moderation/submissions")
def decide_several() -> Response:
    """Approve or reject several at once: each by itself, so that one that cannot be stops no other.

    Only what waits is decided; what somebody else has decided meanwhile stays as it is.
    """
    by, parts = accounts.must_be_moderator(), services()
    decision, reason = request.form.get("decision"), request.form.get("reason", "").strip()[:1000]
    if decision not in ("approve", "reject") or (decision == "reject" and not reason):
        return _queue("Choose what to do, and give a reason to reject.")
    failed = []
    for reference in request.form.getlist("reference"):
        try:
            with parts.database.writing() as session:
                found = submissions.find(session, reference)
                if found and found.state is State.WAITING:
                    _decide(session, found, decision, reason, Made(by, parts.clock(), "approved"))
        except (keeping.Gone, ValidationError):
            failed.append(reference)
    if failed:
        return _queue(f"These cannot be approved as they stand: {', '.join(failed)}")
    return redirect(url_for("moderation.queue"), HTTPStatus.SEE_OTHER)


@blueprint.post("/moderation/changes")
def look() -> Response:
    """What owners have changed at once was looked at, and is all right."""
    by, parts = accounts.must_be_moderator(), services()
    ids = {number_of(each) for each in request.form.getlist("revision")}
    with parts.database.writing() as session:
        there = [each.id for _, each in reviews.to_review(session)]
        reviews.reviewed(session, [id_ for id_ in there if id_ in ids], by, parts.clock())
    return redirect(url_for("moderation.queue"), HTTPStatus.SEE_OTHER)


@blueprint.get("/moderation/submissions/<reference>")
def submission(reference: str) -> Response:
    """One submission: what it would change, and what was checked."""
    accounts.must_be_moderator()
    return _submission_page(reference, None)


@blueprint.post("/moderation/submissions/<reference>")
def decide(reference: str) -> Response:
    """Approve, ask or reject; a reason is needed for all but the first."""
    by = accounts.must_be_moderator()
    decision, reason = request.form.get("decision"), request.form.get("reason", "").strip()[:1000]
    if decision not in ("approve", "ask", "reject") or (decision != "approve" and not reason):
        return _submission_page(reference, "Choose what to do, and give a reason to ask or reject.")
    parts = services()
    try:
        with parts.database.writing() as session:
            found = submissions.find(session, reference)
            if not found:
                abort(HTTPStatus.NOT_FOUND)
            if found.state not in (State.WAITING, State.ASKED):
                abort(HTTPStatus.CONFLICT, "Somebody else has decided it meanwhile.")
            _decide(session, found, decision, reason, Made(by, parts.clock(), "approved"))
    except keeping.Gone:
        return _submission_page(reference, "The listing that it is of is gone.")
    except ValidationError as error:
        wrong = "; ".join(str(each["msg"]) for each in error.errors())
        return _submission_page(reference, f"It would make no listing: {wrong}")
    return redirect(url_for("moderation.queue"), HTTPStatus.SEE_OTHER)


def _decide(
    session: Transaction, found: Submission, decision: str, reason: str, made: Made
) -> None:
    to = To(found.email, found.language)
    match decision:
        case "approve":
            id_ = keeping.approve(session, found, made, services().places)
            listing = keeping.standing(session, id_).listing
            address = absolute(url_for("listings.listing", id_=id_, lang=None))
            letter = letters.approved(to, listing.title if listing else id_, address)
        case "ask":
            submissions.move(session, found.reference, State.ASKED, made.by, made.at, reason)
            secret = submissions.new_secret(session, found.reference)
            back = absolute(url_for("drafts.go_on", secret=secret))
            letter = letters.asked(to, reason, back)
        case _:
            submissions.move(session, found.reference, State.REJECTED, made.by, made.at, reason)
            letter = letters.refused(to, reason, absolute(url_for("clinics.home", lang=None)))
    mails.keep(session, letter, made.at)


@blueprint.get("/moderation/duplicates")
def duplicates_() -> Response:
    """Pairs of listings that may be one."""
    accounts.must_be_moderator()
    with services().database.reading() as session:
        found, merged = duplicates.pairs(session), merges.latest(session)
    return private(make_response(render_template("duplicates.html", pairs=found, merged=merged)))


@blueprint.post("/moderation/duplicates")
def merge() -> Response:
    """Merge one listing into another."""
    by = accounts.must_be_moderator()
    parts = services()
    gone, kept = request.form.get("gone", ""), request.form.get("kept", "")
    if not (LISTING_ID.fullmatch(gone) and LISTING_ID.fullmatch(kept)):
        abort(HTTPStatus.BAD_REQUEST, "Give the ids of two listings.")
    try:
        with parts.database.writing() as session:
            made = Made(by, parts.clock(), f"{gone} and {kept} are one")
            keeping.merge(session, gone, kept, made)
    except (keeping.Gone, ValidationError) as error:
        abort(HTTPStatus.BAD_REQUEST, f"They cannot be merged: {error}")
    return redirect(url_for("moderation.duplicates_"), HTTPStatus.SEE_OTHER)


@blueprint.post("/moderation/merges/<int:id_>/undo")
def part(id_: int) -> Response:
    """Undo a merge."""
    by, parts = accounts.must_be_moderator(), services()
    try:
        with parts.database.writing() as session:
            keeping.part(session, id_, Made(by, parts.clock(), "they are two after all"))
    except (keeping.Gone, ValidationError):
        abort(HTTPStatus.CONFLICT, "This merge was undone already, or cannot be.")
    return redirect(url_for("moderation.duplicates_"), HTTPStatus.SEE_OTHER)


@blueprint.get("/moderation/reports/<reference>")
def report(reference: str) -> Response:
    """One report of a mistake, beside the listing as it stands."""
    accounts.must_be_moderator()
    return _report_page(reference, None)


@blueprint.post("/moderation/reports/<reference>")
def answer(reference: str) -> Response:
    """Say what became of a report; whoever reported it sees the answer on the receipt."""
    by = accounts.must_be_moderator()
    outcome, text = request.form.get("outcome"), request.form.get("answer", "").strip()[:1000]
    if outcome not in set(Outcome):
        return _report_page(reference, "Choose what became of it.")
    with services().database.writing() as session:
        if not reports.find(session, reference):
            abort(HTTPStatus.NOT_FOUND)
        reports.answer(session, reference, Outcome(outcome), text, by, services().clock())
    return redirect(url_for("moderation.queue"), HTTPStatus.SEE_OTHER)


@blueprint.post("/moderation/listings/<id_>/licence")
def licence(id_: str) -> Response:
    """Keep that the licence was looked up at the board."""
    by = accounts.must_be_moderator()
    parts = services()
    try:
        until = date.fromisoformat(request.form.get("expires_on", ""))
        with parts.database.writing() as session:
            made = Made(by, parts.clock(), "looked the license up at the board")
            keeping.check_licence(session, id_, request.form.get("state", ""), until, made)
    except (ValueError, keeping.Gone) as error:
        abort(HTTPStatus.BAD_REQUEST, f"Give a state's two letters and a date: {error}")
    return redirect(url_for("listings.listing", id_=id_), HTTPStatus.SEE_OTHER)


def _submission_page(reference: str, wrong: str | None) -> Response:
    with services().database.reading() as session:
        found = submissions.find(session, reference)
        if not found:
            abort(HTTPStatus.NOT_FOUND)
        same = keeping.same_as(session, found.fields) if found.kind is Kind.NEW else None
        of = listings.find(session, found.listing_id or same or "")
        before = of.listing.model_dump(mode="json", exclude_unset=True) if of and of.listing else {}
        shown = {name: before.get(name) for name in found.fields}
        page = render_template(
            "moderate.html", asked=found, of=of, wrong=wrong, fields=FIELD_NAMES,
            changes=history.differences(shown, found.fields),
            checks=checks(session, found, of, services().places),
        )  # fmt: skip
    return private(make_response(page, HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK))


def _report_page(reference: str, wrong: str | None) -> Response:
    with services().database.reading() as session:
        found = reports.find(session, reference)
        if not found:
            abort(HTTPStatus.NOT_FOUND)
        of = listings.find(session, found.listing_id)
    page = render_template(
        "moderate_report.html", report=found, of=of, wrong=wrong, fields=CHOICES, outcomes=OUTCOMES
    )
    return private(make_response(page, HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK))
