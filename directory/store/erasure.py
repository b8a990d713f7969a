"""Forgetting a person or a listing: what is erased, and what little has to stay."""

from sqlalchemy import delete, select, update

from directory.listing import Source
from directory.store import links, partners
from directory.store.database import Transaction
from directory.store.models import (
    LinkRow,
    MergeRow,
    ModeratorRow,
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

_WHO = (
    RevisionRow.author, ReviewRow.by, MergeRow.by, SubmissionRow.decided_by, ReportRow.answered_by,
)  # fmt: skip
"""The columns that say who has done something."""


def forget_address(session: Transaction, email: str) -> None:
    """Erase an e-mail address: its drafts and submissions, links and letters, and what it may do.

    A partner goes on with its keys, and belongs to nobody. Listings stay, and what was changed and
    decided, without the address: that is about a practice.
    """
    session.execute(delete(SubmissionRow).where(SubmissionRow.email == email))
    links.forget_of(session, email)
    session.execute(delete(OutgoingMailRow).where(OutgoingMailRow.recipient == email))
    session.execute(delete(OwnerRow).where(OwnerRow.email == email))
    session.execute(delete(ModeratorRow).where(ModeratorRow.email == email))
    for partner in partners.partners(session, email):
        partners.keep(session, partner.model_copy(update={"email": None}))
    for merge in session.scalars(select(MergeRow)):
        if email in merge.owners:
            merge.owners = [each for each in merge.owners if each != email]
    for who in _WHO:
        session.execute(update(who.class_).where(who == email).values({who: NOBODY}))


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
    session.execute(delete(LinkRow).where(LinkRow.subject == listing_id))
    session.execute(update(MergeRow).where(MergeRow.kept == listing_id).values(owners=[]))
    session.execute(update(RevisionRow).where(RevisionRow.id == latest).values(author=NOBODY))
