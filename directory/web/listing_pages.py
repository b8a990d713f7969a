"""A listing's own pages: what it offers, as a contact to save, and beside others."""

from flask import Blueprint, Response, abort, render_template, request, url_for

from directory.credentials import notes
from directory.language import gettext
from directory.store import listings, reports
from directory.web.context import is_counted, listing_or_abort, services
from directory.web.guide import TECHNIQUES
from directory.web.listing_csv import lines
from directory.web.names import FIELD_NAMES, SOURCE_NAMES
from directory.web.structured import structured
from directory.web.vcard import vcard

blueprint = Blueprint("listings", __name__)

MOST_COMPARED = 3
DOUBTED_FROM = 3
"""Reports that nobody has answered yet: from so many on, the listing warns of itself."""


@blueprint.get("/listings/<id_>")
def listing(id_: str) -> str:
    """One listing: what it offers, costs and accepts, and what its credentials mean."""
    found, shown = listing_or_abort(id_)
    if is_counted():
        services().seen.opened(id_)
    others = []
    with services().database.reading() as session:
        waits = [each for each in reports.of_listing(session, id_) if not each.outcome]
        if shown.npi:
            others = [each for each in listings.of_npi(session, shown.npi) if each.id != id_]
    canonical = url_for("listings.listing", id_=id_, lang=None)
    return render_template(
        "listing.html",
        listing=shown,
        others=others,
        status=found.status,
        canonical=canonical,
        structured=structured(shown),
        notes=notes(shown),
        sources=SOURCE_NAMES,
        fields=FIELD_NAMES,
        techniques=TECHNIQUES,
        is_doubted=len(waits) >= DOUBTED_FROM,
    )


@blueprint.get("/listings/<id_>.vcf")
def contact(id_: str) -> Response:
    """One listing as a contact to save (vCard 3.0, which every telephone reads)."""
    _, shown = listing_or_abort(id_)
    answer = Response(vcard(shown), content_type="text/vcard; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{id_}.vcf"'
    return answer


@blueprint.get("/listings/<id_>.csv")
def record(id_: str) -> Response:
    """One listing as a row of docs/csv.md, for whoever keeps a list."""
    _, shown = listing_or_abort(id_)
    answer = Response(
        "".join(lines([shown])), content_type="text/csv; charset=utf-8; header=present"
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="{id_}.csv"'
    return answer


@blueprint.get("/compare")
def compare() -> str:
    """Up to three listings side by side; what none of them says is left out."""
    ids = list(dict.fromkeys(request.args.getlist("id")))
    if not ids:
        abort(404, gettext("Choose the listings that you want to compare in the results."))
    if len(ids) > MOST_COMPARED:
        abort(400, gettext("Three listings at most can be compared."))
    compared = [listing_or_abort(id_)[1] for id_ in ids]
    return render_template("compare.html", listings=compared)
