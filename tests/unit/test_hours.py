"""Opening hours in the ways in which people write them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from directory import language
from directory.app import create_app
from directory.hours import DAYS, hours_of
from directory.listing import Facts, Hours
from directory.services import Services
from directory.settings import Settings
from directory.web.facts import closes_today, opening
from tests.builders import a_listing, facts


@pytest.mark.parametrize(
    ("hours", "zip_", "now", "closes"),
    [
        ("Tu 8-17", "78701", "2026-11-24T14:00", "17:00"),  # Austin: six hours behind UTC
        ("Tu 8-17", "78701", "2026-11-24T13:59", None),
        ("Tu 8-17", "78701", "2026-11-24T22:59", "17:00"),
        ("Tu 8-17", "78701", "2026-11-24T23:00", None),
        ("Tu 8-17", "78701", "2026-07-07T13:00", "17:00"),  # five in summer
        ("Tu 8-17", "85001", "2026-07-07T14:59", None),  # Phoenix has no summer time
        ("Mo 20-24", "96813", "2026-11-24T09:30", "00:00"),  # still Monday in Honolulu
        ("Tu 8-12, 13-17", "78701", "2026-11-24T18:30", None),
        ("", "78701", "2026-11-24T14:00", None),
        ("Tu 0-24", "99634", "2026-11-24T14:00", None),  # a ZIP whose zone is not known
    ],
)
def test_a_practice_is_open_by_its_own_clock(
    hours: str, zip_: str, now: str, closes: str | None, parts: Services
) -> None:
    address = {"city": "A", "state": "TX", "postal_code": zip_}
    here = replace(parts, clock=lambda: datetime.fromisoformat(now).replace(tzinfo=UTC))
    with create_app(Settings(), here).app_context():
        found = closes_today(a_listing("ana", hours=hours, address=address))
    assert (f"{found:%H:%M}" if found else None) == closes


def spans(text: str) -> list[tuple[str, str, str]]:
    return [(each["day"], each["opens"], each["closes"]) for each in hours_of(text)]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Mo 08:00-17:00", [("mo", "08:00", "17:00")]),
        ("sa 9-12", [("sa", "09:00", "12:00")]),
        ("Mon, Wed 9am-5pm", [("mo", "09:00", "17:00"), ("we", "09:00", "17:00")]),
        ("Monday 8:30 a.m. - 12:15 p.m.", [("mo", "08:30", "12:15")]),
        ("Sa-Mo 10-24", [(day, "10:00", "24:00") for day in ("sa", "su", "mo")]),
        ("Tu 9-12, 13\u201317", [("tu", "09:00", "12:00"), ("tu", "13:00", "17:00")]),
        ("", []),
    ],
)
def test_hours_are_read(text: str, read: list[tuple[str, str, str]]) -> None:
    assert spans(text) == read


@pytest.mark.parametrize(
    "text", ["always", "Mo", "Mo 8", "Xx 8-12", "Mo 8-25", "Mo 8:70-9", "8-12"]
)
def test_unclear_hours_are_asked_about(text: str) -> None:
    with pytest.raises(ValueError, match=r"unclear|no day|no time"):
        hours_of(text)
    with pytest.raises(ValidationError):
        facts(hours=text)


def test_a_practice_opens_before_it_closes() -> None:
    with pytest.raises(ValidationError, match="before it opens"):
        facts(hours="Mo 17:00-08:00")


@given(
    st.lists(
        st.tuples(st.sampled_from(DAYS), st.integers(0, 22), st.integers(0, 59)),
        max_size=10,
    )
)
def test_what_is_written_is_read_back(said: list[tuple[str, int, int]]) -> None:
    written = [(day, f"{hour:02}:{minute:02}", "23:59") for day, hour, minute in said]
    text = "; ".join(f"{day} {opens}-{closes}" for day, opens, closes in written)
    assert spans(text) == written
    listing: Facts = facts(hours=text)
    assert [(h.day, h.opens, h.closes) for h in listing.hours] == written


def test_days_with_the_same_hours_are_shown_together() -> None:
    hours = [Hours(**each) for each in hours_of("Mo-Th 8-17; Fr 8-12, 13-15; Su 10-24")]
    language.speak("en")
    assert [line.replace("\u202f", " ") for line in opening(hours)] == [
        "Mon-Thu 8:00 AM-5:00 PM",
        "Fri 8:00 AM-12:00 PM, 1:00 PM-3:00 PM",
        "Sun 10:00 AM-12:00 AM",
    ]
