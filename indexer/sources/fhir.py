"""FHIR Plan-Net directories: NDJSON, Bundles or single resources, in files, folders and zips.

A PractitionerRole at a Location is a listing; a role at two locations is two. The Practitioner
gives the name and the licences, the Organization the clinic. References may point anywhere in what
is loaded together, so resources are laid down in a temporary file first and read from there.

The role code `dn` of Plan-Net means *dietary and nutritional*, and nothing of Plan-Net says who
does dry needling: these listings are not confirmed.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, TextIO, TypeVar, overload

from pydantic import ValidationError

from directory.listing import Source
from directory.states import STATE_NAMES
from directory.vocabulary import Kind, vocabulary
from indexer import normalise
from indexer.sources import files, plan_net
from indexer.sources.files import Part, SourceError
from indexer.sources.plan_net import (
    Location,
    Organization,
    Practitioner,
    PractitionerRole,
    Telecom,
    nucc,
)
from indexer.sources.record import (
    Gone,
    Passed,
    Record,
    RecordError,
    RejectsWriter,
    Said,
    Skipped,
)
from indexer.sources.resources import Broken, Json, Left, Role, laid_down, name_of

_REJECTED = "urn:directory:rejected"
"""The system of the tag that says why a role was rejected."""

_ACCEPTING = {"newpt": "yes", "nopt": "no", "existptonly": "no", "existptfam": "no"}
"""Plan-Net's AcceptingPatients code system."""

_GENDERS = ("female", "male")
_Model = TypeVar("_Model", bound=plan_net.Resource)


class Fhir:
    """Reads Plan-Net directories; all files of one load belong together."""

    NAME: ClassVar[str] = "fhir"
    SOURCE: ClassVar[Source] = Source.FHIR

    def __init__(self) -> None:
        self._together: tuple[Part, ...] = ()

    def parts(self, paths: Sequence[Path]) -> list[Part]:
        """All files, those in folders and zips among them, as one part."""
        found: list[Part] = []
        for path in paths:
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if not file.is_dir():
                    found += files.parts(file)
        if not found:
            raise SourceError(f"no files in {', '.join(map(str, paths))}")
        self._together = tuple(found)
        return [replace(found[0], size=sum(part.size for part in found))]

    def read(self, part: Part, known: Collection[str]) -> Iterator[Record | Passed]:
        """Every role at each of its locations, with what it refers to; what is no resource.

        Also every role that was known at a location which it does not name any more.
        """
        before: dict[str, set[str]] = {}
        for key in known:
            before.setdefault(key.partition("/")[0], set()).add(key)
        with laid_down(self._together or (part,)) as resources:
            for number, broken in resources.lay_down():
                yield Record(number, broken)
            for number, role, at_locations in resources.roles():
                for each in at_locations:
                    yield Record(number, each, part.size)
                for key in sorted(before.get(role["id"], set()) - _keys(role)):
                    yield Record(number, Left(json.dumps(role), key), part.size)

    def interpret(self, record: Record, today: date) -> Said | Gone | Skipped:  # noqa: ARG002
        """What a role at a location says."""
        raw: Role | Left | Broken = record.raw
        if isinstance(raw, Broken):
            raise RecordError("resource", raw.reason)
        role = _model(PractitionerRole, raw.role)
        if isinstance(raw, Left):
            return Gone(raw.key, _as_of(role), "its role is no longer at this location")
        practitioner = _model(Practitioner, raw.practitioner)
        location = _model(Location, raw.location)
        as_of = max(_as_of(each) for each in (role, practitioner, location) if each)
        key = _key(role.id, role.location[0].name if role.location else "")
        qualified = practitioner.qualification if practitioner else ()
        codes = list(dict.fromkeys([*nucc(role.specialty), *nucc(q.code for q in qualified)]))
        profession = next(filter(None, map(vocabulary().profession_of, codes)), None)
        if codes and not profession:
            return Skipped("another profession", key, as_of)
        if not role.active or (practitioner and not practitioner.active):
            return Gone(key, as_of, "the practitioner is no longer active there")
        if not practitioner:
            raise RecordError("practitioner", _missing(role.practitioner))
        if not location:
            raise RecordError("location", _missing(*role.location))
        if location.status != "active":
            return Gone(key, as_of, f"the location is {location.status}")
        clinic = _model(Organization, raw.organization)
        fields = _fields(role, practitioner, location, clinic) | {
            "profession": profession,
            "taxonomies": _taxonomies(practitioner, codes),
        }
        return Said(key, as_of, {name: value for name, value in fields.items() if value})

    def rejects(self, file: TextIO, first: Record) -> RejectsWriter:  # noqa: ARG002
        """Rejected roles as NDJSON with all that they refer to; a tag says why."""

        def write(record: Record, error: RecordError) -> None:
            for resource in _rejected(record, error):
                json.dump(resource, file)
                file.write("\n")

        return write


