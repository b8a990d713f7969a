"""FHIR Plan-Net directories: NDJSON, Bundles or single resources, in files, folders and zips.

A PractitionerRole at a Location is a listing; a role at two locations is two. The Practitioner
gives the name and the licences, the Organization the clinic. References may point anywhere in what
is loaded together, so resources are laid down in a temporary file first and read from there.

The role code `dn` of Plan-Net means *dietary and nutritional*, and nothing of Plan-Net says who
does dry needling: these listings are not confirmed.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar, TextIO, TypeVar, overload

from pydantic import ValidationError

from directory.listing import Source
from directory.vocabulary import vocabulary
from indexer.sources import files, plan_net
from indexer.sources.bundles import Broken
from indexer.sources.fhir_fields import fields_of, taxonomies
from indexer.sources.fhir_rejects import RejectedRoles
from indexer.sources.files import Part, SourceError
from indexer.sources.plan_net import (
    Location,
    Organization,
    Practitioner,
    PractitionerRole,
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
from indexer.sources.resources import Left, Role, laid_down

_Model = TypeVar("_Model", bound=plan_net.Resource)


@dataclass(frozen=True)
class Network(Part):
    """All files of one load, called after what the operator named."""

    named: tuple[Path, ...] = ()
    files: tuple[Part, ...] = ()

    @property
    def name(self) -> str:
        """The file or folder that was named; of several the first, and how many more."""
        first, more = self.path.resolve().name, len(self.named) - 1
        return f"{first} and {more:,} more" if more else first

    @property
    def rejects_name(self) -> str:
        """The same; whatever it was read from, rejects are NDJSON."""
        first, more = Path(self.path.resolve().name.removesuffix(".gz")), len(self.named) - 1
        return f"{first.stem}-and-{more}-more.ndjson" if more else f"{first.stem}.ndjson"

    @property
    def place(self) -> str:
        """All that was named."""
        return "|".join(str(path.resolve()) for path in self.named)


class Fhir:
    """Reads Plan-Net directories; all files of one load belong together."""

    NAME: ClassVar[str] = "fhir"
    SOURCE: ClassVar[Source] = Source.FHIR

    def parts(self, paths: Sequence[Path]) -> list[Part]:
        """All files, those in folders and zips among them, as one part."""
        found: list[Part] = []
        for path in paths:
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if not file.is_dir():
                    found += files.parts(file)
        if not found:
            raise SourceError(f"no files in {', '.join(map(str, paths))}")
        size = sum(part.size for part in found)
        return [Network(paths[0], size=size, named=tuple(paths), files=tuple(found))]

    def read(self, part: Part, known: Collection[str]) -> Iterator[Record | Passed]:
        """Every role at each of its locations, with what it refers to; what is no resource.

        Also every role that was known at a location which it does not name any more. Nobody can
        tell whether files are all of a directory, so nothing is concluded from what is not in
        them: only a role that is there, and whose locations are all known, says where it is not.
        """
        before: dict[str, set[str]] = {}
        for key in known:
            before.setdefault(key.partition("/")[0], set()).add(key)
        with laid_down(part.files if isinstance(part, Network) else (part,)) as resources:
            yield from resources.lay_down()
            for role in resources.roles():
                for each in role.at:
                    yield Record(role.row, each, part.size)
                if role.locations is not None:
                    now = {_key(role.id, name) for name in role.locations}
                    for key in sorted(before.get(role.id, set()) - now):
                        yield Record(role.row, Left(role.at[0], key), part.size)

    def interpret(self, record: Record, today: date) -> Said | Gone | Skipped:  # noqa: ARG002
        """What a role at a location says."""
        raw: Role | Left | Broken = record.raw
        if isinstance(raw, Broken):
            raise RecordError("resource", raw.reason)
        if isinstance(raw, Left):
            role = _model(PractitionerRole, raw.role.role)
            as_of = _newest(role, _model(Practitioner, raw.role.practitioner))
            return Gone(raw.key, as_of, "its role is no longer at this location")
        role = _model(PractitionerRole, raw.role)
        practitioner = _model(Practitioner, raw.practitioner)
        location = _model(Location, raw.location)
        as_of = _newest(role, practitioner, location)
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
        fields = fields_of(role, practitioner, location, clinic) | {
            "profession": profession,
            "taxonomies": taxonomies(practitioner, codes),
        }
        return Said(key, as_of, {name: value for name, value in fields.items() if value})

    def rejects(self, file: TextIO, first: Record) -> RejectsWriter:  # noqa: ARG002
        """Rejected roles as NDJSON, each whole and once, with all that they refer to."""
        return RejectedRoles(file)


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


def _newest(*resources: plan_net.Resource | None) -> date:
    return max(_as_of(each) for each in resources if each)


def _as_of(resource: plan_net.Resource) -> date:
    try:
        return resource.as_of
    except ValueError as error:
        raise RecordError(f"{type(resource).__name__}.meta.lastUpdated", str(error)) from error


def _missing(*references: plan_net.Reference) -> str:
    named = next((each.reference for each in references if each.reference), None)
    return f"{named} is not in what was loaded" if named else "is missing"
