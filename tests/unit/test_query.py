"""What may be asked, and what is said of what may not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.search.query import FACET_PARAMETERS, InvalidQuery, SearchQuery, parse

API = frozenset({"page"})


def asked(**parameters: Any) -> SearchQuery:
    several = {n: v if isinstance(v, list) else [str(v)] for n, v in parameters.items()}
    return parse(several, without=API)


def test_everything_can_be_asked() -> None:
    query = asked(near=" Austin, TX ", radius="25", units="km", q="chiro",
                  profession=["chiropractor", "physical-therapist", "chiropractor"],
                  accepting="true", confirmed="YES", cash_pay=["yes", "unknown"], max_price="120",
                  insurance="unknown", sort="best", limit="100", explain="1")  # fmt: skip
    assert query.near == "Austin, TX"
    assert query.radius_m == 25_000
    assert query.profession == ("chiropractor", "physical-therapist")
    assert (query.accepting, query.confirmed) == (("yes",), ("yes",))
    assert dict(query.selected)["cash_pay"] == ("yes", "unknown")


@pytest.mark.parametrize(
    ("parameters", "parameter", "says"),
    [
        ({"profesion": "x"}, "profesion", "There is no parameter"),
        ({"page": "2"}, "page", "There is no parameter"),
        ({"radius": "0.09"}, "radius", "between 0.1 and 500 mi"),
        ({"radius": "500.1"}, "radius", "between 0.1 and 500 mi"),
        ({"radius": "805", "units": "km"}, "radius", "between 0.1609 and 804.7 km"),
        ({"radius": "nan"}, "radius", "must be a number"),
        ({"radius": "1e309"}, "radius", "must be a number"),
        ({"radius": "far"}, "radius", "number"),
        ({"radius": ["1", "2"]}, "radius", "more than once"),
        ({"near": ""}, "near", "is empty"),
        ({"near": "  "}, "near", "is empty"),
        ({"near": "x" * 201}, "near", "200"),
        ({"near": "a\x00b"}, "near", "cannot be printed"),
        ({"near": "91,0"}, "near", "latitude goes from -90 to 90"),
        ({"near": "0,180.1"}, "near", "longitude from -180 to 180"),
        ({"units": "furlong"}, "units", "one of mi, km"),
        ({"profession": "wizard"}, "profession", "“wizard” is no profession"),
        ({"insurance": ["aetna", "nope"]}, "insurance", "“nope” is no insurance"),
        ({"accepting": "maybe"}, "accepting", "one of yes, no, unknown"),
        ({"confirmed": "unknown"}, "confirmed", "one of yes, no"),
        ({"max_price": "-1"}, "max_price", "0"),
        ({"max_price": "9.5"}, "max_price", "a whole number"),
        ({"limit": "0"}, "limit", "1"),
        ({"limit": "101"}, "limit", "100"),
        ({"sort": "money"}, "sort", "one of distance, best, price"),
    ],
)
def test_what_is_wrong_is_said_at_the_parameter(
    parameters: dict[str, Any], parameter: str, says: str
) -> None:
    with pytest.raises(InvalidQuery) as raised:
        asked(near="Austin" if "near" not in parameters else parameters.pop("near"), **parameters)
    (error,) = raised.value.errors
    assert error.parameter == parameter
    assert says in error.message


@pytest.mark.parametrize("radius", ["0.1", "500"])
def test_the_bounds_are_in(radius: str) -> None:
    assert asked(radius=radius).radius == float(radius)
    assert asked(radius=str(float(radius) * 1.609344), units="km").radius_m


def test_the_repeatable_parameters() -> None:
    assert FACET_PARAMETERS == (
        "profession", "technique", "condition", "insurance", "setting", "language",
        "cash_pay", "accepting", "wheelchair_access", "home_visits", "telehealth", "gender",
        "evidence", "confirmed", "licence_checked",
    )  # fmt: skip


@given(st.dictionaries(st.sampled_from(sorted(SearchQuery.model_fields)) | st.text(max_size=8),
                       st.lists(st.text(max_size=30), min_size=1, max_size=3)))  # fmt: skip
def test_any_parameters_give_a_query_or_say_what_is_wrong(parameters: dict[str, list[str]]) -> None:
    try:
        query = parse(parameters, without=API)
    except InvalidQuery as error:
        assert error.errors
        assert all(each.message for each in error.errors)
    else:
        assert isinstance(query, SearchQuery)
