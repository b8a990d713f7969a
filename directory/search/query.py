"""What may be asked: declared once, for the parser, the form, the API document and the docs.

`SearchQuery` is the declaration. `parse` reads it from the parameters of a request, at the edge,
and whatever is wrong comes back as one error a parameter, in words for the person who typed it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from directory.language import gettext
from directory.listing import Answer
from directory.places.place import coordinates
from directory.search.distance import METRES_PER
from directory.search.engine import Sort
from directory.vocabulary import Kind, vocabulary
from directory.vocabulary.words import words

RADIUS_MI = (0.1, 500.0)
MAX_PAGE = 50

_ALIASES = {"true": "yes", "1": "yes", "on": "yes", "false": "no", "0": "no"}


@dataclass(frozen=True)
class ParameterError:
    """What is wrong with one parameter, and what to do. `unknown`: there is no such parameter."""

    parameter: str
    message: str
    unknown: bool = False


class InvalidQuery(Exception):
    """A query that cannot be asked; nothing was searched."""

    def __init__(self, errors: Sequence[ParameterError]) -> None:
        super().__init__(" ".join(error.message for error in errors))
        self.errors = tuple(errors)


def _plain(value: str) -> str:
    if any(not c.isprintable() for c in value):
        raise ValueError(gettext("has characters that cannot be printed"))
    return value


def _place(value: str) -> str:
    coordinates(value)
    return value


def _has_words(value: str) -> str:
    if not words(value):
        raise ValueError(gettext("has no words to search for"))
    return value


def _known(kind: Kind, *also: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in also and not vocabulary().has(kind, value):
            raise ValueError(
                gettext(
                    "“%(value)s” is no %(kind)s that we know; see /api/v1/vocabulary",
                    value=value,
                    kind=kind,
                )
            )
        return value

    return AfterValidator(check)


def _answer(value: object) -> object:
    return _ALIASES.get(value.lower(), value.lower()) if isinstance(value, str) else value


def _unique(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))


YesNoUnknown = Annotated[Answer, BeforeValidator(_answer)]
YesNo = Annotated[Literal["yes", "no"], BeforeValidator(_answer)]
GenderOrUnknown = Literal["female", "male", "nonbinary", "unknown"]
Evidence = Literal["verified", "stated", "unknown"]
Typed = Annotated[str, Field(max_length=200), AfterValidator(_plain)]
AnyOf = AfterValidator(_unique)


class SearchQuery(BaseModel):
    """One search, as it was asked. Tuples are repeatable parameters: any of their values do."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    near: Annotated[Typed, AfterValidator(_place)] | None = Field(
        None, description="Where: a ZIP, “City, ST”, a city, a state, an address, or “lat,lon”."
    )
    radius: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        None,
        description="How far, in units: the equivalent of 0.1 to 500 miles. Left out, the search "
        "starts at 25 miles and widens to 50 and 100 until five are found.",
    )
    units: Literal["mi", "km"] = Field("mi", description="Miles or kilometres.")
    q: Annotated[Typed, AfterValidator(_has_words)] | None = Field(
        None, description="What, in your own words: a profession, a problem, a name, a clinic."
    )
    profession: Annotated[tuple[Annotated[str, _known(Kind.PROFESSION)], ...], AnyOf] = Field(
        (), description="The practitioner's profession."
    )
    technique: Annotated[tuple[Annotated[str, _known(Kind.TECHNIQUE)], ...], AnyOf] = Field(
        (), description="A needling technique that is offered."
    )
    condition: Annotated[tuple[Annotated[str, _known(Kind.CONDITION)], ...], AnyOf] = Field(
        (), description="A problem that the practice says it treats."
    )
    insurance: Annotated[tuple[Annotated[str, _known(Kind.INSURANCE, "unknown")], ...], AnyOf] = (
        Field((), description="An insurer that the practice says it accepts; unknown: not said.")
    )
    setting: Annotated[tuple[Annotated[str, _known(Kind.SETTING)], ...], AnyOf] = Field(
        (), description="The kind of place."
    )
    language: Annotated[tuple[Annotated[str, _known(Kind.LANGUAGE)], ...], AnyOf] = Field(
        (), description="A language that is spoken."
    )
    cash_pay: Annotated[tuple[YesNoUnknown, ...], AnyOf] = Field(
        (), description="Whether patients can pay in cash. Unknown is never counted as yes."
    )
    max_price: Annotated[int, Field(ge=0, le=100_000)] | None = Field(
        None, description="The most that a first visit may cost, US dollars."
    )
    accepting: Annotated[tuple[YesNoUnknown, ...], AnyOf] = Field(
        (), description="Whether new patients are taken. Unknown is never counted as yes."
    )
    wheelchair_access: Annotated[tuple[YesNoUnknown, ...], AnyOf] = Field(
        (), description="Whether the practice can be reached in a wheelchair."
    )
    home_visits: Annotated[tuple[YesNoUnknown, ...], AnyOf] = Field(
        (), description="Whether the practitioner visits patients at home."
    )
    telehealth: Annotated[tuple[YesNoUnknown, ...], AnyOf] = Field(
        (), description="Whether there are video visits, for what needs no needle."
    )
    gender: Annotated[tuple[GenderOrUnknown, ...], AnyOf] = Field(
        (), description="The practitioner's gender."
    )
    evidence: Annotated[tuple[Evidence, ...], AnyOf] = Field(
        (),
        description="How sure it is that dry needling is offered: verified (a certificate was "
        "seen), stated (somebody says so), unknown.",
    )
    confirmed: Annotated[tuple[YesNo, ...], AnyOf] = Field(
        (), description="Whether dry needling is confirmed to be offered; no: nobody has said."
    )
    licence_checked: Annotated[tuple[YesNo, ...], AnyOf] = Field(
        (), description="Whether a moderator has looked the licence up at the board."
    )
    sort: Sort | None = Field(
        None,
        description="distance (default with near), best (default with q), or price.",
    )
    limit: Annotated[int, Field(ge=1, le=100)] = Field(20, description="Results a page.")
    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        None, description="Where the last page ended: its “next”. Belongs to one query."
    )
    page: Annotated[int, Field(ge=1, le=MAX_PAGE)] = Field(1, description="The page's number.")
    explain: bool = Field(False, description="Show the parts of each result's score.")

    @model_validator(mode="after")
    def _radius_in_bounds(self) -> Self:
        if self.radius is not None:
            least, most = (bound * METRES_PER["mi"] / METRES_PER[self.units] for bound in RADIUS_MI)
            # The bounds themselves are in, however their conversion rounds.
            if not least * (1 - 1e-9) <= self.radius <= most * (1 + 1e-9):
                raise ValueError(
                    gettext(
                        "radius must be between %(least).4g and %(most).4g %(units)s; "
                        "you asked for %(radius)g",
                        least=least,
                        most=most,
                        units=self.units,
                        radius=self.radius,
                    )
                )
        return self

    @property
    def radius_m(self) -> float | None:
        """The chosen radius in metres."""
        return None if self.radius is None else self.radius * METRES_PER[self.units]

    @property
    def selected(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The facets with a selection, and what is selected."""
        return tuple((name, values) for name in FACET_PARAMETERS if (values := getattr(self, name)))


FACET_PARAMETERS = tuple(
    name
    for name, field in SearchQuery.model_fields.items()
    if get_origin(field.annotation) is tuple
)
"""The repeatable parameters; each is a facet of the same name."""


def parse(parameters: Mapping[str, Sequence[str]], *, without: frozenset[str]) -> SearchQuery:
    """The query that these parameters ask; `without` names those that this surface lacks.

    Raises InvalidQuery with an error for each parameter that is unknown, given twice or not right.
    """
    known = SearchQuery.model_fields.keys() - without
    errors = [
        ParameterError(name, gettext("There is no parameter “%(name)s”.", name=name), unknown=True)
        for name in parameters
        if name not in known
    ]
    fields: dict[str, Any] = {}
    for name in (name for name in parameters if name in known):
        values = list(parameters[name])
        if any(not value.strip() for value in values):
            said = gettext("%(name)s is empty; leave it out instead.", name=name)
            errors.append(ParameterError(name, said))
        elif name in FACET_PARAMETERS:
            fields[name] = values
        elif len(values) > 1:
            said = gettext("%(name)s is given more than once.", name=name)
            errors.append(ParameterError(name, said))
        else:
            fields[name] = values[0]
    try:
        query = SearchQuery.model_validate(fields)
    except ValidationError as error:
        errors += [_described(details) for details in error.errors()]
    if errors:
        raise InvalidQuery(errors)
    return query


def _described(details: ErrorDetails) -> ParameterError:
    if not details["loc"]:
        return ParameterError("radius", f"{_sentence(details)}.")
    name = str(details["loc"][0])
    return ParameterError(name, f"{name}: {_sentence(details)}.")


def _sentence(details: ErrorDetails) -> str:
    """What is wrong, in the language that is spoken; pydantic's own words are English."""
    known = details.get("ctx", {})
    match details["type"]:
        case "greater_than_equal":
            return gettext("must be at least %(least)s", least=known["ge"])
        case "less_than_equal":
            return gettext("must be at most %(most)s", most=known["le"])
        case "string_too_long":
            return gettext("must have at most %(most)s characters", most=known["max_length"])
        case "enum" | "literal_error":
            values = ", ".join(re.findall("'([^']*)'", known["expected"]))
            return gettext("must be one of %(values)s", values=values)
        case "int_parsing" | "int_from_float":
            return gettext("must be a whole number")
        case "float_parsing" | "finite_number":
            return gettext("must be a number")
        case "bool_parsing":
            return gettext("must be yes or no")
    return details["msg"].removeprefix("Value error, ").rstrip(".")
