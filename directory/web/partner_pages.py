"""A partner's own page: the line for its pages, its keys, how the search looks there, its use.

Whoever signs in as the partner's address may make keys and choose the look; where the search may
stand, what it finds and how much it may ask is a moderator's. These pages are in English.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug import Response
from werkzeug.datastructures import MultiDict

from directory.partner import Partner, Theme, snippet
from directory.store import owners, partners
from directory.store.database import Transaction
from directory.store.partners import KeyKind
from directory.vocabulary import Kind
from directory.web import accounts
from directory.web.context import services
from directory.web.embed import LIMIT
from directory.web.embedding import Embedding, scheme_of
from directory.web.pages import answer, asked_of
from directory.web.responses import private

blueprint = Blueprint("partners", __name__)

SCOPES = {"professions": Kind.PROFESSION, "insurers": Kind.INSURANCE}
_FIELDS = ("name", "email", "a_minute")
_LISTS = ("origins", "states")


@blueprint.get("/partners/")
def home() -> Response:
    """The partners of the address that is signed in; for a moderator, all of them."""
    email = accounts.must_be_signed_in()
    with services().database.reading() as session:
        is_moderator = owners.is_moderator(session, email)
        found = partners.partners(session, None if is_moderator else email)
    if len(found) == 1 and not is_moderator:
        return redirect(url_for("partners.partner", id_=found[0].id), HTTPStatus.SEE_OTHER)
    return _home(found, is_moderator=is_moderator)


def _home(found: list[Partner], *, is_moderator: bool, wrong: str | None = None) -> Response:
    page = render_template(
        "partners.html", partners=found, is_moderator=is_moderator, wrong=wrong,
        sent=request.form, scopes=SCOPES,
    )  # fmt: skip
    return private(make_response(page, HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK))


@blueprint.post("/partners/")
def add() -> Response:
    """A new partner, by a moderator."""
    accounts.must_be_moderator()
    with services().database.writing() as session:
        try:
            id_ = partners.new_id(session, request.form.get("name", ""))
            made = Partner.model_validate({"id": id_, **_sent()})
        except ValidationError as error:
            return _home(partners.partners(session), is_moderator=True, wrong=_said(error))
        partners.keep(session, made)
        key = partners.make_key(session, id_, KeyKind.PUBLIC, services().clock())
        return _page(session, made, new_key=key)


@blueprint.get("/partners/<id_>")
def partner(id_: str) -> Response:
    """One partner."""
    with services().database.reading() as session:
        return _page(session, _own(session, id_))


@blueprint.post("/partners/<id_>")
def change(id_: str) -> Response:
    """Change what a partner may, by a moderator."""
    accounts.must_be_moderator()
    return _change(id_, _sent())


@blueprint.post("/partners/<id_>/theme")
def theme(id_: str) -> Response:
    """Keep how the search looks in the partner's pages."""
    typed = {name: request.form.get(name, "").strip() for name in Theme.model_fields}
    return _change(id_, {"theme": {name: said for name, said in typed.items() if said}})


def _change(id_: str, changes: Mapping[str, Any]) -> Response:
    with services().database.writing() as session:
        before = _own(session, id_)
        try:
            after = Partner.model_validate({**before.model_dump(), **changes})
        except ValidationError as error:
            return _page(session, before, wrong=_said(error))
        partners.keep(session, after)
    return redirect(url_for("partners.partner", id_=id_), HTTPStatus.SEE_OTHER)


@blueprint.post("/partners/<id_>/keys")
def make_key(id_: str) -> Response:
    """A new key, shown on this page alone; the last one of its kind goes on for 30 days."""
    kind = request.form.get("kind")
    with services().database.writing() as session:
        found = _own(session, id_)
        if kind not in set(KeyKind):
            abort(HTTPStatus.BAD_REQUEST, "Choose which kind of key.")
        key = partners.make_key(session, id_, KeyKind(kind), services().clock())
        return _page(session, found, new_key=key)


@blueprint.post("/partners/<id_>/keys/<int:key_id>/end")
def end_key(id_: str, key_id: int) -> Response:
    """End a key: within a minute it opens nothing any more."""
    with services().database.writing() as session:
        _own(session, id_)
        partners.end_key(session, id_, key_id, services().clock())
    return redirect(url_for("partners.partner", id_=id_), HTTPStatus.SEE_OTHER)


@blueprint.get("/partners/<id_>/preview")
def preview(id_: str) -> Response:
    """The search as it looks in the partner's pages, for the partner's own page alone."""
    with services().database.reading() as session:
        found = _own(session, id_)
    g.partner, g.frame_ancestors = found, "'self'"
    scheme = request.args.get("scheme")
    g.embedding = Embedding(
        partner=found,
        origin="self",
        locked=frozenset(),
        hidden=frozenset(),
        scheme=scheme_of(scheme, found.theme.scheme),
        may_locate=False,
        asks={"scheme": scheme} if scheme else {},
        endpoint="partners.preview",
        within={"id_": id_},
    )
    asked = {"limit": [LIMIT], **asked_of(request.args.to_dict(flat=False))}
    return private(answer(asked))


def _own(session: Transaction, id_: str) -> Partner:
    """The partner, if it belongs to the address that is signed in, or that may decide; else 403."""
    email = accounts.must_be_signed_in()
    found = partners.find(session, id_)
    if not (found and found.email == email) and not owners.is_moderator(session, email):
        abort(HTTPStatus.FORBIDDEN, "This is somebody else's page.")
    if not found:
        abort(HTTPStatus.NOT_FOUND)
    return found


def _page(
    session: Transaction, found: Partner, *, new_key: str | None = None, wrong: str | None = None
) -> Response:
    parts = services()
    is_public = (new_key or "").startswith(KeyKind.PUBLIC)
    page = render_template(
        "partner.html",
        partner=found,
        keys=partners.keys(session, found.id, parts.clock()),
        usage=partners.usage(session, found.id),
        new_key=new_key,
        snippet=snippet(parts.base_url, str(new_key) if is_public else "pk_…"),
        is_moderator=owners.is_moderator(session, accounts.must_be_signed_in()),
        wrong=wrong,
        scopes=SCOPES,
        sent=request.form if wrong else MultiDict(),
    )
    return private(make_response(page, HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK))


def _sent() -> dict[str, Any]:
    """What a moderator's form says of a partner."""
    form = request.form
    said: dict[str, Any] = {name: form.get(name, "").strip() or None for name in _FIELDS}
    said |= {name: form.get(name, "").replace(",", " ").split() for name in _LISTS}
    said |= {name: form.getlist(name) for name in SCOPES}
    return {name: each for name, each in said.items() if each is not None or name == "email"}


def _said(error: ValidationError) -> str:
    """What is wrong, field by field."""
    return "; ".join(
        ": ".join((*map(str, each["loc"]), each["msg"].removeprefix("Value error, ")))
        for each in error.errors()
    )
