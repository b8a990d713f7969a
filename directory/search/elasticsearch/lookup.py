"""A lookup in Elasticsearch's query language, and what a hit of its answer says."""

from collections.abc import Mapping, Sequence
from typing import Any

from directory.search.elasticsearch.answers import document_of
from directory.search.elasticsearch.dsl import (
    Json,
    all_of,
    by_distance,
    within_circle,
    within_scope,
)
from directory.search.engine import listing_of
from directory.search.keywords import NOBODY, moment, stamp
from directory.search.lookup import Criterion, Field, LookedUp, Lookup, LookupHit, LookupKey

_HAS_NPI: tuple[Json] = ({"bool": {"must_not": {"term": {"lookup.npi": NOBODY}}}},)


def lookup_body(wanted: Lookup) -> Json:
    """The body of a lookup: filters alone, and an order that is whole with the id."""
    circle = wanted.circle
    filters = [
        *within_scope(wanted.scope),
        *(within_circle(circle) if circle else ()),
        *map(_criterion, wanted.criteria),
        *(_HAS_NPI if wanted.with_npi else ()),
        *_updated(wanted),
    ]
    body: Json = {
        "query": all_of(filters),
        "sort": [by_distance(circle) if circle else {_name(Field.NPI): "asc"}, {"id": "asc"}],
        "size": wanted.limit,
        "track_total_hits": True,
        "stored_fields": ["listing"],
        "docvalue_fields": ["lookup.updated"],
    }
    if after := wanted.after:
        body["search_after"] = [after.distance_m if circle else after.practitioner, after.id]
    return body


def looked_up(answer: Mapping[str, Any], wanted: Lookup) -> LookedUp:
    """One page. Raises EngineUnavailable where this version cannot read a listing."""
    found = answer["hits"]
    return LookedUp(found["total"]["value"], tuple(_hit(hit, wanted) for hit in found["hits"]))


def _hit(hit: Mapping[str, Any], wanted: Lookup) -> LookupHit:
    listing = listing_of(document_of(hit))
    first, id_ = hit["sort"]
    key = LookupKey(float(first), "", id_) if wanted.circle else LookupKey(0.0, first, id_)
    return LookupHit(listing, key, moment(hit["fields"]["lookup.updated"][0]))


def _criterion(criterion: Criterion) -> Json:
    """One of the fields is, or begins with, one of the values."""
    found: list[Json] = []
    for field, values in criterion.folded.items():
        found += _field(_name(field), values, begins=criterion.begins)
    return {"bool": {"should": found}} if found else {"match_none": {}}


def _field(name: str, values: Sequence[str], *, begins: bool) -> list[Json]:
    if begins:
        return [{"prefix": {name: value}} for value in values]
    return [{"terms": {name: list(values)}}]


def _name(field: Field) -> str:
    return "id" if field is Field.ID else f"lookup.{field}"


def _updated(wanted: Lookup) -> list[Json]:
    bounds = {"gte": wanted.since, "lt": wanted.before}
    stamps = {name: stamp(at) for name, at in bounds.items() if at}
    return [{"range": {"lookup.updated": stamps}}] if stamps else []
