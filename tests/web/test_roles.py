"""Every address that changes or shows what is somebody's, tried with every wrong role."""

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from directory import keeping
from directory.app import create_app
from directory.partner import Partner
from directory.services import Services
from directory.settings import Settings
from directory.store import owners, partners, submissions
from directory.store.listings import Made
from directory.store.owners import Owner
from directory.store.submissions import Asked, Kind, State
from tests.store.test_store import put

OWNER, OTHER, MODERATOR = "ana@example.net", "ben@example.net", "mod@example.org"
PARTNER = "pat@example.com"

OWNER_S = {
    "owners.edit", "owners.change", "owners.attest", "owners.leave", "owners.past",
    "owners.go_back", "owners.export", "owners.give_up", "owners.preview_listing",
    "owners.another", "owners.erase",
}  # fmt: skip
MODERATOR_S = {
    "moderation.queue", "moderation.submission", "moderation.decide", "moderation.decide_several",
    "moderation.look", "moderation.duplicates_", "moderation.merge", "moderation.part",
    "moderation.report", "moderation.answer", "moderation.licence", "partners.add",
    "partners.change",
}  # fmt: skip
ANY_SIGNED_IN = {"partners.home", "uploads.form", "uploads.upload", "clinics.forget"}
ITS_SENDER_S = {"uploads.preview", "uploads.apply", "uploads.to_mend"}
WHO_HAS_THE_SECRET_S = {
    "drafts.go_on", "drafts.draft", "drafts.save", "drafts.send", "drafts.sent",
    "drafts.preview_draft", "links.link", "links.press", "reports.receipt",
}  # fmt: skip
EVERYBODY_S = {
    "clinics.home", "drafts.new", "drafts.begin", "claims.claim", "claims.ask_to_own",
    "links.sign_in", "links.mail_link", "links.sign_out", "reports.form", "reports.send",
    "submissions.submit",
}  # fmt: skip
PARTNER_S = {
    "partners.partner", "partners.theme", "partners.make_key", "partners.end_key",
    "partners.preview",
}  # fmt: skip
ALL = (
    PARTNER_S
    | OWNER_S
    | MODERATOR_S
    | ANY_SIGNED_IN
    | ITS_SENDER_S
    | WHO_HAS_THE_SECRET_S
    | EVERYBODY_S
)


@pytest.fixture
def site(parts: Services) -> FlaskClient:
    """A listing of one owner, with a submission of it and a list that it has sent."""
    put(parts.database, "ana", dry_needling="yes")
    now = parts.clock()
    with parts.database.writing() as session:
        owners.add(session, "ana", Owner(OWNER, "en"), now)
        owners.add_moderator(session, MODERATOR, now)
        keeping.attest(session, "ana", Made(OWNER, now, "said so"), "form")
        list_ = Asked(Kind.LIST, OWNER, "en", {"rows": [], "wrong": [], "to_mend": "a"})
        submissions.keep(session, list_, State.DRAFT, now)
        partners.keep(session, Partner(id="ana", name="Ana's", email=PARTNER, origins=()))
    return create_app(Settings(), parts).test_client()


def addresses(site: FlaskClient, parts: Services) -> Iterator[tuple[str, str, str]]:
    """Endpoint, method and address of everything under the rooms that are somebody's."""
    with parts.database.reading() as session:
        (list_,) = submissions.of_address(session, OWNER)
    for rule in site.application.url_map.iter_rules():
        room = rule.endpoint.partition(".")[0]
        if room not in {each.partition(".")[0] for each in ALL}:
            continue
        path = re.sub(r"<int:\w+>", "1", rule.rule)
        path = path.replace("<id_>", "ana").replace("<reference>", list_.reference)
        path = re.sub(r"<(secret|token)>", "x" * 43, path).replace("<step>", "who")
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            yield rule.endpoint, method, path


def test_every_address_is_somebody_s(site: FlaskClient, parts: Services) -> None:
    assert {endpoint for endpoint, *_ in addresses(site, parts)} == ALL


@pytest.mark.parametrize("who", ["nobody", OTHER, OWNER, PARTNER, MODERATOR])
def test_nobody_gets_in_with_a_wrong_role(site: FlaskClient, parts: Services, who: str) -> None:
    if who != "nobody":
        site.set_cookie("session", str(parts.sessions.dumps(who)))
    for endpoint, method, path in addresses(site, parts):
        may = (
            (endpoint in OWNER_S and who == OWNER)
            or (endpoint == "owners.past" and who == MODERATOR)
            or (endpoint in MODERATOR_S and who == MODERATOR)
            or (endpoint in PARTNER_S and who in (PARTNER, MODERATOR))
            or (endpoint in ITS_SENDER_S and who == OWNER)
            or (endpoint in ANY_SIGNED_IN and who != "nobody")
            or endpoint in EVERYBODY_S
        )
        if may:
            continue
        answer = site.open(path, method=method, data={"sure": "yes", "decision": "approve"})
        if endpoint in WHO_HAS_THE_SECRET_S:
            expected = {404}
        elif who == "nobody":
            expected = {401}
        else:
            expected = {404} if endpoint in ITS_SENDER_S else {403}
        assert answer.status_code in expected, f"{who}: {method} {path}: {answer.status}"