def _keys(role: Json) -> set[str]:
    """The keys of a role at its locations."""
    references = role.get("location")
    names = map(name_of, references if isinstance(references, list) else ())
    return {_key(role["id"], name) for name in names if name}


def _key(role_id: str, location: str) -> str:
    return f"{role_id}/{location.removeprefix('Location/')}"


@overload
def _model(model: type[_Model], said: str) -> _Model: ...
@overload
def _model(model: type[_Model], said: str | None) -> _Model | None: ...
def _model(model: type[_Model], said: str | None) -> _Model | None:
    """A resource as we read it; RecordError where it is not shaped as FHIR says."""
    if said is None:
        return None
    try:
        return model.model_validate_json(said)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (model.__name__, *first["loc"])))
        raise RecordError(where, first["msg"]) from error


def _as_of(resource: plan_net.Resource) -> date:
    try:
        return resource.as_of
    except ValueError as error:
        raise RecordError(f"{type(resource).__name__}.meta.lastUpdated", str(error)) from error


def _missing(*references: plan_net.Reference) -> str:
    named = next((each.reference for each in references if each.reference), None)
    return f"{named} is not in what was loaded" if named else "is missing"


def _fields(
    role: PractitionerRole,
    practitioner: Practitioner,
    location: Location,
    organization: Organization | None,
) -> dict[str, Any]:
    name, at = practitioner.current_name, location.address
    suffixes = [each for each in name.suffix if normalise.is_generation(each)]
    letters = [each for each in name.suffix if each not in suffixes]
    parts = {
        "given": " ".join(name.given[:1]),
        "middle": " ".join(name.given[1:]),
        "family": name.family,
        "suffix": " ".join(suffixes),
    }
    lines = " ".join(at.line[:1]), " ".join(at.line[1:2])
    position = location.position
    return {
        "name": normalise.named(parts),
        "npi": practitioner.npi,
        "letters": list(normalise.letters(",".join(letters))),
        "gender": practitioner.gender if practitioner.gender in _GENDERS else None,
        "languages": list(_languages(practitioner)),
        "clinic": normalise.clinic_name(organization.name) if organization else None,
        "address": normalise.address(*lines, at.city, at.state, at.postal_code),
        # FHIR does not tell how exact a position is; the street is the least that it should be.
        "location": position
        and {"lat": position.latitude, "lon": position.longitude, "precision": "street"},
        "phone": _telecom("phone", *role.telecom, *location.telecom),
        "website": _telecom("url", *role.telecom, *location.telecom),
        "accepting": _accepting(role),
    }


def _taxonomies(practitioner: Practitioner, codes: Sequence[str]) -> list[dict[str, Any]]:
    """The codes of role and practitioner, with the licences that the qualifications give."""
    licences: dict[str, dict[str, str]] = {}
    for qualification in practitioner.qualification:
        number = next((each.value for each in qualification.identifier if each.value), None)
        for code in nucc([qualification.code]):
            if number and qualification.state in STATE_NAMES:
                licences[code] = {
                    "licence_number": number,
                    "licence_state": str(qualification.state),
                }
    return [{"code": c, "primary": n == 0, **licences.get(c, {})} for n, c in enumerate(codes)]


def _languages(practitioner: Practitioner) -> Iterator[str]:
    for concept in practitioner.communication:
        for coding in concept.coding:
            code = (coding.code or "").split("-")[0].lower()
            if vocabulary().has(Kind.LANGUAGE, code):
                yield code


def _telecom(system: str, *several: Telecom) -> str | None:
    """The first number or address of a kind: the role's own comes before its location's."""
    return next((each.value for each in several if each.value and each.system == system), None)


def _accepting(role: PractitionerRole) -> str | None:
    for extension in role.extension:
        if extension.url == f"{plan_net.PLAN_NET}newpatients":
            return _ACCEPTING.get(extension.code("acceptingPatients") or "")
    return None


def _rejected(record: Record, error: RecordError) -> Iterator[Json]:
    """What is to be mended: the role, tagged with the reason, and all that it refers to."""
    raw: Role | Left | Broken = record.raw
    why = {
        "system": _REJECTED,
        "code": error.field,
        "display": f"row {record.row}: {error.reason}",
    }
    if isinstance(raw, Broken):
        yield {"not_fhir": raw.text, "meta": {"tag": [why]}}
        return
    role = json.loads(raw.role)
    meta = role.get("meta")
    yield {**role, "meta": {**(meta if isinstance(meta, dict) else {}), "tag": [why]}}
    if isinstance(raw, Role):
        others = filter(None, (raw.practitioner, raw.location, raw.organization))
        yield from map(json.loads, others)
