"""What a listing is: the one shape that sources, store, engines, pages and API all speak.

A listing is one practitioner at one practice location. Every top-level field is a unit of
truth: it comes from one source at one date (`provenance`), and it is replaced as a whole.
What is not known stays unknown; it is never shown, filtered or counted as a yes.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)

from directory.fields import (
    STORED,
    Condition,
    Insurer,
    Language,
    Line,
    ListingId,
    Npi,
    Phone,
    Profession,
    Setting,
    State,
    Technique,
    Text,
    WebAddress,
    at_the_edge,
    unique,
)
from directory.hours import hours_of


class Answer(StrEnum):
    """An answer to a plain question. `unknown` means that nobody has said."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """Where a statement comes from, the most trusted first: what it says overrides the rest."""

    MODERATOR = "moderator"
    CLINIC = "clinic"
    FILE = "file"
    FHIR = "fhir"
    NPPES = "nppes"


class Precision(StrEnum):
    """How exactly a listing was located; below `street` its distances are approximate."""

    ROOFTOP = "rooftop"
    STREET = "street"
    POSTAL_CODE = "postal_code"
    CITY = "city"

    @property
    def approximate(self) -> bool:
        """Whether a distance to such a point must be marked approximate."""
        return self in (Precision.POSTAL_CODE, Precision.CITY)


FRESH_DAYS, LAPSE_DAYS = 90, 180
"""An attestation older than the first is marked, asked about, and ranked lower by `best`; older
than the second, its listing leaves the results."""


def fresh_since(today: date) -> date:
    """The first day on which an attestation still counts as fresh."""
    return today - timedelta(days=FRESH_DAYS)


class Value(BaseModel):
    """A part of a listing: immutable, and nothing in it that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Name(Value):
    """A person's name as the person writes it, accents and apostrophes included."""

    given: Line
    family: Line
    middle: Line | None = None
    suffix: Line | None = None

    def __str__(self) -> str:
        parts = (self.given, self.middle, self.family, self.suffix)
        return " ".join(part for part in parts if part)


class Taxonomy(Value):
    """One NUCC taxonomy of a registry record, self-selected, with the licence given for it."""

    code: Annotated[str, StringConstraints(pattern="^[0-9A-Z]{9}X$")]
    primary: bool = False
    licence_number: Line | None = None
    licence_state: State | None = None


class Address(Value):
    """A practice address, never a mailing address. The street may be withheld."""

    line1: Line | None = None
    line2: Line | None = None
    city: Line
    state: State
    postal_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{5}(-[0-9]{4})?$")]


class Location(Value):
    """Where the listing is found: degrees (WGS 84), how exactly they are known, and who said so.

    One that was not `given` was worked out from the address, and may be worked out better.
    """

    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    precision: Precision
    method: Literal["given", "gazetteer", "geocoder"] = "given"

    @property
    def point(self) -> tuple[float, float]:
        """Latitude and longitude, degrees."""
        return self.lat, self.lon


class Range(Value):
    """A least and a most, both included."""

    least: Annotated[int, Field(ge=0, le=100_000)]
    most: Annotated[int, Field(ge=0, le=100_000)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"the least ({self.least}) is more than the most ({self.most})")
        return self


