"""Opening hours as FHIR has them: days that have the same times stand together."""

from collections.abc import Iterator, Sequence

from directory.fhir.elements import Json
from directory.listing import Hours

_DAYS = {"mo": "mon", "tu": "tue", "we": "wed", "th": "thu", "fr": "fri", "sa": "sat", "su": "sun"}
_MIDNIGHT = "24:00"


def hours_of_operation(hours: Sequence[Hours]) -> list[Json]:
    """When a Location is open."""
    return list(_spans(hours, "openingTime", "closingTime"))


def available_time(hours: Sequence[Hours]) -> list[Json]:
    """When a PractitionerRole or a HealthcareService is there."""
    return list(_spans(hours, "availableStartTime", "availableEndTime"))


def _spans(hours: Sequence[Hours], start: str, end: str) -> Iterator[Json]:
    days: dict[tuple[str, str], list[str]] = {}
    for span in hours:
        days.setdefault((span.opens, span.closes), []).append(_DAYS[span.day])
    for (opens, closes), several in days.items():
        if (opens, closes) == ("00:00", _MIDNIGHT):
            yield {"daysOfWeek": several, "allDay": True}
        else:
            # FHIR's time has no 24:00 (R4, 2019-10-30).
            last = "23:59:59" if closes == _MIDNIGHT else f"{closes}:00"
            yield {"daysOfWeek": several, start: f"{opens}:00", end: last}
