"""What a search for resources asks of the listings that they are drawn from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from directory.fhir.practitioner import practitioner_id
from directory.fhir.values import Near, wrong
from directory.listing import Listing
from directory.search.lookup import Criterion, Lookup, LookupKey
from directory.search.scope import Circle, Scope


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """All of this must hold of a listing.

    The index can tell of everything but two things, and those are seen to afterwards:
    `with_clinic`, that it names a clinic, and `people`, the ids of Practitioners of which it must
    have one (each set of them).
    """

    criteria: tuple[Criterion, ...] = ()
    facets: tuple[tuple[str, tuple[str, ...]], ...] = ()
    near: Near | None = None
    since: datetime | None = None
    before: datetime | None = None
    with_clinic: bool = False
    people: tuple[frozenset[str], ...] = ()

    def __and__(self, other: Self) -> "Wanted":
        """Both."""
        if self.near and other.near:
            raise wrong("near", "give it once: the order is by distance from one point.")
        sinces = [each for each in (self.since, other.since) if each]
        befores = [each for each in (self.before, other.before) if each]
        return Wanted(
            criteria=self.criteria + other.criteria,
            facets=self.facets + other.facets,
            near=self.near or other.near,
            since=max(sinces, default=None),
            before=min(befores, default=None),
            with_clinic=self.with_clinic or other.with_clinic,
            people=self.people + other.people,
        )

    @property
    def is_all_in_the_index(self) -> bool:
        """Whether the index can tell which listings are meant, and how many."""
        return not self.with_clinic and not self.people

    def keeps(self, listing: Listing) -> bool:
        """Whether a listing that the index gives is meant."""
        if self.with_clinic and listing.clinic is None:
            return False
        return all(practitioner_id(listing) in ids for ids in self.people)

    def lookup(self, limit: int, after: LookupKey | None) -> Lookup:
        """What the index is asked: `limit` listings behind a key."""
        near = self.near
        return Lookup(
            scope=Scope(facets=self.facets),
            criteria=self.criteria,
            circle=Circle(near.centre, near.radius_m) if near else None,
            since=self.since,
            before=self.before,
            limit=limit,
            after=after,
        )


EVERYBODY = Wanted()
