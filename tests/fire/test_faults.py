"""The Elasticsearch engine behind a wire that stalls, cuts and alters what a real node says."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from elastic_transport import NodeConfig

from directory.listing import Change
from directory.search.elasticsearch import SEARCH_TIMEOUT_S, ElasticsearchEngine
from directory.search.elasticsearch.index import _PROPERTIES
from directory.search.elasticsearch.node import Node
from directory.search.elasticsearch.patience import OtherNodes
from directory.search.engine import Ask, EngineUnavailable
from directory.search.entry import SCHEMA_ID
from directory.search.lookup import Criterion, Field, Lookup
from tests.builders import a_listing, a_put
from tests.conftest import closed, fresh_elastic
from tests.contract.test_engines import fill
from tests.elasticsearch_node import free_port
from tests.outage import Wire, wire

MANY = 5
DEADLINE_S = 60


@pytest.fixture
def filled(elasticsearch_url: str) -> Iterator[ElasticsearchEngine]:
    """An engine that talks to the node itself, with some listings."""
    engine = fresh_elastic(elasticsearch_url)
    fill(engine, [a_listing(f"l{number:02}") for number in range(MANY)])
    yield engine
    closed(engine)


@contextmanager
def over(url: str, alias: str, *, beside: str = "") -> Iterator[tuple[ElasticsearchEngine, Wire]]:
    """An engine whose node, or the first of two, is behind a wire."""
    with wire(url) as line:
        hosts = ",".join(filter(None, (line.url.removeprefix("http://"), beside)))
        engine = ElasticsearchEngine(f"http://{hosts}/{alias}")
        yield engine, line
        engine.close()


def until_answered(engine: ElasticsearchEngine) -> int:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            return engine.search(Ask()).total
        except EngineUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def half(said: bytes) -> bytes:
    return said[: len(said) // 2]


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    assert len(old) == len(new)
    return lambda said: said.replace(old, new)


def first_only(alter: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Alters the first piece, and no other."""
    waiting = [alter]
    return lambda said: waiting.pop()(said) if waiting else said


def _emptied(found: re.Match[bytes]) -> bytes:
    return b'"sort":[]'.ljust(len(found[0]))


