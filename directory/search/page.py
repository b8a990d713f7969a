"""The one answer to a search; HTML, JSON, GeoJSON, embed and FHIR are views of it."""

from dataclasses import dataclass

from directory.listing import Listing
from directory.places.place import Place
from directory.search.engine import Hit, Sort
from directory.search.entry import Score
from directory.search.query import SearchQuery
from directory.vocabulary import Clause


@dataclass(frozen=True)
class Result:
    """One listing found, with its distance in metres (None without a centre)."""

    hit: Hit
    distance_m: float | None
    score: Score | None = None

    @property
    def listing(self) -> Listing:
        """The listing that was found."""
        return self.hit.listing


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of a facet, how many listings have it, and whether it is selected."""

    value: str
    label: str
    count: int
    selected: bool


@dataclass(frozen=True)
class Facet:
    """A facet's values; the counts ignore its own selection and respect all others."""

    name: str
    values: tuple[FacetValue, ...]

    @property
    def chosen(self) -> tuple[FacetValue, ...]:
        """Those that are selected."""
        return tuple(value for value in self.values if value.selected)

    @property
    def shown(self) -> tuple[FacetValue, ...]:
        """Those that somebody has, and those that are selected."""
        return tuple(value for value in self.values if value.count or value.selected)


@dataclass(frozen=True)
class Widened:
    """The search began at one radius and went on to another, as too few were found (metres)."""

    from_m: float
    to_m: float


@dataclass(frozen=True)
class Without:
    """How many would be found if one filter were dropped."""

    filter: str
    count: int


@dataclass(frozen=True)
class SearchPage:
    """What was understood, what was found, and what lies next to it.

    `radius_m` is the radius searched (metres, None for a state or everywhere). `beyond` and
    `without` are filled where nothing was found. `only_confirmed` says that the search was held
    to confirmed listings without having been asked to.
    """

    query: SearchQuery
    place: Place | None
    radius_m: float | None
    sort: Sort
    clauses: tuple[Clause, ...]
    total: int
    results: tuple[Result, ...]
    facets: tuple[Facet, ...]
    widened: Widened | None
    beyond: tuple[Result, ...]
    without: tuple[Without, ...]
    next: str | None
    only_confirmed: bool = False

    def count(self, facet: str, value: str) -> int:
        """The count of one value of one facet."""
        (values,) = (each.values for each in self.facets if each.name == facet)
        return next(each.count for each in values if each.value == value)
