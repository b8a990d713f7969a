"""Duplicates are found on the published labelled set (fixtures/pairs.jsonl), and few others are."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from directory.listing import Facts, Source
from directory.places import Places
from directory.store.database import Database
from directory.store.duplicates import pairs
from directory.store.keys import keys_of
from directory.store.listings import Made
from directory.store.matching import Matcher
from directory.store.record import record, withdraw
from directory.store.statement import Statement
from fixtures.pairs import PER_KIND
from fixtures.pairs import pairs as labelled
from tests.elasticsearch_node import ROOT

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MADE = Made("a test", NOW, "said so")


def facts(document: dict[str, Any], places: Places) -> Facts:
    stated = {name: value for name, value in document.items() if value is not None}
    return Facts.model_validate(places.located(stated))


def test_the_published_set_is_what_is_made() -> None:
    lines = (ROOT / "fixtures" / "pairs.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == list(labelled())


def test_precision_and_recall_on_the_labelled_set(database: Database, places: Places) -> None:
    """Each pair by itself: the second record is matched when it comes, or is shown to a moderator."""
    seen: Counter[tuple[str, bool, bool]] = Counter()
    with database.writing(rehearsal=True) as session:
        for number, pair in enumerate(labelled()):
            one, other = (facts(pair[each], places) for each in ("one", "other"))
            first, second = f"one-{number:04}", f"two-{number:04}"
            said = Statement.of(Source.FILE, first, NOW.date(), one)
            record(session, first, said, MADE)
            newcomer = other.model_dump(mode="json", exclude_unset=True)
            keys = keys_of(newcomer)
            is_found = Matcher(session, [keys]).match(newcomer, keys) == first
            if not is_found:
                record(session, second, Statement.of(Source.FILE, second, NOW.date(), other), MADE)
                shown = {(each.one.id, each.other.id) for each in pairs(session)}
                is_found = (first, second) in shown
            for each in (first, second):
                withdraw(session, Source.FILE, each, MADE)
            seen[pair["kind"], pair["same"], is_found] += 1
    right = sum(count for (_, same, found), count in seen.items() if same and found)
    wrong = sum(count for (_, same, found), count in seen.items() if not same and found)
    missed = sum(count for (_, same, found), count in seen.items() if same and not found)
    assert right + missed == 11 * PER_KIND
    assert right / (right + wrong) >= 0.99, seen
    assert right / (right + missed) >= 0.95, seen


def test_three_of_one_are_three_pairs(database: Database, places: Places) -> None:
    (pair, *_) = (each for each in labelled() if each["kind"] == "no telephone")
    one = facts(pair["other"], places)
    with database.writing(rehearsal=True) as session:
        for number in range(3):
            record(
                session,
                f"n-{number}",
                Statement.of(Source.FILE, f"n-{number}", NOW.date(), one),
                MADE,
            )
        assert len(pairs(session)) == 3
