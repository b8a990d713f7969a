"""What time and outages do to listings that clinics keep: by the tests' clock, on real parts."""

import email.message
from dataclasses import replace
from datetime import datetime, timedelta
from email.policy import default
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pydantic import ValidationError
from sqlalchemy import select

from directory import keeping
from directory.app import create_app
from directory.deadlines import due_at
from directory.errands import Errands
from directory.listing import Listing, Source
from directory.mail import Letter, MailUnavailable
from directory.places import Places
from directory.reminders import remind
from directory.search.engine import Ask, EngineUnavailable
from directory.services import Services
from directory.settings import Settings
from directory.store import (
    erasure,
    links,
    listings,
    mails,
    merges,
    owners,
    reports,
    reviews,
    seen,
    submissions,
)
from directory.store.age import age
from directory.store.checks import checks
from directory.store.database import Database, StoreUnavailable, Transaction
from directory.store.duplicates import pairs
from directory.store.history import revisions
from directory.store.links import Purpose
from directory.store.listings import Made
from directory.store.models import LinkRow, Model
from directory.store.owners import Owner
from directory.store.record import record
from directory.store.statement import Statement
from directory.store.submissions import Asked, Kind, State
from tests.builders import facts
from tests.conftest import closed, fresh_elastic
from tests.contract.test_engines import fill
from tests.outage import wire
from tests.store.test_store import MADE, put
from tests.web.mailbox import link_in

ANA = "ana@clinic.example.com"


def at(parts: Services, days: float) -> Services:
    """The same parts, so many days later."""
    now = parts.clock() + timedelta(days=days)
    return replace(parts, clock=lambda: now)


def owned(parts: Services, id_: str = "ana", **fields: object) -> None:
    put(parts.database, id_, **fields)
    with parts.database.writing() as session:
        owners.add(session, id_, Owner(ANA, "es"), parts.clock())
        keeping.attest(session, id_, made(parts), "form")


def made(parts: Services) -> Made:
    return Made(ANA, parts.clock(), "said so")


def posted(parts: Services, tmp_path: Path) -> list[email.message.EmailMessage]:
    """The letters that are written, once they are sent."""
    failed: list[str] = []
    mails.send_due(parts.database, parts.post, parts.clock(), failed.append)
    assert failed == []
    files = sorted((tmp_path / "mail").glob("*.eml"))
    return [email.message_from_bytes(each.read_bytes(), policy=default) for each in files]  # type: ignore[arg-type,misc]


def client(parts: Services) -> FlaskClient:
    return create_app(Settings(), parts).test_client()


def test_an_owner_is_reminded_at_75_85_and_90_days_each_once(
    parts: Services, tmp_path: Path
) -> None:
    owned(parts, dry_needling="yes")
    put(parts.database, "nobodys", dry_needling="yes")
    written = {day: remind(at(parts, day)) for day in (0, 74, 75, 76, 85, 86, 90, 91, 120)}
    assert {day for day, count in written.items() if count} == {75, 85, 90}
    assert set(written.values()) == {0, 1}
    (first, *_) = posted(at(parts, 120), tmp_path)
    assert first["To"] == ANA
    assert "¿Su ficha sigue bien?" in first["Subject"]


def test_the_reminder_s_link_confirms_and_does_nothing_else(
    parts: Services, tmp_path: Path
) -> None:
    owned(parts, dry_needling="yes", phone="5125550101")
    later = at(parts, 76)
    remind(later)
    (letter,) = posted(later, tmp_path)
    link, site = link_in(letter), client(later)
    shown = site.get(link)
    assert "(512) 555-0101" in shown.text
    assert site.get("/clinics/listings/ana").status_code == 401
    with parts.database.reading() as session:
        before = listings.find(session, "ana")
    site.head(link)
    site.get(link)
    with parts.database.reading() as session:
        assert listings.find(session, "ana") == before
    assert site.post(link).status_code == 200
    assert "Set-Cookie" not in site.post(link).headers
    assert site.post(link).status_code == 410
    with parts.database.reading() as session:
        found = listings.find(session, "ana")
    assert found
    assert found.listing
    assert found.listing.attestation
    assert found.listing.attestation.on == later.clock().date()
    assert found.listing.attestation.method == "link"
    assert site.get("/clinics/listings/ana").status_code == 401
    assert remind(later) == 0


