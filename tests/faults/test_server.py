"""The server under fire: asked to end while it works, held by slow clients, its mail server down."""

import http.client
import json
import resource
import signal
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from directory.mail import Letter
from directory.mail import post as post_of
from directory.places import Places
from directory.store import mails
from directory.store.database import Database
from directory.web.server import THREADS, WORKERS
from directory.web.worker import AT_ONCE_S, HEAD_S
from tests.builders import a_listing, facts
from tests.conftest import own_services
from tests.contract.test_engines import fill
from tests.elasticsearch_node import free_port
from tests.faults.site import Served, environment, served, until
from tests.web.conftest import run
from tests.web.mailbox import Mailbox, mailbox

SLOW = 1_000


@pytest.fixture
def folder(tmp_path: Path, places: Places) -> Path:
    """Files of a site with three listings."""
    parts = own_services(tmp_path, places)
    fill(parts.engine, [a_listing(f"l{n:02}", dry_needling="yes") for n in range(3)])
    parts.close()
    return tmp_path


def post(port: int, number: int) -> int:
    """Submit a listing; says the status of the answer, 0 where no connection was to be had."""
    try:
        connection, body = begun(port, number)
    except OSError:
        return 0
    return ended(connection, body)


def begun(port: int, number: int, **more: str) -> tuple[http.client.HTTPConnection, bytes]:
    """The submission of a listing of which half is sent, and the other half."""
    listing = facts().model_dump(mode="json", exclude_unset=True)
    body = json.dumps({"email": f"clinic-{number}@example.org", "listing": listing}).encode()
    headers = {
        "Content-Type": "application/json", "X-Forwarded-For": f"2001:db8:{number:x}::1",
        "Idempotency-Key": f"key-{number}", "Content-Length": str(len(body)),
        **more,
    }  # fmt: skip
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    half = len(body) // 2
    connection.request("POST", "/api/v1/submissions", body[:half], headers)
    return connection, body[half:]


def ended(connection: http.client.HTTPConnection, rest: bytes) -> int:
    """Send the rest; says the status of the answer."""
    connection.send(rest)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_a_site_that_is_asked_to_end_answers_what_it_has_accepted(folder: Path) -> None:
    with served(folder, DIRECTORY_LOG_FORMAT="json") as site, ThreadPoolExecutor(6) as clients:
        answers: list[int] = []
        broken: list[Exception] = []

        def submit(number: int) -> None:
            try:
                answers.append(post(site.port, number))
            except (OSError, http.client.HTTPException) as error:
                broken.append(error)

        tasks = [clients.submit(submit, number) for number in range(120)]
        until(lambda: answers.count(202) >= 20)
        held, rest = begun(site.port, 1_000, Expect="100-continue")
        assert held.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n", (
            "a thread waits for the rest"
        )
        site.process.send_signal(signal.SIGTERM)
        assert_errands_are_over(folder)
        assert ended(held, rest) == 202
        assert site.process.wait(60) == 0
        for task in tasks:
            task.result()
    assert set(answers) == {202, 0}
    # A connection that the system took in and no worker ever accepted ends without an answer.
    assert all(isinstance(each, ConnectionError) for each in broken)
    store = Database(f"sqlite:///{folder / 'store.db'}")
    with store.reading() as session:
        kept = session.scalar(text("SELECT count(*) FROM submission"))
    store.close()
    assert kept == answers.count(202) + 1
    log = (folder / "site.log").read_text().splitlines()
    assert {"message", "level"} <= set.intersection(*(set(json.loads(line)) for line in log[1:]))


def test_a_site_listens_where_it_is_told_by_either_version(folder: Path) -> None:
    with served(folder, host="::1") as site:
        assert site.status("/search?near=78701") == 200
        done = run(
            folder, environment(folder), "directory", "serve", "--host", "::1",
            "--port", str(site.port),
        )  # fmt: skip
    assert done.returncode == 1
    assert f"cannot listen on [::1]:{site.port}" in done.stderr


def assert_errands_are_over(folder: Path) -> None:
    """While a request is waited for, a letter is no longer sent: who starts next does that."""
    store = Database(f"sqlite:///{folder / 'store.db'}")
    time.sleep(1)
    with store.writing() as session:
        mails.keep(session, Letter("ana@example.org", "Late", "", ""), datetime.now(UTC))
        before = mails.waiting(session)
    time.sleep(2)
    with store.reading() as session:
        assert mails.waiting(session) == before
    store.close()


def test_a_thousand_slow_clients_keep_nobody_out(folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * SLOW)), hard))
    slow: list[socket.socket] = []
    with served(folder) as site:
        assert_pieces_are_answered(site)
        over = threading.Event()

        def drip() -> None:
            """A byte now and then, of half of them; the others say nothing at all."""
            while not over.wait(0.5):
                for each in slow[::2]:
                    with suppress(OSError):
                        each.send(b"x")

        for number in range(SLOW):
            client = socket.create_connection(("127.0.0.1", site.port), timeout=60)
            slow.append(client)
            if number % 2 == 0:
                client.send(b"GET /search HTTP/1.1\r\nX-Slow: ")
        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            took = []
            for _ in range(20):
                started = time.monotonic()
                assert site.status("/api/v1/search?near=78701", 60) == 200
                took.append(time.monotonic() - started)
            # Were threads held, each request would wait for several slow clients to be given up.
            assert sorted(took)[10] < 5
            until(lambda: all(_is_ended(each) for each in slow))
        finally:
            over.set()
            dripping.join()
            for each in slow:
                each.close()


HOLD_A_PROCESS = WORKERS * THREADS
"""So many clients take all threads of one process at least, whichever of them takes them in."""

