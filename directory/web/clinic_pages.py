"""For clinics: what they can do here, and what is theirs."""

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug import Response

from directory.store import erasure, listings, owners, partners, submissions
from directory.web import accounts
from directory.web.context import services
from directory.web.responses import private

blueprint = Blueprint("clinics", __name__)


@blueprint.get("/clinics/")
def home() -> Response:
    """What a clinic can do here; whoever is signed in sees what is theirs."""
    email = accounts.signed_in()
    if not email:
        return private(make_response(render_template("clinics.html")))
    with services().database.reading() as session:
        mine = [listings.find(session, id_) for id_ in owners.owned(session, email)]
        asked = submissions.of_address(session, email)
        is_moderator = owners.is_moderator(session, email)
        is_partner = is_moderator or bool(partners.partners(session, email))
    page = render_template(
        "my_listings.html", email=email, mine=[each for each in mine if each], asked=asked,
        is_moderator=is_moderator, is_partner=is_partner,
        unsure=request.args.get("done") == "unsure",
    )  # fmt: skip
    return private(make_response(page))


@blueprint.post("/clinics/forget")
def forget() -> Response:
    """Erase the address that is signed in, and all that it has sent."""
    email = accounts.must_be_signed_in()
    if not request.form.get("sure"):
        return redirect(url_for("clinics.home", done="unsure"), HTTPStatus.SEE_OTHER)
    with services().database.writing() as session:
        erasure.forget_address(session, email)
    answer = redirect(url_for("clinics.home"), HTTPStatus.SEE_OTHER)
    accounts.sign_out(answer)
    return answer
