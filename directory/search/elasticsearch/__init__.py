"""The Elasticsearch engine: one index a generation, behind an alias.

Everything it asks of the server is in its core (no scripts, no analysis module), so the same code
runs on the bare server build, the full distribution and a managed cluster. Words are folded and
scores are laid down in entry.py; the server matches terms, adds constants, measures distances
and counts.
"""

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import unquote, urlsplit

from elastic_transport import OrjsonSerializer
from elasticsearch import ApiError, Elasticsearch, NotFoundError, TransportError
from pydantic import ValidationError

from directory.listing import STORED, Change, Listing
from directory.search.elasticsearch.dsl import count_body, search_body
from directory.search.engine import (
    Ask,
    EngineStatus,
    EngineUnavailable,
    FacetCount,
    Found,
    Generation,
    Hit,
    Sort,
    SortKey,
)
from directory.search.entry import FACET_VALUES, FIELD_TIERS, SCHEMA_ID, entry, token

SEARCH_TIMEOUT_S = 2.0
"""A patient waits no longer; then the page says that the search is down."""

WRITE_TIMEOUT_S = 60.0
_BATCH = 1_000
"""Changes a bulk call: larger ones gained nothing (ingest measured at 500, 2,000 and 8,000)."""

_GENERATION = r"-\d{20}-[0-9a-f]{6}"
_SETTINGS = {
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    # A deleted listing's version is remembered this long, so that a late replay stays harmless.
    "gc_deletes": "1h",
}
_WORDS = {"type": "keyword", "doc_values": False}
_PROPERTIES = {
    "id": {"type": "keyword"},
    "location": {"type": "geo_point"},
    "state": {"type": "keyword"},
    "facets": {"type": "keyword"},
    "price": {"type": "integer"},
    "attested": {"type": "date", "format": "strict_date"},
    **dict.fromkeys(FIELD_TIERS, _WORDS),
    "listing": {"type": "object", "enabled": False},
}


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
        with _as_unavailable():
            answer = self._client.search(
                index=self._alias, body=search_body(ask), allow_partial_search_results=False
            ).body
        if answer["timed_out"] or answer["_shards"]["failed"]:
            raise EngineUnavailable("the search engine answered only in part")
        with _as_unavailable():
            hits = tuple(_hit(hit, ask) for hit in answer["hits"]["hits"])
        return Found(answer["hits"]["total"]["value"], hits, _counts(answer["aggregations"]))

    def count(self, ask: Ask) -> int:
        """How many listings the ask matches."""
        with _as_unavailable():
            answer = self._client.count(index=self._alias, body=count_body(ask)).body
        if answer["_shards"]["failed"]:
            raise EngineUnavailable("the search engine answered only in part")
        return int(answer["count"])

    def status(self) -> EngineStatus | None:
        """What is served, or None where there is no index."""
        with _as_unavailable():
            if not (index := self._serving()):
                return None
            meta = _remembered(self._client, index)
            documents = self._client.count(index=index).body["count"]
        return EngineStatus(index, documents, meta["position"], meta["schema"] == SCHEMA_ID)

    def apply(self, changes: Iterable[Change], position: int) -> None:
        """Bring the serving generation up to a position and make it visible."""
        with _as_unavailable():
            if not (index := self._serving()):
                raise EngineUnavailable("there is no search index yet: run `indexer sync`")
            _bulk(self._writer, index, changes)
            self._writer.indices.refresh(index=index)
            before = _remembered(self._writer, index).get("position", 0)
            _remember(self._writer, index, max(before, position))

    @contextmanager
    def new_generation(self) -> Iterator[Generation]:
        """A new index beside the serving one; left without `serve`, it is deleted."""
        with _as_unavailable():
            index = f"{self._alias}-{datetime.now(UTC):%Y%m%d%H%M%S%f}-{secrets.token_hex(3)}"
            self._writer.indices.create(
                index=index,
                settings={**_SETTINGS, "refresh_interval": -1},
                mappings={"dynamic": "strict", "properties": _PROPERTIES, "_meta": _meta(0)},
            )
        new = _NewGeneration(self._writer, self._alias, index)
        try:
            yield new
        finally:
            if not new.served:
                with _as_unavailable():
                    self._writer.indices.delete(index=index, ignore_unavailable=True)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _serving(self) -> str | None:
        return next(iter(_behind(self._client, self._alias)), None)


