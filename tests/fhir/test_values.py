"""How values are read: dates against their own text, circles and tokens whatever is typed."""

from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.fhir.values import (
    FARTHEST_M,
    Near,
    Token,
    alternatives,
    near,
    plain,
    reference,
    span,
    token,
)
from directory.search.query import InvalidQuery

BASE = "https://needling.example.org/fhir/r4"
LENGTHS = (4, 7, 10, 16, 19, 23, 26)
"""Characters of 2026-11-24T12:34:56.123456 down to the year, the month, the day, … of it."""


def text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f")


@pytest.mark.parametrize("length", LENGTHS)
def test_a_date_means_all_times_that_begin_with_it(length: int) -> None:
    rng, within = Random(length), 0
    for _ in range(3_000):
        time = datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)
        time += rng.choice([-1, 0, 1, 3]) * timedelta(
            **{rng.choice(["days", "seconds", "microseconds", "hours"]): rng.choice([0, 1, 2, 40])}
        )
        said = text(
            time + timedelta(microseconds=rng.choice([0, 0, 1, -1, 60_000_000, 86_400_000_000]))
        )[:length]
        begins, zone = text(time)[:length], "Z" if length > 10 else ""
        expected = {
            "": begins == said, "eq": begins == said, "ge": begins >= said, "gt": begins > said,
            "sa": begins > said, "le": begins <= said, "lt": begins < said, "eb": begins < said,
        }  # fmt: skip
        for prefix, is_meant in expected.items():
            found = span("_lastUpdated", f"{prefix}{said}{zone}")
            is_in = (not found.since or found.since <= time) and (
                not found.before or time < found.before
            )
            assert is_in == is_meant, (prefix, said, time)
            within += is_meant
    assert within > 5_000


def test_a_zone_counts_and_without_one_it_is_utc() -> None:
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert span("_lastUpdated", "ge2026-11-24T12:00:00").since == noon
    for hours in (-5, 2):
        there = noon.astimezone(timezone(timedelta(hours=hours))).isoformat()
        assert span("_lastUpdated", f"ge{there}").since == noon


def test_a_fraction_of_a_second_is_cut_to_what_is_kept() -> None:
    whole = span("_lastUpdated", "2026-11-24T12:34:56.123456Z")
    for more in ("7", "789000", "9" * 100):
        assert span("_lastUpdated", f"2026-11-24T12:34:56.123456{more}Z") == whole
        zoned = f"2026-11-24T13:34:56.123456{more}+01:00"
        assert span("_lastUpdated", f"ge{zoned}").since == whole.since


@pytest.mark.parametrize("value", ["", "2026-13", "2026-02-30", "24.11.2026", "2026-11-24T25:00", "ne2026", "ap2026", "xx2026", "0000", "٢٠٢٦", "ge", "9999-12-31"])  # fmt: skip
def test_what_is_no_date_is_named(value: str) -> None:
    with pytest.raises(InvalidQuery, match="_lastUpdated"):
        span("_lastUpdated", value)


def test_alternatives_and_what_a_backslash_keeps() -> None:
    assert [plain(each) for each in alternatives("name", r"Ana, O\,Brien,,a\|b\\")] == [
        "Ana",
        "O,Brien",
        "a|b\\",
    ]
    with pytest.raises(InvalidQuery):
        alternatives("name", "x" * 201)


def test_tokens() -> None:
    assert token("s|c") == Token("s", "c")
    assert token("|c") == Token("", "c")
    assert token("s|") == Token("s", "")
    assert token(r"a\|b") == Token(None, "a|b")
    assert token("c").names("s", "c")
    assert token("s|").names("s", "c")
    assert not token("|c").names("s", "c")
    assert not token("other|c").names("s", "c")


@pytest.mark.parametrize(
    ("value", "id_"),
    [("1", "1"), ("Location/1", "1"), (f"{BASE}/Location/1", "1"), ("Patient/1", None), (f"{BASE}/Patient/1", None), ("https://elsewhere.example.org/Location/1", None)],
)  # fmt: skip
def test_references(value: str, id_: str | None) -> None:
    assert reference(value, "Location", BASE) == id_


@pytest.mark.parametrize(
    ("value", "radius_m", "unit"),
    [
        ("1|2|3", 3_000.0, "km"), ("1|2|3|", 3_000.0, "km"), ("1|2|3|km", 3_000.0, "km"), ("1|2|3|mi", 4_828.032, "mi"),
        ("1|2|3|[mi_i]", 4_828.032, "[mi_i]"), ("1|2|3|m", 3.0, "m"), ("1|2|10|ft", 3.048, "ft"),
        ("1|2", 40_233.6, "km"), ("1|2||mi", 40_233.6, "mi"), ("+1|2.0|3e0|km", 3_000.0, "km"), ("1|2|0", 0.0, "km"),
        ("1|2|500|mi", FARTHEST_M, "mi"), ("1|2|804.672|km", FARTHEST_M, "km"), ("1|2|2640000|ft", FARTHEST_M, "ft"),
    ],
)  # fmt: skip
def test_circles(value: str, radius_m: float, unit: str) -> None:
    found = near("near", value)
    assert (found.centre, found.unit) == ((1.0, 2.0), unit)
    assert found.radius_m == pytest.approx(radius_m)
    assert found.length(found.radius_m) == pytest.approx(
        float(value.split("|")[2] or 0)
        if value.count("|") > 1 and value.split("|")[2]
        else found.length(40_233.6)
    )


@pytest.mark.parametrize(
    "value",
    [
        "", "30", "30|", "|30", "30|-97|25|mi|x", "90.1|0|5", "-90.1|0|5", "0|180.1|5", "0|-180.1|5", "x|0|5", "0|x|5",
        "0|0|x", "0|0|-1", "0|0|5|parsec", "nan|0|5", "inf|0|5", "0|0|inf", "0|0|nan", "0|0|1e300", "0|0|500.001|mi", "0|0|804.673|km", "1_0|0|5",
        "٣|0|5", "0|0|5|KM",
    ],
)  # fmt: skip
def test_what_is_no_circle_is_named(value: str) -> None:
    with pytest.raises(InvalidQuery, match="near"):
        near("near", value)


@given(st.text(max_size=60) | st.text("0123456789.|-+einfa km", max_size=30))
def test_whatever_is_typed_is_read_or_refused(value: str) -> None:
    for name, reading in (("near", near), ("_lastUpdated", span)):
        try:
            found = reading(name, value)
        except InvalidQuery as error:
            assert error.errors[0].parameter == name
        else:
            assert not isinstance(found, Near) or (
                0 <= found.radius_m <= FARTHEST_M and abs(found.centre[0]) <= 90
            )
