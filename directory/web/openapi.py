"""The API's own description, OpenAPI 3.1: made from what the code declares, and held to it.

Parameters of a search come from SearchQuery, listings from Listing, answers from shapes.py, paths
and summaries from the routes. tests/web/test_openapi.py asks what it promises.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from inspect import getdoc
from typing import Any

from flask import current_app
from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from directory.language import LANGUAGES
from directory.listing import Facts, Listing
from directory.search.query import FACET_PARAMETERS, SearchQuery
from directory.store.listings import Status
from directory.vocabulary import Kind, vocabulary
from directory.web import shapes
from directory.web.api import DEEPEST, FORMATS, MOST_SUGGESTED, SUGGESTED
from directory.web.bulk_api import CHANGES, LAST_NUMBER, MOST_CHANGES
from directory.web.parameters import LONGEST
from directory.web.shapes import Json

REFERENCE = "#/components/schemas/{model}"
_PUBLIC: Json = {"publicKey": []}
_SECRET: Json = {"secretKey": []}
_PATH = re.compile(r"<(?:\w+:)?(\w+)>")

_TERMS = ("profession", "technique", "condition", "insurance", "setting", "language")


def ref(name: str) -> Json:
    """Where a shape of this name is described."""
    return {"$ref": REFERENCE.format(model=name)}


@dataclass(frozen=True)
class Parameter:
    """One parameter of an operation, and what it may be (JSON Schema)."""

    name: str
    says: str
    schema: Mapping[str, Any]
    required: bool = False
    where: str = "query"

    @property
    def json(self) -> Json:
        """As OpenAPI has it."""
        return {
            "name": self.name, "in": self.where, "description": self.says,
            "required": self.required or self.where == "path", "schema": dict(self.schema),
        }  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """One address and what it answers; `example` is a query that works with the fictional data."""

    endpoint: str
    answer: str
    parameters: tuple[Parameter, ...] = ()
    also: Mapping[str, Json] = field(default_factory=dict)
    body: Json | None = None
    status: str = "200"
    secret: bool = False
    example: str = ""


def _text(most: int = LONGEST) -> Json:
    return {"type": "string", "minLength": 1, "maxLength": most}


def _search_parameters(without: frozenset[str]) -> tuple[Parameter, ...]:
    """The parameters of a search; repeatable ones are arrays."""
    schema = SearchQuery.model_json_schema(ref_template=REFERENCE)
    known = schema["properties"].items()
    return tuple(
        Parameter(name, each["description"], _without_null(name, each))
        for name, each in known
        if name not in without
    )


def _without_null(name: str, schema: Json) -> Json:
    """A parameter is left out, and never null."""
    kept = {k: v for k, v in schema.items() if k not in ("description", "title", "default")}
    if name in _TERMS:
        values = [term.value for term in vocabulary().terms(Kind(name))]
        also = ["unknown"] if name == "insurance" else []
        kept["items"] = {"type": "string", "enum": values + also}
    if name in FACET_PARAMETERS:
        return kept
    options = [o for o in kept.pop("anyOf", [kept]) if o.get("type") != "null"]
    if name == "radius":
        return {"type": "number", "exclusiveMinimum": 0, "maximum": 804.672}
    if name in ("near", "q", "cursor"):
        return {**options[0], "minLength": 1}
    return dict(options[0])


_LISTING_ID = Parameter("id_", "The listing's id.", {"type": "string"}, where="path")

OPERATIONS = (
    Operation(
        "api.search", "SearchAnswer",
        (
            *_search_parameters(frozenset({"page"})),
            Parameter("format", "json, geojson, or csv with a secret key.", {"enum": [*FORMATS]}),
        ),
        also={
            FORMATS["geojson"]: ref("FeatureCollection"), FORMATS["csv"]: {"type": "string"},
        },
        example="near=78701&radius=25&profession=physical-therapist",
    ),
    Operation("api.listing", "StoredListing", (_LISTING_ID,)),
    Operation(
        "api.places", "Places",
        (Parameter("q", "A ZIP, “City, ST”, a city, a state, “lat,lon”.", _text(), required=True),),
        example="q=Springfield",
    ),
    Operation(
        "api.suggest", "Suggestions",
        (
            Parameter("q", "How it begins.", _text(), required=True),
            Parameter("kind", "where: places; what: terms and names.",
                      {"enum": ["where", "what"]}, required=True),
            Parameter("limit", f"How many; {SUGGESTED} unless told.",
                      {"type": "integer", "minimum": 1, "maximum": MOST_SUGGESTED}),
        ),
        example="q=aus&kind=where",
    ),
    Operation(
        "api.clusters", "Clusters",
        (
            *_search_parameters(frozenset({"page", "cursor", "limit", "sort", "explain"})),
            Parameter("zoom", "The map's level.",
                      {"type": "integer", "minimum": 0, "maximum": DEEPEST}, required=True),
        ),
        example="near=Texas&zoom=6",
    ),
    Operation(
        "api.nearest", "PlaceShape",
        body={
            "type": "object", "required": ["lat", "lon"],
            "properties": {
                "lat": {"type": "number", "minimum": -90, "maximum": 90},
                "lon": {"type": "number", "minimum": -180, "maximum": 180},
            },
        },
    ),
    Operation("api.terms", "Vocabulary"),
    Operation(
        "submissions.submit", "Accepted",
        (
            Parameter("Idempotency-Key", "The same key with the same content is kept once.",
                      _text(200), where="header"),
        ),
        body={
            "type": "object", "required": ["email", "listing"], "additionalProperties": False,
            "properties": {
                "email": {"type": "string", "format": "email"}, "listing": ref("Facts"),
            },
        },
        status="202",
    ),
    Operation(
        "bulk.changes", "Changes",
        (
            Parameter("since", "The number up to which all is known; 0 is from the beginning.",
                      {"type": "integer", "minimum": 0, "maximum": LAST_NUMBER}),
            Parameter("limit", f"How many; {CHANGES} unless told.",
                      {"type": "integer", "minimum": 1, "maximum": MOST_CHANGES}),
        ),
        secret=True, example="since=0&limit=2",
    ),
    Operation(
        "bulk.snapshot", "Listing", also={"application/x-ndjson": ref("Listing")}, secret=True
    ),
)  # fmt: skip


@cache
def document(base_url: str) -> Json:
    """The whole document."""
    paths: Json = {}
    for operation in OPERATIONS:
        path, method, view = route(operation.endpoint)
        paths.setdefault(path, {})[method] = _operation(operation, view)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dry Needling Directory",
            "version": version("dry-needling-directory"),
            "description": "Practitioners of dry needling near a place. Version 1 only ever gains.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "publicKey": {"type": "apiKey", "in": "header", "name": "X-Directory-Key"},
                "secretKey": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def route(endpoint: str) -> tuple[str, str, Any]:
    """Path, method and view of an endpoint."""
    (rule,) = current_app.url_map.iter_rules(endpoint)
    (method,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
    return _PATH.sub(r"{\1}", rule.rule), method.lower(), current_app.view_functions[endpoint]


def _operation(operation: Operation, view: Any) -> Json:  # noqa: ANN401  # a Flask view
    summary, _, more = (getdoc(view) or "").partition("\n\n")
    language = Parameter("lang", "The language of the answer.", {"enum": [*LANGUAGES]})
    is_lines = "application/x-ndjson" in operation.also
    content = {} if is_lines else {"application/json": {"schema": ref(operation.answer)}}
    content |= {media: {"schema": schema} for media, schema in operation.also.items()}
    found: Json = {
        "operationId": operation.endpoint.replace(".", "_"),
        "summary": summary.replace("\n", " "),
        "parameters": [each.json for each in (*operation.parameters, language)],
        "security": [_SECRET] if operation.secret else [{}, _PUBLIC, _SECRET],
        "responses": {
            operation.status: {"description": "The answer.", "content": content},
            "default": {
                "description": "What is wrong, and what to do.",
                "content": {"application/problem+json": {"schema": ref("ProblemShape")}},
            },
        },
    }
    if more:
        found["description"] = more
    if operation.body:
        media = {"application/json": {"schema": operation.body}}
        found["requestBody"] = {"required": True, "content": media}
    if operation.example:
        found["x-example"] = operation.example
    return found


def _schemas() -> Json:
    answers = [
        shapes.SearchAnswer, shapes.FeatureCollection, shapes.Places, shapes.Suggestions,
        shapes.Clusters, shapes.Changes, shapes.Accepted, shapes.ProblemShape, shapes.Note,
        shapes.TermShape, shapes.Distance, shapes.ScoreShape,
    ]  # fmt: skip
    of_shapes = TypeAdapter.json_schemas(
        [(each, "serialization", TypeAdapter(each)) for each in answers], ref_template=REFERENCE
    )[1]["$defs"]
    of_models = models_json_schema(
        [(Listing, "serialization"), (Facts, "validation"), (SearchQuery, "validation")],
        ref_template=REFERENCE,
    )[1]["$defs"]
    del of_models["SearchQuery"]  # its parameters stand in the operations
    listing = _listing(of_models.pop("Listing"))
    of_shapes = _referring(of_shapes)
    return {
        **of_models,
        **of_shapes,
        "Listing": listing,
        "Result": _with(
            listing,
            distance={"anyOf": [ref("Distance"), {"type": "null"}]},
            score=(ref("ScoreShape"), "explain"),
        ),
        "StoredListing": _with(
            listing,
            status={"enum": [each.value for each in Status]},
            credential_notes={"type": "array", "items": ref("Note")},
        ),
        "Vocabulary": {
            "type": "object",
            "required": [kind.value for kind in Kind],
            "additionalProperties": {"type": "array", "items": ref("TermShape")},
        },
    }


def _referring(schema: Any) -> Any:  # noqa: ANN401  # JSON Schema
    """A schema with references where shapes are named."""
    match schema:
        case {"x-shape": name}:
            return ref(name)
        case dict():
            return {name: _referring(each) for name, each in schema.items()}
        case list():
            return [_referring(each) for each in schema]
    return schema


def _listing(schema: Json) -> Json:
    """A listing as it is served: more may come with time, so nothing is forbidden."""
    return _with(
        {k: v for k, v in schema.items() if k != "additionalProperties"},
        confirmed={"type": "boolean", "description": "Somebody says that dry needling is offered."},
        stale={"type": "boolean", "description": "Nobody has confirmed it within 90 days."},
        evidence={"enum": ["verified", "stated", "unknown"]},
    )


def _with(schema: Json, **more: Any) -> Json:  # noqa: ANN401  # JSON Schema
    """A shape with more properties; those in a pair with a reason are there only for it."""
    sometimes = {name: each[0] for name, each in more.items() if isinstance(each, tuple)}
    always = {name: each for name, each in more.items() if name not in sometimes}
    return {
        **schema,
        "properties": {**schema["properties"], **always, **sometimes},
        "required": [*schema.get("required", ()), *always],
    }
