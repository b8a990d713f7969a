"""Limits hold for all serving processes together, and nothing of whom they count can be read."""

import multiprocessing
import threading
import time

import pytest

from directory.app import create_app
from directory.counters import Counters
from directory.services import Services
from directory.settings import Settings
from directory.web.accounts import POSTS_AN_HOUR

FORK = multiprocessing.get_context("fork")


def test_processes_and_threads_count_together() -> None:
    counters, each, many = Counters(), 500, 3

    def count() -> None:
        threads = [
            threading.Thread(
                target=lambda: [counters.add("from 203.0.113.1", 3600) for _ in range(each)]
            )
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    processes = [FORK.Process(target=count) for _ in range(many)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert counters.add("from 203.0.113.1", 3600)[0] == many * 2 * each + 1
    assert counters.add("from 203.0.113.2", 3600)[0] == 1


def test_a_process_that_is_killed_locks_nobody_out() -> None:
    counters = Counters()

    def die_within() -> None:
        with counters._alone():
            time.sleep(600)

    process = FORK.Process(target=die_within)
    process.start()
    time.sleep(0.2)
    process.kill()
    process.join(60)
    assert counters.add("x", 60)[0] == 1


def test_a_stretch_ends_and_another_begins() -> None:
    counters = Counters()
    assert [counters.add("x", 0.2)[0] for _ in range(2)] == [1, 2]
    count, left_s = counters.add("x", 0.2)
    assert (count, 0 < left_s <= 0.2) == (3, True)
    time.sleep(0.3)
    assert counters.add("x", 0.2)[0] == 1


def test_many_strangers_push_nobody_out_who_was_counted_for_longer() -> None:
    """Counts of an hour outlive those of a minute; the room is never full."""
    counters = Counters()
    counters.add("from 203.0.113.1", 3600)
    for number in range(150_000):
        counters.add(f"from {number}", 60)
    assert counters.add("from 203.0.113.1", 3600)[0] == 2


def test_no_name_lies_in_the_memory() -> None:
    counters = Counters()
    counters.add("to ana@example.net", 3600)
    held = bytes(counters._memory)
    assert b"ana" not in held
    assert len(held.strip(b"\0")) <= 24
    assert counters._key != Counters()._key


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_nobody_gets_more_by_claiming_another_address(parts: Services, proxies: int) -> None:
    """Only what the trusted proxies add counts; in front of it anybody may write anything."""
    settings = Settings(requests_a_minute=3, trusted_proxies=proxies)
    client = create_app(settings, parts).test_client()
    added = ["203.0.113.9", "198.51.100.1"][: max(proxies, 0)]
    statuses = []
    for number in range(5):
        claimed = ", ".join([f"192.0.2.{number}", "10.0.0.1", *added])
        headers = {"X-Forwarded-For": claimed, "X-Real-Ip": f"192.0.2.{number}",
                   "Forwarded": f"for=192.0.2.{number}"}  # fmt: skip
        statuses.append(client.get("/api/v1/vocabulary", headers=headers).status_code)
    assert statuses == [200, 200, 200, 429, 429]


def test_one_network_of_version_6_is_one_visitor(parts: Services) -> None:
    client = create_app(Settings(requests_a_minute=3, trusted_proxies=1), parts).test_client()
    statuses = [
        client.get(
            "/api/v1/vocabulary", headers={"X-Forwarded-For": f"2001:db8:1:2:{number:x}::1"}
        ).status_code
        for number in range(5)
    ]
    assert statuses == [200, 200, 200, 429, 429]
    other = client.get("/api/v1/vocabulary", headers={"X-Forwarded-For": "2001:db8:1:3::1"})
    assert other.status_code == 200


def test_requests_of_a_minute_and_forms_of_an_hour_are_counted_apart(parts: Services) -> None:
    """Who asks the API may still send a form, and asking between forms allows no more of them."""
    client = create_app(Settings(requests_a_minute=50), parts).test_client()

    def form() -> int:
        return client.post("/clinics/sign-in", data={"email": "nobody"}).status_code

    for _ in range(POSTS_AN_HOUR):
        assert client.get("/api/v1/vocabulary").status_code == 200
    assert form() == 400, "its address is none, and it is read"
    asked = client.get("/api/v1/vocabulary")
    assert "r=9;t=" in asked.headers["RateLimit"]
    assert 0 < int(asked.headers["RateLimit"].rpartition("=")[2]) <= 60
    assert [form() for _ in range(POSTS_AN_HOUR)] == [400] * (POSTS_AN_HOUR - 1) + [429]
    assert client.get("/api/v1/vocabulary").status_code == 200
