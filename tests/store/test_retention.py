"""What is kept about people ends by itself, on both stores; what waits for an answer does not."""

from datetime import timedelta

from directory.errands import Errands
from directory.services import Services
from directory.store import links, reports, submissions
from directory.store.database import Database
from directory.store.links import Purpose
from directory.store.reports import Outcome
from directory.store.retention import DECIDED_DAYS, UNFINISHED_DAYS, forget_old
from directory.store.submissions import Asked, Kind, State
from tests.builders import NOW
from tests.store.test_store import put

ANA = "ana@example.net"


def test_each_ends_on_its_day(database: Database) -> None:
    put(database, "ana")
    with database.writing() as session:
        kept = {
            state: submissions.keep(session, Asked(Kind.NEW, ANA, "en", {}), state, NOW)[0]
            for state in State
        }
        for state in (State.APPROVED, State.REJECTED):
            submissions.move(session, kept[state], state, "mod", NOW, "because")
        token = links.make(session, Purpose.SIGN_IN, ANA, "", NOW)
        told, answered = (reports.keep(session, "ana", "phone", "x", NOW) for _ in range(2))
        reports.answer(session, answered, Outcome.MENDED, "", "mod", NOW)

    def left(days: float) -> set[str]:
        with database.writing() as session:
            forget_old(session, NOW + timedelta(days=days))
        with database.reading() as session:
            there = {state for state, each in kept.items() if submissions.find(session, each)}
            there |= {"link"} if links.look(session, token, NOW) else set()
            there |= {"told"} if reports.find(session, told) else set()
            return there | ({"answered"} if reports.find(session, answered) else set())

    everything = {*State, "link", "told", "answered"}
    assert left(UNFINISHED_DAYS - 0.1) == everything
    everything -= {State.DRAFT, State.UNPROVED}
    assert left(UNFINISHED_DAYS + 0.01) == everything
    everything -= {"link"}
    assert left(UNFINISHED_DAYS + 0.1) == left(DECIDED_DAYS - 0.1) == everything
    assert left(DECIDED_DAYS + 0.1) == left(10_000) == {State.WAITING, State.ASKED, "told"}


def test_it_is_done_while_the_site_is_served(parts: Services) -> None:
    with parts.database.writing() as session:
        old = parts.clock() - timedelta(days=UNFINISHED_DAYS + 1)
        asked = Asked(Kind.NEW, ANA, "en", {})
        reference, _ = submissions.keep(session, asked, State.DRAFT, old)
    Errands(parts).let_time_pass()
    with parts.database.reading() as session:
        assert submissions.find(session, reference) is None