HALF_A_FORM = (
    b"POST /clinics/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nemail="
)
LARGE = b"GET /static/basemap/counties.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def test_clients_that_fall_silent_hold_threads_for_a_moment_alone(folder: Path) -> None:
    """In the middle of a large answer that they do not read, or of a form; and one drips on."""
    with served(folder) as site, ExitStack() as clients:

        def ask(request: bytes) -> None:
            client = clients.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            client.connect(("127.0.0.1", site.port))
            client.sendall(request)

        for _ in range(HOLD_A_PROCESS):
            ask(LARGE * 60)
        assert_dripping_ends(site)
        for _ in range(HOLD_A_PROCESS):
            ask(HALF_A_FORM)
        with ThreadPoolExecutor(20) as visitors:  # so many that both processes are asked
            until(lambda: all(visitors.map(lambda _: _answers_soon(site), range(20))))
    assert "fault" not in (folder / "site.log").read_text()


def _answers_soon(site: Served) -> bool:
    try:
        return site.status("/healthz", 2) == 200
    except OSError:
        return False


def test_nobody_says_under_which_path_the_site_lies(folder: Path) -> None:
    """Addresses are kept, so one visitor's word would go to all."""
    with served(folder) as site:
        client = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
        client.request("GET", "/x/search?near=78701", headers={"SCRIPT_NAME": "/x"})
        answer = client.getresponse()
        assert (answer.status, b"/x/static" in answer.read()) == (404, False)
        client.close()


def test_clients_that_ask_on_and_on_leave_room_for_others(folder: Path) -> None:
    """A thread stays with a client that asks again at once, while another is free."""
    with served(folder) as site, ExitStack() as clients:
        over = threading.Event()

        def ask_on() -> None:
            client = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
            clients.callback(client.close)
            while not over.wait(AT_ONCE_S / 2):
                client.request("GET", "/healthz")
                answer = client.getresponse()
                assert (answer.status, answer.read()) == (200, b'{"status":"ok"}')

        with ThreadPoolExecutor(HOLD_A_PROCESS) as crowd:
            asking = [crowd.submit(ask_on) for _ in range(HOLD_A_PROCESS)]
            took = []
            try:
                for _ in range(20):
                    started = time.monotonic()
                    assert site.status("/healthz", 60) == 200
                    took.append(time.monotonic() - started)
            finally:
                over.set()
        for each in asking:
            each.result()
    # Were threads kept from others, each would wait until somebody stops asking.
    assert sorted(took)[18] < 1


def assert_dripping_ends(site: Served) -> None:
    """Also for one that others who have come later wait before, as they are silent."""
    started = time.monotonic()
    with ExitStack() as clients:
        dripping = clients.enter_context(socket.create_connection(("127.0.0.1", site.port)))
        while not _is_ended(dripping):
            assert time.monotonic() < started + HEAD_S + 5
            clients.enter_context(socket.create_connection(("127.0.0.1", site.port)))
            with suppress(OSError):
                dripping.send(b"x")
            time.sleep(0.5)


def assert_pieces_are_answered(site: Served) -> None:
    """A request in pieces, on a new connection and on a kept one; two at once; half a one."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=60) as client:
        for _ in range(2):
            for piece in (b"GET /healthz HT", b"TP/1.1\r\nHost: 127.0.0.1\r\n", b"\r\n"):
                client.send(piece)
                time.sleep(0.1)
            assert client.recv(10_000).startswith(b"HTTP/1.1 200")
    with socket.create_connection(("127.0.0.1", site.port), timeout=60) as client:
        client.send(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 2)
        got = b""
        while got.count(b"HTTP/1.1 200") < 2 and (more := client.recv(10_000)):
            got += more
        assert got.count(b"HTTP/1.1 200") == 2
    with socket.create_connection(("127.0.0.1", site.port), timeout=60) as client:
        client.send(b"GET /hea")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(10_000) == b""


def _is_ended(client: socket.socket) -> bool:
    try:
        return client.recv(1_000, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("fault", ["down", "silent"])
def test_without_a_mail_server_submissions_are_taken_and_letters_follow_once(
    folder: Path, fault: str
) -> None:
    port = free_port()
    silent = socket.create_server(("127.0.0.1", port)) if fault == "silent" else None
    with served(folder, DIRECTORY_MAIL_URL=f"smtp://127.0.0.1:{port}") as site:
        assert [post(site.port, number) for number in range(3)] == [202] * 3
        assert site.status("/api/v1/search?near=78701") == 200
    if silent:
        silent.close()
    with mailbox() as box:
        letters_follow(folder, box)


def letters_follow(folder: Path, box: Mailbox) -> None:
    """Once the server is back, and the letters are due again, each comes once."""
    store = Database(f"sqlite:///{folder / 'store.db'}")
    later = datetime.now(UTC) + timedelta(hours=2)
    sent = mails.send_due(store, post_of(box.url, "Us <us@example.org>"), later, print)
    again = mails.send_due(store, post_of(box.url, "Us <us@example.org>"), later, print)
    store.close()
    assert (sent, again) == (3, 0)
    assert_each_got_one(box, 3)


def assert_each_got_one(box: Mailbox, clinics: int) -> None:
    received = Counter(letter["To"] for letter in box.letters)
    assert received == Counter(f"clinic-{number}@example.org" for number in range(clinics))


def test_a_slow_mail_server_keeps_nobody_waiting_and_gets_each_letter_once(folder: Path) -> None:
    with mailbox(takes_s=1) as box:
        with served(folder, DIRECTORY_MAIL_URL=box.url) as site:
            assert [post(site.port, number) for number in range(6)] == [202] * 6
            assert site.status("/api/v1/search?near=78701") == 200
            assert len(box.letters) < 6, "they are sent after the answers"
            until(lambda: len(box.letters) >= 6)
        assert_each_got_one(box, 6)
