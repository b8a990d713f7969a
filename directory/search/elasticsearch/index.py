"""One index of the engine: its name, its mapping, what it says of itself, how it is written."""

import re
import secrets
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson
from elasticsearch import Elasticsearch, NotFoundError

from directory.listing import Change
from directory.search.elasticsearch.breaker import NoAnswer
from directory.search.elasticsearch.patience import may_pass, pause_s
from directory.search.engine import EngineUnavailable
from directory.search.entry import FIELD_TIERS, SCHEMA_ID, Entry, entry
from directory.search.keywords import Keywords, stamp

BATCH = 2_000
"""Changes a bulk call: 1.2 to 1.3 times as fast as 500; 8,000 gained nothing more."""

_AT_ONCE = 2

TRIES_A_BATCH = 8
"""With the pauses between, 6 to 13 seconds: a queue that is full is empty again by then."""

_GENERATION = r"-\d{20}-[0-9a-f]{6}"
_SETTINGS = {
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    # A deleted listing's version is remembered this long, so that a late replay stays harmless.
    "gc_deletes": "1h",
}
_WORDS = {"type": "keyword", "doc_values": False}
_LOOKUP = {
    **dict.fromkeys((*Keywords._fields, "name"), _WORDS),
    "npi": {"type": "keyword"},
    "updated": {"type": "long"},
}
"""What only lookups ask for; listings are in the order of their NPI, so its values are kept."""

_PROPERTIES = {
    "id": {"type": "keyword"},
    "location": {"type": "geo_point"},
    "state": {"type": "keyword"},
    "facets": {"type": "keyword"},
    "price": {"type": "integer"},
    "attested": {"type": "date", "format": "strict_date"},
    **dict.fromkeys(FIELD_TIERS, _WORDS),
    "names": {"type": "keyword"},
    "lookup": {"properties": _LOOKUP},
    # As it is, and not as part of a source that is parsed for each answer; text is of any length.
    "listing": {"type": "text", "index": False, "store": True},
}


def create(client: Elasticsearch, alias: str) -> str:
    """Make a new generation's index, which no alias points to yet; says its name."""
    index = f"{alias}-{datetime.now(UTC):%Y%m%d%H%M%S%f}-{secrets.token_hex(3)}"
    client.indices.create(
        index=index,
        settings={**_SETTINGS, "refresh_interval": -1},
        mappings={
            "dynamic": "strict",
            "_source": {"enabled": False},
            "properties": _PROPERTIES,
            "_meta": _meta(0, ""),
        },
    )
    return index


def generations(client: Elasticsearch, alias: str) -> set[str]:
    """All generations of an alias: also replaced ones, and what interrupted rebuilds left."""
    ours = re.compile(re.escape(alias) + _GENERATION)
    return {name for name in client.indices.get(index=f"{alias}-*").body if ours.fullmatch(name)}


def swap(client: Elasticsearch, alias: str, index: str, gone: Iterable[str] = ()) -> None:
    """Let an alias point to one index alone, and delete others, all in one step.

    A try whose answer was lost is made again, and refused as the others are gone: that is no error
    where the alias points where it should.
    """
    actions: list[Mapping[str, Any]] = [
        {"add": {"index": index, "alias": alias}},
        *({"remove": {"index": name, "alias": alias}} for name in behind(client, alias) - {index}),
        *({"remove_index": {"index": name}} for name in gone),
    ]
    try:
        client.indices.update_aliases(actions=actions)
    except NotFoundError:
        if behind(client, alias) != {index}:
            raise


def behind(client: Elasticsearch, alias: str) -> set[str]:
    """The index behind an alias; none where there is no such alias."""
    try:
        return set(client.indices.get_alias(name=alias).body)
    except NotFoundError:
        return set()


def bulk(client: Elasticsearch, index: str, changes: Iterable[Change]) -> None:
    """Put and delete by external version: a change not newer than what is there changes nothing.

    The bodies are serialised here, two are on their way while the next is made: the client's own
    helpers reach half of that.
    """
    stream = iter(changes)
    batches = iter(lambda: list(islice(stream, BATCH)), [])
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        sent: deque[Future[None]] = deque()
        for batch in batches:
            sent.append(pool.submit(_send, client, index, batch))
            if len(sent) > _AT_ONCE:
                sent.popleft().result()
        for each in sent:
            each.result()