@pytest.mark.parametrize(
    ("purpose", "valid_days"),
    [(Purpose.SIGN_IN, 1 / 24), (Purpose.SUBMIT, 7), (Purpose.ATTEST, 30)],
)
def test_a_link_ends(parts: Services, purpose: Purpose, valid_days: float) -> None:
    owned(parts)
    with parts.database.writing() as session:
        token = links.make(session, purpose, ANA, "ana", parts.clock())
    assert client(at(parts, valid_days * 0.99)).get(f"/links/{token}").status_code == 200
    late = client(at(parts, valid_days * 1.01))
    for answer in (late.get(f"/links/{token}"), late.post(f"/links/{token}")):
        assert answer.status_code == 410
        assert "too old" in answer.text


def test_a_claim_link_makes_no_second_owner(parts: Services, tmp_path: Path) -> None:
    """Two links were asked for while the listing was free: the second is a moderator's to decide."""
    put(parts.database, "ana", website="https://clinic.example.com/")
    first, second = ANA, "bob@clinic.example.com"
    with parts.database.writing() as session:
        tokens = [
            links.make(session, Purpose.CLAIM, each, "ana", parts.clock())
            for each in (first, second)
        ]
    site = client(parts)
    assert site.post(f"/links/{tokens[0]}").location == "/clinics/"
    shown = client(parts).post(f"/links/{tokens[1]}")
    assert shown.status_code == 200
    assert "A moderator looks at it" in shown.text
    assert "Set-Cookie" not in shown.headers
    with parts.database.reading() as session:
        assert [each.email for each in owners.owners(session, "ana")] == [first]
        (asked,) = submissions.of_listing(session, "ana")
        of = listings.find(session, "ana")
        email, listed = checks(session, asked, of, parts.places)
    assert (asked.kind, asked.email) == (Kind.CLAIM, second)
    assert (email.is_right, email.why) == (True, "on the website's own domain, clinic.example.com")
    assert listed.why == f"ana belongs to {first}"
    (letter,) = posted(parts, tmp_path)
    assert (letter["To"], "wants to look after" in letter["Subject"]) == (first, True)


def test_a_claim_link_of_an_owner_changes_nothing(parts: Services) -> None:
    owned(parts)
    with parts.database.writing() as session:
        owners.add(session, "ana", Owner("bob@clinic.example.com", "en"), parts.clock())
        token = links.make(session, Purpose.CLAIM, ANA, "ana", parts.clock())
    assert client(parts).post(f"/links/{token}").location == "/clinics/"
    with parts.database.reading() as session:
        assert submissions.of_listing(session, "ana") == []


def test_giving_up_a_listing_ends_no_link_that_proves_something_else(parts: Services) -> None:
    owned(parts)
    with parts.database.writing() as session:
        asked = Asked(Kind.NEW, ANA, "en", {})
        reference, _ = submissions.keep(session, asked, State.UNPROVED, parts.clock())
        proof = links.make(session, Purpose.SUBMIT, ANA, reference, parts.clock())
        reminder = links.make(session, Purpose.ATTEST, ANA, "ana", parts.clock())
    site = client(parts)
    site.set_cookie("session", str(parts.sessions.dumps(ANA)))
    assert site.post("/clinics/listings/ana/give-up").status_code == 303
    assert site.get(f"/links/{reminder}").status_code == 404
    assert site.post(f"/links/{proof}").status_code == 200
    with parts.database.reading() as session:
        found = submissions.find(session, reference)
    assert found
    assert found.state is State.WAITING


def test_only_hashes_of_links_are_kept(parts: Services, tmp_path: Path) -> None:
    owned(parts)
    with parts.database.writing() as session:
        token = links.make(session, Purpose.SIGN_IN, ANA, "", parts.clock())
    parts.database.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("store.db*"))
    assert token.encode() not in kept
    assert links.hashed(token).encode() in kept


def test_an_address_that_has_nothing_here_costs_a_link_and_leaves_nothing(parts: Services) -> None:
    """As much is written for it as for others, or the time would tell; but not the address."""
    site = client(parts)
    for number in range(3):
        answer = site.post("/clinics/sign-in", data={"email": f"nobody-{number}@example.net"})
        assert answer.status_code == 200
    with parts.database.reading() as session:
        (link,) = session.scalars(select(LinkRow))
        assert (link.email, link.purpose, link.state) == ("", Purpose.SIGN_IN, links.State.OPEN)
        assert mails.waiting(session) == 0
        assert not [row for row in rows(session) if "nobody" in row]


