"""Rejected roles as NDJSON, to be mended and loaded again.

Each is there once and whole, with all that it refers to, however many of its locations are
rejected: a role with some of its locations would say that it has left the others.
"""

import json
from collections.abc import Iterator
from typing import TextIO

from indexer.sources.bundles import Broken, Found, Json
from indexer.sources.record import Record, RecordError
from indexer.sources.resources import Left, Role, name_of

_REJECTED = "urn:directory:rejected"
"""The system of the code that says why something was rejected."""


class RejectedRoles:
    """Writes rejected roles; one that is rejected again adds an OperationOutcome with the reason.

    The reason that comes first is a tag of the role itself.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._written: set[str] = set()

    def __call__(self, record: Record, error: RecordError) -> None:
        """Write what is to be mended, and why."""
        for resource in self._resources(record, error):
            json.dump(resource, self._file)
            self._file.write("\n")

    def _resources(self, record: Record, error: RecordError) -> Iterator[Json]:
        raw: Role | Left | Broken = record.raw
        why = {
            "system": _REJECTED,
            "code": error.field,
            "display": f"row {record.row}: {error.reason}",
        }
        if isinstance(raw, Broken):
            yield {"not_fhir": raw.text, "meta": {"tag": [why]}}
            return
        at = raw.role if isinstance(raw, Left) else raw
        role = json.loads(at.whole[0])
        if where := None if isinstance(raw, Left) else _which(role, json.loads(at.role)):
            why["display"] += f" (at {where})"
        name = Found(role).name
        if name in self._written:
            yield _outcome(name, record.row, why)
            return
        self._written.add(name)
        meta = role.get("meta")
        yield {**role, "meta": {**(meta if isinstance(meta, dict) else {}), "tag": [why]}}
        for resource in map(json.loads, at.whole[1:]):
            if (name := Found(resource).name) not in self._written:
                self._written.add(name)
                yield resource


def _which(role: Json, at: Json) -> str | None:
    """At which of its locations a role is; None where it has but one, or none."""
    there = at.get("location")
    if role.get("location") == there or not isinstance(there, list):
        return None
    return name_of(there[0])


def _outcome(name: str, row: int, why: Json) -> Json:
    issue = {"severity": "error", "code": "invalid", "diagnostics": name}
    return {
        "resourceType": "OperationOutcome",
        "id": f"row-{row}",
        "issue": [{**issue, "details": {"coding": [why]}}],
    }
