"""The pages for people: rendered here, whole without JavaScript."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request, url_for
from markupsafe import Markup

from directory import language
from directory.credentials import notes
from directory.language import gettext, marked
from directory.listing import Attestation, Range, Source
from directory.places.place import PlaceNotFound
from directory.search.find import find
from directory.search.query import MAX_PAGE, InvalidQuery, SearchQuery, parse
from directory.vocabulary import Kind, vocabulary
from directory.web import sentences
from directory.web.context import listing_or_abort, services
from directory.web.responses import problem

blueprint = Blueprint("pages", __name__)
blueprint.add_app_template_filter(sentences.distance)
blueprint.add_app_template_filter(sentences.radius)
blueprint.add_app_template_filter(language.number)
blueprint.add_app_template_global(language.spoken)
blueprint.add_app_template_global(language.LANGUAGES.copy, "languages")

_NOT_OF_THE_PAGE = frozenset({"cursor", "explain"})
_PARAMETERS = SearchQuery.model_fields.keys() - _NOT_OF_THE_PAGE
RADII = (5, 10, 25, 50, 100)

FACET_NAMES = {
    "confirmed": marked("Dry needling confirmed"),
    "profession": marked("Profession"),
    "accepting": marked("New patients"),
    "insurance": marked("Insurance"),
    "cash_pay": marked("Cash pay"),
    "condition": marked("Problem"),
    "technique": marked("Technique"),
    "language": marked("Language"),
    "setting": marked("Kind of place"),
    "licence_checked": marked("License checked"),
    "q": marked("Your words"),
    "max_price": marked("The price limit"),
}
_FACET_ORDER = tuple(FACET_NAMES)
_OPEN_FACETS = ("confirmed", "profession", "accepting", "insurance")
"""What most people ask for first; the other filters unfold at a press."""

SOURCE_NAMES = {
    Source.MODERATOR: marked("a moderator of this directory"),
    Source.CLINIC: marked("the practice"),
    Source.FILE: marked("a list given to this directory"),
    Source.FHIR: marked("another directory"),
    Source.NPPES: marked("the national registry (NPPES)"),
}

FIELD_NAMES = {
    "name": marked("Name"),
    "npi": marked("NPI"),
    "letters": marked("Letters"),
    "profession": marked("Profession"),
    "taxonomies": marked("Registered specialties"),
    "gender": marked("Gender"),
    "languages": marked("Languages"),
    "clinic": marked("Clinic"),
    "address": marked("Address"),
    "area_only": marked("Area only"),
    "location": marked("Location"),
    "phone": marked("Telephone"),
    "website": marked("Website"),
    "booking_url": marked("Booking"),
    "setting": marked("Kind of place"),
    "private_room": marked("Separate room"),
    "dry_needling": marked("Dry needling"),
    "techniques": marked("Techniques"),
    "conditions": marked("What the practice says it treats"),
    "single_use_needles": marked("Single-use sterile needles"),
    "certificates": marked("Certificates"),
    "licence_check": marked("License check"),
    "insurance_accepted": marked("Insurance accepted"),
    "insurance_refused": marked("Insurance not accepted"),
    "cash_pay": marked("Takes cash pay"),
    "first_visit_price": marked("First visit"),
    "follow_up_price": marked("Later visits"),
    "visit_minutes": marked("A visit takes"),
    "typical_visits": marked("Visits in all"),
    "superbill": marked("Gives a superbill"),
    "accepting": marked("New patients"),
    "about": marked("About"),
    "attestation": marked("Confirmation"),
}
"""What the fields of a listing are called."""

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
        "search.html",
        page=page,
        asked=asked,
        pages=pages,
        radii=RADII,
        names=FACET_NAMES,
        facets=sorted(page.facets, key=lambda facet: _FACET_ORDER.index(facet.name)),
        open_facets=_OPEN_FACETS,
        headline=sentences.headline(page),
        searched=sentences.searched(page),
        unsaid=sentences.unsaid(page),
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
        fields=FIELD_NAMES,
    )


@blueprint.app_template_global()
def address_with(asked: Parameters, **changes: object) -> str:
    """The address of this search with parameters changed; None drops one, lists repeat it."""
    merged: dict[str, Any] = {
        name: list(values) for name, values in asked.items() if name != "page"
    }
    for name, value in changes.items():
        several = value if isinstance(value, (list, tuple)) else [value]
        merged[name] = [str(each) for each in several if each is not None]
    return url_for("pages.search", **{name: values for name, values in merged.items() if values})


@blueprint.app_template_global()
def this_page_in(code: str) -> str:
    """The address of the page that is shown, in another language."""
    here: dict[str, Any] = request.args.to_dict(flat=False)
    endpoint = request.endpoint or ""
    if not endpoint.startswith("pages."):
        return url_for("pages.home", lang=code)
    return url_for(endpoint, **{**here, **(request.view_args or {}), "lang": code})


@blueprint.app_template_global()
def keep_language() -> Markup:
    """What a form sends along, so that a language that was chosen stays chosen."""
    field = Markup('<input type="hidden" name="lang" value="{}">')
    return field.format(g.chosen_language) if g.chosen_language else Markup()


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
    """A date to read: `Nov 24, 2026`."""
    return language.day(date_)


@blueprint.app_template_filter()
def dollars(price: Range) -> str:
    """A price to read: `$80 to $120`."""
    least, most = language.number(price.least), language.number(price.most)
    return f"${least}" if least == most else gettext("$%(least)s to $%(most)s", **locals())


@blueprint.app_template_filter()
def dialled(phone: str) -> str:
    """A telephone number to read: `(512) 555-0142`."""
    digits = phone.removeprefix("+1")
    return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}" if len(digits) == 10 else phone


@blueprint.app_template_filter()
def label(value: str, kind: str) -> str:
    """What a term is called."""
    return gettext(vocabulary().label(Kind(kind), value))


def _asked() -> dict[str, list[str]]:
    """The parameters that the page knows, without the empty ones that a form sends."""
    given = request.args.to_dict(flat=False)
    filled = {name: [v for v in values if v.strip()] for name, values in given.items()}
    return {name: values for name, values in filled.items() if values and name in _PARAMETERS}


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-cache"
    return response
