"""A card says what its listing says, in the language that is spoken."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from directory.app import create_app
from directory.language import speaking
from directory.services import Services
from directory.settings import Settings
from directory.web.cards import card_of
from tests.builders import TODAY, a_listing


@pytest.fixture
def app(parts: Services) -> Iterator[Flask]:
    app = create_app(Settings(), parts)
    with app.test_request_context("/search"):
        yield app


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("name", [{}, {"middle": "M."}, {"suffix": "Jr."}])
def test_it_is_called_as_the_listing_is(name: dict[str, str]) -> None:
    listing = a_listing(name={"given": "Ana", "family": "Núñez", **name}, letters=["PT", "DPT"])
    card = card_of(listing)
    assert (card.name, card.title) == (str(listing.name), listing.title)
    assert (card.lat, card.lon) == listing.location.point
    assert card.address == f"/listings/{listing.id}"


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"clinic": "A & B"}, {"who": "Physical therapist at A & B"}),
        ({}, {"who": "Physical therapist", "price": "price not given", "not_now": None}),
        ({"accepting": "no"}, {"accepts": False, "not_now": "No new patients now"}),
        ({"accepting": "yes"}, {"accepts": True, "not_now": None}),
        ({"first_visit_price": {"least": 80, "most": 120}}, {"price": "$80 to $120"}),
        ({"first_visit_price": {"least": 80, "most": 80}}, {"price": "$80"}),
        ({"insurance_accepted": ["aetna", "cigna"]}, {"insurance": "Aetna, Cigna"}),
        (
            {"insurance_accepted": ["aetna", "cigna", "humana", "medicare"]},
            {"insurance": "Aetna, Cigna, Humana and 1 more"},
        ),
        ({"phone": "+15125550142"}, {"call": "Call Ana Núñez, (512) 555-0142"}),
        ({}, {"where": "1 Main St, Austin, TX 78701", "attested": "", "evidence": "unknown"}),
    ],
)
def test_it_says_what_the_listing_says(fields: dict[str, Any], said: dict[str, Any]) -> None:
    card = card_of(a_listing(**fields))
    assert {name: getattr(card, name) for name in said} == said


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(("days", "kind"), [(90, "fresh"), (91, "stale")])
def test_an_old_attestation_is_marked(days: int, kind: str) -> None:
    on = TODAY - timedelta(days=days)
    card = card_of(a_listing(attestation={"on": on, "by": "Ana", "method": "form"}))
    assert card.attested.startswith(f'<span class="{kind}">')


@pytest.mark.usefixtures("app")
def test_it_is_in_the_language_that_is_spoken() -> None:
    listing = a_listing(accepting="no", accepting_from=TODAY + timedelta(days=1))
    in_english = card_of(listing)
    with speaking("es"):
        in_spanish = card_of(listing)
    assert in_english.price == "price not given"
    assert in_spanish.price == "no se indica el precio"
    assert in_spanish.who == "Fisioterapeuta"
    assert in_spanish.not_now != in_english.not_now
