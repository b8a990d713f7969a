"""The pages for people: rendered here, whole without JavaScript."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request, url_for

from directory.credentials import notes
from directory.listing import Attestation, Range, Source
from directory.places.place import PlaceNotFound
from directory.search.distance import METRES_PER
from directory.search.find import find
from directory.search.query import MAX_PAGE, InvalidQuery, SearchQuery, parse
from directory.vocabulary import Kind, vocabulary
from directory.web.context import listing_or_abort, services
from directory.web.responses import problem

blueprint = Blueprint("pages", __name__)

_NOT_OF_THE_PAGE = frozenset({"cursor", "explain"})
_PARAMETERS = SearchQuery.model_fields.keys() - _NOT_OF_THE_PAGE
RADII = (5, 10, 25, 50, 100)

FACET_NAMES = {
    "confirmed": "Dry needling confirmed",
    "profession": "Profession",
    "condition": "Problem",
    "technique": "Technique",
    "insurance": "Insurance",
    "cash_pay": "Cash pay",
    "accepting": "New patients",
    "licence_checked": "License checked",
    "language": "Language",
    "setting": "Kind of place",
    "q": "Your words",
    "max_price": "The price limit",
}
SOURCE_NAMES = {
    Source.MODERATOR: "a moderator of this directory",
    Source.CLINIC: "the practice",
    Source.FILE: "a list given to this directory",
    Source.FHIR: "another directory",
    Source.NPPES: "the national registry (NPPES)",
}

Parameters = Mapping[str, Sequence[str]]


@blueprint.get("/")
def home() -> str:
    """The search box."""
    return render_template("home.html", asked={})


@blueprint.get("/search")
def search() -> Response:
    """Results, or what is wrong with the search, at the fields that it concerns."""
    asked = _asked()
    if not asked.get("near") and not asked.get("q"):
        return _private(make_response(render_template("home.html", asked=asked)))
    try:
        query = parse(asked, without=_NOT_OF_THE_PAGE)
        page = find(query, services().finder, prefer_confirmed=True)
    except (InvalidQuery, PlaceNotFound) as error:
        found = problem(error)
        shown = render_template("home.html", asked=asked, problem=found)
        return _private(make_response(shown, found.status))
    pages = min(MAX_PAGE, -(-page.total // query.limit))
    shown = render_template(
        "search.html", page=page, asked=asked, pages=pages, radii=RADII, names=FACET_NAMES
    )
    return _private(make_response(shown))


@blueprint.get("/listings/<id_>")
def listing(id_: str) -> str:
    """One listing: what it offers, costs and accepts, and what its credentials mean."""
    found, shown = listing_or_abort(id_)
    return render_template(
        "listing.html",
        listing=shown,
        status=found.status,
        notes=notes(shown),
        sources=SOURCE_NAMES,
    )


@blueprint.app_template_global()
def address_with(asked: Parameters, **changes: object) -> str:
    """The address of this search with parameters changed; None drops one, lists repeat it."""
    merged = {name: list(values) for name, values in asked.items() if name != "page"}
    for name, value in changes.items():
        several = value if isinstance(value, (list, tuple)) else [value]
        merged[name] = [str(each) for each in several if each is not None]
    pairs = [(name, each) for name, values in merged.items() for each in values]
    return f"{url_for('pages.search')}?{urlencode(pairs)}"


@blueprint.app_template_global()
@cache
def static_address(name: str) -> str:
    """The address of a static file, with its content in it, so that it can be kept for ever."""
    content = (Path(__file__).parent / "static" / name).read_bytes()
    return url_for("static", filename=name, v=sha256(content).hexdigest()[:12])


@blueprint.app_template_filter()
def is_fresh(attestation: Attestation) -> bool:
    """Whether an attestation is young enough to go unmarked."""
    return attestation.is_fresh(services().clock().date())


@blueprint.app_template_filter()
def day(date_: date) -> str:
    """A date to read: `24 Nov 2026`."""
    return f"{date_.day} {date_:%b %Y}"


@blueprint.app_template_filter()
def dollars(price: Range) -> str:
    """A price to read: `$80 to $120`."""
    least, most = price.least, price.most
    return f"${least:,}" if least == most else f"${least:,} to ${most:,}"


@blueprint.app_template_filter()
def away(metres: float, units: str) -> str:
    """A distance to read: `0.4 miles`, `12 km`."""
    value = metres / METRES_PER[units]
    name = "miles" if units == "mi" else "km"
    return f"{value:.1f} {name}" if value < 10 else f"{value:,.0f} {name}"


@blueprint.app_template_filter()
def reach(metres: float, units: str) -> str:
    """A radius to read: `25 miles`, `0.5 km`."""
    return f"{round(metres / METRES_PER[units], 2):g} {'miles' if units == 'mi' else 'km'}"


@blueprint.app_template_filter()
def dialled(phone: str) -> str:
    """A telephone number to read: `(512) 555-0142`."""
    digits = phone.removeprefix("+1")
    return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}" if len(digits) == 10 else phone


@blueprint.app_template_filter()
def label(value: str, kind: str) -> str:
    """What a term is called."""
    return vocabulary().label(Kind(kind), value)


def _asked() -> dict[str, list[str]]:
    """The parameters that the page knows, without the empty ones that a form sends."""
    given = request.args.to_dict(flat=False)
    filled = {name: [v for v in values if v.strip()] for name, values in given.items()}
    return {name: values for name, values in filled.items() if values and name in _PARAMETERS}


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-cache"
    return response
