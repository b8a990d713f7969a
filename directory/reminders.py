"""Owners are asked whether their listing is still right, when its attestation grows old."""

import logging

from pydantic import ValidationError

from directory.mail import letters
from directory.mail.letters import To
from directory.services import Services
from directory.store import links, listings, mails, owners
from directory.store.due import done, due
from directory.store.links import Purpose

log = logging.getLogger("directory.reminders")


def remind(parts: Services) -> int:
    """Ask the owners of every listing that is due; says how many letters were written.

    The link in the letter can confirm the listing and nothing else. A listing that cannot be read
    is named in the log and holds up no other.
    """
    now = parts.clock()
    with parts.database.reading() as session:
        if not due(session, now.date()):
            return 0
    written = 0
    with parts.database.writing() as session:
        for each in due(session, now.date()):
            try:
                found = listings.find(session, each.listing_id)
            except ValidationError:
                log.error("nobody is reminded of %s: it cannot be read", each.listing_id)
                continue
            if not found or not found.listing:
                continue
            for owner in owners.owners(session, each.listing_id):
                token = links.make(session, Purpose.ATTEST, owner.email, each.listing_id, now)
                address = f"{parts.base_url}/links/{token}"
                to = To(owner.email, owner.language)
                age = (now.date() - each.attested_on).days
                letter = letters.reminder(to, found.listing.title, age, address)
                mails.keep(session, letter, now)
                written += 1
            done(session, each)
    return written
