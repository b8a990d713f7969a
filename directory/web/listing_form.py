"""The form in which a clinic describes its listing: its parts, step by step, in plain words.

Each part is a field of a listing (`Facts`), read here and checked as everything that comes in is.
What is wrong is said at the field, in the reader's language, with how it is to be written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from directory.language import gettext, marked
from directory.listing import Facts, Listing, published
from directory.places import FARTHEST_M, Places
from directory.search.query import ParameterError
from directory.store.statement import Fields
from directory.vocabulary import Kind
from directory.web.cards import Card, card_of
from directory.web.names import FIELD_KINDS, FIELD_NAMES
from directory.web.rendering import address_key

Sent = Mapping[str, Sequence[str]]
"""What a form sends: each input's values."""

CERTIFICATES = 3


@dataclass(frozen=True)
class Part:
    """One field of a listing in the form: how it is asked, and how it is to be written."""

    name: str
    widget: str
    help: str = ""
    wrong: str = marked("This cannot be read; please write it differently.")

    @property
    def label(self) -> str:
        """What it is called."""
        return FIELD_NAMES[self.name]

    @property
    def kind(self) -> Kind | None:
        """The vocabulary that its values are from."""
        return FIELD_KINDS.get(self.name)


_LINK = marked("Write the whole address, with https:// before it.")
_PRICE = marked("Write whole dollars; the first number is the lower one.")
_MINUTES = marked("Write whole numbers; the first one is the lower one.")

STEPS: Mapping[str, tuple[Part, ...]] = {
    "who": (
        Part("name", "name", wrong=marked("Give a first and a last name.")),
        Part("letters", "letters", marked("What stands behind the name: PT, DPT, DC, MD")),
        Part("profession", "term", wrong=marked("Choose a profession.")),
        Part(
            "npi", "line", marked("Ten digits. With it we fill in what the registry knows."),
            marked("An NPI has ten digits, and its last one is a check digit. One is wrong."),
        ),
    ),
    "where": (
        Part("clinic", "line"),
        Part(
            "address", "address",
            wrong=marked("Give a city, its state, and a ZIP code that is in that state."),
        ),
        Part(
            "location", "pin", marked("Press on the map, or move the pin to your door."),
            marked("This lies far from the ZIP code and the city, or is no place at all."),
        ),
        Part(
            "area_only", "yes",
            marked("Show the city and the ZIP code only, for example if you practice at home"),
        ),
        Part("phone", "line", wrong=marked("Write a telephone number with its area code.")),
        Part("website", "line", wrong=_LINK),
        Part("booking_url", "line", wrong=_LINK),
        Part("setting", "term"),
        Part(
            "hours", "hours", marked("Like this: Mo-Fr 08:00-17:00; Sa 09:00-12:00"),
            marked("Write hours like Mo-Fr 08:00-17:00; Sa 09:00-12:00."),
        ),
        Part("languages", "terms"),
        Part("wheelchair_access", "answer"),
        Part("home_visits", "answer"),
        Part("telehealth", "answer"),
    ),
    "what": (
        Part("dry_needling", "answer", marked("Does this practitioner do dry needling here?")),
        Part("techniques", "terms"),
        Part("conditions", "terms"),
        Part("single_use_needles", "answer"),
        Part("private_room", "answer"),
        Part(
            "about", "text", marked("A few sentences for patients, plain text"),
            marked("Write at most 2,000 letters of plain text."),
        ),
    ),
    "cost": (
        Part("accepting", "answer"),
        Part(
            "accepting_from", "date",
            marked("If you take no new patients now: from this day on we say that you do"),
            marked("Give a day, and say that you take no new patients until then."),
        ),
        Part("first_visit_price", "range", marked("In cash, US dollars: from, to"), _PRICE),
        Part("follow_up_price", "range", marked("In cash, US dollars: from, to"), _PRICE),
        Part("cash_pay", "answer"),
        Part("superbill", "answer", marked("A bill that patients can send to their insurer")),
        Part(
            "insurance_accepted", "terms",
            wrong=marked("One insurer cannot be both accepted and not accepted."),
        ),
        Part("insurance_refused", "terms"),
        Part("visit_minutes", "range", marked("Minutes: from, to"), _MINUTES),
        Part("typical_visits", "range", marked("How many: from, to"), _MINUTES),
    ),
    "credentials": (
        Part(
            "certificates", "certificates",
            marked("Courses and board certificates; we say that nobody has checked them yet."),
            marked("Give each certificate a title; hours and years are whole numbers."),
        ),
    ),
}  # fmt: skip

PARTS = {part.name: part for parts in STEPS.values() for part in parts}

OF_A_PERSON = ("name", "letters", "profession", "npi", "languages", "gender", "taxonomies",
               "certificates", "techniques", "conditions")  # fmt: skip
OF_A_PLACE = ("clinic", "address", "location", "area_only", "phone", "website", "booking_url",
              "setting", "hours", "wheelchair_access", "private_room", "insurance_accepted",
              "insurance_refused", "cash_pay", "superbill")  # fmt: skip
"""What another place of a practitioner, and a colleague at a place, have in common with one."""

_EMPTY: Fields = {
    "letters": [], "languages": [], "techniques": [], "conditions": [], "certificates": [],
    "hours": [], "insurance_accepted": [], "insurance_refused": [], "area_only": False,
    **dict.fromkeys((p.name for p in PARTS.values() if p.widget == "answer"), "unknown"),
}  # fmt: skip
"""What a field that says nothing is; the others are None."""


