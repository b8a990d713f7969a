"""What one source says of one listing, and how the statements of several become the listing.

Statements are kept side by side, one a source, and never overwrite each other: the listing is
drawn from them anew, field by field, the most trusted source first. So a registry load can
not trample what a clinic has said, and a clinic that leaves lets the registry's word back in.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from directory.listing import UNITS, Facts, Source
from directory.store.keys import NO_KEYS, Keys, keys_of

_TRUST = {source: rank for rank, source in enumerate(Source)}

Fields = dict[str, Any]
"""Facts by field, as JSON has them."""

OF_A_PRACTICE = frozenset(("address", "location", "area_only", "phone", "clinic"))
"""What is said of one practice and holds for no other."""


@dataclass(frozen=True)
class Statement:
    """The fields that one source states. `key` is the source's own name for the record.

    With a `base` they are only the facts of one more practice: the rest is what the source says
    under that key. `checked` says that the fields are facts that make a listing by themselves,
    and then `keys` are theirs.
    """

    source: Source
    key: str
    as_of: date
    fields: Fields
    base: str | None = None
    checked: bool = False
    keys: Keys = NO_KEYS

    def upon(self, base: Fields) -> "Statement":
        """This statement of one more practice, with the rest from what its base says."""
        rest = {name: value for name, value in base.items() if name not in OF_A_PRACTICE}
        fields = rest | self.fields
        return replace(self, fields=fields, keys=keys_of(fields))

    @classmethod
    def of(cls, source: Source, key: str, as_of: date, facts: Facts) -> "Statement":
        """A statement of the fields that were set in these facts; the rest stays unsaid."""
        fields = facts.model_dump(mode="json", exclude_unset=True)
        return cls(source, key, as_of, fields, checked=True, keys=keys_of(fields))


def combine(listing_id: str, statements: Iterable[Statement]) -> Fields:
    """The document of the listing that the statements make together, not yet validated."""
    fields: Fields = {}
    provenance: dict[str, dict[str, str]] = {}
    least_trusted_first = sorted(statements, key=lambda s: (-_TRUST[s.source], s.as_of, s.key))
    for statement in least_trusted_first:
        for unit in UNITS:
            if fields and statement.fields.keys() & set(unit):
                for field in unit:
                    fields.pop(field, None)
                    provenance.pop(field, None)
        fields |= statement.fields
        said = {"source": str(statement.source), "as_of": statement.as_of.isoformat()}
        provenance |= dict.fromkeys(statement.fields, said)
    return {**fields, "id": listing_id, "provenance": provenance}
