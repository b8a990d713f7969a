"""Laying down the resources of a directory by name, so that references may point anywhere."""

import json
import re
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from pydantic import ValidationError

from indexer.sources import bundles, files
from indexer.sources.bundles import Broken, Found, Json
from indexer.sources.files import Part
from indexer.sources.plan_net import Reference, unversioned
from indexer.sources.record import Passed, Record

_KEPT = (
    "PractitionerRole", "Practitioner", "Location", "Organization", "HealthcareService"
)  # fmt: skip
_LOCATION = re.compile("Location/.")
_REFERRING = ("practitioner", "organization", "location", "healthcareService")

_TABLES = (
    "CREATE TABLE resource (row INTEGER PRIMARY KEY, name TEXT UNIQUE, said TEXT)",
    "CREATE TABLE called (url TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class Role:
    """A role at one location, with what it refers to, as JSON; None where that is not there.

    `role` names this location alone. `whole` is the role with all of its locations, and behind
    it all that it refers to and that is there.
    """

    role: str
    practitioner: str | None
    location: str | None
    organization: str | None
    whole: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """A role, as it is at another location, that has left the one of this key."""

    role: Role
    key: str


@dataclass(frozen=True, slots=True)
class Everywhere:
    """A role at each of its locations (once without, where it names none), and their names.

    The names are None where they are not known for sure to be all.
    """

    row: int
    id: str
    at: tuple[Role, ...]
    locations: frozenset[str] | None


@contextmanager
def laid_down(parts: Sequence[Part]) -> Iterator["Resources"]:
    """The resources of all parts, in a temporary file."""
    with (
        tempfile.NamedTemporaryFile(prefix="fhir-") as file,
        closing(sqlite3.connect(file.name, isolation_level=None)) as db,
    ):
        # It is gone with the process anyway: nothing in it needs to outlast a crash.
        for statement in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", *_TABLES):
            db.execute(statement)
        yield Resources(db, parts)


class Resources:
    """The resources of a directory by name."""

    def __init__(self, db: sqlite3.Connection, parts: Sequence[Part]) -> None:
        self._db = db
        self._parts = parts

    def lay_down(self) -> Iterator[Record | Passed]:
        """Lay all down, in one transaction; yields what is not: no resource, or one again."""
        number = 0
        self._db.execute("BEGIN")
        for part in self._parts:
            with files.opened(part) as (stream, _):
                for found in bundles.resources(stream):
                    number += 1
                    if isinstance(found, Broken):
                        yield Record(number, found)
                    elif again := self._lay(number, found):
                        yield again
        self._db.execute("COMMIT")

    def roles(self) -> Iterator[Everywhere]:
        """Each role, in the order of the files."""
        roles = self._db.execute(
            "SELECT row, said FROM resource WHERE name LIKE 'PractitionerRole/%' ORDER BY row"
        )
        for row, said in roles:
            yield self._everywhere(row, self._by_name(json.loads(said)))

    def _lay(self, number: int, found: Found) -> Record | Passed | None:
        if found.said["resourceType"] not in _KEPT:
            return None
        self._call(found)
        laid = self._db.execute(
            "INSERT INTO resource VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
            [number, found.name, json.dumps(found.said)],
        )
        return None if laid.rowcount else self._lay_again(number, found)

    def _lay_again(self, number: int, found: Found) -> Record | Passed:
        """Of two of one name the newer counts, else the first.

        Where neither is newer and they differ, one of the two is wrong and nobody here knows
        which: that is for the operator to mend, so it is rejected and not skipped. In the rejects
        file it is no resource, so that loading it again unmended does not make it the one.
        """
        row, text = self._db.execute(
            "SELECT row, said FROM resource WHERE name = ?", [found.name]
        ).fetchone()
        first = Found(json.loads(text))
        before, after = first.updated, found.updated
        if before and after and before < after:
            self._db.execute(
                "UPDATE resource SET row = ?, said = ? WHERE name = ?",
                [number, json.dumps(found.said), found.name],
            )
        elif not (before and after and after < before) and first.content != found.content:
            why = f"{found.name} is in row {row} already and says otherwise; the first was taken"
            return Record(number, Broken(json.dumps(found.said), why))
        return Passed(1, "again in these files")

    def _call(self, found: Found) -> None:
        """Note a URL that does not show what it is the URL of; for two resources it is none's."""
        url = unversioned(found.url or "")
        if url and url.isascii() and name_of({"reference": url}) != found.name:
            self._db.execute(
                "INSERT INTO called VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET name = NULL WHERE name <> excluded.name",
                [url, found.name],
            )

    def _by_name(self, resource: Json) -> Json:
        """The same, referring by name to what it refers to by the URL of a Bundle's entry."""
        named = dict(resource)
        for member in _REFERRING:
            match resource.get(member):
                case list(several):
                    named[member] = [self._named(each) for each in several]
                case dict(one):
                    named[member] = self._named(one)
        return named

    def _named(self, reference: object) -> object:
        url = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(reference, dict) or not isinstance(url, str) or not url.isascii():
            return reference
        found = self._db.execute(
            "SELECT name FROM called WHERE url = ? AND name IS NOT NULL", [unversioned(url)]
        ).fetchone()
        return {**reference, "reference": found[0]} if found else reference

    def _everywhere(self, row: int, role: Json) -> Everywhere:
        practitioner = self._referred(role.get("practitioner"))
        organization = self._referred(role.get("organization"))
        services, references, are_all = self._locations(role)
        locations = [self._referred(each) for each in references]
        others = (practitioner, organization, *services, *locations)
        whole = (json.dumps(role), *filter(None, dict.fromkeys(others)))
        at = tuple(
            Role(json.dumps({**role, "location": [each]}), practitioner, there, organization, whole)
            for each, there in zip(references, locations, strict=True)
        )
        # What is called otherwise may be a location that had its name when all was loaded.
        names = frozenset(name_of(each) or "" for each in references)
        are_all = are_all and bool(names) and all(map(_LOCATION.match, names))
        without = Role(whole[0], practitioner, None, organization, whole)
        return Everywhere(row, role["id"], at or (without,), names if are_all else None)

    def _locations(self, role: Json) -> tuple[list[str], list[object], bool]:
        """The services that locate a role which names no location itself, where, if that is all."""
        own, services = role.get("location"), role.get("healthcareService")
        if own or not isinstance(services, list):
            return [], own if isinstance(own, list) else [], True
        found = [self._referred(each) for each in services]
        there = [self._by_name(json.loads(each)) for each in found if each]
        locations = [each.get("location", []) for each in there]
        several = [at for each in locations if isinstance(each, list) for at in each]
        are_all = all(found) and all(isinstance(each, list) for each in locations)
        return [json.dumps(each) for each in there], several, are_all

    def _referred(self, reference: object) -> str | None:
        """The resource that a reference names, as JSON."""
        name = name_of(reference)
        if not name or not name.isascii():
            return None
        row = self._db.execute("SELECT said FROM resource WHERE name = ?", [name]).fetchone()
        return row[0] if row else None


def name_of(reference: object) -> str | None:
    """The name of the resource that a reference points to; None where it is no reference."""
    try:
        return Reference.model_validate(reference).name
    except ValidationError:
        return None
