"""The API's document promises nothing that the API does not do, and the other way around."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from directory.app import create_app
from directory.places import Places
from directory.settings import Settings
from directory.store.partners import KeyKind
from directory.web import openapi
from tests.web.application import a_key, filled

SECRET: list[str] = []


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Iterator[Flask]:
    """The application on the fictional listings."""
    parts = filled(tmp_path_factory.mktemp("api"), places)
    SECRET.append(a_key(parts, KeyKind.SECRET))
    yield create_app(Settings(requests_a_minute=100_000), parts)
    parts.close()


@pytest.fixture(scope="module")
def described(app: Flask) -> Any:
    """The document, read from where everybody reads it."""
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)


def test_every_reference_leads_somewhere(app: Flask) -> None:
    text = app.test_client().get("/api/v1/openapi.json").text
    document = json.loads(text)
    assert document["openapi"] == "3.1.0"
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) <= set(
        document["components"]["schemas"]
    )
    served = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
    }
    assert served == {*document["paths"], "/api/v1/openapi.json"}


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("operation", [each.endpoint for each in openapi.OPERATIONS])
def test_every_answer_is_as_it_is_described(
    app: Flask, described: Any, operation: str, mode: GenerationMode
) -> None:
    with app.app_context():
        path, method, _ = openapi.route(operation)
    cases = described[path][method].as_strategy(generation_mode=mode)
    needs_key = operation.startswith("bulk.")
    headers = {"Accept-Encoding": "identity"}
    if needs_key:
        headers["Authorization"] = f"Bearer {SECRET[0]}"

    @given(case=cases)
    @settings(
        max_examples=25, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def hold(case: Any) -> None:
        # Not every text is a place that somebody knows, nor every e-mail address one that we
        # write to: what is right by its type may still be refused.
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

    hold()


def test_nothing_that_was_promised_is_taken_away(app: Flask) -> None:
    """Version 1 only ever gains: tests/data/openapi-v1.json is what was promised so far."""
    promised = json.loads((Path(__file__).parents[1] / "data" / "openapi-v1.json").read_text())
    document = app.test_client().get("/api/v1/openapi.json").get_json()
    assert list(taken_away(promised["paths"], document["paths"], "")) == []
    schemas = [each["components"]["schemas"] for each in (promised, document)]
    assert list(taken_away(*schemas, "")) == []


def taken_away(before: Any, after: Any, at: str) -> Iterator[str]:
    """What a client may have relied upon and does not find any more; descriptions may change."""
    if isinstance(before, dict) and isinstance(after, dict):
        if after.get("required") is True and not before.get("required"):
            yield f"{at} is needed now"
        is_sent = "requestBody" in at or at.startswith("/Facts")
        was_needed, is_needed = (needed(each) for each in (before, after))
        if is_sent:
            yield from (f"{at}: {each} is needed now" for each in is_needed - was_needed)
        else:
            yield from (f"{at}: {each} may be missing now" for each in was_needed - is_needed)
        for name, was in before.items():
            if name in ("description", "summary", "default", "x-example", "required"):
                continue
            if name not in after:
                yield f"{at}/{name}"
            else:
                yield from taken_away(was, after[name], f"{at}/{name}")
    elif isinstance(before, list) and isinstance(after, list):
        yield from taken_from(before, after, at)
    elif before != after:
        yield f"{at}: {before} is {after}"


def taken_from(before: list[Any], after: list[Any], at: str) -> Iterator[str]:
    """The same of values, or of parameters, which may come in any order."""
    if not all(isinstance(each, dict) and "name" in each for each in before):
        yield from (f"{at}: {each}" for each in before if each not in after)
        return
    known, found = ({each["name"]: each for each in several} for several in (before, after))
    for name, each in found.items():
        if each.get("required") and name not in known:
            yield f"{at}: {name} is needed now"
    for name, was in known.items():
        yield from taken_away(was, found.get(name), f"{at}/{name}")


def needed(schema: Any) -> set[str]:
    """What a schema needs; a parameter that is needed says so with a plain yes."""
    said = schema.get("required", [])
    return set(said) if isinstance(said, list) else set()


def test_what_is_needed_anew_would_be_seen() -> None:
    one = {"parameters": [{"name": "a", "required": False}]}
    more = {"parameters": [{"name": "a", "required": False}, {"name": "b", "required": True}]}
    assert len(list(taken_away(one, more, ""))) == 1
    harder = {"parameters": [{"name": "a", "required": True}]}
    assert len(list(taken_away(one, harder, ""))) == 1
    assert list(taken_away(harder, one, "")) == []
    assert list(taken_away(more["parameters"][:1], one["parameters"], "")) == []


@pytest.mark.parametrize(
    "place",
    [
        ("paths", "/api/v1/search", "get", "parameters", 3),
        ("components", "schemas", "Listing", "properties", "phone"),
        ("components", "schemas", "Answer", "enum", 0),
        ("components", "schemas", "PlaceShape", "required", 1),
    ],
)
def test_a_promise_that_is_broken_would_be_seen(app: Flask, place: tuple[Any, ...]) -> None:
    before = app.test_client().get("/api/v1/openapi.json").get_json()
    after = json.loads(json.dumps(before))
    at: Any = after
    for step in place[:-1]:
        at = at[step]
    del at[place[-1]]
    assert len(list(taken_away(before, after, ""))) == 1
