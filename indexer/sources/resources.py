"""Laying down the resources of a directory by name, so that references may point anywhere."""

import json
import re
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from pydantic import ValidationError

from indexer.sources import files
from indexer.sources.files import Part, SourceError
from indexer.sources.jsonl import LONGEST_LINE, bounded_lines, object_of
from indexer.sources.plan_net import Reference

_KEPT = (
    "PractitionerRole", "Practitioner", "Location", "Organization", "HealthcareService"
)  # fmt: skip
_WHOLE_FILE = 64_000_000
"""Bytes; a Bundle is parsed as a whole. Larger directories come as NDJSON."""

_LAID_AT_ONCE = 8_000_000
"""Characters that wait in memory until they are laid down."""

_ID = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
"""As FHIR has them, and with the underscore that many servers add."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Role:
    """A role at one location, with what it refers to, as JSON; None where that is not there."""

    role: str
    practitioner: str | None
    location: str | None
    organization: str | None


@dataclass(frozen=True, slots=True)
class Left:
    """A role that is no longer at a location where it was."""

    role: str
    key: str


@dataclass(frozen=True, slots=True)
class Broken:
    """What is no resource, and why."""

    text: str
    reason: str


@contextmanager
def laid_down(parts: Sequence[Part]) -> Iterator["Resources"]:
    """The resources of all parts, in a temporary file."""
    with (
        tempfile.NamedTemporaryFile(prefix="fhir-") as file,
        closing(sqlite3.connect(file.name, isolation_level=None)) as db,
    ):
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("CREATE TABLE resource (name TEXT PRIMARY KEY, row, said) WITHOUT ROWID")
        yield Resources(db, parts)


class Resources:
    """The resources of a directory by name."""

    def __init__(self, db: sqlite3.Connection, parts: Sequence[Part]) -> None:
        self._db = db
        self._parts = parts

    def lay_down(self) -> Iterator[tuple[int, Broken]]:
        """Lay all down; yields what is none, with its number."""
        number = size = 0
        waiting: list[tuple[str, int, str]] = []
        for part in self._parts:
            with files.opened(part) as (stream, _):
                for found in _resources(stream):
                    number += 1
                    if isinstance(found, Broken):
                        yield number, found
                    elif found["resourceType"] in _KEPT:
                        name = f"{found['resourceType']}/{found['id']}"
                        waiting.append((name, number, json.dumps(found)))
                        size += len(waiting[-1][2])
                    if size >= _LAID_AT_ONCE:
                        self._write(waiting)
                        waiting, size = [], 0
        self._write(waiting)

    def roles(self) -> Iterator[tuple[int, Json, list[Role]]]:
        """Each role with its number, and at each of its locations, in the order of the files."""
        roles = self._db.execute(
            "SELECT row, said FROM resource WHERE name LIKE 'PractitionerRole/%' ORDER BY row"
        )
        for row, said in roles:
            role = json.loads(said)
            role = self._with_locations(role)
            yield row, role, list(self._at_locations(role))

    def _write(self, resources: Sequence[tuple[str, int, str]]) -> None:
        self._db.executemany("REPLACE INTO resource VALUES (?, ?, ?)", resources)

    def _with_locations(self, role: Json) -> Json:
        """A role with the locations of its services, where it names none itself."""
        services = role.get("healthcareService")
        if role.get("location") or not isinstance(services, list):
            return role
        found = (json.loads(said) for each in services if (said := self._referred(each)))
        locations = (each.get("location") for each in found)
        several = [at for each in locations if isinstance(each, list) for at in each]
        return {**role, "location": several} if several else role

    def _at_locations(self, role: Json) -> Iterator[Role]:
        """A role at each of its locations; once without where it names none."""
        practitioner = self._referred(role.get("practitioner"))
        organization = self._referred(role.get("organization"))
        references = role.get("location")
        for reference in references if isinstance(references, list) else ():
            there = json.dumps({**role, "location": [reference]})
            yield Role(there, practitioner, self._referred(reference), organization)
        if not references or not isinstance(references, list):
            yield Role(json.dumps(role), practitioner, None, organization)

    def _referred(self, reference: object) -> str | None:
        """The resource that a reference names, as JSON."""
        name = name_of(reference)
        if not name or not name.isascii():
            return None
        row = self._db.execute("SELECT said FROM resource WHERE name = ?", [name]).fetchone()
        return row[0] if row else None


def _resources(stream: BinaryIO) -> Iterator[Json | Broken]:
    """The resources of a file: a line each, or the file is one, or a Bundle of them."""
    begin = stream.readline(_WHOLE_FILE)
    if not _is_object(begin):
        begin += stream.read(_WHOLE_FILE - len(begin))
    if _is_object(begin):
        yield from _unbundled(object_of(begin))
        begin = b""
    elif len(begin) == _WHOLE_FILE and b"\n" not in begin[:LONGEST_LINE]:
        raise SourceError(f"a Bundle of more than {_WHOLE_FILE:,} bytes; give it as NDJSON")
    for line in bounded_lines(files.put_back(begin, stream)):
        if line.strip():
            try:
                yield from _unbundled(object_of(line))
            except (ValueError, RecursionError) as error:
                shown = line[: min(len(line), 10_000)].decode(errors="replace").strip()
                yield Broken(shown, f"is no JSON: {error}")


def _is_object(text: bytes) -> bool:
    try:
        object_of(text)
    except (ValueError, RecursionError):
        return False
    return True


def _unbundled(found: Json) -> Iterator[Json | Broken]:
    entries = found.get("entry")
    if found.get("resourceType") == "Bundle" and isinstance(entries, list):
        for entry in entries:
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(resource, dict):
                yield from _unbundled(resource)
    elif _is_resource(found):
        yield found
    else:
        yield Broken(json.dumps(found), "has no resourceType, or no id as FHIR has them")


def _is_resource(found: Json) -> bool:
    kind, id_ = found.get("resourceType"), found.get("id")
    return isinstance(kind, str) and isinstance(id_, str) and bool(_ID.fullmatch(id_))


def name_of(reference: object) -> str | None:
    """The name of the resource that a reference points to; None where it is no reference."""
    try:
        return Reference.model_validate(reference).name
    except ValidationError:
        return None
