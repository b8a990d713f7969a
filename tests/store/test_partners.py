"""Partners and their keys, on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from directory.partner import Partner, Theme, contrast, origin_of
from directory.partner_keys import REMEMBERED_S, PartnerKeys
from directory.store import erasure, partners
from directory.store.database import Database, StoreUnavailable
from directory.store.partners import REPLACED, KeyKind, Use, Used

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def kept(database: Database, **more: object) -> Partner:
    with database.writing() as session:
        id_ = partners.new_id(session, "Rückenschmerz & Co.")
        made = Partner.model_validate(
            {"id": id_, "name": "Rückenschmerz & Co.", "origins": ["https://example.org"], **more}
        )
        partners.keep(session, made)
    return made


def test_partners_are_kept_under_names_of_their_own(database: Database) -> None:
    first, second = kept(database, states=["TX"], email="a@example.org"), kept(database)
    assert (first.id, second.id) == ("ruckenschmerz-co", "ruckenschmerz-co-2")
    with database.reading() as session:
        assert partners.find(session, first.id) == first
        assert partners.partners(session) == [first, second]
        assert partners.partners(session, "a@example.org") == [first]
        assert partners.find(session, "nobody") is None


def test_an_address_that_is_erased_leaves_its_partner(database: Database) -> None:
    partner = kept(database, email="a@example.org")
    with database.writing() as session:
        erasure.forget_address(session, "a@example.org")
        assert partners.partners(session, "a@example.org") == []
        assert partners.find(session, partner.id) == partner.model_copy(update={"email": None})


def test_an_address_is_kept_as_its_owner_signs_in(database: Database) -> None:
    assert kept(database, email=" Pat@Example.COM").email == "pat@example.com"
    with pytest.raises(ValidationError, match="is no e-mail address"):
        kept(database, email="nobody")


def test_two_keys_of_a_kind_are_live_at_most(database: Database) -> None:
    partner = kept(database)
    with database.writing() as session:
        made = [
            partners.make_key(session, partner.id, KeyKind.PUBLIC, NOW + timedelta(days=n))
            for n in range(3)
        ]
        secret = partners.make_key(session, partner.id, KeyKind.SECRET, NOW)
    assert len({*made, secret}) == 4
    later = NOW + timedelta(days=2)

    def whose(key: str, at: datetime) -> Partner | None:
        with database.reading() as session:
            return partners.of_key(session, key, at)

    assert [whose(key, later) for key in made] == [None, partner, partner]
    assert whose(secret, later) == partner
    assert whose(made[1], later + REPLACED - timedelta(seconds=1)) == partner
    assert whose(made[1], later + REPLACED) is None
    assert whose(made[2], later + 100 * REPLACED) == partner
    assert whose(made[2][:-1], later) is None
    with database.reading() as session:
        hints = [key.hint for key in partners.keys(session, partner.id, later)]
    assert hints == [made[1][:7], made[2][:7], secret[:7]]
    # The key itself is nowhere in the store.
    with database.reading() as session:
        rows = session.connection().exec_driver_sql("SELECT * FROM partner_key").all()
    assert not any(key in str(rows) for key in (*made, secret))


def test_a_key_ends_by_the_clock_and_by_hand(database: Database) -> None:
    partner, other = kept(database), kept(database)
    until = NOW + timedelta(days=1)
    with database.writing() as session:
        dated = partners.make_key(session, partner.id, KeyKind.PUBLIC, NOW, until)
        secret = partners.make_key(session, partner.id, KeyKind.SECRET, NOW)
        (_, last) = partners.keys(session, partner.id, NOW)
        partners.end_key(session, other.id, last.id, NOW)  # not its own: nothing ends
        assert partners.of_key(session, secret, NOW) == partner
        partners.end_key(session, partner.id, last.id, NOW)
        assert partners.of_key(session, secret, NOW) is None
        assert partners.of_key(session, dated, NOW) == partner
        assert partners.of_key(session, dated, until) is None


def test_use_is_added_up_by_month(database: Database) -> None:
    partner = kept(database)
    october, november = date(2026, 10, 1), date(2026, 11, 1)
    with database.writing() as session:
        partners.add_usage(session, october, {(partner.id, Use.EMBED): 3})
        partners.add_usage(
            session, november, {(partner.id, Use.EMBED): 1, (partner.id, Use.API): 2}
        )
        partners.add_usage(session, november, {(partner.id, Use.API): 5})
        partners.add_usage(session, november, {})
        assert partners.usage(session, partner.id) == [Used(november, 1, 7), Used(october, 3, 0)]


def test_a_key_is_remembered_while_the_store_is_down(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = kept(database)
    with database.writing() as session:
        key = partners.make_key(session, partner.id, KeyKind.PUBLIC, NOW)
    passed = [0.0]
    monkeypatch.setattr("directory.partner_keys.time.monotonic", lambda: passed[0])
    keys = PartnerKeys(database, lambda: NOW)
    assert keys.partner(key) == partner
    assert keys.partner("pk_nobody") is None
    with database.writing() as session:
        (live,) = partners.keys(session, partner.id, NOW)
        partners.end_key(session, partner.id, live.id, NOW)
    assert keys.partner(key) == partner  # for less than a minute
    asked = []

    @contextmanager
    def down() -> Iterator[None]:
        asked.append(passed[0])
        raise StoreUnavailable("down")
        yield

    passed[0] += REMEMBERED_S
    with monkeypatch.context() as outage:
        outage.setattr(database, "reading", down)
        assert keys.partner(key) == partner
        assert keys.partner(key) == partner
        assert asked == [REMEMBERED_S]  # it is left in peace for a minute
        assert keys.may_ask("https://example.org") is False
        passed[0] += 1
        with pytest.raises(StoreUnavailable):
            keys.partner("pk_never_heard_of")
    passed[0] += REMEMBERED_S
    assert keys.partner(key) is None
    assert keys.may_ask("https://example.org") is True


def test_guesses_push_no_partner_out(database: Database) -> None:
    partner = kept(database)
    with database.writing() as session:
        key = partners.make_key(session, partner.id, KeyKind.PUBLIC, NOW)
    keys = PartnerKeys(database, lambda: NOW)
    assert keys.partner(key) == partner
    assert keys.remembers(key)
    for number in range(50):
        assert keys.partner(f"pk_guess_{number}") is None
        assert not keys.remembers(f"pk_guess_{number}")
    assert keys.remembers(key)


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("https://Example.org/", "https://example.org"),
        (" https://example.org:443", "https://example.org"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://*.example.org:8443", "https://*.example.org:8443"),
        ("http://localhost:8990", "http://localhost:8990"),
        ("http://127.0.0.1", "http://127.0.0.1"),
    ],
)
def test_origins_are_kept_as_browsers_write_them(typed: str, origin: str) -> None:
    assert origin_of(typed) == origin


@pytest.mark.parametrize(
    "typed",
    [
        "example.org", "http://example.org", "https://", "null", "*", "https://*", "https://*.org",
        "https://a.*.org", "https://example.org/page", "https://user@example.org", "file:///etc",
        "https://example.org?x", "https://exa mple.org", "https://example.org;", "javascript:1",
        "https://example.org:99999", "https://example.org'", "https://bücher.example",
        "http://[",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        origin_of(typed)


@given(st.text(max_size=40))
def test_nothing_that_is_typed_gets_out_of_a_header(typed: str) -> None:
    partner = Partner(id="a", name="A", origins=("https://*.example.org", "https://example.org"))
    for origin in (typed, f"https://{typed}.example.org", f"https://example.org{typed}"):
        if partner.allows(origin):
            assert origin.isascii()
            assert not set(origin) & set(" ;,'\"\r\n*<>")


def test_a_theme_that_cannot_be_read_is_refused() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert Theme(accent="#767676").accent == "#767676"
    for wrong in ({"accent": "#777777"}, {"text": "#fff"}, {"surface": "#336699"}):
        with pytest.raises(ValidationError):
            Theme.model_validate(wrong)
    with pytest.raises(ValidationError, match=r"contrast of 1\.0"):
        Theme(text="#ffffff", surface="#ffffff")