def said(sent: Sent, parts: Sequence[Part]) -> tuple[Fields, tuple[ParameterError, ...]]:
    """The fields that a form says, those left empty at their default; and what is wrong."""
    fields: Fields = {}
    errors = []
    for part in parts:
        raw = _raw(sent, part)
        if raw is None:
            fields[part.name] = _EMPTY.get(part.name)
            continue
        try:
            checked = _check(part.name).validate_python(raw)
            fields[part.name] = _check(part.name).dump_python(checked, mode="json")
        except ValidationError:
            errors.append(ParameterError(part.name, _wrong(part)))
    both = set(fields.get("insurance_accepted") or ()) & set(fields.get("insurance_refused") or ())
    if both:
        part = PARTS["insurance_accepted"]
        errors.append(ParameterError(part.name, _wrong(part)))
    if fields.get("accepting_from") and fields.get("accepting") != "no":
        errors.append(ParameterError("accepting_from", _wrong(PARTS["accepting_from"])))
    return fields, tuple(errors)


def located(fields: Fields, places: Places) -> tuple[Fields, tuple[ParameterError, ...]]:
    """The fields with where the address lies: by the pin, else by its ZIP or city; or an error."""
    address, pin = fields.get("address"), fields.get("location")
    plain = {name: value for name, value in fields.items() if name != "location"}
    found = dict(places.located(plain))
    if not address or "location" not in found:
        return fields, (ParameterError("address", _wrong(PARTS["address"])),)
    if not pin or fields.get("area_only"):
        return found, ()
    farness = places.farness(address, (pin["lat"], pin["lon"]))
    if farness is None or farness > FARTHEST_M:
        return fields, (ParameterError("location", _wrong(PARTS["location"])),)
    return found | {"location": pin}, ()


def whole(fields: Fields, places: Places) -> tuple[Facts | None, tuple[ParameterError, ...]]:
    """Facts that make a listing, located; or what is missing and wrong, by field."""
    stated = {name: value for name, value in fields.items() if value not in (None, [], "unknown")}
    missing = [
        ParameterError(name, _wrong(PARTS[name]))
        for name in ("name", "profession", "address")
        if not stated.get(name)
    ]
    if missing:
        return None, tuple(missing)
    here, errors = located(stated, places)
    if errors:
        return None, errors
    try:
        return Facts.model_validate(here), ()
    except ValidationError as error:
        names = dict.fromkeys(str(each["loc"][0]) if each["loc"] else "" for each in error.errors())
        return None, tuple(
            ParameterError(name, _wrong(PARTS[name]) if name in PARTS else str(error))
            for name in names
        )


def preview(facts: Facts | None) -> Card | None:
    """The listing that these facts will make, as anybody may see it, as a card."""
    if not facts:
        return None
    said_ = facts.model_dump(mode="json", exclude_unset=True)
    listing = Listing.model_validate({**said_, "id": "preview", "provenance": {}})
    return card_of(published(listing))


def step_of(name: str) -> str:
    """The step that a field is in."""
    return next(step for step, parts in STEPS.items() if any(p.name == name for p in parts))


def _wrong(part: Part) -> str:
    return f"{gettext(part.label)}: {gettext(part.wrong)}"


@cache
def _check(name: str) -> TypeAdapter[Any]:
    """What a field of a listing is checked by, alone."""
    field = Facts.model_fields[name]
    return TypeAdapter(Annotated[field.annotation, name, *field.metadata])  # type: ignore[arg-type]


def _raw(sent: Sent, part: Part) -> Any:  # noqa: ANN401  # whatever the field is
    """What a form says of a part, not yet checked; None where it says nothing."""
    name = part.name
    value = _one(sent, name)
    match part.widget:
        case "name" | "address":
            return _some({p: _one(sent, f"{name}.{p}") for p in _OF[part.widget]})
        case "letters":
            return [each.strip() for each in value.split(",") if each.strip()] or None
        case "terms":
            return list(sent.get(name, ())) or None
        case "range":
            least, most = (_one(sent, f"{name}.{end}") for end in ("least", "most"))
            return {"least": least or most, "most": most or least} if least or most else None
        case "yes":
            return True if value else None
        case "pin":
            return _pin(sent)
        case "certificates":
            return list(_certificates(sent)) or None
    return value.replace("\r\n", "\n") or None


def _pin(sent: Sent) -> Fields | None:
    """The point that was set by hand, unless the address has become another since."""
    said = _some({each: _one(sent, f"location.{each}") for each in ("lat", "lon", "precision")})
    if not said or not said.keys() & {"lat", "lon"}:
        return None
    if _one(sent, "location.of") not in ("", address_key(_raw(sent, PARTS["address"]))):
        return None
    return {"precision": "rooftop", **said, "method": "given"}


_OF = {
    "name": ("given", "middle", "family", "suffix"),
    "address": ("line1", "line2", "city", "state", "postal_code"),
}


def _one(sent: Sent, name: str) -> str:
    return next(iter(sent.get(name, ())), "").strip()


def _certificates(sent: Sent) -> Iterator[Fields]:
    for number in range(CERTIFICATES):
        inputs = ("title", "issuer", "hours", "year")
        row = _some({each: _one(sent, f"certificates.{number}.{each}") for each in inputs})
        is_of_needling = bool(sent.get(f"certificates.{number}.dry_needling"))
        if row:
            yield {**row, "dry_needling": is_of_needling}


def _some(parts: Mapping[str, str]) -> Fields | None:
    return {name: value for name, value in parts.items() if value} or None