def test_a_session_ends_and_a_forged_one_is_none(parts: Services) -> None:
    owned(parts)
    site = client(parts)
    for forged in ("", "x", str(parts.sessions.dumps(ANA))[:-2], '"ana@clinic.example.com"'):
        site.set_cookie("session", forged)
        assert site.get("/clinics/listings/ana").status_code == 401
    site.set_cookie("session", str(parts.sessions.dumps(ANA)))
    answer = site.get("/clinics/listings/ana")
    assert answer.status_code == 200
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Max-Age=1800"} <= set(cookie.split("; "))
    with parts.database.writing() as session:
        owners.remove(session, "ana", ANA)
    assert site.get("/clinics/listings/ana").status_code == 403


def test_by_https_the_cookie_is_the_host_s_alone(parts: Services) -> None:
    owned(parts)
    site = create_app(Settings(base_url="https://dir.example.org"), parts).test_client()
    cookie = str(parts.sessions.dumps(ANA))
    site.set_cookie("__Host-session", cookie, secure=True)
    answer = site.get("/clinics/listings/ana", base_url="https://localhost")
    assert answer.status_code == 200
    assert answer.headers["Set-Cookie"].startswith("__Host-session=")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_who_has_left_stays_out_when_the_registry_is_loaded_again(database: Database) -> None:
    day = datetime.fromisoformat("2026-11-24T12:00+00:00")
    said = facts(npi="1234567893", dry_needling="yes")
    loaded = Made("a load", day, "loaded")
    with database.writing() as session:
        record(session, "ana-1", Statement.of(Source.NPPES, "1", day.date(), said), loaded)
        keeping.leave(session, "ana-1", Made(ANA, day, "leaves"))
        again = facts(npi="1234567893", dry_needling="yes", phone="5125550102")
        later = Made("a load", day + timedelta(days=30), "loaded")
        record(session, "ana-1", Statement.of(Source.NPPES, "1", later.today, again), later)
        found = listings.find(session, "ana-1")
    assert found
    assert found.status == "not_offered"


def test_going_back_is_a_revision_too(database: Database, places: Places) -> None:
    day = datetime.fromisoformat("2026-11-24T12:00+00:00")
    made_ = Made(ANA, day, "said so")
    with database.writing() as session:
        said = Statement.of(Source.NPPES, "1", day.date(), facts(phone="5125550101"))
        record(session, "ana-1", said, made_)

        def change(**fields: object) -> None:
            seen = keeping.standing(session, "ana-1").change_number
            keeping.change(session, "ana-1", dict(fields), seen, made_, places)

        change(clinic="One")
        change(clinic="Two", phone="+15125550199")
        with pytest.raises(keeping.Conflict):
            keeping.change(session, "ana-1", {"clinic": "Three"}, 1, made_, places)
        past = revisions(session, "ana-1")
        assert [each.field for each in past[0].changes] == ["clinic", "phone"]
        keeping.go_back(session, "ana-1", past[1].id, made_)
        found = keeping.standing(session, "ana-1")
        assert len(revisions(session, "ana-1")) == len(past) + 1
        with pytest.raises(keeping.Gone):
            keeping.go_back(session, "ana-1", past[-1].id, made_)  # what the registry said
    assert found.listing
    assert (found.listing.clinic, found.listing.phone) == ("One", "+15125550101")


def test_a_letter_waits_for_the_mail_server(parts: Services, tmp_path: Path) -> None:
    owned(parts)
    remind(at(parts, 80))
    down = replace(at(parts, 80), post=_down)
    told: list[str] = []
    assert mails.send_due(down.database, down.post, down.clock(), told.append) == 0
    assert told
    assert mails.send_due(down.database, parts.post, down.clock(), told.append) == 0  # not yet
    assert len(posted(at(parts, 80.01), tmp_path)) == 1
    assert mails.send_due(down.database, parts.post, at(parts, 81).clock(), told.append) == 0


def _down(_: object) -> None:
    raise MailUnavailable("down")


@pytest.mark.parametrize("subject", ["Hello\nBcc: x@example.org", "Hello\r\nX: y"])
def test_no_header_is_smuggled_into_a_letter(parts: Services, subject: str) -> None:
    with pytest.raises(ValueError, match=r"newline|linefeed"):
        parts.post(Letter(ANA, subject, "text", "<p>text</p>"))
    with pytest.raises(ValueError, match=r"no e-mail address"):
        parts.post(Letter(f"{ANA}\nBcc: x@example.org", "Hello", "text", "<p>text</p>"))