WRONG = {
    "cut in the middle": half,
    "timed out": replaced(b'"timed_out":false', b'"timed_out":true '),
    "without a shard": replaced(b'"failed":0', b'"failed":1'),
    "an error": replaced(b"HTTP/1.1 200", b"HTTP/1.1 500"),
    "too busy": replaced(b"HTTP/1.1 200", b"HTTP/1.1 429"),
    "no JSON": replaced(b'"timed_out"', b'"timed out '),
    "another shape": replaced(b'"hits"', b'"hats"'),
    "nothing to be sorted by": lambda said: re.sub(rb'"sort":\[[^]]*]', _emptied, said),
    "another version's listings": replaced(b'"listing":["', b'"lasting":["'),
    "no JSON by its own word": replaced(b"application/vnd", b"text/plain; vnd"),
    "cut in the headers": lambda said: said[:40],
    "another answer before": lambda said: b"HTTP/1.1 103 Early Hints\r\n\r\n" + said,
    "another answer to come": lambda _: b"HTTP/1.1 102 Processing\r\n\r\n",
    "two answers": lambda said: said + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "another protocol": lambda _: (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    ),
    "no HTTP": replaced(b"HTTP/1.1", b"SMTP/1.1"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_answer_that_is_not_whole_is_none(
    wrong: str, filled: ElasticsearchEngine, elasticsearch_url: str
) -> None:
    with over(elasticsearch_url, filled._alias) as (engine, line):
        assert engine.search(Ask()).total == MANY
        line.alter = WRONG[wrong]
        with pytest.raises(EngineUnavailable):
            engine.search(Ask())
        with pytest.raises(EngineUnavailable):
            engine.lookup(Lookup())
        line.alter = bytes
        assert engine.search(Ask()).total == MANY


def test_a_count_of_some_shards_is_none(
    filled: ElasticsearchEngine, elasticsearch_url: str
) -> None:
    with over(elasticsearch_url, filled._alias) as (engine, line):
        assert engine.count(Ask()) == MANY
        line.alter = WRONG["without a shard"]
        with pytest.raises(EngineUnavailable):
            engine.count(Ask())


def test_a_stalled_engine_is_left_alone_until_it_answers(
    filled: ElasticsearchEngine, elasticsearch_url: str
) -> None:
    with over(elasticsearch_url, filled._alias) as (engine, line):
        goes_on, held = threading.Event(), []

        def hold(said: bytes) -> bytes:
            held.append(said)
            goes_on.wait(DEADLINE_S)
            return said

        line.alter = hold

        def fails(_: int) -> str:
            with pytest.raises(EngineUnavailable) as raised:
                engine.search(Ask())
            return str(raised.value)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(fails, range(4)))
            waited_for = len(held)
            started = time.monotonic()
            said = list(pool.map(fails, range(400)))
        probes = len(held) - waited_for
        assert probes <= 1 + (time.monotonic() - started) / 2
        assert sum("asked again soon" in each for each in said) == 400 - probes
        line.alter = bytes
        goes_on.set()
        assert until_answered(engine) == MANY


@pytest.mark.parametrize(
    "alter", [half, WRONG["too busy"], WRONG["an error"]], ids=["cut", "busy", "error"]
)
def test_a_search_is_tried_once_more(
    alter: Callable[[bytes], bytes], filled: ElasticsearchEngine, elasticsearch_url: str
) -> None:
    with over(elasticsearch_url, filled._alias) as (engine, line):
        line.alter = first_only(alter)
        assert engine.search(Ask()).total == MANY
        line.alter = first_only(lambda said: first_then(line, alter, said))
        with pytest.raises(EngineUnavailable):
            engine.search(Ask())


def first_then(line: Wire, alter: Callable[[bytes], bytes], said: bytes) -> bytes:
    """Alters this piece and the next."""
    line.alter = first_only(alter)
    return alter(said)


def test_an_answer_in_drops_is_given_up_in_time(
    filled: ElasticsearchEngine, elasticsearch_url: str
) -> None:
    """Something comes again and again: that must not be waited for without an end."""
    with over(elasticsearch_url, filled._alias) as (engine, line):
        line.drops = 100
        started = time.monotonic()
        with pytest.raises(EngineUnavailable):
            engine.search(Ask())
        assert time.monotonic() - started < SEARCH_TIMEOUT_S + 1
        line.drops = 0
        assert engine.search(Ask()).total == MANY


def test_threads_that_ask_at_once_have_each_its_own_answer(filled: ElasticsearchEngine) -> None:
    def found(number: int) -> list[str]:
        wanted = Lookup(criteria=(Criterion((Field.ID,), (f"l{number % MANY:02}",)),))
        return [hit.listing.id for hit in filled.lookup(wanted).hits]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(found, range(400)))
    assert answers == [[f"l{number % MANY:02}"] for number in range(400)]


def test_a_node_that_was_started_anew_is_found(
    filled: ElasticsearchEngine, elasticsearch_url: str
) -> None:
    with over(elasticsearch_url, filled._alias) as (engine, line):
        assert engine.search(Ask()).total == MANY
        line.cut()
        line.mend()
        assert engine.search(Ask()).total == MANY


@pytest.mark.parametrize("fault", ["cut", "stall", "busy"])
def test_another_node_answers(
    fault: str, filled: ElasticsearchEngine, elasticsearch_url: str
) -> None:
    """One of two nodes fails: none of the searches does, and the good one has the most of them."""
    beside = elasticsearch_url.removeprefix("http://")
    goes_on, failed = threading.Event(), []

    def fail(said: bytes) -> bytes:
        failed.append(said)
        if fault == "stall":
            goes_on.wait(DEADLINE_S)
        return half(said) if fault == "cut" else WRONG["too busy"](said)

    with over(elasticsearch_url, filled._alias, beside=beside) as (engine, line):
        line.alter = fail
        assert [engine.search(Ask()).total for _ in range(20)] == [MANY] * 20
        assert 1 <= len(failed) < 10
        goes_on.set()


def test_nodes_that_are_not_there_use_up_no_try(
    filled: ElasticsearchEngine, elasticsearch_url: str
) -> None:
    gone = ",".join(f"127.0.0.1:{free_port()}" for _ in range(3))
    there = elasticsearch_url.removeprefix("http://")
    for _ in range(4):
        engine = ElasticsearchEngine(f"http://{gone},{there}/{filled._alias}")
        assert engine.search(Ask()).total == MANY
        engine.close()


def test_the_second_try_is_another_nodes_though_the_first_is_back() -> None:
    """A node that was set aside is among the living again before the call's second try."""
    configs = [NodeConfig("http", "127.0.0.1", port) for port in (1, 2)]
    pool = OtherNodes(configs, Node)

    def somebody_else() -> None:
        pool.begin()
        pool.get()

    with ThreadPoolExecutor(1) as pool_of_one:
        for others in (0, 1, 2, 3):
            pool.begin()
            first = pool.get()
            pool.mark_dead(first, _now=0)
            for _ in range(others):
                pool_of_one.submit(somebody_else).result()
            assert pool.get() is not first


