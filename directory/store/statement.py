"""What one source says of one listing, and how the statements of several become the listing.

Statements are kept side by side, one a source, and never overwrite each other: the listing is
drawn from them anew, field by field, the most trusted source first. So a registry load can
not trample what a clinic has said, and a clinic that leaves lets the registry's word back in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from directory.fields import STORED
from directory.listing import UNITS, Facts, Listing, Provenance, Source


@dataclass(frozen=True)
class Statement:
    """The fields that one source states. `key` is the source's own name for the record."""

    source: Source
    key: str
    as_of: date
    fields: dict[str, Any]

    @classmethod
    def of(cls, source: Source, key: str, as_of: date, facts: Facts) -> "Statement":
        """A statement of the fields that were set in these facts; the rest stays unsaid."""
        return cls(source, key, as_of, facts.model_dump(mode="json", exclude_unset=True))


def combine(listing_id: str, statements: Sequence[Statement]) -> Listing:
    """The listing that the statements make together.

    Raises pydantic's ValidationError where they contradict the rules of a listing.
    """
    trust = list(Source)
    fields: dict[str, Any] = {}
    provenance: dict[str, Provenance] = {}
    least_trusted_first = sorted(statements, key=lambda s: (-trust.index(s.source), s.as_of, s.key))
    for statement in least_trusted_first:
        for unit in UNITS:
            if statement.fields.keys() & set(unit):
                for field in unit:
                    fields.pop(field, None)
                    provenance.pop(field, None)
        fields |= statement.fields
        said = Provenance(source=statement.source, as_of=statement.as_of)
        provenance |= dict.fromkeys(statement.fields, said)
    complete = {**fields, "id": listing_id, "provenance": provenance}
    return Listing.model_validate(complete, context=STORED)
