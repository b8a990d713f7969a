"""The parts of Plan-Net's resources that make a listing; what else they have is passed over.

Profiles: Da Vinci PDEX Plan-Net 1.1.0 (2022-04-04).
"""

from collections.abc import Iterable, Iterator
from datetime import date

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from directory.fhir.terms import NPI_SYSTEM, NUCC_SYSTEM


class _Element(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class Coding(_Element):
    """A code of a system."""

    system: str | None = None
    code: str | None = None


class Concept(_Element):
    """Codes for one thing."""

    coding: tuple[Coding, ...] = ()


class Reference(_Element):
    """Where another resource is."""

    reference: str | None = None

    @property
    def name(self) -> str:
        """`Location/1`, whether the reference is absolute or not, whatever its version."""
        return "/".join(unversioned(self.reference or "").rsplit("/", 2)[-2:])


class Extension(_Element):
    """An extension, with those inside it."""

    url: str
    extension: tuple["Extension", ...] = ()
    value_codeable_concept: Concept | None = None

    def code(self, url: str) -> str | None:
        """The code of the extension inside this one that has this name."""
        for inside in self.extension:
            if inside.url == url and inside.value_codeable_concept:
                return next((coding.code for coding in inside.value_codeable_concept.coding), None)
        return None


class Identifier(_Element):
    """A number that somebody gives out."""

    system: str | None = None
    value: str | None = None


class Telecom(_Element):
    """A telephone number or an address on the web."""

    system: str | None = None
    value: str | None = None


class HumanName(_Element):
    """A name."""

    use: str | None = None
    family: str = ""
    given: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()


class Qualification(_Element):
    """A taxonomy with its licence."""

    identifier: tuple[Identifier, ...] = ()
    code: Concept = Concept()
    extension: tuple[Extension, ...] = ()

    @property
    def state(self) -> str | None:
        """Where it is valid."""
        return next(filter(None, (each.code("whereValid") for each in self.extension)), None)


class PostalAddress(_Element):
    """An address."""

    line: tuple[str, ...] = ()
    city: str = ""
    state: str = ""
    postal_code: str = ""


class Position(_Element):
    """A point, degrees."""

    latitude: float
    longitude: float


class Meta(_Element):
    """When a resource was last updated."""

    last_updated: str | None = None


class Resource(_Element):
    """What all resources have."""

    id: str
    meta: Meta = Meta()

    @property
    def as_of(self) -> date:
        """The day on which it was last updated; ValueError where that is no date."""
        stamp = self.meta.last_updated
        return date.fromisoformat(stamp[:10]) if stamp else date.min


class Practitioner(Resource):
    """A person."""

    active: bool = True
    identifier: tuple[Identifier, ...] = ()
    name: tuple[HumanName, ...] = ()
    gender: str | None = None
    qualification: tuple[Qualification, ...] = ()
    communication: tuple[Concept, ...] = ()

    @property
    def npi(self) -> str | None:
        """The person's NPI."""
        return next(
            (each.value for each in self.identifier if each.value and each.system == NPI_SYSTEM),
            None,
        )

    @property
    def current_name(self) -> HumanName:
        """The official name, else the first that is not an old one."""
        names = [each for each in self.name if each.use != "old"]
        return next((n for n in names if n.use == "official"), names[0] if names else HumanName())


class Location(Resource):
    """A place."""

    status: str = "active"
    telecom: tuple[Telecom, ...] = ()
    address: PostalAddress = PostalAddress()
    position: Position | None = None


class Organization(Resource):
    """A clinic."""

    name: str = ""


class PractitionerRole(Resource):
    """What a person does, and where."""

    active: bool = True
    practitioner: Reference = Reference()
    organization: Reference = Reference()
    location: tuple[Reference, ...] = ()
    specialty: tuple[Concept, ...] = ()
    telecom: tuple[Telecom, ...] = ()
    extension: tuple[Extension, ...] = Field(default=())


def unversioned(url: str) -> str:
    """A URL without the version of the resource that it names."""
    return url.split("/_history")[0]


def nucc(concepts: Iterable[Concept]) -> Iterator[str]:
    """The NUCC codes among some concepts."""
    for concept in concepts:
        for coding in concept.coding:
            if coding.system == NUCC_SYSTEM and coding.code:
                yield coding.code
