"""The sentences of the search page, in the language that is spoken: counts decide their words."""

from directory.language import gettext, marked, ngettext, number
from directory.places.place import Place
from directory.search.distance import METRES_PER
from directory.search.page import SearchPage

_WITHIN = {
    True: marked("Within %(radius)s of the center of %(place)s, in a straight line."),
    False: marked("Within %(radius)s of %(place)s, in a straight line."),
}
_WIDENED = {
    (True, True): marked(
        "Few were found within %(first)s, so we searched %(radius)s around the center of %(place)s."
    ),
    (True, False): marked(
        "Few were found within %(first)s, so we searched %(radius)s around %(place)s."
    ),
    (False, True): marked(
        "Nobody was found within %(first)s, so we searched %(radius)s around the center of "
        "%(place)s."
    ),
    (False, False): marked(
        "Nobody was found within %(first)s, so we searched %(radius)s around %(place)s."
    ),
}


def headline(page: SearchPage) -> str:
    """How many were found, of what, and where: the page's heading and its title."""
    where = _where(page.place)
    if not page.total:
        return gettext("No practitioners %(where)s", where=where)
    if page.only_confirmed:
        return ngettext(
            "%(num)s practitioner of dry needling %(where)s",
            "%(num)s practitioners of dry needling %(where)s",
            page.total,
            where=where,
        )
    return ngettext(
        "%(num)s practitioner %(where)s", "%(num)s practitioners %(where)s", page.total, where=where
    )


def searched(page: SearchPage) -> str | None:
    """How far from what the search went; None where it has no circle."""
    if page.radius_m is None or not page.place:
        return None
    has_centre = page.place.kind in ("postal_code", "city")
    values = {"radius": radius(page.radius_m, page.query.units), "place": page.place.label}
    if not page.widened:
        return gettext(_WITHIN[has_centre], **values)
    first = radius(page.widened.from_m, page.query.units)
    return gettext(_WIDENED[bool(page.total), has_centre], first=first, **values)


def unsaid(page: SearchPage) -> str | None:
    """How many more there are who have not said whether they do dry needling."""
    count = page.count("confirmed", "no") if page.only_confirmed else 0
    if not count:
        return None
    if page.place and page.place.kind == "state":
        return ngettext(
            "%(num)s licensed practitioner in this state has not said whether they do dry "
            "needling.",
            "%(num)s licensed practitioners in this state have not said whether they do dry "
            "needling.",
            count,
        )
    return ngettext(
        "%(num)s licensed practitioner nearby has not said whether they do dry needling.",
        "%(num)s licensed practitioners nearby have not said whether they do dry needling.",
        count,
    )


def distance(metres: float, units: str) -> str:
    """A distance to read: `0.4 miles`, `12 km`."""
    value = metres / METRES_PER[units]
    return _length(round(value, 1) if value < 10 else round(value), units)


def radius(metres: float, units: str) -> str:
    """A radius to read: `25 miles`, `0.5 km`."""
    return _length(round(metres / METRES_PER[units], 2), units)


def _length(value: float, units: str) -> str:
    if units == "km":
        return f"{number(value)} km"
    return gettext("1 mile") if value == 1 else gettext("%(value)s miles", value=number(value))


def _where(place: Place | None) -> str:
    if not place:
        return gettext("everywhere")
    if place.kind == "state":
        return gettext("in %(place)s", place=place.label)
    return gettext("near %(place)s", place=place.label)
