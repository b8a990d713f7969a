"""How true the published listings are, counted: by state and profession, field and report."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import Integer, func, select
from sqlalchemy import cast as as_

from directory.listing import Answer, fresh_since
from directory.store.bulk import table_of
from directory.store.database import Transaction, utc
from directory.store.listings import Status
from directory.store.models import ListingRow, ReportRow

_LISTING = table_of(ListingRow)

FIELDS = (
    "phone", "website", "hours", "languages", "insurance_accepted", "first_visit_price",
    "accepting", "dry_needling", "techniques", "conditions", "certificates",
)  # fmt: skip
"""What patients ask for; the share of listings that do not say it is told of each."""


@dataclass(frozen=True)
class Group:
    """The published listings of one profession in one state."""

    state: str
    profession: str
    published: int
    confirmed: int
    fresh: int


@dataclass(frozen=True)
class Scorecard:
    """Counts of published listings; `fresh` were confirmed by their practice within 90 days.

    `unknown` is the share (0 to 1) that does not say each field. `median_hours` is from a report
    to its answer, None where none was answered.
    """

    as_of: datetime
    published: int
    confirmed: int
    fresh: int
    unknown: Mapping[str, float]
    groups: tuple[Group, ...]
    reports_open: int
    outcomes: Mapping[str, int]
    median_hours: float | None


def scorecard(session: Transaction, now: datetime) -> Scorecard:
    """The scorecard as of now."""
    document = _LISTING.c.document
    is_confirmed = document["dry_needling"].as_string() == Answer.YES
    is_fresh = _LISTING.c.attested_on >= fresh_since(now.date())
    state, profession = document["address"]["state"].as_string(), document["profession"].as_string()
    rows = session.execute(
        select(
            state, profession, func.count(), func.count().filter(is_confirmed),
            func.count().filter(is_fresh),
        )
        .where(_LISTING.c.status == Status.PUBLISHED)
        .group_by(state, profession)
        .order_by(state, profession)
    ).all()  # fmt: skip
    groups = tuple(Group(*row) for row in rows)
    published = sum(group.published for group in groups)
    told = _told(session)
    answered = session.execute(
        select(ReportRow.made_at, ReportRow.answered_at, ReportRow.outcome).where(
            ReportRow.outcome.is_not(None)
        )
    ).all()
    hours = [(utc(at) - utc(made)).total_seconds() / 3600 for made, at, _ in answered if at]
    total = session.scalars(select(func.count()).select_from(ReportRow)).one()
    return Scorecard(
        as_of=now,
        published=published,
        confirmed=sum(group.confirmed for group in groups),
        fresh=sum(group.fresh for group in groups),
        unknown={n: round(1 - told[n] / published, 4) if published else 0.0 for n in FIELDS},
        groups=groups,
        reports_open=total - len(answered),
        outcomes=Counter(outcome for *_, outcome in answered if outcome),
        median_hours=round(median(hours), 1) if hours else None,
    )


def _told(session: Transaction) -> dict[str, int]:
    """How many published listings say each field."""
    document = _LISTING.c.document
    says = [
        as_(
            func.sum(
                as_(
                    func.coalesce(document[name].as_string(), "unknown").not_in(
                        ["unknown", "[]", "null", ""]
                    ),
                    Integer,
                )
            ),
            Integer,
        )
        for name in FIELDS
    ]
    row = session.execute(select(*says).where(_LISTING.c.status == Status.PUBLISHED)).one()
    return {name: count or 0 for name, count in zip(FIELDS, row, strict=True)}