def test_a_thread_that_wakes_late_is_told_that_nobody_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A busy machine may wake it when all its time is over."""
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(seconds + SEARCH_TIMEOUT_S))
    engine = ElasticsearchEngine(f"http://127.0.0.1:{free_port()}/nobody")
    with pytest.raises(EngineUnavailable, match="does not answer"):
        engine.search(Ask())


def test_the_answer_to_a_write_can_be_lost(
    filled: ElasticsearchEngine, elasticsearch_url: str
) -> None:
    """The node has written, nobody hears of it: it is written again, which changes nothing."""
    lost: list[bytes] = []

    def lose(said: bytes) -> bytes:
        if b'"errors"' in said and not lost:
            lost.append(said)
            return half(said)
        return said

    with over(elasticsearch_url, filled._alias) as (engine, line):
        line.alter = lose
        engine.apply([a_put(100, a_listing("new"))], 100)
        assert lost
    assert filled.search(Ask()).total == MANY + 1
    served = filled.status()
    assert served
    assert served.position == 100


def test_what_there_was_no_room_for_is_written_again_and_nothing_else(
    filled: ElasticsearchEngine, elasticsearch_url: str
) -> None:
    answers: list[bytes] = []

    def no_room_for_one(said: bytes) -> bytes:
        if b'"errors"' not in said:
            return said
        answers.append(said)
        if len(answers) > 1:
            return said
        busy = said.replace(b'"errors":false', b'"errors":true ')
        return busy.replace(b'"status":201', b'"status":429', 1)

    with over(elasticsearch_url, filled._alias) as (engine, line):
        line.alter = no_room_for_one
        engine.apply([a_put(100 + n, a_listing(f"new-{n}")) for n in range(3)], 102)
    assert len(answers) == 2
    assert (answers[1].count(b'"status"'), answers[1].count(b'"status":409')) == (1, 1)
    assert filled.search(Ask()).total == MANY + 3


def test_a_refused_listing_is_named_and_holds_up_no_other(elasticsearch_url: str) -> None:
    """An index that takes no price: a mapping conflict, as one of another version would have."""
    engine = fresh_elastic(elasticsearch_url)
    engine._client.indices.create(
        index=f"{engine._alias}-other",
        aliases={engine._alias: {}},
        mappings={
            "properties": {**_PROPERTIES, "price": {"type": "boolean"}},
            "_meta": {"schema": SCHEMA_ID, "position": 0},
        },
    )
    with pytest.raises(
        EngineUnavailable, match=r"1 listings were refused, priced: [^']*\[price\][^']*'priced'$"
    ):
        engine.apply(_priced(), 3)
    assert {hit.listing.id for hit in engine.search(Ask()).hits} == set()
    engine._client.indices.refresh(index=engine._alias)
    assert {hit.listing.id for hit in engine.search(Ask()).hits} == {"free", "late"}
    served = engine.status()
    assert served
    assert served.position == 0
    closed(engine)


def _priced() -> list[Change]:
    return [
        a_put(1, a_listing("free")),
        a_put(2, a_listing("priced", first_visit_price={"least": 90, "most": 90})),
        a_put(3, a_listing("late")),
    ]


@pytest.mark.parametrize(
    ("lost", "before"),
    [(1, 1), (2, 1), (1, 2)],
    ids=["one answer", "every answer", "one answer, and an old index goes"],
)
def test_a_swap_whose_answer_is_lost_takes_no_index_away(
    lost: int, before: int, filled: ElasticsearchEngine, elasticsearch_url: str
) -> None:
    """Whether nobody or somebody hears that the alias was moved, what it points to is there."""
    for _ in range(1, before):
        fill(filled, [a_listing("before")])
    swaps: list[bytes] = []

    def lose(said: bytes) -> bytes:
        if b'"acknowledged":true,"errors"' in said and len(swaps) < lost:
            swaps.append(said)
            return half(said)
        return said

    with over(elasticsearch_url, filled._alias) as (engine, line):
        engine._writer = engine._client  # two tries
        line.alter = lose
        try:
            fill(engine, [a_listing("only")])
        except EngineUnavailable:
            assert lost == 2
        assert len(swaps) == lost
    assert filled.search(Ask()).total == 1