def test_what_is_changed_while_the_engine_is_down_follows(
    parts: Services, elasticsearch_url: str
) -> None:
    """Elasticsearch is cut off between the change and its publication, and comes back."""
    with wire(elasticsearch_url) as line:
        engine = fresh_elastic(line.url)
        there = replace(parts, engine=engine)
        fill(engine, [])
        errands = Errands(there)
        owned(there, dry_needling="yes")
        errands.publish()
        assert engine.search(Ask()).total == 1
        line.cut()
        with parts.database.writing() as session:
            keeping.state(session, "ana", Source.CLINIC, {"phone": "+15125550123"}, made(parts))
        with pytest.raises(EngineUnavailable):
            errands.publish()
        assert client(there).get("/listings/ana").status_code == 200
        line.mend()
        errands.publish()
        assert engine.search(Ask()).hits[0].listing.phone == "+15125550123"
        closed(engine)


def test_time_takes_a_listing_out_and_an_attestation_brings_it_back(parts: Services) -> None:
    owned(parts, dry_needling="yes")
    late = at(parts, 181)
    with parts.database.writing() as session:
        assert age(session, made(late), accept=True) == 1
        found = listings.find(session, "ana")
        assert found
        assert found.status == "lapsed"
        keeping.attest(session, "ana", made(late), "form")
        found = listings.find(session, "ana")
        assert found
        assert found.status == "published"


def test_two_listings_that_are_one_are_shown_and_merged(
    database: Database,
) -> None:
    day = datetime.fromisoformat("2026-11-24T12:00+00:00")
    said = Made("a test", day, "said so")
    elsewhere = {
        "line1": "1 Main Street, Ste 9",
        "city": "Austin",
        "state": "TX",
        "postal_code": "78701",
    }
    with database.writing() as session:
        for id_, fields in {
            "one-1": {"npi": "1234567893", "phone": "5125550101"},
            "two-2": {"phone": "5125550101", "address": elsewhere, "dry_needling": "yes"},
            "son-3": {"phone": "5125550101", "name": {"given": "Bo", "family": "Núñez"}},
            "npi-4": {"npi": "1245319599", "phone": "5125550101"},
        }.items():
            statement = Statement.of(Source.FILE, id_, day.date(), facts(**fields))
            record(session, id_, statement, said)
        owners.add(session, "two-2", Owner(ANA, "en"), day)
        seen = {(pair.one.id, pair.other.id) for pair in pairs(session)}
        assert seen == {("one-1", "two-2"), ("npi-4", "two-2")}
        keeping.merge(session, "two-2", "one-1", said)
        gone = listings.find(session, "two-2")
        kept = keeping.standing(session, "one-1").listing
        assert kept
        assert gone
        assert gone.status == "withdrawn"
        assert (kept.npi, kept.dry_needling) == ("1234567893", "yes")
        assert owners.is_owner(session, "one-1", ANA)
        assert len(revisions(session, "two-2")) == 2
        with pytest.raises(keeping.Gone):
            keeping.merge(session, "two-2", "one-1", said)
        assert pairs(session) == []
        (merge,) = merges.latest(session)
        keeping.part(session, merge.id, said)
        back, rest = (keeping.standing(session, id_).listing for id_ in ("two-2", "one-1"))
        assert back
        assert rest
        assert (back.npi, back.dry_needling) == (None, "yes")
        assert (rest.npi, rest.dry_needling) == ("1234567893", "unknown")
        assert owners.is_owner(session, "two-2", ANA)
        assert not owners.is_owner(session, "one-1", ANA)
        with pytest.raises(keeping.Gone):
            keeping.part(session, merge.id, said)


def test_a_pause_ends_on_its_day(parts: Services) -> None:
    end = at(parts, 20).clock().date()
    owned(parts, dry_needling="yes", accepting="no", accepting_from=end.isoformat())
    for days, answer in ((19, "no"), (20, "yes"), (21, "yes")):
        with parts.database.writing() as session:
            age(session, made(at(parts, days)))
            found = keeping.standing(session, "ana").listing
        assert found
        assert found.accepting == answer
        assert found.accepting_from == (end if answer == "no" else None)