class _NewGeneration:
    """An index being filled, that no alias points to."""

    def __init__(self, client: Elasticsearch, alias: str, index: str) -> None:
        self._client = client
        self._alias = alias
        self._index = index
        self.served = False

    def apply(self, changes: Iterable[Change]) -> None:
        with _as_unavailable():
            _bulk(self._client, self._index, changes)

    def serve(self, position: int) -> None:
        with _as_unavailable():
            indices = self._client.indices
            if not _remembered(self._client, self._index):
                # A bulk call to an index that was deleted makes it again, without our mapping.
                raise EngineUnavailable(f"{self._index} was dropped by a newer rebuild")
            indices.put_settings(index=self._index, settings={"refresh_interval": "1s"})
            indices.refresh(index=self._index)
            _remember(self._client, self._index, position)
            replaced = _behind(self._client, self._alias) - {self._index}
            ours = re.compile(re.escape(self._alias) + _GENERATION)
            names = indices.get(index=f"{self._alias}-*").body
            orphans = {name for name in names if ours.fullmatch(name) and name < self._index}
            actions: list[Mapping[str, Any]] = [
                {"add": {"index": self._index, "alias": self._alias}},
                *({"remove_index": {"index": name}} for name in sorted(replaced | orphans)),
            ]
            indices.update_aliases(actions=actions)
            self.served = True


def _behind(client: Elasticsearch, alias: str) -> set[str]:
    """The index behind an alias; none where there is no such alias."""
    try:
        return set(client.indices.get_alias(name=alias).body)
    except NotFoundError:
        return set()


def _bulk(client: Elasticsearch, index: str, changes: Iterable[Change]) -> None:
    """Put and delete by external version: a change not newer than what is there changes nothing."""
    stream = iter(changes)
    for batch in iter(lambda: list(islice(stream, _BATCH)), []):
        operations = [line for change in batch for line in _operation(index, change)]
        answer = client.bulk(operations=operations, filter_path=["items.*.status", "items.*.error"])
        for change, item in zip(batch, answer.body["items"], strict=True):
            (result,) = item.values()
            if "error" in result and result["status"] != 409:
                raise EngineUnavailable(
                    f"listing {change.id} was refused: {result['error'].get('reason')}"
                )


def _operation(index: str, change: Change) -> Iterator[Mapping[str, Any]]:
    action = {
        "_index": index,
        "_id": change.id,
        "version": change.number,
        "version_type": "external",
    }
    if change.listing is None:
        yield {"delete": action}
    else:
        yield {"index": action}
        yield _document(change.listing)


def _document(listing: Listing) -> Mapping[str, Any]:
    indexed = entry(listing)
    location = indexed.listing.location
    return {
        "id": listing.id,
        "location": {"lat": location.lat, "lon": location.lon},
        "state": listing.address.state,
        "facets": sorted(indexed.facets),
        "price": indexed.price,
        "attested": indexed.attested,
        **{field: sorted(found) for field, found in indexed.words},
        "listing": indexed.listing.model_dump(mode="json"),
    }


def _meta(position: int) -> Mapping[str, Any]:
    return {"schema": SCHEMA_ID, "position": position}


def _remembered(client: Elasticsearch, index: str) -> Mapping[str, Any]:
    """What an index says of itself; nothing where it is none of ours."""
    found: Mapping[str, Any] = client.indices.get_mapping(index=index).body[index]["mappings"]
    meta: Mapping[str, Any] = found.get("_meta", {})
    return meta


def _remember(client: Elasticsearch, index: str, position: int) -> None:
    client.indices.put_mapping(index=index, meta=_meta(position))


def _hit(hit: Mapping[str, Any], ask: Ask) -> Hit:
    values = iter(hit["sort"])
    score = int(next(values)) if ask.sort is Sort.BEST else 0
    distance = float(next(values)) if ask.circle else 0.0
    listing = Listing.model_validate(hit["_source"]["listing"], context=STORED)
    return Hit(listing, SortKey(score, distance, listing.id))


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
    except ValidationError as error:
        said = "the search index holds what this version cannot read: run `indexer rebuild`"
        raise EngineUnavailable(said) from error
