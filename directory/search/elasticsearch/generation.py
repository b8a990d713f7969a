"""A new index of the engine, until it serves."""

from collections.abc import Iterable

from elasticsearch import Elasticsearch

from directory.listing import Change
from directory.search.elasticsearch.answers import as_unavailable, search
from directory.search.elasticsearch.index import (
    behind,
    bulk,
    generations,
    remember,
    remembered,
    swap,
)
from directory.search.engine import Ask, EngineUnavailable, Found


class NewGeneration:
    """An index being filled, that no alias points to; see engine.Generation.

    `may_serve` is True from when it is swapped in, even if nobody knows whether it was: an answer
    can be lost. It is then not deleted; if it does not serve, the next rebuild takes it away.
    """

    def __init__(self, client: Elasticsearch, alias: str, index: str) -> None:
        self._client = client
        self._alias = alias
        self._index = index
        self.may_serve = False

    def apply(self, changes: Iterable[Change]) -> None:
        """Put and delete listings."""
        with as_unavailable():
            bulk(self._client, self._index, changes)

    def search(self, ask: Ask) -> Found:
        """One page of what is in it so far."""
        with as_unavailable():
            self._client.indices.refresh(index=self._index)
        return search(self._client, self._index, ask)

    def serve(self, position: int, mark: str = "") -> None:
        """Swap it in."""
        with as_unavailable():
            indices = self._client.indices
            if not remembered(self._client, self._index):
                # A bulk call to an index that was deleted makes it again, without our mapping.
                raise EngineUnavailable(f"{self._index} was dropped by a newer rebuild")
            indices.put_settings(index=self._index, settings={"refresh_interval": "1s"})
            indices.refresh(index=self._index)
            remember(self._client, self._index, position, mark)
            # The replaced one stays until the next rebuild, to go back to; and a search that was
            # already on its way to it would fail without it (one in some 1,000 did).
            older = {n for n in generations(self._client, self._alias) if n < self._index}
            gone = older - behind(self._client, self._alias)
            self.may_serve = True
            swap(self._client, self._alias, self._index, gone)
