"""A clinic's whole way, on both engines and stores, with a real mail server between."""

import re
import time
import uuid
from collections.abc import Callable

import pytest

from directory.web.accounts import LETTERS_AN_HOUR, POSTS_AN_HOUR
from tests.web.conftest import MODERATOR, Site
from tests.web.mailbox import link_in, text_of
from tests.web.visitor import Visitor

SOON_S = 2.0
"""An approved change is in the results within two seconds."""


def fresh(name: str = "ana") -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}@example.net"


def signed_in(site: Site, email: str) -> Visitor:
    visitor = Visitor(site)
    assert "Look into your mail" in visitor.post("/clinics/sign-in", email=email).text
    link = link_in(site.mail.to(email, subject="sign in"))
    assert "Sign in as" in visitor.get(link).text
    assert visitor.jar._cookies == {}  # type: ignore[attr-defined]  # looking signs nobody in
    visitor.post(link)
    assert visitor.url == "/clinics/"
    site.mail.letters.clear()
    return visitor


_moderators: dict[str, Visitor] = {}


def moderator(site: Site) -> Visitor:
    """One for all tests of a site: letters to one address are few an hour."""
    if site.url not in _moderators:
        _moderators[site.url] = signed_in(site, MODERATOR)
    return _moderators[site.url]