class Hours(Value):
    """Open on a day of the week, from one time to another by the practice's own clock."""

    day: Literal["mo", "tu", "we", "th", "fr", "sa", "su"]
    opens: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    closes: Annotated[str, StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError(f"it closes ({self.closes}) before it opens ({self.opens})")
        return self


def _read_hours(value: object) -> object:
    return hours_of(value) if isinstance(value, str) else value


class Certificate(Value):
    """A course or board certificate as the practitioner reports it; issuers are no regulators."""

    title: Line
    issuer: Line | None = None
    hours: Annotated[int, Field(ge=1, le=2000)] | None = None
    year: Annotated[int, Field(ge=1950, le=2100)] | None = None
    dry_needling: bool = False
    verified_on: date | None = None


class LicenceCheck(Value):
    """A moderator's look at the licensing board's own page."""

    state: State
    checked_on: date
    expires_on: date


class Attestation(Value):
    """A clinic's statement that its listing is still true."""

    on: date
    by: Line
    method: Literal["form", "link", "telephone", "file"]

    def is_fresh(self, today: date) -> bool:
        """Whether it goes unmarked and counts for `best`."""
        return self.on >= fresh_since(today)

    def has_lapsed(self, today: date) -> bool:
        """Whether it is too old for its listing to be found."""
        return self.on < today - timedelta(days=LAPSE_DAYS)


class Provenance(Value):
    """Which source said it, and the date it stood so."""

    source: Source
    as_of: date


class Facts(Value):
    """What a source may say of a listing; every field is a unit with its own provenance.

    Times are minutes, prices whole US dollars. Who accepts no new patients may say from which day
    on that is another thing (`accepting_from`); once it has come, `accepting` counts as yes.
    """

    name: Name
    npi: Npi | None = None
    letters: Annotated[tuple[Line, ...], Field(max_length=20)] = ()
    profession: Profession
    taxonomies: Annotated[tuple[Taxonomy, ...], Field(max_length=15)] = ()
    gender: Literal["female", "male", "nonbinary"] | None = None
    languages: Annotated[tuple[Language, ...], at_the_edge(unique)] = ()
    clinic: Line | None = None
    address: Address
    area_only: StrictBool = False
    location: Location
    phone: Phone | None = None
    website: WebAddress | None = None
    booking_url: WebAddress | None = None
    setting: Setting | None = None
    private_room: Answer = Answer.UNKNOWN
    wheelchair_access: Answer = Answer.UNKNOWN
    home_visits: Answer = Answer.UNKNOWN
    telehealth: Answer = Answer.UNKNOWN
    hours: Annotated[tuple[Hours, ...], Field(max_length=28), BeforeValidator(_read_hours)] = ()
    dry_needling: Answer = Answer.UNKNOWN
    techniques: Annotated[tuple[Technique, ...], at_the_edge(unique)] = ()
    conditions: Annotated[tuple[Condition, ...], at_the_edge(unique)] = ()
    single_use_needles: Answer = Answer.UNKNOWN
    certificates: Annotated[tuple[Certificate, ...], Field(max_length=50)] = ()
    licence_check: LicenceCheck | None = None
    insurance_accepted: Annotated[tuple[Insurer, ...], at_the_edge(unique)] = ()
    insurance_refused: Annotated[tuple[Insurer, ...], at_the_edge(unique)] = ()
    cash_pay: Answer = Answer.UNKNOWN
    first_visit_price: Range | None = None
    follow_up_price: Range | None = None
    visit_minutes: Range | None = None
    typical_visits: Range | None = None
    superbill: Answer = Answer.UNKNOWN
    accepting: Answer = Answer.UNKNOWN
    accepting_from: date | None = None
    about: Text | None = None
    attestation: Attestation | None = None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if both := set(self.insurance_accepted) & set(self.insurance_refused):
            raise ValueError(f"insurance both accepted and refused: {', '.join(sorted(both))}")
        if self.accepting_from and self.accepting is not Answer.NO:
            raise ValueError("accepting_from needs accepting to be no until then")
        if self.area_only and not self.location.precision.approximate:
            raise ValueError("area_only needs a location of precision postal_code or city")
        return self


UNITS = (
    ("address", "location", "area_only"),
    ("insurance_accepted", "insurance_refused"),
    ("accepting", "accepting_from"),
)
"""Fields that only make sense together: who states one of them replaces the others too."""


class Listing(Facts):
    """One practitioner at one practice location, with where each of its facts comes from."""

    id: ListingId
    provenance: dict[str, Provenance]

    @property
    def confirmed(self) -> bool:
        """Whether somebody who may know has said that dry needling is offered here."""
        return self.dry_needling is Answer.YES

    @property
    def evidence(self) -> Literal["verified", "stated", "unknown"]:
        """How sure it is that dry needling is offered: a checked certificate, a word, nothing."""
        if not self.confirmed:
            return "unknown"
        checked = any(c.dry_needling and c.verified_on for c in self.certificates)
        return "verified" if checked else "stated"

    @property
    def vouched_by(self) -> Provenance:
        """Who says whether dry needling is offered here, and since when.

        Where nobody has, it is who says that the practitioner is there: a registry tells who is
        licensed, not who does dry needling.
        """
        return self.provenance.get("dry_needling") or self.provenance["profession"]

    def is_stale(self, today: date) -> bool:
        """Whether nobody has confirmed it lately, or ever."""
        return not (self.attestation and self.attestation.is_fresh(today))

    @property
    def title(self) -> str:
        """The name with the letters after it: `Ana Núñez, PT, DPT`."""
        return ", ".join((str(self.name), *self.letters))


@dataclass(frozen=True)
class Change:
    """One entry of the changefeed: a listing's latest change, put (its document) or delete (None).

    `number` rises with every change of the directory; a listing's higher number is the newer one.
    `updated_at` is when it was made (UTC).
    `document` is the listing as anybody may see it, as JSON: it was validated when it was stored,
    and an index takes it as it is.
    """

    number: int
    id: str
    document: bytes | None
    updated_at: datetime

    @classmethod
    def of(cls, number: int, listing: Listing, updated_at: datetime) -> "Change":
        """The change that puts a listing."""
        seen = published(listing).model_dump_json(exclude_defaults=True).encode()
        return cls(number, listing.id, seen, updated_at)

    @property
    def listing(self) -> Listing | None:
        """The listing that is put."""
        if self.document is None:
            return None
        return Listing.model_validate_json(self.document, context=STORED)


def published(listing: Listing) -> Listing:
    """The listing as anybody may see it: only the area where a practice hides its address.

    Its location is the middle of its ZIP or city already (a rule of `Facts` and of
    places.located), so no distance tells more than that.
    """
    if not listing.area_only:
        return listing
    area = {"line1": None, "line2": None, "postal_code": listing.address.postal_code[:5]}
    address = listing.address.model_copy(update=area)
    return listing.model_copy(update={"address": address})
