import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.predictions import rows as row_rules
from common.predictions.rows import INVALID_ROWS
from common.predictions.table import BY_NAME, COLUMNS
from common.result import ErrorType
from tests.support.prediction_rows import CREATED_AT, prediction


class Hostile:
    """Raises whatever is asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    __hash__ = None  # type: ignore[assignment]


def nested(depth: int) -> Any:
    value: Any = None
    for _ in range(depth):
        value = [value]
    return value


def is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _encoded(**fields: Any) -> dict[str, Any]:
    return row_rules.encode([prediction("lebronjames", **fields)]).unwrap()[0]


def _problem(**fields: Any) -> str:
    result = row_rules.encode([prediction("lebronjames", **fields)])
    assert result.error is not None
    assert (result.error.type, result.error.exception_class) == (ErrorType.PERMANENT, INVALID_ROWS)
    return result.error.message


def test_a_row_is_encoded_with_every_column() -> None:
    encoded = _encoded()

    assert list(encoded) == [column.name for column in COLUMNS]


@pytest.mark.parametrize(
    ("column", "value", "encoded"),
    [
        ("game_date", date(2026, 1, 17), "2026-01-17"),
        ("game_date", "2026-01-17", "2026-01-17"),
        ("created_at", datetime(2026, 1, 17, 20, tzinfo=UTC), "2026-01-17T20:00:00.000000+00:00"),
        (
            "created_at",
            datetime(2026, 1, 17, 15, tzinfo=timezone(timedelta(hours=-5))),
            "2026-01-17T20:00:00.000000+00:00",
        ),
        ("created_at", "2026-01-17T20:00:00.5Z", "2026-01-17T20:00:00.500000+00:00"),
        ("current_points_line", 24.5, "24.5"),
        ("current_points_line", Decimal("24.50"), "24.5"),
        ("current_points_line", 25, "25.0"),
        ("current_points_line", None, None),
        ("confidence_score", 100, "100.00"),
        ("similar_games_count", 7, 7),
        ("completeness_percentage", 99, 99.0),
        ("key_factors", {"a": [1, None]}, {"a": [1, None]}),
        ("data_quality_issues", ["late"], ["late"]),
        ("data_quality_issues", None, []),
    ],
)
def test_values_become_json(column: str, value: Any, encoded: Any) -> None:
    assert _encoded(**{column: value})[column] == encoded


def test_columns_that_a_row_leaves_out_have_their_defaults() -> None:
    encoded = _encoded()

    assert (encoded["prediction_version"], encoded["is_active"]) == (1, True)
    assert (encoded["has_prop_line"], encoded["was_line_fallback"]) == (True, False)


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("confidence_score", 100.01, "Input should be less than or equal to 100"),
        ("confidence_score", -1, "Input should be greater than or equal to 0"),
        ("predicted_points", -0.1, "Input should be greater than or equal to 0"),
        ("recommendation", "over", "String should match pattern '^(NO_LINE|OVER|PASS|UNDER)$'"),
        ("predicted_points", math.nan, "not a finite number"),
        ("predicted_points", math.inf, "not a finite number"),
        ("completeness_percentage", math.nan, "not a finite number"),
        ("predicted_points", "27", "a number was expected"),
        ("predicted_points", True, "a number was expected"),
        ("predicted_points", 0.1 + 0.2, "Decimal input should have no more than 5 digits in total"),
        ("predicted_points", 27.35, "Decimal input should have no more than 1 decimal place"),
        (
            "predicted_points",
            10_000,
            "Decimal input should have no more than 4 digits before the decimal point",
        ),
        ("current_points_line", 24.25, "Decimal input should have no more than 1 decimal place"),
        ("similar_games_count", 1.0, "Input should be a valid integer"),
        ("similar_games_count", 2**63, "Input should be less than 9223372036854775808"),
        ("is_active", 1, "Input should be a valid boolean"),
        ("game_id", "", "String should have at least 1 character"),
        ("player_lookup", "LeBron James", "String should match pattern '^[a-z0-9]+$'"),
        ("system_id", 5, "Input should be a valid string"),
        (
            "universal_player_id",
            "\ud800",
            "Input should be a valid string, unable to parse raw data as a unicode string",
        ),
        ("prediction_id", None, "Input should be a valid string"),
        ("created_at", None, "a time with its zone was expected"),
        ("created_at", "2026-01-17T20:00:00", "a time with its zone was expected"),
        ("created_at", datetime(2026, 1, 17), "a time with its zone was expected"),  # noqa: DTZ001
        ("created_at", "yesterday", "Invalid isoformat string"),
        ("game_date", datetime(2026, 1, 17, tzinfo=UTC), "a date was expected"),
        ("game_date", "17.1.2026", "Invalid isoformat string"),
        ("data_quality_issues", "late", "a list was expected"),
        ("key_factors", {"a": math.nan}, "Out of range float values are not JSON compliant"),
        ("points_line", 24.5, "Extra inputs are not permitted"),
    ],
)
def test_a_bad_value_is_named_with_its_row_and_column(column: str, value: Any, why: str) -> None:
    message = _problem(**{column: value})

    assert message.startswith(f"row 0: {column}: {why}")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param("predicted_points", 1e30, id="a float far beyond its digits"),
        pytest.param("predicted_points", 10**5000, id="an int too long to be shown"),
        pytest.param("predicted_points", Decimal("1e999999"), id="a decimal too long to be shown"),
        pytest.param("predicted_points", Decimal("sNaN"), id="a decimal that raises when compared"),
        pytest.param("predicted_points", Decimal("27.0000000000000000000000000000000001"), id="rounded away"),
        pytest.param("completeness_percentage", 10**5000, id="an int that is no float"),
        pytest.param("created_at", datetime.min.replace(tzinfo=timezone(timedelta(hours=1))), id="before 1"),
        pytest.param(
            "created_at", datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), id="after 9999"
        ),
        pytest.param("game_id", Hostile(), id="an object that raises whatever is asked of it"),
        pytest.param("key_factors", {"a": Hostile()}, id="the same in JSON"),
        pytest.param("key_factors", {1: "a", "1": "b"}, id="two keys that become one"),
        pytest.param("key_factors", {1: "a"}, id="a key that is no text"),
        pytest.param("key_factors", {"a": (1, 2)}, id="a tuple, which comes back as a list"),
        pytest.param("key_factors", 2**64, id="an integer that BigQuery rounds"),
        pytest.param("key_factors", "\ud800", id="half a surrogate pair"),
        pytest.param("key_factors", nested(100_000), id="deeper than anybody can follow"),
        pytest.param("data_quality_issues", [None], id="an element of a list that is none"),
        pytest.param(5, "x", id="a column that is no name"),
    ],
)
def test_no_value_raises_and_none_is_bent(column: Any, value: Any) -> None:
    result = row_rules.encode([prediction("lebronjames"), {**prediction("lebronjames"), column: value}])

    assert result.error is not None
    assert (result.error.type, result.error.exception_class) == (ErrorType.PERMANENT, INVALID_ROWS)
    assert result.error.message.startswith(f"row 1: {column}")
    assert len(result.error.message) < 1_000


@pytest.mark.parametrize("row", [None, 5, "row", [1]])
def test_a_row_that_is_none_is_named(row: Any) -> None:
    result = row_rules.encode([row])

    assert result.error is not None and result.error.message.startswith("row 0: row: ")


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.binary()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones()),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(inner.filter(is_hashable), inner),
    max_leaves=5,
)


@given(column=st.sampled_from([column.name for column in COLUMNS]), value=ANYTHING)
@example(column="data_quality_issues", value=("",))
def test_whatever_a_row_holds_it_is_taken_as_it_is_or_named(column: str, value: Any) -> None:
    result = row_rules.encode([prediction("lebronjames", **{column: value})])

    if result.error is not None:
        assert result.error.exception_class == INVALID_ROWS
        assert result.error.message.startswith(f"row 0: {column}")
        return
    [encoded] = json.loads(json.dumps(result.unwrap(), allow_nan=False))
    if BY_NAME[column].type in ("JSON", "STRING", "INT64", "BOOL", "FLOAT64") and value is not None:
        assert encoded[column] == (list(value) if isinstance(value, tuple) else value)
    if BY_NAME[column].type == "NUMERIC" and value is not None:
        assert Decimal(encoded[column]) == Decimal(str(value))


def test_rows_that_contradict_each_other_are_named() -> None:
    same = prediction("a", updated_at=None)
    rows = [
        same,
        {**same, "updated_at": CREATED_AT},
        prediction("a", system_id="other"),
        prediction("a", predicted_points=1),
    ]

    result = row_rules.encode(rows)

    assert row_rules.encode(rows[:3]).is_success
    assert result.error is not None
    assert result.error.message.startswith("row 3: contradicts row 0: ")


def test_one_bad_row_fails_the_write_and_every_problem_is_told() -> None:
    rows = [prediction("a"), prediction("b", recommendation="MAYBE", predicted_points=-1)]

    result = row_rules.encode(rows)

    assert result.error is not None and result.error.details is not None
    assert [problem.split(",")[0] for problem in result.error.details["problems"]] == [
        "row 1: predicted_points: Input should be greater than or equal to 0",
        "row 1: recommendation: String should match pattern '^(NO_LINE|OVER|PASS|UNDER)$'",
    ]


def test_rows_of_two_days_are_not_one_write() -> None:
    rows = [prediction("a"), prediction("b", game_date=date(2026, 1, 18))]

    result = row_rules.encode(rows)

    assert result.error is not None and "of one day" in result.error.message


def test_an_endless_list_of_problems_is_cut_but_counted() -> None:
    result = row_rules.encode([prediction("a", game_id="")] * 50)

    assert result.error is not None and result.error.details is not None
    assert result.error.details["problem_count"] == 50
    assert result.error.message.endswith("and 30 more")


def test_the_rows_given_are_left_as_they_are() -> None:
    row = prediction("a", data_quality_issues=["late"])
    before = dict(row)

    row_rules.encode([row]).unwrap()

    assert row == before
