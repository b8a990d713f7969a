"""The Elasticsearch engine: one index a generation, behind an alias.

Everything it asks of the server is in its core (no scripts, no analysis module), so the same code
runs on the bare server build, the full distribution and a managed cluster. Words are folded and
scores are laid down in entry.py; the server matches terms, adds constants, measures distances
and counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from elastic_transport import OrjsonSerializer
from elasticsearch import ApiError, Elasticsearch, TransportError

from directory.listing import Change
from directory.search.elasticsearch.dsl import (
    Json,
    clusters_body,
    count_body,
    names_body,
    score_of,
    search_body,
)
from directory.search.elasticsearch.index import (
    behind,
    bulk,
    create,
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
    FacetCount,
    Found,
    Generation,
    Hit,
    NamedAs,
    SortKey,
)
from directory.search.entry import (
    FACET_VALUES,
    NAMES_EACH,
    SCHEMA_ID,
    distinct_names,
    token,
)
from directory.search.lookup import LookedUp, Lookup
from directory.vocabulary.words import phrase

SEARCH_TIMEOUT_S = 2.0
"""A patient waits no longer; then the page says that the search is down."""

WRITE_TIMEOUT_S = 60.0


class ElasticsearchEngine:
    """Searches and keeps the index behind one alias.

    `url` is `http(s)://[user:password@]host:port/alias`; the alias is `listings` by default.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._alias = parts.path.strip("/") or "listings"
        credentials = None
        if parts.username:
            credentials = (unquote(parts.username), unquote(parts.password or ""))
        host = parts.netloc.rpartition("@")[2]
        self._client = Elasticsearch(
            f"{parts.scheme}://{host if parts.port else f'{host}:9200'}",
            basic_auth=credentials,
            request_timeout=SEARCH_TIMEOUT_S,
            max_retries=0,
            serializer=OrjsonSerializer(),
        )
        self._writer = self._client.options(request_timeout=WRITE_TIMEOUT_S)

    def search(self, ask: Ask) -> Found:
        """One page of what the ask matches; see engine.Engine."""
        return _search(self._client, self._alias, ask)

    def count(self, ask: Ask) -> int:
        """How many listings the ask matches."""
        with _as_unavailable():
            answer = self._client.count(index=self._alias, body=count_body(ask)).body
        if answer["_shards"]["failed"]:
            raise EngineUnavailable("the search engine answered only in part")
        return int(answer["count"])

    def clusters(self, ask: Ask, zoom: int, most: int) -> tuple[Cluster, ...]:
        """What the ask matches, counted by the tiles of a zoom level."""
        found = _answer(self._client, self._alias, clusters_body(ask, zoom, most))
        return tuple(map(_cluster, found["aggregations"]["tiles"]["buckets"]))

    def names(self, text: str, most: int) -> tuple[NamedAs, ...]:
        """Names that begin with a text; see engine.Engine."""
        body = names_body(phrase(text), most * NAMES_EACH)
        found = _answer(self._client, self._alias, body)["aggregations"]["names"]["buckets"]
        return distinct_names((bucket["key"] for bucket in found), most)

    def lookup(self, wanted: Lookup) -> LookedUp:
        """One page of a lookup; see engine.Engine."""
        answer = _answer(self._client, self._alias, lookup_body(wanted))
        hits = tuple(looked_up(hit, wanted) for hit in answer["hits"]["hits"])
        return LookedUp(answer["hits"]["total"]["value"], hits)

    def status(self) -> EngineStatus | None:
        """What is served, or None where there is no index."""
        with _as_unavailable():
            if not (index := self._serving()):
                return None
            if not (meta := remembered(self._client, index)):
                return None
            return self._status(index, meta)

    def apply(self, changes: Iterable[Change], position: int, mark: str = "") -> None:
        """Bring the serving generation up to a position and make it visible."""
        with _as_unavailable():
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
        with _as_unavailable():
            index = create(self._writer, self._alias)
        new = _NewGeneration(self._writer, self._alias, index)
        try:
            yield new
        finally:
            if not new.served:
                with _as_unavailable():
                    self._writer.indices.delete(index=index, ignore_unavailable=True)

    def roll_back(self) -> EngineStatus | None:
        """Answer from the generation that was replaced; see engine.Engine."""
        with _as_unavailable():
            serving = self._serving()
            for index in sorted(generations(self._client, self._alias), reverse=True):
                meta = remembered(self._client, index)
                if index != serving and meta.get("position"):
                    swap(self._writer, self._alias, index)
                    return self._status(index, meta)
        return None

    def version(self) -> str:
        """The versions of the nodes; the bare server has no page that says its own."""
        with _as_unavailable():
            nodes = self._client.nodes.info(filter_path="nodes.*.version").body["nodes"]
        return f"Elasticsearch {', '.join(sorted({node['version'] for node in nodes.values()}))}"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _status(self, index: str, meta: Mapping[str, Any]) -> EngineStatus:
        documents = self._client.count(index=index).body["count"]
        is_current = meta["schema"] == SCHEMA_ID
        return EngineStatus(index, documents, meta["position"], is_current, meta.get("mark", ""))

    def _serving(self) -> str | None:
        return next(iter(behind(self._client, self._alias)), None)


