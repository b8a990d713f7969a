"""The real parts that tests talk to, started once: Elasticsearch, PostgreSQL, Chromium."""

import os
import uuid
from collections.abc import Iterator

import pytest

from directory.search.elasticsearch import ElasticsearchEngine
from directory.search.engine import Engine
from directory.search.sqlite import SqliteEngine


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    yield os.environ["DIRECTORY_TEST_ELASTICSEARCH_URL"]


@pytest.fixture(scope="module")
def engines(
    elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Engine]]:
    embedded = SqliteEngine(tmp_path_factory.mktemp("index") / "search.db")
    elastic = ElasticsearchEngine(f"{elasticsearch_url}/test-{uuid.uuid4().hex[:8]}")
    yield embedded, elastic
    embedded.close()
    elastic.close()
