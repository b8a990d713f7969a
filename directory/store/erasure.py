"""Forgetting a person or a listing: what is erased, and what little has to stay."""

from sqlalchemy import delete, select, update

from directory.listing import Source
from directory.store import partners
from directory.store.database import Transaction
from directory.store.models import (
    LinkRow,
    OutgoingMailRow,
    OwnerRow,
    ReportRow,
    ReviewRow,
    RevisionRow,
    SeenRow,
    SubmissionRow,
)

NOBODY = "erased"
"""Stands where an address stood."""


def forget_address(session: Transaction, email: str) -> None:
    """Erase an e-mail address: its drafts and submissions, links, letters, and what it owns.

    A partner goes on with its keys, and belongs to nobody. Listings stay, and their past changes
    without the address: they are about a practice.
    """
    session.execute(delete(SubmissionRow).where(SubmissionRow.email == email))
    session.execute(delete(LinkRow).where(LinkRow.email == email))
    session.execute(delete(OutgoingMailRow).where(OutgoingMailRow.recipient == email))
    session.execute(delete(OwnerRow).where(OwnerRow.email == email))
    for partner in partners.partners(session, email):
        partners.keep(session, partner.model_copy(update={"email": None}))
    session.execute(update(RevisionRow).where(RevisionRow.author == email).values(author=NOBODY))


def forget_listing(session: Transaction, listing_id: str) -> None:
    """Erase what clinics and patients have said of a listing, but the latest word of its owner.

    That one keeps it out of the directory when a registry is loaded again.
    """
    of_clinic = (RevisionRow.listing_id == listing_id) & (RevisionRow.source == Source.CLINIC)
    latest = session.scalar(
        select(RevisionRow.id).where(of_clinic).order_by(RevisionRow.id.desc()).limit(1)
    )
    past = select(RevisionRow.id).where(of_clinic, RevisionRow.id != latest)
    session.execute(delete(ReviewRow).where(ReviewRow.revision_id.in_(past)))
    session.execute(delete(RevisionRow).where(RevisionRow.id.in_(past)))
    for row in (SubmissionRow, ReportRow, SeenRow, OwnerRow):
        session.execute(delete(row).where(row.listing_id == listing_id))
    session.execute(update(RevisionRow).where(RevisionRow.id == latest).values(author=NOBODY))
