"""What the API answers, shape by shape: present.py makes these, openapi.py describes them.

The docstrings are the descriptions that readers of the API's document see.
"""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

Json = dict[str, Any]


# `x-shape` stands for a reference to what openapi.py makes: pydantic would look for it itself.
ResultShape = Annotated[Json, WithJsonSchema({"x-shape": "Result"})]
MaybeListing = Annotated[
    Json | None, WithJsonSchema({"anyOf": [{"x-shape": "Listing"}, {"type": "null"}]})
]


class PlaceShape(TypedDict):
    """A place, the middle of it (degrees), and what else its name may mean."""

    label: str
    kind: str
    state: str | None
    lat: float
    lon: float
    alternatives: list[str]


class Places(TypedDict):
    """The places that a text may mean, the likeliest first."""

    places: list[PlaceShape]


class FacetValueShape(TypedDict):
    """A value of a filter; the count ignores the filter's own selection."""

    value: str
    label: str
    count: int
    selected: bool


WidenedShape = TypedDict("WidenedShape", {"from": float, "to": float, "units": Literal["mi", "km"]})


class Distance(TypedDict):
    """How far, by the great circle; approximate where only the ZIP or city is known."""

    value: float
    units: Literal["mi", "km"]
    approximate: bool


class ScoreShape(TypedDict):
    """The parts of a result's score (docs/ranking.md)."""

    match: int
    confirmed: int
    fresh: int
    licence_checked: int
    total: int


class SearchAnswer(TypedDict):
    """What was understood, what was found, and what lies next to it."""

    query: Annotated[Json, Field(description="What was understood, with all that was filled in.")]
    place: PlaceShape | None
    total: int
    results: list[ResultShape]
    facets: dict[str, list[FacetValueShape]]
    widened: WidenedShape | None
    beyond: Annotated[
        list[ResultShape], Field(description="The nearest outside, where nothing was found.")
    ]
    without: Annotated[
        dict[str, int], Field(description="How many there were without each filter, then.")
    ]
    next: Annotated[str | None, Field(description="The cursor of the next page.")]


class Point(TypedDict):
    """Longitude and latitude, degrees."""

    type: Literal["Point"]
    coordinates: list[float]


class Feature(TypedDict):
    """One result."""

    type: Literal["Feature"]
    id: str
    geometry: Point
    properties: ResultShape


class FeatureCollection(TypedDict):
    """The results for maps (RFC 7946)."""

    type: Literal["FeatureCollection"]
    bbox: NotRequired[list[float]]
    features: list[Feature]
    total: int
    next: str | None


class ClusterShape(TypedDict):
    """How many lie in a tile (column, row), and their middle."""

    tile: list[int]
    lat: float
    lon: float
    count: int


class Clusters(TypedDict):
    """Counts by the tiles of a map at a zoom level, the fullest first."""

    zoom: int
    clusters: list[ClusterShape]


class Suggestion(TypedDict):
    """What a text may become."""

    text: str
    kind: str
    value: str


class Suggestions(TypedDict):
    """What a text may become, the likeliest first."""

    suggestions: list[Suggestion]


class Note(TypedDict):
    """What a credential does and does not mean, by which source, as of when."""

    about: str
    text: str
    basis: str
    source: str
    as_of: str
    detail: str | None


class TermShape(TypedDict):
    """A term of the vocabulary."""

    value: str
    label: str
    synonyms: list[str]
    nucc_prefix: str | None


class ChangeShape(TypedDict):
    """A listing at its latest state; without `listing` it is not to be found any more."""

    number: int
    id: str
    listing: MaybeListing


class Changes(TypedDict):
    """What has changed, in order; go on from `next`."""

    changes: list[ChangeShape]
    next: int


class Accepted(TypedDict):
    """A submission that waits."""

    reference: str
    state: str


class ErrorShape(TypedDict):
    """What is wrong with one parameter."""

    parameter: str
    detail: str


class ProblemShape(TypedDict):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[ErrorShape]
    suggestions: NotRequired[list[str]]
