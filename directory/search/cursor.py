"""Cursors: where a page ended, signed, so that only the query that it belongs to can go on.

A cursor carries the last result's sort key, and with it what must not move between pages: the
radius that was searched (a widened one too) and the day by which freshness is judged. That of a
lookup carries the key alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from directory.language import gettext
from directory.search.engine import SortKey
from directory.search.lookup import Lookup, LookupKey
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

    def __init__(self, secret: str, belonging_to: str = "") -> None:
        self._secret = secret
        self._serializer = URLSafeSerializer(secret, salt=f"cursor {belonging_to}")

    def belonging_to(self, *what: object) -> "Cursors":
        """Those of one surface, or of one scope: no other takes them."""
        return Cursors(self._secret, repr(what))

    def write(self, cursor: Cursor, query: SearchQuery) -> str:
        """A cursor that goes on with this query, as text for an address."""
        key = cursor.key
        content = (key.score, key.distance_m, key.id, cursor.radius_m, cursor.today.isoformat())
        return self._sign(content, _text_of(query))

    def read(self, text: str, query: SearchQuery) -> Cursor:
        """The cursor that `write` made for the same query; else InvalidCursor."""
        score, distance, id_, radius, today = self._verify(text, _text_of(query))
        return Cursor(SortKey(score, distance, id_), radius, date.fromisoformat(today))

    def write_key(self, key: LookupKey, wanted: Lookup) -> str:
        """A cursor that goes on with this lookup behind a key, as text for an address."""
        return self._sign((key.distance_m, key.practitioner, key.id), _lookup_text(wanted))

    def read_key(self, text: str, wanted: Lookup) -> LookupKey:
        """The key that `write_key` was given with the same lookup; else InvalidCursor."""
        return LookupKey(*self._verify(text, _lookup_text(wanted)))

    def _sign(self, content: Sequence[object], query: str) -> str:
        return str(self._serializer.dumps([_fingerprint(query), *content]))

    def _verify(self, text: str, query: str) -> list[Any]:
        try:
            content: list[Any] = self._serializer.loads(text)
        except (BadData, ValueError) as error:
            raise InvalidCursor from error
        if content[0] != _fingerprint(query):
            raise InvalidCursor
        return content[1:]


def _text_of(query: SearchQuery) -> str:
    return query.model_dump_json(exclude=_NOT_PART_OF_THE_QUERY)


def _lookup_text(wanted: Lookup) -> str:
    """All of a lookup but where its pages begin and how long they are."""
    return repr(replace(wanted, after=None, limit=0))


def _fingerprint(query: str) -> str:
    return sha256(query.encode()).hexdigest()[:16]
