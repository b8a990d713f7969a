"""A small directory in which every address has something to show, and something to hide."""

from dataclasses import dataclass, replace
from pathlib import Path

from directory import keeping
from directory.partner import Partner
from directory.places import Places
from directory.publishing import publish
from directory.services import Services
from directory.store import links, owners, partners, reports, submissions
from directory.store.database import Database
from directory.store.links import Purpose
from directory.store.listings import Made
from directory.store.owners import Owner
from directory.store.partners import KeyKind
from directory.store.submissions import Asked, Kind, State
from tests.conftest import own_services
from tests.store.test_store import put
from tests.web.application import a_key

OWNER, MODERATOR, ASKER, PARTNER = (
    f"zq-{who}@sentinel.example" for who in ("owner", "moderator", "asker", "partner")
)
NOTE, REASON, REPORT, STREET = "zqnote", "zqreason", "zqreport", "7 Zqhidden Rd"
HIDDEN = (OWNER, MODERATOR, ASKER, PARTNER, NOTE, REASON, REPORT, STREET)
"""What nobody may see who is not signed in."""

WEBSITE = "https://clinic.example.com/"


@dataclass(frozen=True)
class World:
    parts: Services
    submission: str
    report: str
    secret: str
    token: str
    key: str
    secret_key: str

    def fitting(self, name: str) -> str:
        """A value of an address's part that leads somewhere."""
        return {
            "id_": "ana", "reference": self.submission, "secret": self.secret, "token": self.token,
            "step": "who", "state": "tx", "city": "austin", "type_": "Location", "filename": "site.css",
        }.get(name, "1")  # fmt: skip


def world(folder: Path, places: Places, database: Database | None = None) -> World:
    parts = own_services(folder, places)
    if database:
        parts.database.close()
        parts = replace(parts, database=database, keys=type(parts.keys)(database, parts.clock))
    now = parts.clock()
    told = {"npi": "1234567893", "phone": "5125550100", "website": WEBSITE}
    put(parts.database, "ana", dry_needling="yes", **told)
    hidden = {"line1": STREET, "city": "Austin", "state": "TX", "postal_code": "78701"}
    area = {"lat": 30.27, "lon": -97.74, "precision": "postal_code"}
    put(parts.database, "ben", dry_needling="yes", address=hidden, area_only=True, location=area)
    with parts.database.writing() as session:
        owners.add_moderator(session, MODERATOR, now)
        for owner in (OWNER, MODERATOR):
            owners.add(session, "ana", Owner(owner, "en"), now)
        keeping.attest(session, "ana", Made(OWNER, now, REASON), "form")
        report = reports.keep(session, "ana", "phone", REPORT, now)
        for kind, fields in (
            (Kind.CLAIM, {}),
            (Kind.CHANGE, {"about": "News"}),
            (Kind.LIST, {"rows": [], "wrong": [], "to_mend": "a"}),
        ):
            asked = Asked(kind, ASKER, "en", fields, "ana", NOTE)
            reference, _ = submissions.keep(session, asked, State.WAITING, now)
        _, secret = submissions.keep(session, Asked(Kind.NEW, ASKER, "en", {}), State.DRAFT, now)
        token = links.make(session, Purpose.ATTEST, OWNER, "ana", now)
        partners.keep(session, Partner(id="ana", name="Ana's", email=PARTNER, origins=()))
    keys = [a_key(parts, kind) for kind in (KeyKind.PUBLIC, KeyKind.SECRET)]
    with parts.engine.new_generation() as new:
        new.serve(0)
    publish(parts.database, parts.engine, 0)
    return World(parts, reference, report, secret, token, *keys)
