"""Opening hours as people write them: `Mo-Fr 08:00-17:00; Sa 9-12`, as OpenStreetMap has them."""

import re
from collections.abc import Iterable, Iterator, Mapping

DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")

_PART = re.compile(r"([A-Za-z]{2,9}\.?(?:\s*[-,]\s*[A-Za-z]{2,9}\.?)*)\s+(\S.*)")
_SPAN = re.compile(r"(\d{1,2})(?::?(\d\d))?\s*([ap])?\.?m?\.?", re.IGNORECASE)


def text_of(hours: Iterable[Mapping[str, str]]) -> str:
    """Hours as they are typed, so that `hours_of` reads them: `Mo 08:00-17:00; Tu 08:00-17:00`."""
    return "; ".join(f"{h['day'].title()} {h['opens']}-{h['closes']}" for h in hours)


def hours_of(text: str) -> list[Mapping[str, str]]:
    """The spans of some hours: `day`, `opens`, `closes`; ValueError where they are unclear."""
    return [span for part in text.split(";") if part.strip() for span in _spans(part.strip())]


def _spans(part: str) -> Iterator[Mapping[str, str]]:
    if not (match := _PART.fullmatch(part)):
        raise ValueError(f"{part!r} is unclear: write hours like Mo-Fr 08:00-17:00; Sa 09:00-12:00")
    for span in match[2].split(","):
        ends = [_time(end.strip(), part) for end in re.split(r"\s*[-\u2013]\s*", span.strip())]
        if len(ends) != 2:
            raise ValueError(f"{part!r} is unclear: give each span a beginning and an end")
        for day in _days(match[1]):
            yield {"day": day, "opens": ends[0], "closes": ends[1]}


def _days(text: str) -> Iterator[str]:
    for several in text.split(","):
        first, _, last = (each.strip() for each in several.partition("-"))
        begin, end = _day(first), _day(last or first)
        yield from (DAYS[at % 7] for at in range(begin, begin + (end - begin) % 7 + 1))


def _day(text: str) -> int:
    short = text[:2].lower()
    if short not in DAYS:
        raise ValueError(f"{text!r} is no day of the week")
    return DAYS.index(short)


def _time(text: str, part: str) -> str:
    match = _SPAN.fullmatch(text)
    hour, minute = (int(match[1]), int(match[2] or 0)) if match else (99, 0)
    if match and match[3]:
        hour = hour % 12 + 12 * (match[3].lower() == "p")
    if hour * 60 + minute > 24 * 60 or minute > 59:
        raise ValueError(f"{text!r} in {part!r} is no time of day")
    return f"{hour:02}:{minute:02}"
