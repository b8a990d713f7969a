"""What may be a listing, and what may not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from directory.fields import npi_is_valid
from directory.listing import published
from tests.builders import a_listing


@pytest.mark.parametrize(
    ("npi", "valid"),
    [
        ("1234567893", True),  # the standard's own example
        ("1234567890", False),
        ("2000000011", False),
        ("1003000126", True),
        ("123456789", False),
        ("12345678930", False),
        ("3234567893", False),
        ("１２３４５６７８９３", False),  # noqa: RUF001  # full-width digits
        (" 1234567893", False),
        ("", False),
    ],
)
def test_npi(npi: str, valid: bool) -> None:
    assert npi_is_valid(npi) is valid


@given(st.integers(10**8, 3 * 10**8 - 1))
def test_one_check_digit_in_ten_is_right(stem: int) -> None:
    """The standard's other way: Luhn over all digits with the prefix 80840."""
    right = [digit for digit in "0123456789" if npi_is_valid(f"{stem}{digit}")]
    digits = [int(d) for d in f"80840{stem}"][::-1]
    total = sum(sum(divmod(2 * d, 10)) if place % 2 == 0 else d for place, d in enumerate(digits))
    assert right == [str((10 - total % 10) % 10)]


@pytest.mark.parametrize(
    "fields",
    [
        {"npi": "1234567890"},
        {"profession": "wizard"},
        {"phone": "12"},
        {"website": "javascript:alert(1)"},
        {"website": "https://user@example.org/"},
        {"location": {"lat": 90.1, "lon": 0, "precision": "rooftop"}},
        {"location": {"lat": float("nan"), "lon": 0, "precision": "rooftop"}},
        {"first_visit_price": {"least": 9, "most": 8}},
        {"insurance_accepted": ["aetna"], "insurance_refused": ["aetna"]},
        {"name": {"given": " ", "family": "X"}},
        {"name": {"given": "A\x00", "family": "X"}},
        {"address": {"city": "Austin", "state": "XX", "postal_code": "78701"}},
        {"address": {"city": "Austin", "state": "TX", "postal_code": "7870"}},
        {"area_only": True},
        {"status": "approved"},
        {"dry_needling": "maybe"},
        {"id": "Has Spaces"},
    ],
)
def test_what_is_no_listing(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        a_listing(**fields)


def test_what_is_not_said_is_unknown() -> None:
    listing = a_listing()
    answers = {listing.dry_needling, listing.accepting, listing.cash_pay, listing.superbill}
    assert answers == {"unknown"}
    assert (listing.confirmed, listing.evidence) == (False, "unknown")


def test_evidence_has_three_levels() -> None:
    certificate = {"title": "Needling", "dry_needling": True}
    assert a_listing(dry_needling="yes", certificates=[certificate]).evidence == "stated"
    checked = certificate | {"verified_on": "2026-01-01"}
    assert a_listing(dry_needling="yes", certificates=[checked]).evidence == "verified"
    assert a_listing(dry_needling="unknown", certificates=[checked]).evidence == "unknown"


def test_an_area_only_listing_shows_no_street() -> None:
    area = {"lat": 30.2713, "lon": -97.7426, "precision": "postal_code"}
    shown = published(a_listing(area_only=True, location=area))
    assert (shown.address.line1, shown.address.city) == (None, "Austin")
    assert published(a_listing()).address.line1 == "1 Main St"
