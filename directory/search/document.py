"""A listing as an index keeps it to be shown: its JSON, ready to go out as it is.

An answer of the API holds twenty listings. To read and to write them took a third of what the web
costs, and half of that again where defaults had to be filled in; so both are done once, when a
listing is indexed. What an answer says beside depends on the day and on the place, and needs little
of the listing, which stands before its JSON.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from zlib import crc32

import orjson

from directory.fields import STORED
from directory.listing import Answer, Listing, Precision
from directory.whole import whole

Said = Mapping[str, Any]
"""A listing by field, as JSON has it; what is left out is at its default."""

Evidence = Literal["verified", "stated", "unknown"]

_NEVER = "0000-00-00"
_EVIDENCE: dict[str, Evidence] = {"v": "verified", "s": "stated", "u": "unknown"}
_HEAD = re.compile(rb"(\d{4}-\d\d-\d\d)([vsu])([01])([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Document:
    """One listing. `json` has every field, as `Listing.model_dump_json` would write them.

    `attested_on` is the day of its attestation (ISO; before every day where there is none), and
    `approximate` says that it lies somewhere about its point.
    """

    attested_on: str
    evidence: Evidence
    approximate: bool
    json: bytes

    @classmethod
    def of(cls, said: Said) -> "Document":
        """What is kept of a listing, as JSON has it; what is left out of that is at its default."""
        attestation = said.get("attestation")
        return cls(
            attested_on=attestation["on"] if attestation else _NEVER,
            evidence=evidence(said),
            approximate=Precision(said["location"]["precision"]).approximate,
            json=orjson.dumps(whole(said)),
        )

    @classmethod
    def unpacked(cls, packed: bytes) -> "Document":
        """What an index kept. ValueError where it is something else."""
        if not (head := _HEAD.match(packed)):
            raise ValueError("there is no head of a listing")
        day, letter, approximate, sum_ = (part.decode("ascii") for part in head.groups())
        json = packed[head.end() :]
        if crc32(json) != int(sum_, 16):
            raise ValueError("the listing is not what was written")
        return cls(day, _EVIDENCE[letter], approximate == "1", json)

    @property
    def packed(self) -> bytes:
        """As an index keeps it: the day, a letter, a digit, a checksum, and the JSON (UTF-8).

        Nothing reads the JSON on its way out, so a damaged file would not be noticed.
        """
        head = f"{self.attested_on}{self.evidence[0]}{self.approximate:d}{crc32(self.json):08x}"
        return head.encode("ascii") + self.json

    @property
    def listing(self) -> Listing:
        """The listing. ValueError where the JSON is none of this version's."""
        return Listing.model_validate_json(self.json, context=STORED)


def evidence(said: Said) -> Evidence:
    """As Listing.evidence has it."""
    if said.get("dry_needling") != Answer.YES:
        return "unknown"
    certificates = said.get("certificates", ())
    checked = any(c.get("dry_needling") and c.get("verified_on") for c in certificates)
    return "verified" if checked else "stated"
