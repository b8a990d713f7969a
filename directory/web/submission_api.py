"""A submission as JSON: what the form asks, for software that keeps many listings."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, request
from pydantic import ValidationError

from directory.language import gettext, spoken
from directory.listing import Facts, Location
from directory.mail.address import folded, is_address
from directory.search.query import InvalidQuery, ParameterError
from directory.store import submissions
from directory.store.statement import Fields
from directory.store.submissions import Asked, Kind, State
from directory.web import accounts, listing_form
from directory.web.context import services
from directory.web.draft_pages import ask_for_proof
from directory.web.listing_form import PARTS
from directory.web.responses import json_response
from directory.web.sent_json import sent_object

blueprint = Blueprint("submissions", __name__, url_prefix="/api/v1")

_LONGEST_KEY = 200


@blueprint.post("/submissions")
def submit() -> Response:
    """Keep a submission (`email`, `listing`) until its address is proved; 202 with its reference.

    The same `Idempotency-Key` with the same content is the same submission; with other content it
    is an error (422).
    """
    accounts.slow_down_sender()
    said = sent_object()
    if said is None:
        raise _wrong([("listing", gettext("Send a JSON object with email and listing."))])
    email, fields = _read(said)
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= _LONGEST_KEY:
        raise _wrong([("Idempotency-Key", gettext("Idempotency-Key has 1 to 200 characters."))])
    parts, now = services(), services().clock()
    with parts.database.writing() as session:
        before = submissions.of_request(session, key) if key else None
        if before and (before.email, before.fields) != (email, fields):
            said_before = gettext("This Idempotency-Key was used for something else.")
            raise InvalidQuery([ParameterError("Idempotency-Key", said_before, unknown=True)])
        if before:
            return _kept(before.reference, before.state)
        accounts.slow_down(f"to {email}", accounts.LETTERS_AN_HOUR)
        asked = Asked(Kind.NEW, email, spoken(), fields)
        reference, _ = submissions.keep(session, asked, State.UNPROVED, now, key)
        if found := submissions.find(session, reference):
            ask_for_proof(session, found)
    return _kept(reference, State.UNPROVED)


def _kept(reference: str, state: State) -> Response:
    return json_response({"reference": reference, "state": state}, HTTPStatus.ACCEPTED)


def _read(said: dict[str, Any]) -> tuple[str, Fields]:
    """The address and the facts that a submission says; InvalidQuery where something is wrong."""
    email, listing = said.get("email"), said.get("listing")
    unknown = [name for name in said if name not in ("email", "listing")]
    if unknown:
        raise InvalidQuery([_unknown(name) for name in unknown])
    if not isinstance(email, str) or not is_address(folded(email)):
        raise _wrong([("email", gettext("Give an e-mail address, like name@example.com."))])
    if not isinstance(listing, dict):
        raise _wrong([("listing", gettext("Send a JSON object with email and listing."))])
    if unknown := [name for name in listing if name not in PARTS]:
        raise InvalidQuery([_unknown(f"listing.{name}") for name in unknown])
    if "location" in listing:
        listing = listing | {"location": _pin(listing["location"])}
    here, errors = listing_form.located(listing, services().places)
    if errors:
        raise _wrong([(f"listing.{each.parameter}", each.message) for each in errors])
    try:
        facts = Facts.model_validate(here)
    except ValidationError as error:
        raise _wrong_in("listing", error) from error
    if any(certificate.verified_on for certificate in facts.certificates):
        only = gettext("Only a moderator says that a certificate was checked.")
        raise _wrong([("listing.certificates", only)])
    return folded(email), facts.model_dump(mode="json", exclude_unset=True)


def _pin(said: object) -> Fields:
    """A location that is given, degrees; InvalidQuery where it is none."""
    try:
        pin = Location.model_validate(said)
    except ValidationError as error:
        raise _wrong_in("listing.location", error) from error
    return pin.model_copy(update={"method": "given"}).model_dump(mode="json")


def _wrong_in(name: str, error: ValidationError) -> InvalidQuery:
    wrong = error.errors()
    return _wrong([(".".join([name, *map(str, each["loc"])]), each["msg"]) for each in wrong])


def _unknown(name: str) -> ParameterError:
    said = gettext("There is no parameter “%(name)s”.", name=name)
    return ParameterError(name, said, unknown=True)


def _wrong(errors: list[tuple[str, str]]) -> InvalidQuery:
    return InvalidQuery([ParameterError(name, said) for name, said in errors])