def _send(client: Elasticsearch, index: str, batch: Sequence[Change]) -> None:
    """Write a batch, and again what the server had no room for; the rest of it is not held up.

    NoAnswer where there was no room for long; EngineUnavailable names the listings that no server
    would take.
    """
    left = [(change.id, _operation(change)) for change in batch]
    refused: list[str] = []
    for tried in range(1, TRIES_A_BATCH + 1):
        said = _said(client, index, [operation for _, operation in left])
        answers = list(zip(left, said, strict=True))
        refused += [f"{op[0]}: {_why(it)}" for op, it in answers if _is_refusal(it)]
        left = [op for op, it in answers if may_pass(it["status"])]
        if not left:
            break
        if tried == TRIES_A_BATCH:
            raise NoAnswer(f"the search engine has no room for {len(left):,} listings")
        time.sleep(pause_s(tried))
    if refused:
        raise EngineUnavailable(f"{len(refused):,} listings were refused, {'; '.join(refused[:3])}")


def _said(client: Elasticsearch, index: str, operations: list[bytes]) -> list[Mapping[str, Any]]:
    """What became of each operation; nothing where all is well."""
    lines: Any = operations  # bytes go out as they are, which the client's types do not say
    answer = client.bulk(index=index, operations=lines, filter_path=_SAID).body
    if not answer["errors"]:
        return [{"status": _DONE}] * len(operations)
    return [next(iter(item.values())) for item in answer["items"]]


def _why(said: Mapping[str, Any]) -> str:
    """Why an operation was refused, without what stands in the listing: this goes to a log."""
    reason, _, _ = str(said["error"]["reason"]).partition(". Preview of field's value")
    return reason


def _is_refusal(said: Mapping[str, Any]) -> bool:
    """Not for a version: what is there is then as new, or newer."""
    return "error" in said and said["status"] != _CONFLICT and not may_pass(said["status"])


_DONE, _CONFLICT = 200, 409
_SAID = ("errors", "items.*.status", "items.*.error.reason")


def _operation(change: Change) -> bytes:
    """The lines of one change: what is to be done, and the document that is put."""
    action = {"_id": change.id, "version": change.number, "version_type": "external"}
    if change.document is None:
        return orjson.dumps({"delete": action})
    document = _document(entry(change.document), change.updated_at)
    return orjson.dumps({"index": action}) + b"\n" + document


def _document(indexed: Entry, updated_at: datetime) -> bytes:
    latitude, longitude = indexed.point
    return orjson.dumps(
        {
            "id": indexed.id,
            "location": {"lat": latitude, "lon": longitude},
            "state": indexed.state,
            "facets": list(indexed.facets),
            "price": indexed.price,
            "attested": indexed.attested,
            **{field: list(found) for field, found in indexed.words},
            "names": indexed.names,
            "lookup": {
                **indexed.keywords._asdict(),
                "name": indexed.keywords.name,
                "updated": stamp(updated_at),
            },
            "listing": indexed.document.packed.decode(),
        }
    )


def _meta(position: int, mark: str) -> Mapping[str, Any]:
    return {"schema": SCHEMA_ID, "position": position, "mark": mark}


def remembered(client: Elasticsearch, index: str) -> Mapping[str, Any]:
    """What an index says of itself; nothing where it is none of ours, or gone."""
    return described(client, index).get(index, {})


def described(client: Elasticsearch, name: str) -> Mapping[str, Mapping[str, Any]]:
    """What each index behind a name, its own or an alias, says of itself; none where none is."""
    try:
        found = client.indices.get_mapping(index=name).body
    except NotFoundError:
        return {}
    return {index: each["mappings"].get("_meta", {}) for index, each in found.items()}


def remember(client: Elasticsearch, index: str, position: int, mark: str) -> None:
    """Write into the index up to which change it has come, and of which history."""
    client.indices.put_mapping(index=index, meta=_meta(position, mark))