def within(seconds: float, found: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found():
            return True
        time.sleep(0.05)
    return False


def written(site: Site, email: str, family: str, **more: object) -> Visitor:
    """A draft, filled in to the end."""
    visitor = Visitor(site)
    visitor.post("/clinics/new", email=email)
    assert re.fullmatch(r"/clinics/drafts/[\w-]{43}/who", visitor.url), visitor.page.text
    base = visitor.url.removesuffix("/who")
    visitor.send(
        f"{base}/who",
        {"name.given": "Ana", "name.family": family, "letters": "PT, DPT",
         "profession": "physical-therapist"},
    )  # fmt: skip
    assert visitor.url == f"{base}/where"
    visitor.send(
        f"{base}/where",
        {"clinic": f"{family} PT", "address.line1": "1 Main St", "address.city": "Marfa",
         "address.state": "TX", "address.postal_code": "79843", "phone": "512 555 0123",
         "website": "https://clinic.example.com", "hours": "Mo-Fr 8-17", "languages": ["en", "es"]},
    )  # fmt: skip
    assert visitor.url == f"{base}/what", visitor.page.text
    visitor.send(
        f"{base}/what",
        {"dry_needling": "yes", "techniques": ["pistoning"], "about": "Kind & careful <b>hands</b>",
         **more},
    )  # fmt: skip
    visitor.send(
        f"{base}/cost",
        {"first_visit_price.least": "90", "first_visit_price.most": "120", "accepting": "yes",
         "insurance_accepted": ["aetna"]},
    )  # fmt: skip
    visitor.send(
        f"{base}/credentials", {"certificates.0.title": "DN-1", "certificates.0.hours": "27"}
    )
    assert visitor.url == f"{base}/check", visitor.page.text
    return visitor


def published(site: Site, email: str, family: str) -> str:
    """The id of a listing that went the whole way."""
    visitor = written(site, email, family)
    visitor.post(visitor.url.replace("/check", "/send"))
    Visitor(site).post(link_in(site.mail.to(email, subject="Confirm your address")))
    decider = moderator(site)
    queue = decider.get("/moderation/").text
    (reference,) = re.findall(rf'/moderation/submissions/(\w+)">New listing: Ana {family}<', queue)
    decider.post(f"/moderation/submissions/{reference}", decision="approve")
    assert decider.url == "/moderation/", decider.page.text
    assert within(SOON_S, lambda: bool(site.api(near="79843", q=f"ana {family}")["total"]))
    site.mail.to(email, subject="Approved")  # letters and results come in any order
    return str(site.api(near="79843", q=f"ana {family}")["results"][0]["id"])


def test_from_an_address_to_a_listing_that_is_found(site: Site) -> None:
    email, family = fresh(), f"Quick{uuid.uuid4().hex[:6]}"
    visitor = written(site, email, family)
    page = visitor.page.text
    assert "Kind" not in page.split("So patients will see it")[1] or "<b>hands</b>" not in page
    assert f"Ana {family}, PT, DPT" in page
    letter = site.mail.to(email, subject="begun")
    assert "/who" in link_in(letter)
    visitor.post(visitor.url.replace("/check", "/send"))
    assert "confirm your address" in visitor.page.text
    where = visitor.url
    assert site.api(near="79843", q=f"ana {family}")["total"] == 0
    proof = link_in(site.mail.to(email, subject="Confirm your address"))
    for _ in range(2):  # a scanner looks, and looks again
        assert site.get(proof).status == 200
    assert family not in moderator(site).get("/moderation/").text
    assert Visitor(site).post(proof).status == 200
    used = Visitor(site).post(proof)
    assert used.status == 410
    assert "used already" in used.text
    decider = moderator(site)
    queue = decider.get("/moderation/").text
    (reference,) = re.findall(rf'/moderation/submissions/(\w+)">New listing: Ana {family}<', queue)
    page = decider.get(f"/moderation/submissions/{reference}").text
    assert "no listing has this NPI" in page
    assert f"<ins>Ana, {family}</ins>" in page
    assert "<ins>1 Main St, Marfa, TX, 79843</ins>" in page
    assert "&lt;b&gt;hands" in page
    assert "<b>hands" not in page
    decider.post(f"/moderation/submissions/{reference}", decision="approve")
    assert within(SOON_S, lambda: bool(site.api(near="79843", q=f"ana {family}")["total"]))
    (found,) = site.api(near="79843", q=f"ana {family}")["results"]
    assert found["attestation"]["method"] == "form"
    assert found["location"]["precision"] == "postal_code"
    assert email not in site.get(f"/api/v1/listings/{found['id']}").text
    assert "public" in visitor.get(where).text
    assert found["id"] in link_in(site.mail.to(email, subject="Approved"))
    again = decider.post(f"/moderation/submissions/{reference}", decision="reject", reason="x")
    assert again.status == 409


def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(site: Site) -> None:
    visitor = Visitor(site)
    for wrong in ("", "ana", "ana@", "a b@example.org", "ana@example.org\nBcc: x@example.org"):
        assert visitor.post("/clinics/new", email=wrong).status == 400
        assert 'href="#email"' in visitor.page.text
    assert visitor.post("/clinics/new", email=fresh(), npi="1234567890").status == 400
    assert 'href="#npi"' in visitor.page.text
    visitor.post("/clinics/new", email=fresh())
    base = visitor.url.removesuffix("/who")
    visitor.send(f"{base}/who", {"name.given": "Ana", "npi": "12", "letters": "PT"})
    assert visitor.page.status == 400
    assert {'href="#name"', 'href="#npi"'} <= set(re.findall(r'href="#\w+"', visitor.page.text))
    assert 'value="12"' in visitor.page.text
    assert 'value="PT"' in visitor.get(f"{base}/who").text
    answer = visitor.send(
        f"{base}/where",
        {"address.city": "Nowhere", "address.state": "TX", "address.postal_code": "00000"},
    )
    assert 'href="#address"' in answer.text
    missing = visitor.get(f"{base}/check").text
    assert "Something is missing" in missing
    assert visitor.post(f"{base}/send").status == 400
    assert visitor.get("/clinics/drafts/guessed/who").status == 404
    assert visitor.get(f"{base}/nowhere").status == 404


def test_an_owner_changes_what_is_theirs_and_nobody_else_does(site: Site) -> None:
    email = fresh()
    id_ = published(site, email, f"Owner{uuid.uuid4().hex[:6]}")
    owner, other = signed_in(site, email), Visitor(site)
    edit = f"/clinics/listings/{id_}"
    for path in (edit, f"{edit}/history", f"{edit}/export"):
        assert other.get(path).status == 401
        assert owner.get(path).status == 200
    stranger = signed_in(site, _another_owner(site))
    for path in (edit, f"{edit}/attest", f"{edit}/leave", f"{edit}/give-up", f"{edit}/history/1"):
        assert other.post(path, sure="yes", seen="1").status == 401, path
        assert stranger.post(path, sure="yes", seen="1").status in (400, 403), path
    for path in ("/moderation/", "/moderation/submissions/x", "/moderation/reports/x"):
        assert other.get(path).status == 401
        assert owner.get(path).status == 403
        assert owner.post(path, decision="approve", reason="x").status in (403, 405)
    assert owner.post("/moderation/listings/demo-0001/licence", state="TX").status == 403
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert owner.post(f"{edit}/attest", headers).status == 403
    owner.get(edit)
    form = owner.filled(edit)
    assert form["phone"] == ["+15125550123"]
    owner.send(edit, {**form, "phone": "512 555 0177", "first_visit_price.least": "70"})
    assert owner.url == f"{edit}?done=saved"

    def is_there() -> bool:
        shown = site.get(f"/api/v1/listings/{id_}").json
        return bool(shown["phone"] == "+15125550177" and shown["first_visit_price"]["least"] == 70)

    assert is_there()
    page = owner.get(f"{edit}/history").text
    assert "<del>+15125550123</del> <ins>+15125550177</ins>" in page
    back = re.findall(rf'action="({edit}/history/\d+)"', page)
    owner.post(back[0])
    assert site.get(f"/api/v1/listings/{id_}").json["phone"] == "+15125550123"
    owner.post("/clinics/sign-out")
    assert owner.get(edit).status == 401


def _another_owner(site: Site) -> str:
    email = fresh("ben")
    published(site, email, f"Other{uuid.uuid4().hex[:6]}")
    return email


def test_who_somebody_is_is_looked_at_first(site: Site) -> None:
    email, family = fresh(), f"Risk{uuid.uuid4().hex[:6]}"
    id_ = published(site, email, family)
    owner, edit = signed_in(site, email), f"/clinics/listings/{id_}"
    owner.get(edit)
    owner.send(edit, {**owner.filled(edit), "name.given": "Anastasia", "phone": "5125550188"})
    assert owner.url == f"{edit}?done=waits"
    shown = site.get(f"/api/v1/listings/{id_}").json
    assert (shown["name"]["given"], shown["phone"]) == ("Ana", "+15125550123")
    decider = moderator(site)
    (reference,) = re.findall(
        rf'/moderation/submissions/(\w+)">Change: Anastasia {family}<',
        decider.get("/moderation/").text,
    )
    page = decider.get(f"/moderation/submissions/{reference}").text
    assert "<del>+15125550123</del> <ins>+15125550188</ins>" in page
    decider.post(f"/moderation/submissions/{reference}", decision="ask", reason="Is it so?")
    assert "Is it so?" in text_of(site.mail.to(email, subject="question"))
    decider.post(f"/moderation/submissions/{reference}", decision="approve")
    assert site.get(f"/api/v1/listings/{id_}").json["name"]["given"] == "Anastasia"


def test_the_second_of_two_editors_is_shown_the_conflict(site: Site) -> None:
    email = fresh()
    id_ = published(site, email, f"Both{uuid.uuid4().hex[:6]}")
    one, edit = signed_in(site, email), f"/clinics/listings/{id_}"
    one.get(edit)
    early = one.filled(edit)
    one.send(edit, {**early, "clinic": "The first"})
    late = one.send(edit, {**early, "phone": "512 555 0199"})
    assert late.status == 409
    assert "Somebody else has changed this listing" in late.text
    assert "<ins>+15125550199</ins>" in late.text
    shown = site.get(f"/api/v1/listings/{id_}").json
    assert (shown["clinic"], shown["phone"]) == ("The first", "+15125550123")
    assert "<ins>Both" not in late.text  # what was not touched is as the first has left it
    form = one.filled(edit)
    assert (form["phone"], form["clinic"]) == (["+15125550199"], ["The first"])
    one.send(edit, form)
    shown = site.get(f"/api/v1/listings/{id_}").json
    assert (shown["clinic"], shown["phone"]) == ("The first", "+15125550199")


def test_an_owner_hides_the_address_and_leaves(site: Site) -> None:
    email, family = fresh(), f"Leave{uuid.uuid4().hex[:6]}"
    id_ = published(site, email, family)
    owner, edit = signed_in(site, email), f"/clinics/listings/{id_}"
    owner.get(edit)
    owner.send(edit, {**owner.filled(edit), "area_only": "yes"})
    shown = site.get(f"/api/v1/listings/{id_}")
    assert shown.json["area_only"] is True
    assert "1 Main St" not in shown.text
    owner.post(f"{edit}/leave")
    assert owner.url == f"{edit}?done=unsure"
    owner.post(f"{edit}/leave", sure="yes")
    assert site.get(f"/listings/{id_}").status == 410
    assert within(SOON_S, lambda: site.api(near="79843", q=f"ana {family}")["total"] == 0)


def test_a_listing_is_claimed_by_its_own_domain_or_by_a_moderator(site: Site) -> None:
    nobodys = _nobodys(site)
    visitor, path = Visitor(site), f"/listings/{nobodys}/claim"
    own = f"{uuid.uuid4().hex[:6]}@{nobodys}.example.org"
    visitor.post(path, email=own)
    visitor.post(link_in(site.mail.to(own)))
    assert visitor.get(f"/clinics/listings/{nobodys}").status == 200
    owner = fresh()
    id_ = published(site, owner, f"Claim{uuid.uuid4().hex[:6]}")
    path, same_domain = f"/listings/{id_}/claim", f"{uuid.uuid4().hex[:6]}@clinic.example.com"
    assert Visitor(site).post(path, email=same_domain).status == 400  # it belongs to somebody
    other, stranger = fresh(), Visitor(site)
    assert stranger.post(path, email=other).status == 400
    assert 'href="#note"' in stranger.page.text
    stranger.post(path, email=other, note="I am Ana, call me")
    Visitor(site).post(link_in(site.mail.to(other)))
    assert "Somebody else has asked" in text_of(site.mail.to(owner, subject="wants to look after"))
    decider = moderator(site)
    page = decider.get("/moderation/").text
    (reference,) = re.findall(rf'submissions/(\w+)">Claim:\s+{id_}<', page)
    assert "call me" in decider.get(f"/moderation/submissions/{reference}").text
    decider.post(f"/moderation/submissions/{reference}", decision="approve")
    assert signed_in(site, other).get(f"/clinics/listings/{id_}").status == 200


def _nobodys(site: Site) -> str:
    """A listing with a website that belongs to nobody yet."""
    results = site.api(near="Denver, CO", radius=100, limit=100)["results"]
    return next(
        str(each["id"]) for each in results
        if each.get("website") == f"https://{each['id']}.example.org/"
        and each["id"] not in _claimed
        and not _claimed.add(each["id"])
    )  # fmt: skip


_claimed: set[str] = set()


def test_a_newer_link_supersedes_and_a_stranger_is_told_nothing(site: Site) -> None:
    email = fresh()
    published(site, email, f"Links{uuid.uuid4().hex[:6]}")
    site.mail.letters.clear()
    visitor = Visitor(site)
    visitor.post("/clinics/sign-in", email=email)
    first = link_in(site.mail.to(email))
    known = visitor.post("/clinics/sign-in", email=email.upper()).text
    assert within(6, lambda: site.mail.count(email) == 2)
    second = link_in(site.mail.to(email))
    old = visitor.post(first)
    assert old.status == 410
    assert "newer link" in old.text
    visitor.post(second)
    assert visitor.url == "/clinics/"
    nobody = fresh("nobody")
    unknown = Visitor(site).post("/clinics/sign-in", email=nobody).text
    assert unknown.replace(nobody, "") == known.replace(email, "")
    assert site.mail.count(nobody) == 0
    assert visitor.get("/links/guessed").status == 404
    for secret in (first, second):
        assert secret.split("/")[-1] not in site.log


def test_a_flood_is_slowed(site: Site) -> None:
    """To one address, whoever asks; and from one network address, whomever it names."""
    email, flooder = fresh(), Visitor(site)
    to_one = [Visitor(site).post("/clinics/sign-in", email=email).status for _ in range(14)]
    from_one = [flooder.post("/clinics/sign-in", email=fresh()).status for _ in range(50)]
    # Exactly as many as are allowed, though two processes answer in turn: they count together.
    for statuses, allowed in ((to_one, LETTERS_AN_HOUR), (from_one, POSTS_AN_HOUR)):
        assert statuses == [200] * allowed + [429] * (len(statuses) - allowed)


def test_a_report_reaches_the_clinic_and_the_queue_and_is_answered(site: Site) -> None:
    email, family = fresh(), f"Wrong{uuid.uuid4().hex[:6]}"
    id_ = published(site, email, family)
    patient = Visitor(site)
    patient.post(f"/listings/{id_}/report", field="phone", text="It rings elsewhere")
    receipt = patient.url
    assert "It rings elsewhere" in text_of(site.mail.to(email, subject="mistake"))
    assert "Reported by a patient" in signed_in(site, email).get(f"/clinics/listings/{id_}").text
    decider = moderator(site)
    (path,) = re.findall(
        rf'href="(/moderation/reports/[\w-]+)">[^<]*{id_}<', decider.get("/moderation/").text
    )
    assert decider.post(path).status == 400
    decider.post(path, outcome="mended", answer="The new number is there.")
    assert "The new number is there." in patient.get(receipt).text


def test_the_pin_says_where_the_door_is(site: Site) -> None:
    email, family = fresh(), f"Pin{uuid.uuid4().hex[:6]}"
    id_ = published(site, email, family)
    before = site.get(f"/api/v1/listings/{id_}").json["location"]
    assert before["precision"] == "postal_code"
    owner, edit = signed_in(site, email), f"/clinics/listings/{id_}"
    owner.get(edit)
    assert f'data-middle="{before["lat"]},{before["lon"]}"' in owner.page.text
    form = owner.filled(edit)
    far = owner.send(edit, {**form, "location.lat": "40.7", "location.lon": "-74"})
    assert far.status == 400
    assert 'href="#location"' in far.text
    door = {"location.lat": str(before["lat"] + 0.01), "location.lon": str(before["lon"])}
    assert "postal_code" not in owner.send(f"{edit}/preview", {**form, **door}).text
    owner.send(edit, {**form, **door})
    shown = site.get(f"/api/v1/listings/{id_}").json["location"]
    assert (shown["precision"], shown["lat"]) == ("rooftop", before["lat"] + 0.01)
    owner.get(edit)
    form = owner.filled(edit)
    assert form["location.lat"] == [door["location.lat"]]
    owner.send(edit, {**form, "address.line1": "7 Other Rd"})  # the pin was another door's
    shown = site.get(f"/api/v1/listings/{id_}").json
    assert (shown["location"], shown["address"]["line1"]) == (before, "7 Other Rd")


def test_the_card_is_shown_while_it_is_written(site: Site) -> None:
    visitor = written(site, fresh(), "Preview")
    base = visitor.url.removesuffix("/check")
    before = visitor.get(f"{base}/cost").text
    assert "$90 to $120" in before
    form = {"first_visit_price.least": "55", "about": "x"}
    card = visitor.send(f"{base}/cost/preview", form).text
    assert "$55" in card
    assert "<html" not in card
    assert "Compare" not in card
    assert "$90 to $120" in visitor.get(f"{base}/cost").text  # nothing was kept


def test_another_place_and_a_colleague_begin_with_what_is_known(site: Site) -> None:
    email, family = fresh(), f"More{uuid.uuid4().hex[:6]}"
    id_ = published(site, email, family)
    owner = signed_in(site, email)
    owner.post(f"/clinics/listings/{id_}/another", what="colleague")
    assert owner.url.endswith("/who")
    base = owner.url.removesuffix("/who")
    assert family not in owner.page.text.split("<form")[1]
    owner.send(
        f"{base}/who",
        {"name.given": "Bea", "name.family": family, "profession": "chiropractor"},
    )
    assert 'value="1 Main St"' in owner.page.text
    owner.send(f"{base}/what", {"dry_needling": "yes"})
    owner.post(f"{base}/send")
    assert "A moderator" in owner.page.text or "looked at" in owner.page.text
    owner.post(f"/clinics/listings/{id_}/another", what="place")
    assert owner.url.endswith("/where")
    place = owner.url.removesuffix("/where")
    assert "1 Main St" not in owner.page.text.split("<form")[1]
    assert f'value="{family}"' in owner.get(f"{place}/who").text
    decider = moderator(site)
    queue = decider.get("/moderation/").text
    several = re.findall(rf'submissions/(\w+)">New listing: Bea {family}<', queue)
    assert len(several) == 1  # no letter was needed: the address is proved
    assert decider.send("/moderation/submissions", {"decision": "reject"}).status == 400
    decider.send("/moderation/submissions", {"decision": "approve", "reference": several})
    assert within(SOON_S, lambda: bool(site.api(near="79843", q=f"bea {family}")["total"]))


def test_what_an_owner_has_changed_is_ticked_off(site: Site) -> None:
    email, family = fresh(), f"Tick{uuid.uuid4().hex[:6]}"
    id_ = published(site, email, family)
    owner, edit = signed_in(site, email), f"/clinics/listings/{id_}"
    owner.get(edit)
    owner.send(edit, {**owner.filled(edit), "languages": ["en", "ko"]})
    decider = moderator(site)
    page = decider.get("/moderation/").text
    assert "<del>English; Spanish</del> <ins>English; Korean</ins>" in page
    (revision,) = re.findall(rf'value="(\d+)"[^\n]*\n[^\n]*/clinics/listings/{id_}/history', page)
    decider.post("/moderation/changes", revision=revision)
    assert f"/clinics/listings/{id_}/history" not in decider.page.text


def test_what_is_known_of_an_npi_is_filled_in(site: Site) -> None:
    known = site.api(near="Denver, CO", limit=1)["results"][0]
    visitor = Visitor(site)
    visitor.post("/clinics/new", email=fresh(), npi=known["npi"])
    for value in (known["name"]["family"], known["npi"]):
        assert f'value="{value}"' in visitor.page.text
    nobodys = Visitor(site)
    nobodys.post("/clinics/new", email=fresh(), npi="1234567893")
    assert 'value="1234567893"' in nobodys.page.text


def test_an_address_is_erased_with_what_it_has_sent(site: Site) -> None:
    email, family = fresh(), f"Gone{uuid.uuid4().hex[:6]}"
    id_ = published(site, email, family)
    owner = signed_in(site, email)
    owner.post("/clinics/forget")
    assert "Tick the box first" in owner.page.text
    owner.post("/clinics/forget", sure="yes")
    assert owner.get(f"/clinics/listings/{id_}").status == 401
    assert site.get(f"/api/v1/listings/{id_}").status == 200
    history = moderator(site).get(f"/clinics/listings/{id_}/history").text
    assert email not in history
    assert site.mail.count(email) == 0
    Visitor(site).post("/clinics/sign-in", email=email)
    assert not within(1, lambda: site.mail.count(email) > 0)


def test_the_scorecard_counts_what_is_there(site: Site) -> None:
    page = site.get("/quality")
    assert "How true the listings are" in page.text
    visitor = Visitor(site)
    card = visitor._open("/quality", None, {"Accept": "application/json"}).json
    total = sum(group["published"] for group in card["groups"])
    assert card["published"] == total > 700
    assert 0 < card["fresh"] <= card["published"]
    assert set(card["unknown"]) >= {"phone", "insurance_accepted", "first_visit_price"}
    assert all(0 <= share <= 1 for share in card["unknown"].values())
    assert 0 < card["unknown"]["insurance_accepted"] < 1
    assert site.api(near="Texas")["total"] == sum(
        group["published"] for group in card["groups"] if group["state"] == "TX"
    )


@pytest.mark.parametrize("path", ["/clinics/", "/clinics/new", "/clinics/sign-in", "/quality"])
def test_a_search_engine_may_read_what_is_for_all(site: Site, path: str) -> None:
    assert site.get(path).status == 200


def test_a_submission_as_json_is_kept_once(site: Site) -> None:
    address, family = fresh(), f"Json{uuid.uuid4().hex[:6]}"
    listing = {
        "name": {"given": "Ana", "family": family},
        "profession": "chiropractor",
        "address": {"city": "Marfa", "state": "TX", "postal_code": "79843"},
        "dry_needling": "yes",
    }
    content = {"email": address, "listing": listing}
    key = {"Idempotency-Key": uuid.uuid4().hex}
    answers = [site.post("/api/v1/submissions", content, **key) for _ in range(2)]
    assert [each.status for each in answers] == [202, 202]
    assert answers[0].json == answers[1].json == {**answers[0].json, "state": "unproved"}
    other = site.post("/api/v1/submissions", {**content, "email": fresh()}, **key)
    assert other.status == 422
    Visitor(site).post(link_in(site.mail.to(address)))
    assert site.mail.count(address) == 1
    assert f"New listing: Ana {family}" in moderator(site).get("/moderation/").text


@pytest.mark.parametrize(
    ("change", "parameter", "status"),
    [
        ({"email": "x"}, "email", 400),
        ({"listing": []}, "listing", 400),
        ({"wish": 1}, "wish", 422),
        ({"listing": {"licence_check": {}}}, "listing.licence_check", 422),
        ({"listing": {"provenance": {}}}, "listing.provenance", 422),
        ({"listing": {"location": 1}}, "listing.location", 400),
        ({"listing": {"address": {"city": "A", "state": "TX", "postal_code": "1"}}}, "listing.address", 400),
        ({"listing": {"npi": "1"}}, "listing.address", 400),
    ],
)  # fmt: skip
def test_what_is_wrong_in_json_is_said_at_its_place(
    site: Site, change: dict[str, object], parameter: str, status: int
) -> None:
    answer = site.post("/api/v1/submissions", {"email": "a@example.org", "listing": {}, **change})
    assert answer.status == status, answer.text
    assert [each["parameter"] for each in answer.json["errors"]] == [parameter]
    assert site.post("/api/v1/submissions", [1]).status == 400


LIST = "given_name,family_name,letters,profession,line1,city,state,postal_code,phone,dry_needling\n"


def test_a_clinic_uploads_a_list_mends_it_and_applies_it_whole(site: Site) -> None:
    email, family = fresh(), f"List{uuid.uuid4().hex[:6]}"
    id_ = published(site, email, family)
    owner = signed_in(site, email)
    mine = f"Ana,{family},PT,physical therapist,1 Main St,Marfa,TX,79843,512 555 0123,yes\n"
    changed = mine.replace("PT,phys", "PT;OCS,phys")
    new = mine.replace("Ana", "Bea").replace("0123", "0124")
    wrong = mine.replace("79843", "1").replace("Ana", "=1+1").replace("TX", "XX")
    owner.upload("/clinics/upload", "file", LIST + changed + new + wrong)
    page, where = owner.page.text, owner.url
    assert re.search(r"/clinics/upload/\w+$", where), page
    assert "<ins>PT; OCS</ins>" in page
    assert "Row 4" in page
    assert "new, to be looked at" in page
    before = site.get(f"/api/v1/listings/{id_}").json
    assert before["letters"] == ["PT", "DPT"]
    to_mend = owner.get(f"{where}/to-mend.csv").text
    assert "'=1+1" in to_mend
    assert to_mend.splitlines()[0].startswith("rejected_row,rejected_field,rejected_reason")
    assert signed_in(site, _another_owner(site)).get(where).status == 404
    owner.get(where)
    form = owner.filled(where)
    owner.get(f"/clinics/listings/{id_}")
    owner.send(
        f"/clinics/listings/{id_}", {**owner.filled(f"/clinics/listings/{id_}"), "about": "News"}
    )
    late = owner.send(where, form)
    assert late.status == 409
    assert site.get(f"/api/v1/listings/{id_}").json["letters"] == ["PT", "DPT"]
    owner.send(where, owner.filled(where))
    assert owner.url == "/clinics/"
    shown = site.get(f"/api/v1/listings/{id_}").json
    assert (shown["letters"], shown["about"]) == (["PT", "OCS"], "News")
    queue = moderator(site).get("/moderation/").text
    assert queue.count(f"New listing: Bea {family}") == 1
    owner.send(where, form)  # pressed again
    assert moderator(site).get("/moderation/").text.count(f"New listing: Bea {family}") == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "cannot be read"),
        ("a,b\n1,2\n", "there is no column"),
        ("PK\x03\x04", "cannot be read"),
        (LIST + "x" * 2_100_000, "413"),
    ],
)
def test_what_is_no_list_is_said(site: Site, content: str, says: str) -> None:
    owner = moderator(site)
    owner.upload("/clinics/upload", "file", content)
    assert says in owner.page.text or str(owner.page.status) == says
    assert owner.page.status in (400, 413)


def test_somebody_else_s_listing_is_not_changed_by_a_list(site: Site) -> None:
    shown = site.api(near="79843", limit=1)["results"][0]
    assert shown["phone"]
    name, address = shown["name"], shown["address"]
    row = (
        f"{name['given']},{name['family']},PT,{shown['profession']},{address['line1']},"
        f"{address['city']},{address['state']},{address['postal_code']},{shown['phone']},no\n"
    )
    sender = moderator(site)
    sender.upload("/clinics/upload", "file", LIST + row)
    assert "belongs to somebody else" in sender.page.text
    assert "Do it, all of it" not in sender.page.text
    assert sender.send(sender.url, {"seen": "x"}).status == 409
