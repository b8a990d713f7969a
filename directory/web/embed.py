"""The search in other people's pages: the script, the frame that it shows, and oEmbed.

docs/embed.md is the contract: version 1 of these addresses stays as it is.
"""

import re
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    g,
    make_response,
    render_template,
    request,
    url_for,
)
from markupsafe import Markup
from werkzeug import Response as BaseResponse

from directory.language import gettext
from directory.store.partners import Use
from directory.web.context import is_counted, services
from directory.web.embedding import HIDES, LOCKS, Embedding, scheme_of
from directory.web.pages import answer, asked_of
from directory.web.partner_access import count_partner, count_visitor, may_embed
from directory.web.rendering import absolute
from directory.web.responses import json_response

blueprint = Blueprint("embed", __name__)

_SCRIPT = Path(__file__).parent / "static" / "embed.js"
LIMIT = "10"
"""Results a page, unless the page around asks for others: twenty are 10,000 pixels of a phone."""

WIDTH, HEIGHT = 640, 800
"""Pixels of a frame that no script sizes."""


@blueprint.get("/embed/v1.js")
def script() -> Response:
    """The element `<practitioner-search>`; any page may load it, and check it (SRI)."""
    answer = Response(_script(), content_type="text/javascript; charset=utf-8")
    answer.headers["Cache-Control"] = "public, max-age=3600, stale-while-revalidate=86400"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


@blueprint.get("/embed/v1/frame")
def frame() -> BaseResponse:
    """The search for a partner's page: it renders where the partner's origins frame it only."""
    g.frame_ancestors = "*"  # so that whoever is kept waiting, or refused, is told so
    count_visitor()
    typed = request.args
    partner = may_embed(typed.get("key", ""))
    origin = typed.get("origin")
    if not partner or (origin is not None and not partner.allows(origin)):
        return _refused()
    count_partner(partner)
    g.partner = partner
    g.frame_ancestors = origin or " ".join(partner.origins) or "'none'"
    locked, hidden = _some("lock", LOCKS), _some("hide", HIDES)
    scheme = scheme_of(typed.get("scheme"), partner.theme.scheme)
    may_locate = typed.get("locate") == "yes"
    asks = {
        "key": typed["key"], "origin": origin, "lock": " ".join(sorted(locked)),
        "hide": " ".join(sorted(hidden)), "scheme": scheme,
        "locate": "yes" if may_locate else None,
    }  # fmt: skip
    g.embedding = Embedding(
        partner=partner,
        origin=origin,
        locked=locked,
        hidden=hidden,
        scheme=scheme,
        may_locate=may_locate,
        asks={name: said for name, said in asks.items() if said},
    )
    if is_counted():
        services().seen.used(partner.id, Use.EMBED)
    shown = answer({"limit": [LIMIT], **asked_of(typed.to_dict(flat=False))})
    shown.headers["X-Robots-Tag"] = "noindex"
    return shown


def _some(name: str, known: tuple[str, ...]) -> frozenset[str]:
    """Those that are named, as `a,b` or `a b`; what nobody knows is passed over."""
    return frozenset(request.args.get(name, "").replace(",", " ").split()) & frozenset(known)


def _refused() -> Response:
    """What to do, in any page: it holds nothing that somebody could be tricked with."""
    page = make_response(render_template("refused.html"), HTTPStatus.FORBIDDEN)
    page.headers["X-Robots-Tag"] = "noindex"
    page.headers["Cache-Control"] = "no-store"
    return page


@blueprint.get("/oembed")
def oembed() -> Response:
    """A search or listing for content systems (oEmbed 1.0): a frame where its address has a key."""
    count_visitor()
    try:
        url = urlsplit(request.args.get("url", ""))
    except ValueError:
        url = urlsplit("")
    ours = urlsplit(current_app.config["BASE_URL"])
    is_known = url.path in ("/search", "/embed/v1/frame") or url.path.startswith("/listings/")
    if (url.scheme, url.netloc) != (ours.scheme, ours.netloc) or not is_known:
        abort(HTTPStatus.NOT_FOUND, gettext("Only addresses of this directory can be embedded."))
    if request.args.get("format", "json") != "json":
        abort(HTTPStatus.NOT_IMPLEMENTED, gettext("There is %(formats)s.", formats="json"))
    content: dict[str, Any] = {
        "version": "1.0", "type": "link", "title": gettext("Practitioners of dry needling"),
        "provider_name": gettext("Dry Needling Directory"), "provider_url": absolute("/"),
        "cache_age": 3600,
    }  # fmt: skip
    known = {*LOCKS, "key", "lang", "lock", "hide", "scheme"}
    asked = {name: said for name, said in parse_qs(url.query).items() if name in known}
    if "key" in asked and may_embed(asked["key"][0]) and not url.path.startswith("/listings/"):
        content |= _rich(asked, str(content["title"]))
    answer = json_response(content)
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer


def _rich(asked: dict[str, Any], title: str) -> dict[str, Any]:
    width, height = _at_most("maxwidth", WIDTH), _at_most("maxheight", HEIGHT)
    html = Markup(
        '<iframe src="{}" title="{}" width="{}" height="{}" loading="lazy" '
        'referrerpolicy="no-referrer"></iframe>'
    )
    address = absolute(url_for("embed.frame", **asked))
    shown = str(html.format(address, title, width, height))
    return {"type": "rich", "html": shown, "width": width, "height": height}


def _at_most(name: str, usual: int) -> int:
    typed = request.args.get(name, "")
    return min(usual, int(typed)) if re.fullmatch("[1-9][0-9]{0,5}", typed) else usual


@cache
def _script() -> bytes:
    return _SCRIPT.read_bytes()
