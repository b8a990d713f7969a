"""One-time links from letters, and signing in: looking changes nothing, only the button does.

Mail scanners open every link; they press no buttons.
"""

from http import HTTPStatus

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug import Response

from directory import keeping, language
from directory.language import gettext
from directory.mail import letters
from directory.mail.address import folded
from directory.mail.letters import To
from directory.store import links, listings, mails, owners, partners, submissions
from directory.store.database import Transaction
from directory.store.links import Link, Purpose
from directory.store.listings import Made
from directory.store.owners import Owner
from directory.store.submissions import Asked, Kind, State
from directory.web import accounts
from directory.web.cards import card_of
from directory.web.context import services
from directory.web.names import SOURCE_NAMES
from directory.web.rendering import absolute
from directory.web.responses import private, wrong_form

blueprint = Blueprint("links", __name__)

_NOBODY = ""
"""Whose link is made where an address has nothing here, so that the time does not tell: without it
the answer took 6.7 ms instead of 10.5 (medians of 60). It is one row, and nobody has its token."""


@blueprint.get("/clinics/sign-in")
def sign_in() -> Response:
    """The form for a link."""
    return private(make_response(render_template("sign_in.html", values={})))


@blueprint.post("/clinics/sign-in")
def mail_link() -> Response:
    """Mail a link, if the address has anything here; the answer is the same in any case."""
    accounts.slow_down_sender()
    typed = folded(request.form.get("email", ""))
    if errors := accounts.address_errors(typed):
        problem = wrong_form(errors)
        page = render_template("sign_in.html", values={"email": typed}, problem=problem)
        return private(make_response(page, HTTPStatus.BAD_REQUEST))
    accounts.slow_down(f"to {typed}", accounts.LETTERS_AN_HOUR)
    parts, now = services(), services().clock()
    with parts.database.writing() as session:
        is_known = _is_known(session, typed)
        if not is_known:
            links.forget_of(session, _NOBODY)
        token = links.make(session, Purpose.SIGN_IN, typed if is_known else _NOBODY, "", now)
        address = absolute(url_for("links.link", token=token))
        letter = letters.sign_in(To(typed, language.spoken()), address)
        if is_known:
            mails.keep(session, letter, now)
    return private(make_response(render_template("mailed.html", email=typed)))


def _is_known(session: Transaction, email: str) -> bool:
    """Whether anything here belongs to an address: nobody else is written to."""
    return bool(
        owners.owned(session, email)
        or owners.is_moderator(session, email)
        or partners.partners(session, email)
    )


@blueprint.post("/clinics/sign-out")
def sign_out() -> Response:
    """Be signed in no more."""
    answer = redirect(url_for("clinics.home"), HTTPStatus.SEE_OTHER)
    accounts.sign_out(answer)
    return answer


@blueprint.get("/links/<token>")
def link(token: str) -> Response:
    """What a link would do, with the button that does it."""
    with services().database.reading() as session:
        found = links.look(session, token, services().clock())
        of = listings.find(session, found.subject) if found and found.subject else None
    if not found:
        abort(HTTPStatus.NOT_FOUND, gettext("There is no such link. Is it whole?"))
    status = HTTPStatus.OK if found.state is links.State.OPEN else HTTPStatus.GONE
    page = render_template(
        "link.html",
        link=found,
        token=token,
        shown=of and of.listing and card_of(of.listing),
        sources=SOURCE_NAMES,
    )
    return private(make_response(page, status))


@blueprint.post("/links/<token>")
def press(token: str) -> Response:
    """Do what the link is for, once."""
    parts, now, waits = services(), services().clock(), False
    with parts.database.writing() as session:
        found = links.use(session, token, now)
        if found:
            made = Made(found.email, now, gettext("The practice has said so."))
            waits = _done(session, found, made)
    if not found:
        return link(token)
    if waits or found.purpose is Purpose.ATTEST:
        page = render_template("thanks.html", purpose=Purpose.SUBMIT if waits else found.purpose)
        return private(make_response(page))
    answer = redirect(url_for("clinics.home"), HTTPStatus.SEE_OTHER)
    accounts.sign_in(answer, found.email)
    return answer


def _done(session: Transaction, found: Link, made: Made) -> bool:
    """Do what a link is for; says whether a moderator looks at it next."""
    match found.purpose:
        case Purpose.ATTEST if owners.is_owner(session, found.subject, found.email):
            keeping.attest(session, found.subject, made, "link")
        case Purpose.SUBMIT:
            asked = submissions.find(session, found.subject)
            if asked and asked.state is State.UNPROVED:
                submissions.save(session, asked.reference, state=State.WAITING)
                if asked.kind is Kind.CLAIM and asked.listing_id:
                    _tell_owners(session, asked.listing_id, made)
            return True
        case Purpose.CLAIM:
            return _claimed(session, found, made)
        case _:
            pass
    return False


def _claimed(session: Transaction, found: Link, made: Made) -> bool:
    """Let a listing belong to an address; says whether a moderator has to decide that.

    The listing was free when the link was asked for. Who has become its owner since is told.
    """
    there = owners.owners(session, found.subject)
    if not there or found.email in {each.email for each in there}:
        owners.add(session, found.subject, Owner(found.email, language.spoken()), made.at)
        return False
    asked = Asked(Kind.CLAIM, found.email, language.spoken(), {}, found.subject)
    submissions.keep(session, asked, State.WAITING, made.at)
    _tell_owners(session, found.subject, made)
    return True


def _tell_owners(session: Transaction, listing_id: str, made: Made) -> None:
    """Whoever looks after a listing hears that somebody else wants to."""
    found = listings.find(session, listing_id)
    title = found.listing.title if found and found.listing else ""
    address = absolute(url_for("owners.edit", id_=listing_id, lang=None))
    for owner in owners.owners(session, listing_id):
        to = To(owner.email, owner.language)
        mails.keep(session, letters.claimed(to, title, address), made.at)
