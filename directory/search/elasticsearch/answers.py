"""What the server's answers say: a whole one, or none."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from typing import Any, TypeVar

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, UnsupportedProductError

from directory.search.document import Document
from directory.search.elasticsearch.breaker import NoAnswer
from directory.search.elasticsearch.dsl import Json, score_of, search_body
from directory.search.elasticsearch.patience import may_pass
from directory.search.engine import (
    UNREADABLE,
    Ask,
    Cluster,
    EngineUnavailable,
    Found,
    Hit,
    NamedAs,
    SortKey,
)
from directory.search.entry import FACETS, TOKENS, distinct_names

T = TypeVar("T")

Answer = Mapping[str, Any]


def answer_to(client: Elasticsearch, index: str, body: Json, read: Callable[[Answer], T]) -> T:
    """What is read off the whole answer to a search; raises as `as_unavailable` says."""
    with as_unavailable():
        answer = client.search(index=index, body=body, allow_partial_search_results=False).body
        return read_whole(answer, read)


def read_whole(answer: Answer, read: Callable[[Answer], T]) -> T:
    """What is read off an answer of all shards; NoAnswer where it is not that: a part is none."""
    try:
        if answer.get("timed_out") or answer["_shards"]["failed"]:
            raise NoAnswer("the search engine answered only in part")
        return read(answer)
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise NoAnswer(f"what answers is no search engine of ours: {error!r}") from error


def search(client: Elasticsearch, index: str, wanted: Ask) -> Found:
    """One page of what an ask matches in an index; see engine.Engine."""
    return answer_to(client, index, search_body(wanted), lambda answer: _found(answer, wanted))


def clusters(answer: Answer) -> tuple[Cluster, ...]:
    """The tiles of a map."""
    return tuple(map(_cluster, answer["aggregations"]["tiles"]["buckets"]))


def names(answer: Answer, typed: str, asked: int) -> tuple[tuple[NamedAs, ...], bool]:
    """The names that begin with what is typed, and whether there may be more than were asked for.

    The answer goes on behind the last of them, up to as many as were asked for.
    """
    found = (bucket["key"]["name"] for bucket in answer["aggregations"]["names"]["buckets"])
    begin_so = list(takewhile(lambda name: name.startswith(typed), found))
    return distinct_names(begin_so, asked), len(begin_so) == asked


@contextmanager
def as_unavailable() -> Iterator[None]:
    """What the client raises, and what an answer that is none of ours leads to, in our words.

    NoAnswer is what the server should not have done; EngineUnavailable what it was right to refuse.
    """
    try:
        yield
    except (TransportError, ApiError) as error:
        kind = EngineUnavailable if _is_an_answer(error) else NoAnswer
        # What the client makes of them as text leaves out what was wrong.
        why = error.message if isinstance(error, TransportError) else error
        raise kind(f"the search engine does not answer: {why}") from error


def _is_an_answer(error: TransportError | ApiError) -> bool:
    """Whether the server did its part: it is there, and said what is wrong with the call."""
    if isinstance(error, TransportError | UnsupportedProductError):
        return False
    return not may_pass(error.status_code)


def _found(answer: Answer, wanted: Ask) -> Found:
    hits = tuple(_hit(hit, wanted) for hit in answer["hits"]["hits"])
    return Found(answer["hits"]["total"]["value"], hits, _counts(answer["aggregations"]))


def _hit(hit: Mapping[str, Any], wanted: Ask) -> Hit:
    values = iter(hit["sort"])
    score = score_of(wanted.sort, values)
    distance = float(next(values)) if wanted.circle else 0.0
    return Hit(document_of(hit), SortKey(score, distance, str(next(values))))


def document_of(hit: Mapping[str, Any]) -> Document:
    """What is kept of a listing. EngineUnavailable where another version has kept it."""
    try:
        return Document.unpacked(hit["fields"]["listing"][0].encode())
    except (KeyError, ValueError) as error:
        raise EngineUnavailable(UNREADABLE) from error


def _counts(aggregations: Mapping[str, Any]) -> tuple[int, ...]:
    """The counts of every facet value; a facet with a selection has an aggregation of its own."""
    counts = [0] * len(TOKENS)
    for name in ("all", *(name for name in aggregations if name != "all")):
        said = {b["key"]: b["doc_count"] for b in aggregations[name]["values"]["buckets"]}
        its_own = FACETS.get(name, slice(None))
        counts[its_own] = [said.get(each, 0) for each in TOKENS[its_own]]
    return tuple(counts)


def _cluster(bucket: Json) -> Cluster:
    _, column, row = map(int, bucket["key"].split("/"))
    middle = bucket["centre"]["location"]
    return Cluster((column, row), (middle["lat"], middle["lon"]), bucket["doc_count"])
