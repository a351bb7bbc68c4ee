import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from common.predictions import rows as row_rules
from common.predictions.rows import INVALID_ROWS
from common.predictions.table import COLUMNS
from common.result import ErrorType
from tests.support.prediction_rows import prediction


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
        ("confidence_score", 100.01, "not within 0 and 100"),
        ("confidence_score", -1, "not within 0 and 100"),
        ("predicted_points", -0.1, "less than 0"),
        ("recommendation", "over", "none of NO_LINE, OVER, PASS, UNDER"),
        ("predicted_points", math.nan, "not a finite number"),
        ("predicted_points", math.inf, "not a finite number"),
        ("completeness_percentage", math.nan, "not a finite number"),
        ("predicted_points", "27", "a number was expected"),
        ("predicted_points", True, "a number was expected"),
        ("predicted_points", 0.1 + 0.2, "more than 1 decimals"),
        ("predicted_points", 27.35, "more than 1 decimals"),
        ("predicted_points", 10_000, "more than 4 digits before the point"),
        ("current_points_line", 24.25, "more than 1 decimals"),
        ("similar_games_count", 1.0, "an int was expected"),
        ("similar_games_count", 2**63, "does not fit into INT64"),
        ("is_active", 1, "a bool was expected"),
        ("game_id", "", "empty"),
        ("player_lookup", "LeBron James", "not normalised"),
        ("system_id", 5, "a text was expected"),
        ("universal_player_id", "\ud800", "no valid Unicode"),
        ("prediction_id", None, "required"),
        ("created_at", None, "required"),
        ("created_at", "2026-01-17T20:00:00", "a time with its zone was expected"),
        ("created_at", datetime(2026, 1, 17), "a time with its zone was expected"),  # noqa: DTZ001
        ("created_at", "yesterday", "no ISO time"),
        ("game_date", datetime(2026, 1, 17, tzinfo=UTC), "a date was expected"),
        ("game_date", "17.1.2026", "no ISO date"),
        ("data_quality_issues", "late", "a list was expected"),
        ("data_quality_issues", [None], "a text was expected"),
        ("key_factors", {"a": math.nan}, "no JSON"),
        ("points_line", 24.5, "no such column"),
    ],
)
def test_a_bad_value_is_named_with_its_row_and_column(column: str, value: Any, why: str) -> None:
    message = _problem(**{column: value})

    assert message.startswith(f"row 0: {column}: {why}")


def test_one_bad_row_fails_the_write_and_every_problem_is_told() -> None:
    rows = [prediction("a"), prediction("b", recommendation="MAYBE", predicted_points=-1)]

    result = row_rules.encode(rows)

    assert result.error is not None and result.error.details is not None
    assert [problem.split(",")[0] for problem in result.error.details["problems"]] == [
        "row 1: predicted_points: less than 0",
        "row 1: recommendation: none of NO_LINE",
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
