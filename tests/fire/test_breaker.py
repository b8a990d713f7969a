"""The circuit breaker, with a clock of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from directory.search.elasticsearch.breaker import (
    IN_A_ROW,
    PROBE_EVERY_S,
    SILENT_S,
    Breaker,
    NoAnswer,
)
from directory.search.engine import EngineUnavailable


class Calls:
    """Calls of an engine that is down, or not, and how many have come through to it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.breaker = Breaker(lambda: self.now)
        self.made = 0

    def make(self, raised: EngineUnavailable | None = None) -> None:
        with self.breaker.watching():
            self.made += 1
            if raised:
                raise raised

    def fail(self, times: int) -> None:
        for _ in range(times):
            with pytest.raises(EngineUnavailable):
                self.make(NoAnswer("down"))


def test_after_some_failures_in_a_row_no_call_is_made() -> None:
    calls = Calls()
    calls.fail(IN_A_ROW + 1 + 5)
    assert calls.made == IN_A_ROW + 1, "one of them is the first probe"
    with pytest.raises(EngineUnavailable, match="does not answer"):
        calls.make()


def test_a_success_between_failures_keeps_it_closed() -> None:
    calls = Calls()
    for _ in range(5):
        calls.fail(IN_A_ROW - 1)
        calls.make()
    assert calls.made == 5 * IN_A_ROW


def test_some_that_fail_at_once_do_not_outweigh_a_recent_answer() -> None:
    calls = Calls()
    calls.make()
    calls.now += SILENT_S / 2
    calls.fail(4 * IN_A_ROW)
    calls.make()
    assert calls.made == 4 * IN_A_ROW + 2
    calls.now += SILENT_S
    calls.fail(4 * IN_A_ROW)
    assert calls.made == 5 * IN_A_ROW + 3


def test_what_the_engine_refuses_is_an_answer() -> None:
    calls = Calls()
    for _ in range(2 * IN_A_ROW):
        with pytest.raises(EngineUnavailable, match="no index"):
            calls.make(EngineUnavailable("no index"))
    assert calls.made == 2 * IN_A_ROW


def test_a_mistake_of_ours_says_nothing_of_the_engine() -> None:
    calls = Calls()
    calls.fail(IN_A_ROW - 1)
    with pytest.raises(ZeroDivisionError), calls.breaker.watching():
        raise ZeroDivisionError
    calls.fail(3)
    assert calls.made == IN_A_ROW + 1


def test_one_probe_finds_out_that_the_engine_is_back() -> None:
    calls = Calls()
    calls.fail(IN_A_ROW + 3)
    assert calls.made == IN_A_ROW + 1
    calls.now += PROBE_EVERY_S
    calls.fail(3)
    assert calls.made == IN_A_ROW + 2
    calls.now += PROBE_EVERY_S
    calls.make()
    calls.make()
    assert calls.made == IN_A_ROW + 4


def test_of_a_crowd_one_is_the_probe() -> None:
    calls = Calls()
    calls.fail(IN_A_ROW)
    calls.now += PROBE_EVERY_S
    crowd, last = threading.Barrier(16), threading.Event()
    refused = threading.Semaphore(0)

    def probe() -> bool:
        crowd.wait(30)
        try:
            with calls.breaker.watching():
                return last.wait(30)
        except EngineUnavailable:
            refused.release()
            return False

    with ThreadPoolExecutor(16) as pool:
        made = [pool.submit(probe) for _ in range(16)]
        for _ in range(15):
            assert refused.acquire(timeout=30)
        last.set()
    assert sum(each.result() for each in made) == 1


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_a_probe_that_never_ends_is_followed_by_another(
    ending: Callable[[], BaseException],
) -> None:
    calls = Calls()
    calls.fail(IN_A_ROW)
    calls.now += PROBE_EVERY_S
    with pytest.raises((KeyboardInterrupt, SystemExit)), calls.breaker.watching():
        raise ending()
    calls.now += PROBE_EVERY_S
    calls.make()
    calls.make()