class _NewGeneration:
    """An index being filled, that no alias points to."""

    def __init__(self, client: Elasticsearch, alias: str, index: str) -> None:
        self._client = client
        self._alias = alias
        self._index = index
        self.served = False

    def apply(self, changes: Iterable[Change]) -> None:
        with _as_unavailable():
            bulk(self._client, self._index, changes)

    def search(self, ask: Ask) -> Found:
        with _as_unavailable():
            self._client.indices.refresh(index=self._index)
        return _search(self._client, self._index, ask)

    def serve(self, position: int, mark: str = "") -> None:
        with _as_unavailable():
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
            swap(self._client, self._alias, self._index, gone)
            self.served = True


def _search(client: Elasticsearch, index: str, ask: Ask) -> Found:
    answer = _answer(client, index, search_body(ask))
    hits = tuple(_hit(hit, ask) for hit in answer["hits"]["hits"])
    return Found(answer["hits"]["total"]["value"], hits, _counts(answer["aggregations"]))


def _answer(client: Elasticsearch, index: str, body: Json) -> Json:
    """The whole answer to a search: a part of one is none."""
    with _as_unavailable():
        answer = client.search(index=index, body=body, allow_partial_search_results=False).body
    if answer["timed_out"] or answer["_shards"]["failed"]:
        raise EngineUnavailable("the search engine answered only in part")
    return dict(answer)


def _cluster(bucket: Json) -> Cluster:
    _, column, row = map(int, bucket["key"].split("/"))
    middle = bucket["centre"]["location"]
    return Cluster((column, row), (middle["lat"], middle["lon"]), bucket["doc_count"])


def _hit(hit: Mapping[str, Any], ask: Ask) -> Hit:
    values = iter(hit["sort"])
    score = score_of(ask.sort, values)
    distance = float(next(values)) if ask.circle else 0.0
    document = hit["_source"]["listing"]
    return Hit(document, SortKey(score, distance, document["id"]))


def _counts(aggregations: Mapping[str, Any]) -> tuple[FacetCount, ...]:
    """The counts of every facet value; a facet with a selection has an aggregation of its own."""
    buckets = {
        name: {b["key"]: b["doc_count"] for b in found["values"]["buckets"]}
        for name, found in aggregations.items()
    }
    return tuple(
        FacetCount(facet, value, buckets.get(facet, buckets["all"]).get(token(facet, value), 0))
        for facet, value in FACET_VALUES
    )


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except (TransportError, ApiError) as error:
        raise EngineUnavailable(f"the search engine does not answer: {error}") from error