def test_who_accepts_now_names_no_later_day() -> None:
    with pytest.raises(ValidationError, match="accepting_from"):
        facts(accepting="yes", accepting_from="2027-01-01")


def test_a_change_of_one_half_keeps_the_other(database: Database, places: Places) -> None:
    """What only makes sense together is stated together, whoever said the other half."""
    day = datetime.fromisoformat("2026-11-24T12:00+00:00")
    by_owner = Made(ANA, day, "said so")
    with database.writing() as session:
        said = facts(insurance_accepted=["aetna"], insurance_refused=["humana"])
        record(session, "ana-1", Statement.of(Source.FILE, "1", day.date(), said), by_owner)

        def change(**fields: object) -> Listing:
            seen = keeping.standing(session, "ana-1").change_number
            keeping.change(session, "ana-1", dict(fields), seen, by_owner, places)
            found = keeping.standing(session, "ana-1").listing
            assert found
            return found

        assert change(insurance_accepted=["aetna", "cigna"]).insurance_refused == ("humana",)
        pin = {"lat": 30.27, "lon": -97.74, "precision": "rooftop", "method": "given"}
        assert change(location=pin).location.lat == pin["lat"]
        moved = {"line1": "9 Far Rd", "city": "Austin", "state": "TX", "postal_code": "78701"}
        assert change(address=moved, location=None).location.method == "gazetteer"
        assert change(location=pin).location.method == "given"
        worked_out = {"lat": 1.0, "lon": 1.0, "precision": "postal_code", "method": "gazetteer"}
        assert change(location=worked_out, clinic="New").location.lat == pin["lat"]
        assert change(area_only=True, location=pin).location.precision == "postal_code"


def test_what_is_erased_is_nowhere_and_does_not_come_back(parts: Services) -> None:
    day = parts.clock()
    loaded = Made("a load", day, "loaded")
    registry = facts(npi="1234567893", phone="5125550101")
    secret = "what only the clinic ever said"  # no password
    with parts.database.writing() as session:
        record(session, "ana-1", Statement.of(Source.NPPES, "1", day.date(), registry), loaded)
        owners.add(session, "ana-1", Owner(ANA, "en"), day)
        keeping.state(session, "ana-1", Source.CLINIC, {"about": secret}, made(parts))
        reports.keep(session, "ana-1", "phone", f"{secret}, too", day)
        asked = Asked(Kind.CHANGE, ANA, "en", {"about": secret}, "ana-1")
        submissions.keep(session, asked, State.WAITING, day)
        keeping.erase(session, "ana-1", Made(erasure.NOBODY, day, "erased by its owner"))
        erasure.forget_address(session, ANA)
        later = Made("a load", day + timedelta(days=30), "loaded")
        again = facts(npi="1234567893", phone="5125550102")
        record(session, "ana-1", Statement.of(Source.NPPES, "1", later.today, again), later)
        found = listings.find(session, "ana-1")
        assert found
        assert found.status == "not_offered"
        kept = rows(session)
    assert kept
    assert not [row for row in kept if ANA in row or secret in row]


def rows(session: Transaction) -> list[str]:
    """Every row of every table, in words."""
    return [
        str({column.key: getattr(row, column.key) for column in model.columns})
        for model in Model.registry.mappers
        for row in session.scalars(select(model))
    ]


def test_an_address_that_is_erased_stands_nowhere(database: Database) -> None:
    """Neither that of an owner nor that of a moderator, whatever they have done."""
    day, moderator = MADE.at, "mod@directory.example.org"
    by_moderator, by_owner = Made(moderator, day, "decided"), Made(ANA, day, "said so")
    put(database, "one-1")
    put(database, "two-2")
    with database.writing() as session:
        owners.add_moderator(session, moderator, day)
        owners.add(session, "two-2", Owner(ANA, "en"), day)
        keeping.state(session, "one-1", Source.CLINIC, {"clinic": "New"}, by_owner)
        reviews.reviewed(session, [revisions(session, "one-1")[0].id], moderator, day)
        told = reports.keep(session, "one-1", "phone", "x", day)
        reports.answer(session, told, reports.Outcome.MENDED, "", moderator, day)
        others = Asked(Kind.CLAIM, "other@example.net", "en", {}, "one-1")
        reference, _ = submissions.keep(session, others, State.WAITING, day)
        submissions.move(session, reference, State.REJECTED, moderator, day, "no")
        submissions.keep(session, Asked(Kind.NEW, ANA, "en", {}), State.DRAFT, day)
        links.make(session, Purpose.SIGN_IN, ANA, "", day)
        mails.keep(session, Letter(ANA, "s", "t", "h"), day)
        keeping.merge(session, "two-2", "one-1", by_moderator)
    with database.writing() as session:
        assert len([row for row in rows(session) if ANA in row or moderator in row]) >= 10
        erasure.forget_address(session, ANA)
        erasure.forget_address(session, moderator)
    with database.writing() as session:
        assert not [row for row in rows(session) if ANA in row or moderator in row]
        assert not owners.is_moderator(session, moderator)
        (merge,) = merges.latest(session)
        keeping.part(session, merge.id, MADE)
        assert submissions.find(session, reference), "it is of somebody else"


