"""One index of the engine: its name, its mapping, what it says of itself, how it is written."""

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from elasticsearch import Elasticsearch, NotFoundError

from directory.listing import Change, Listing
from directory.search.engine import EngineUnavailable
from directory.search.entry import FIELD_TIERS, SCHEMA_ID, entry

BATCH = 1_000
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


def create(client: Elasticsearch, alias: str) -> str:
    """Make a new generation's index, which no alias points to yet; says its name."""
    index = f"{alias}-{datetime.now(UTC):%Y%m%d%H%M%S%f}-{secrets.token_hex(3)}"
    client.indices.create(
        index=index,
        settings={**_SETTINGS, "refresh_interval": -1},
        mappings={"dynamic": "strict", "properties": _PROPERTIES, "_meta": _meta(0)},
    )
    return index


def orphans(client: Elasticsearch, alias: str, before: str) -> set[str]:
    """Older generations of an alias: replaced ones, and what interrupted rebuilds left behind."""
    ours = re.compile(re.escape(alias) + _GENERATION)
    names = client.indices.get(index=f"{alias}-*").body
    return {name for name in names if ours.fullmatch(name) and name < before}


def behind(client: Elasticsearch, alias: str) -> set[str]:
    """The index behind an alias; none where there is no such alias."""
    try:
        return set(client.indices.get_alias(name=alias).body)
    except NotFoundError:
        return set()


def bulk(client: Elasticsearch, index: str, changes: Iterable[Change]) -> None:
    """Put and delete by external version: a change not newer than what is there changes nothing."""
    stream = iter(changes)
    for batch in iter(lambda: list(islice(stream, BATCH)), []):
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
        "listing": indexed.listing.model_dump(mode="json", exclude_defaults=True),
    }


def _meta(position: int) -> Mapping[str, Any]:
    return {"schema": SCHEMA_ID, "position": position}


def remembered(client: Elasticsearch, index: str) -> Mapping[str, Any]:
    """What an index says of itself; nothing where it is none of ours."""
    found: Mapping[str, Any] = client.indices.get_mapping(index=index).body[index]["mappings"]
    meta: Mapping[str, Any] = found.get("_meta", {})
    return meta


def remember(client: Elasticsearch, index: str, position: int) -> None:
    """Write into the index up to which change it has come."""
    client.indices.put_mapping(index=index, meta=_meta(position))
