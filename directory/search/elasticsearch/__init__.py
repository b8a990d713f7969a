"""The Elasticsearch engine: one index a generation, behind an alias.

Everything it asks of the server is in its core (no scripts, no analysis module), so the same code
runs on the bare server build, the full distribution and a managed cluster. Words are folded and
scores are laid down in entry.py; the server matches terms, adds constants, measures distances
and counts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from directory.listing import Change
from directory.search.elasticsearch.answers import (
    Answer,
    answer_to,
    as_unavailable,
    clusters,
    names,
    read_whole,
    search,
)
from directory.search.elasticsearch.breaker import Breaker
from directory.search.elasticsearch.connection import alias_of, connect
from directory.search.elasticsearch.dsl import Json, clusters_body, count_body, names_body
from directory.search.elasticsearch.generation import NewGeneration
from directory.search.elasticsearch.index import (
    behind,
    bulk,
    create,
    described,
    generations,
    remember,
    remembered,
    swap,
)
from directory.search.elasticsearch.lookup import looked_up, lookup_body
from directory.search.engine import (
    Ask,
    Cluster,
    EngineStatus,
    EngineUnavailable,
    Found,
    Generation,
    NamedAs,
)
from directory.search.entry import NAMES_EACH, SCHEMA_ID
from directory.search.lookup import LookedUp, Lookup
from directory.vocabulary.words import phrase

T = TypeVar("T")

SEARCH_TIMEOUT_S, SEARCH_RETRIES = 2.0, 1
"""A patient waits no longer; then the page says that the search is down."""

WRITE_TIMEOUT_S, WRITE_RETRIES = 60.0, 8
"""A write may be made twice: its version makes the second one nothing. So many pauses last 12 to 23
seconds, in which a cluster elects a master or a node comes back to its senses."""


class ElasticsearchEngine:
    """Searches and keeps the index behind one alias.

    The URL, the key and the file are those of `connection.connect`, as are the errors. What
    patients ask goes through a breaker; what is written does not, as nobody waits for it.
    """

    def __init__(self, url: str, *, api_key: str = "", ca_file: Path | None = None) -> None:
        self._alias = alias_of(url)
        client = connect(url, api_key, ca_file)
        self._client = client.options(request_timeout=SEARCH_TIMEOUT_S, max_retries=SEARCH_RETRIES)
        self._writer = client.options(request_timeout=WRITE_TIMEOUT_S, max_retries=WRITE_RETRIES)
        self._breaker = Breaker()

    def search(self, ask: Ask) -> Found:
        """One page of what the ask matches; see engine.Engine."""
        with self._breaker.watching():
            return search(self._client, self._alias, ask)

    def count(self, ask: Ask) -> int:
        """How many listings the ask matches."""
        with self._breaker.watching(), as_unavailable():
            return self._count(self._alias, count_body(ask))

    def clusters(self, ask: Ask, zoom: int, most: int) -> tuple[Cluster, ...]:
        """What the ask matches, counted by the tiles of a zoom level."""
        return self._ask(clusters_body(ask, zoom, most), clusters)

    def names(self, text: str, most: int) -> tuple[NamedAs, ...]:
        """Names that begin with a text; see engine.Engine.

        Each that is asked for takes the server time (eight 2.7 ms, sixteen 3.2), and few are there
        under both orders: only then are more asked for.
        """
        if not (typed := phrase(text)):
            return ()
        found, may_be_more = self._names(typed, most)
        if may_be_more and len(found) < most:
            found, _ = self._names(typed, most * NAMES_EACH)
        return found[:most]

    def lookup(self, wanted: Lookup) -> LookedUp:
        """One page of a lookup; see engine.Engine."""
        return self._ask(lookup_body(wanted), lambda answer: looked_up(answer, wanted))

    def status(self) -> EngineStatus | None:
        """What is served, or None where there is no index."""
        with self._breaker.watching(), as_unavailable():
            found = described(self._client, self._alias)
            index, meta = next(iter(found.items()), ("", {}))
            return self._status(index, meta) if meta else None

    def apply(self, changes: Iterable[Change], position: int, mark: str = "") -> None:
        """Bring the serving generation up to a position and make it visible."""
        with as_unavailable():
            if not (index := self._serving()):
                raise EngineUnavailable("there is no search index yet: run `indexer sync`")
            bulk(self._writer, index, changes)
            self._writer.indices.refresh(index=index)
            before = remembered(self._writer, index)
            reached = max(before.get("position", 0), position)
            remember(self._writer, index, reached, mark or before.get("mark", ""))

    @contextmanager
    def new_generation(self) -> Iterator[Generation]:
        """A new index beside the serving one; left without `serve`, it is deleted."""
        with as_unavailable():
            index = create(self._writer, self._alias)
        new = NewGeneration(self._writer, self._alias, index)
        try:
            yield new
        finally:
            if not new.may_serve:
                with as_unavailable():
                    self._writer.indices.delete(index=index, ignore_unavailable=True)

    def roll_back(self) -> EngineStatus | None:
        """Answer from the generation that was replaced; see engine.Engine."""
        with as_unavailable():
            serving = self._serving()
            for index in sorted(generations(self._client, self._alias), reverse=True):
                meta = remembered(self._client, index)
                if index != serving and meta.get("position") and meta["schema"] == SCHEMA_ID:
                    swap(self._writer, self._alias, index)
                    return self._status(index, meta)
        return None

    def version(self) -> str:
        """The versions of the nodes; the bare server has no page that says its own."""
        with as_unavailable():
            nodes = self._client.nodes.info(filter_path="nodes.*.version").body["nodes"]
        return f"Elasticsearch {', '.join(sorted({node['version'] for node in nodes.values()}))}"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _names(self, typed: str, asked: int) -> tuple[tuple[NamedAs, ...], bool]:
        return self._ask(names_body(typed, asked), lambda answer: names(answer, typed, asked))

    def _ask(self, body: Json, read: Callable[[Answer], T]) -> T:
        with self._breaker.watching():
            return answer_to(self._client, self._alias, body, read)

    def _status(self, index: str, meta: Mapping[str, Any]) -> EngineStatus:
        documents, is_current = self._count(index), meta["schema"] == SCHEMA_ID
        return EngineStatus(index, documents, meta["position"], is_current, meta.get("mark", ""))

    def _count(self, index: str, body: Json | None = None) -> int:
        answer = self._client.count(index=index, body=body).body
        return read_whole(answer, lambda whole: int(whole["count"]))

    def _serving(self) -> str | None:
        return next(iter(behind(self._client, self._alias)), None)