def test_a_listing_that_is_erased_leaves_no_address_of_its_owners(parts: Services) -> None:
    owned(parts, "two-2")
    put(parts.database, "one-1")
    with parts.database.writing() as session:
        keeping.merge(session, "two-2", "one-1", MADE)
        links.make(session, Purpose.ATTEST, ANA, "one-1", MADE.at)
        keeping.erase(session, "one-1", Made(erasure.NOBODY, MADE.at, "erased by its owner"))
    with parts.database.reading() as session:
        of_it = [row for row in rows(session) if "one-1" in row]
        assert of_it
        assert not [row for row in of_it if ANA in row]


def test_what_nobody_else_says_is_erased_whole(parts: Services) -> None:
    day = parts.clock()
    with parts.database.writing() as session:
        stated = facts(dry_needling="yes").model_dump(mode="json", exclude_unset=True)
        keeping.state(session, "ana-1", Source.CLINIC, stated, made(parts))
        keeping.erase(session, "ana-1", Made(erasure.NOBODY, day, "erased by its owner"))
        found = listings.find(session, "ana-1")
    assert found
    assert (found.status, found.listing) == ("withdrawn", None)


def test_what_is_seen_is_counted_by_month_and_survives_an_outage(
    parts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned(parts, dry_needling="yes")
    fill(parts.engine, [])
    errands, site = Errands(parts), client(parts)
    errands.publish()
    person, program = {"User-Agent": "Mozilla/5.0"}, {"User-Agent": "Googlebot/2.1"}
    for headers in (person, program, person):
        assert site.get("/listings/ana", headers=headers).status_code == 200
        assert "Ana" in site.get("/search?near=Austin, TX", headers=headers).text

    def down(*_: object) -> None:
        raise StoreUnavailable("down")

    with monkeypatch.context() as broken:
        broken.setattr(Database, "writing", down)
        with pytest.raises(StoreUnavailable):
            errands.count()
    site.get("/listings/ana", headers=person)
    errands.count()
    errands.count()
    Errands(at(parts, 40)).count()
    with parts.database.reading() as session:
        (month,) = seen.of_listing(session, "ana")
    assert (month.month.day, month.shown, month.opened) == (1, 2, 3)


def test_what_owners_change_at_once_is_looked_at_later(parts: Services, places: Places) -> None:
    owned(parts, dry_needling="yes")
    with parts.database.writing() as session:
        owners.add_moderator(session, "mod@example.org", parts.clock())
        number = keeping.standing(session, "ana").change_number
        keeping.change(session, "ana", {"clinic": "New"}, number, made(parts), places)
        by_moderator = Made("mod@example.org", parts.clock(), "mended")
        number = keeping.standing(session, "ana").change_number
        keeping.change(session, "ana", {"clinic": "Mended"}, number, by_moderator, places)
        ((id_, change),) = reviews.to_review(session)
        assert (id_, change.changes[-1].after) == ("ana", "New")
        reviews.reviewed(session, [change.id], "mod@example.org", parts.clock())
        assert reviews.to_review(session) == []


@pytest.mark.parametrize(
    ("since", "due"),
    [
        ("2026-11-23T10:00", "2026-11-25T10:00"),  # Monday
        ("2026-11-26T10:00", "2026-11-30T10:00"),  # Thursday
        ("2026-11-27T10:00", "2026-12-01T10:00"),  # Friday
        ("2026-11-28T10:00", "2026-12-01T10:00"),  # Saturday
    ],
)
def test_a_weekend_is_no_business_day(since: str, due: str) -> None:
    assert due_at(datetime.fromisoformat(since)) == datetime.fromisoformat(due)
