"""FHIR R4, read-only: what is in the index as Plan-Net's resources (docs/fhir.md).

The index answers; the store is only asked about what the index does not have.
"""

import re
from http import HTTPStatus

from flask import Blueprint, Response, abort, request

from directory.fhir.bundle import bundle
from directory.fhir.capability import capability
from directory.fhir.elements import Json, Record, Site
from directory.fhir.page import one, page
from directory.fhir.practitioner import npi_of
from directory.fhir.readers import by_ids
from directory.fhir.resources import Subject, Type, subjects
from directory.fhir.search import FORMATS, MEDIA_TYPES, read
from directory.fhir.values import wrong
from directory.fields import LISTING_ID
from directory.listing import published
from directory.store import listings
from directory.store.listings import Status, StoredListing
from directory.store.partners import KeyKind
from directory.web.context import cursors, engine, may_see, services
from directory.web.responses import FHIR_JSON, for_one, json_response

blueprint = Blueprint("fhir", __name__, url_prefix="/fhir/r4")

_WITHDRAWN = "The listing that this was drawn from was withdrawn."
_FORM = "application/x-www-form-urlencoded"
_ACCEPTED = {"*/*", "application/*", *MEDIA_TYPES}
_SHOWN = {Status.PUBLISHED, Status.LAPSED}
_GONE = {Status.WITHDRAWN, Status.NOT_OFFERED}


@blueprint.before_request
def negotiate() -> None:
    """406 for whoever wants anything but JSON."""
    wanted = request.values.get("_format", "").split(";")[0].strip().replace(" ", "+").lower()
    if wanted:
        is_json = wanted in FORMATS
    else:
        # Clients add a charset or fhirVersion=4.0, which says nothing that is not so anyway.
        said = request.accept_mimetypes
        accepted = {type_.split(";")[0].lower() for type_, quality in said if quality}
        is_json = not request.accept_mimetypes or not accepted.isdisjoint(_ACCEPTED)
    if not is_json:
        abort(HTTPStatus.NOT_ACCEPTABLE, f"This service speaks {FHIR_JSON} only.")


@blueprint.get("/metadata")
def metadata() -> Response:
    """What the service can do."""
    return _answer(capability(_site()))


@blueprint.get("/<type_>/<id_>")
def resource(type_: str, id_: str) -> Response:
    """One resource; 410 once its listing is withdrawn."""
    known = _type(type_)
    found = one(engine(), known, by_ids(known, (id_,)))
    return _answer((found or _stored(known, id_)).draw(_site()))


@blueprint.get("/<type_>")
def search(type_: str) -> Response:
    """A page of the resources that are meant."""
    return _found(_type(type_), _asked())


@blueprint.post("/<type_>/_search")
def posted(type_: str) -> Response:
    """The same, so that what is searched for stands in no address."""
    if request.content_length and request.mimetype != _FORM:
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send the parameters as {_FORM}.")
    if "key" in request.form:
        raise wrong("key", "send it in the address or as the header X-Directory-Key.")
    given = [*_asked(), *request.form.items(multi=True)]
    return _found(_type(type_), given)


def _asked() -> list[tuple[str, str]]:
    """The parameters of the address, without a partner's key."""
    return [(name, said) for name, said in request.args.items(multi=True) if name != "key"]


def _kept() -> list[tuple[str, str]]:
    """A partner's key of the address, which links carry on: page two is of the same scope."""
    key = request.args.get("key", "")
    return [("key", key)] if key.startswith(KeyKind.PUBLIC) else []


def _site() -> Site:
    return Site(services().base_url, services().clock().date())


def _answer(content: Json) -> Response:
    return for_one(json_response(content, media_type=FHIR_JSON))


def _type(name: str) -> Type:
    if name not in list(Type):
        abort(404, f"There are no {name!r} here, only {', '.join(Type)}.")
    return Type(name)


def _found(type_: Type, given: list[tuple[str, str]]) -> Response:
    said = re.split(r"[,;\s]+", request.headers.get("Prefer", "").lower())
    asked = read(type_, given, _site(), strict="handling=strict" in said)
    signed, wanted = cursors(f"fhir {type_}"), asked.wanted.lookup(0, None)
    after = signed.read_key(asked.cursor, wanted) if asked.cursor else None
    found = page(engine(), asked, after)
    next_ = signed.write_key(found.next, wanted) if found.next else None
    return _answer(bundle(asked, found, next_, _kept(), _site()))


def _stored(type_: Type, id_: str) -> Subject:
    """What the index does not have, by the store: 404 if there is none, 410 once it has gone."""
    stored = _listings(type_, id_)
    records = [
        Record(published(each.listing), each.updated_at, each.status is Status.PUBLISHED)
        for each in stored
        if each.listing and each.status in _SHOWN and may_see(each.listing)
    ]
    for found in subjects(type_, records):
        if found.id == id_:
            return found
    is_gone = any(each.status in _GONE for each in stored)
    return abort(410, _WITHDRAWN) if is_gone else abort(404, f"There is no {type_} {id_!r}.")


def _listings(type_: Type, id_: str) -> list[StoredListing]:
    with services().database.reading() as session:
        if type_ is Type.PRACTITIONER and (npi := npi_of(id_)):
            return listings.all_of_npi(session, npi)
        found = listings.find(session, id_) if LISTING_ID.fullmatch(id_) else None
        return [found] if found else []
