"""No letter is sent twice and none is lost, whatever happens to it, to the server or to us."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from directory.mail import Letter, MailUnavailable
from directory.store import erasure, mails
from directory.store.database import Database
from tests.builders import NOW

LETTERS = [f"{name}@example.net" for name in ("ana", "bob", "cem")]

Take = Callable[[str], object]
"""What a mail server does at each letter, by whom it is for."""


@pytest.fixture
def letters(database: Database) -> Database:
    """A store with three letters that are due."""
    with database.writing() as session:
        for each in LETTERS:
            mails.keep(session, Letter(each, "s", "t", "h"), NOW)
    return database


class Sender:
    """A process that sends; `got` is what the server took of it, and `told` what went wrong."""

    def __init__(self, database: Database, take: Take = lambda _: None) -> None:
        self._database = database
        self._take = take
        self.got: list[str] = []
        self.told: list[str] = []

    def _post(self, letter: Letter) -> None:
        self._take(letter.recipient)
        self.got.append(letter.recipient)

    def send(self, seconds: float) -> int:
        """Send what is due so long after the letters were written."""
        at = NOW + timedelta(seconds=seconds)
        return mails.send_due(self._database, self._post, at, self.told.append)


def waiting(database: Database) -> int:
    with database.reading() as session:
        return mails.waiting(session)


def test_two_processes_send_each_letter_once(letters: Database) -> None:
    """One takes 31 seconds a letter, and the other looks meanwhile."""
    other = Sender(letters)
    slow = Sender(letters, lambda _: other.send(31 * (1 + len(slow.got))))
    slow.send(0)
    assert Counter(slow.got + other.got) == Counter(LETTERS)
    assert waiting(letters) == 0


def test_a_letter_that_others_were_sent_before_is_taken_for_as_long(
    letters: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mails, "_LEASE", timedelta(seconds=1))
    started, other = time.monotonic(), Sender(letters)

    def take(_: str) -> None:
        time.sleep(0.6)
        if len(slow.got) == 2:  # taken after 1.2 seconds, it is not to be had after 1.8
            other.send(time.monotonic() - started)

    slow = Sender(letters, take)
    assert slow.send(0) == 3
    assert other.got == []


def test_one_bad_letter_keeps_no_other_back_and_is_given_up(letters: Database) -> None:
    def take(recipient: str) -> None:
        if recipient == LETTERS[1]:
            raise ValueError(f"{recipient} is none")

    sender = Sender(letters, take)
    assert sender.send(0) == 2
    assert sender.got == [LETTERS[0], LETTERS[2]]
    for hours in range(2, 72, 2):
        sender.send(hours * 3600)
    assert waiting(letters) == 1
    sender.send(72.1 * 3600)
    assert waiting(letters) == 0
    assert sender.told == ["a letter cannot be sent: ValueError"] * 37, "nothing of it is told"


def test_what_the_server_does_not_take_now_is_tried_ever_more_seldom(letters: Database) -> None:
    tried: list[int] = []

    def take(_: str) -> None:
        tried.append(second)
        raise MailUnavailable("down")

    sender = Sender(letters, take)
    for second in range(0, 600, 10):
        sender.send(second)
    gone_by = [later - before for before, later in zip(tried[::3], tried[3::3], strict=False)]
    assert gone_by == [40, 70, 130, 250], "more than 30 seconds, and twice as long each time"
    assert sender.send(7200) == 0
    assert Sender(letters).send(20_000) == 3


def test_a_process_that_ends_in_the_middle_loses_nothing(letters: Database) -> None:
    """Its first letter was sent and is not sent again; nobody knows of the second."""

    def take(recipient: str) -> None:
        if recipient == LETTERS[1]:
            raise SystemExit

    ended, other = Sender(letters, take), Sender(letters)
    with pytest.raises(SystemExit):
        ended.send(0)
    other.send(1)
    assert other.got == [LETTERS[2]]
    other.send(299)
    assert other.got == [LETTERS[2]]
    other.send(310)
    assert other.got == [LETTERS[2], LETTERS[1]]
    assert waiting(letters) == 0


def test_who_is_to_end_ends_between_two_letters(letters: Database) -> None:
    stop, got = threading.Event(), list[str]()

    def take(letter: Letter) -> None:
        got.append(letter.recipient)
        stop.set()

    assert mails.send_due(letters, take, NOW, print, stop) == 1
    assert Sender(letters).send(1) == 2
    assert got == LETTERS[:1]


@pytest.mark.parametrize("is_taken", [True, False])
def test_an_address_that_is_erased_while_a_letter_goes_out(
    letters: Database, is_taken: bool
) -> None:
    def take(recipient: str) -> None:
        with letters.writing() as session:
            erasure.forget_address(session, recipient)
        if not is_taken:
            raise MailUnavailable("down")

    assert Sender(letters, take).send(0) == (3 if is_taken else 0)
    assert waiting(letters) == 0
