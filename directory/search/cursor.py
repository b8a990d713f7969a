"""Cursors: where a page ended, signed, so that only the query that it belongs to can go on.

A cursor carries the last result's sort key, and with it what must not move between pages: the
radius that was searched (a widened one too) and the day by which freshness is judged.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from itsdangerous import BadData, URLSafeSerializer

from directory.language import gettext
from directory.search.engine import SortKey
from directory.search.query import SearchQuery

_NOT_PART_OF_THE_QUERY = {"cursor", "limit", "page", "explain"}


class InvalidCursor(Exception):
    """The cursor was altered, or belongs to another query."""

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "The cursor was altered or belongs to another query. Start again without a cursor."
            )
        )


@dataclass(frozen=True)
class Cursor:
    """Where to go on: behind `key`, within `radius_m` metres, with freshness as of `today`."""

    key: SortKey
    radius_m: float | None
    today: date


class Cursors:
    """Writes and reads cursors with one secret."""

    def __init__(self, secret: str) -> None:
        self._serializer = URLSafeSerializer(secret, salt="cursor")

    def write(self, cursor: Cursor, query: SearchQuery) -> str:
        """A cursor that goes on with this query, as text for an address."""
        key = cursor.key
        content = (key.score, key.distance_m, key.id, cursor.radius_m, cursor.today.isoformat())
        return str(self._serializer.dumps([_fingerprint(query), *content]))

    def read(self, text: str, query: SearchQuery) -> Cursor:
        """The cursor that `write` made for the same query; else InvalidCursor."""
        try:
            fingerprint, score, distance, id_, radius, today = self._serializer.loads(text)
        except (BadData, ValueError) as error:
            raise InvalidCursor from error
        if fingerprint != _fingerprint(query):
            raise InvalidCursor
        return Cursor(SortKey(score, distance, id_), radius, date.fromisoformat(today))


def _fingerprint(query: SearchQuery) -> str:
    content = query.model_dump_json(exclude=_NOT_PART_OF_THE_QUERY)
    return sha256(content.encode()).hexdigest()[:16]
