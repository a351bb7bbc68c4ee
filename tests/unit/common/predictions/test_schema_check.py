from common.predictions import schema_check
from common.predictions.columns import Mode
from common.predictions.schema_check import SCHEMA_DIFFERS
from common.predictions.table import COLUMNS, TABLE
from common.result import ErrorType

GOOD = {
    column.name: f"ARRAY<{column.type}>" if column.mode is Mode.REPEATED else column.type
    for column in COLUMNS
}


def _problems(tables: dict[str, dict[str, str] | None]) -> list[str]:
    result = schema_check.check(tables)
    assert result.error is not None
    assert (result.error.type, result.error.exception_class) == (ErrorType.PERMANENT, SCHEMA_DIFFERS)
    return result.error.message.split("; ")


def test_tables_with_the_defined_columns_pass_in_any_order() -> None:
    turned_round = dict(reversed(GOOD.items()))

    assert schema_check.check({"t1": GOOD, "t2": turned_round, TABLE: GOOD}).is_success


def test_a_missing_a_mistyped_and_an_unknown_column_are_each_named() -> None:
    drifted = {**GOOD, "current_points_line": "FLOAT64", "model_file_name": "STRING"}
    del drifted["scoring_tier"]

    assert _problems({"t1": drifted, TABLE: GOOD}) == [
        "t1.scoring_tier: missing",
        "t1.current_points_line: FLOAT64, not NUMERIC",
        "t1.model_file_name: unknown",
    ]


def test_a_table_that_is_not_there_is_named() -> None:
    assert _problems({"t1": None, TABLE: GOOD}) == ["t1: there is no such table"]


def test_a_column_may_be_added_to_the_main_table_first() -> None:
    assert schema_check.check({"t1": GOOD, TABLE: {**GOOD, "model_file_name": "STRING"}}).is_success


def test_a_main_table_that_lacks_a_column_is_refused() -> None:
    lacking = {name: kind for name, kind in GOOD.items() if name != "is_actionable"}

    assert _problems({TABLE: lacking}) == [f"{TABLE}.is_actionable: missing"]
