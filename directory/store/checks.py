"""What can be checked of a submission without asking anybody: shown to whoever decides."""

from dataclasses import dataclass

from directory.credentials import held_because
from directory.fields import STORED
from directory.listing import Listing
from directory.mail.address import domain_of
from directory.places import Places
from directory.store import duplicates, listings, owners
from directory.store.database import Transaction
from directory.store.keys import keys_of
from directory.store.listings import StoredListing
from directory.store.submissions import Kind, Submission
from directory.vocabulary.words import words

DISPOSABLE = frozenset((
    "mailinator.com", "guerrillamail.com", "10minutemail.com", "temp-mail.org", "yopmail.com",
    "trashmail.com", "sharklasers.com", "getnada.com", "dispostable.com", "maildrop.cc",
))  # fmt: skip
"""Domains whose boxes are open to anybody; well-known ones, each seen on its own site (2026-11)."""


_MILE_M, FAR_MILES = 1_609.344, 10.0
"""The United States' 3.5 million square miles over 42,789 ZIPs are 83 each, 9 miles across."""


@dataclass(frozen=True)
class Check:
    """What was looked at, whether it is as it should be (None: it cannot be known), and why."""

    what: str
    is_right: bool | None
    why: str


def checks(
    session: Transaction, asked: Submission, of: StoredListing | None, places: Places
) -> tuple[Check, ...]:
    """Every check of a submission; `of` is the listing that it is of, or seems to be."""
    found = [_address(asked, of), _owners(session, asked, of)]
    if asked.kind is not Kind.CLAIM:
        found += [
            _npi(session, asked), _near(asked, places), _nearby(session, asked), _rule(asked),
            _licence(asked), _website(asked),
        ]  # fmt: skip
    return tuple(found)


def _address(asked: Submission, of: StoredListing | None) -> Check:
    domain = domain_of(asked.email)
    said = asked.fields.get("website") or (of and of.listing and of.listing.website) or ""
    website = said.removeprefix("https://").split("/")[0]
    if domain in DISPOSABLE:
        return Check("E-mail", False, f"{domain} gives boxes to anybody")
    if website.removeprefix("www.") == domain:
        return Check("E-mail", True, f"on the website's own domain, {domain}")
    return Check("E-mail", None, f"{domain} is not the website's domain")


def _owners(session: Transaction, asked: Submission, of: StoredListing | None) -> Check:
    if not of:
        return Check("Listed already", True, "no listing has this NPI, or this name and telephone")
    others = [o.email for o in owners.owners(session, of.id) if o.email != asked.email]
    if others:
        return Check("Listed already", False, f"{of.id} belongs to {', '.join(others)}")
    return Check("Listed already", None, f"{of.id}: this would be added to it")


def _npi(session: Transaction, asked: Submission) -> Check:
    npi, name = asked.fields.get("npi"), asked.fields.get("name") or {}
    if not npi:
        return Check("NPI", None, "none was given")
    known = listings.of_npi(session, npi)
    if not known:
        return Check("NPI", None, "no registry that was loaded has it")
    same = words(known[0].name.family) == words(name.get("family") or "")
    said = f"the registry has {known[0].name} for it"
    return Check("NPI", same, said)


def _near(asked: Submission, places: Places) -> Check:
    """Whether a pin that was set by hand is where the address is."""
    location, address = asked.fields.get("location"), asked.fields.get("address") or {}
    if not location or location.get("method", "given") != "given":
        return Check("Location", None, "the middle of its ZIP or its city")
    metres = places.farness(address, (location["lat"], location["lon"]))
    if metres is None:
        return Check("Location", False, "its ZIP and its city are not known in its state")
    miles = metres / _MILE_M
    is_near = miles <= FAR_MILES
    return Check("Location", is_near, f"the pin is {miles:.1f} miles from the middle of its ZIP")


def _nearby(session: Transaction, asked: Submission) -> Check:
    """Whether somebody of that family name is listed in that building already."""
    name = (asked.fields.get("name") or {}).get("family") or ""
    building = keys_of(asked.fields).building if asked.fields.get("address") else None
    found = duplicates.of_name_at(session, words(name), building)
    others = [each for each in found if each != asked.listing_id]
    if not others:
        return Check("Nearby", True, "nobody of this name is listed in this building")
    return Check("Nearby", None, f"of this name in this building: {', '.join(others[:5])}")


def _website(asked: Submission) -> Check:
    """Links are never fetched from here: it would tell the site, and could reach our own network.

    Whoever decides opens it in a browser.
    """
    website = asked.fields.get("website")
    return Check("Website", None, f"look at it yourself: {website}" if website else "none given")


def _rule(asked: Submission) -> Check:
    try:
        document = {**asked.fields, "id": "submitted", "provenance": {}}
        listing = Listing.model_validate(document, context=STORED)
    except ValueError:
        return Check("State rule", None, "a part of a listing only")
    reason = held_because(listing)
    return Check("State rule", reason is None, reason or "no known rule speaks against it")


def _licence(asked: Submission) -> Check:
    state = (asked.fields.get("address") or {}).get("state")
    return Check("License", None, f"look it up at the board of {state or 'the state'}")
