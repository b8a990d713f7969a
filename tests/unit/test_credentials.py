"""A note never claims more than its source, and carries source and date."""

from pathlib import Path

import pytest

from directory.credentials import held_because, notes
from directory.credentials.rules import RuleStatus, read, rule
from directory.listing import Provenance, Source
from tests.builders import TODAY, a_listing

ROW = "TX,physical-therapist,permitted,,A note.,https://example.org/,2024-06,medium"
HEADER = "state,profession,status,min_training_hours,note,source_url,source_date,confidence"


def in_state(state: str, profession: str = "physical-therapist") -> str:
    address = {"city": "X", "state": state, "postal_code": "00000"}
    listing = a_listing(address=address, profession=profession)
    return next(note.text for note in notes(listing) if note.about.startswith("The rule in"))


@pytest.mark.parametrize(
    ("state", "profession", "says"),
    [
        ("CO", "physical-therapist", "may do dry needling after training of at least 50 hours"),
        ("CA", "physical-therapist", "may not do dry needling"),
        ("TX", "physical-therapist", "does not mean that no training is asked for"),
        ("MA", "physical-therapist", "does not mention dry needling"),
        ("WY", "chiropractor", "We have not checked"),
        ("PR", "physical-therapist", "We have not checked"),
    ],
)
def test_the_state_s_rule(state: str, profession: str, says: str) -> None:
    assert says in in_state(state, profession)


def test_every_note_has_source_and_date() -> None:
    listing = a_listing(
        letters=["PT", "O.C.S.", "unheard-of"],
        dry_needling="yes",
        certificates=[
            {"title": "Needling", "hours": 54},
            {"title": "B", "verified_on": "2026-01-02"},
        ],
        taxonomies=[{"code": "225100000X", "licence_number": "1", "licence_state": "TX"}] * 2,
        licence_check={"state": "TX", "checked_on": "2026-01-01", "expires_on": "2027-01-01"},
    )
    found = notes(listing)
    assert all(note.source and note.as_of for note in found)
    assert [note.about for note in found] == [
        "Dry needling", "The rule in Texas", "License", "License", "Certificate", "Certificate",
        "PT", "O.C.S.",
    ]  # fmt: skip


def test_every_note_says_who_says_so() -> None:
    """A registry record confirms nothing, and nobody speaks for the practice but the practice."""
    for source, said, basis in (
        (Source.NPPES, "Nobody has said", "registry"),
        (Source.FILE, "A list that was given to this directory says", "list"),
        (Source.CLINIC, "The practice says", "practice"),
        (Source.MODERATOR, "A moderator of this directory has made sure", "checked"),
    ):
        listing = a_listing(dry_needling="unknown" if source is Source.NPPES else "yes")
        provenance = dict.fromkeys(listing.provenance, Provenance(source=source, as_of=TODAY))
        first = notes(listing.model_copy(update={"provenance": provenance}))[0]
        assert first.text.startswith(said)
        assert first.basis == basis


def test_only_a_barred_claim_is_held() -> None:
    for state, held in ("NY", True), ("TX", False), ("PR", False):
        address = {"city": "X", "state": state, "postal_code": "00000"}
        assert bool(held_because(a_listing(address=address, dry_needling="yes"))) is held
        assert held_because(a_listing(address=address)) is None


def test_the_rules_that_ship() -> None:
    found = rule("CA", "physical-therapist")
    assert found
    assert found.status is RuleStatus.PROHIBITED
    shipped = Path(__file__).parents[2] / "directory" / "credentials" / "state_rules.csv"
    assert len(read(shipped)) == 75


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (ROW.replace("https://example.org/", ""), "no source"),
        (ROW.replace("2024-06", "last year"), "is no date"),
        (ROW.replace("permitted", "allowed"), "allowed"),
        (ROW.replace("TX", "XX"), "is no state"),
        (ROW.replace("medium", "low"), "confidence"),
        (f"{ROW}\n{ROW}", "row 3: TX physical-therapist twice"),
    ],
)
def test_a_bad_rule_is_named_by_its_row(tmp_path: Path, row: str, says: str) -> None:
    path = tmp_path / "rules.csv"
    path.write_text(f"{HEADER}\n{row}\n")
    with pytest.raises(ValueError, match=says):
        read(path)
