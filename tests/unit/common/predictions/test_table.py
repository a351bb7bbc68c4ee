"""The one definition of the predictions table, and the DDL that must agree with it."""

from pathlib import Path

import sqlglot
from sqlglot import exp

from common.consolidation import merge_sql
from common.predictions import table as predictions
from common.predictions.columns import Column, Mode
from common.predictions.table import BY_NAME, COLUMNS, DEFAULTS

SQL = Path(__file__).parents[4] / "infra" / "sql"


def _create(name: str) -> exp.Create:
    [statement] = sqlglot.parse((SQL / f"{name}.sql").read_text(encoding="utf-8"), dialect="bigquery")
    assert isinstance(statement, exp.Create)
    return statement


def _type(column: Column) -> str:
    digits = f"({column.precision}, {column.scale})" if column.precision else ""
    return f"ARRAY<{column.type}>" if column.mode is Mode.REPEATED else column.type + digits


def test_the_ddl_has_exactly_the_columns_of_the_definition() -> None:
    written = [
        (
            column.name,
            column.args["kind"].sql("bigquery"),
            any(isinstance(one.kind, exp.NotNullColumnConstraint) for one in column.constraints),
        )
        for column in _create(predictions.TABLE).find_all(exp.ColumnDef)
    ]

    assert written == [(one.name, _type(one), one.mode is Mode.REQUIRED) for one in COLUMNS]


def test_the_ddl_has_the_defaults_of_the_definition() -> None:
    defaults = {
        column.name: constraint.this.to_py()
        for column in _create(predictions.TABLE).find_all(exp.ColumnDef)
        for constraint in column.find_all(exp.DefaultColumnConstraint)
    }

    assert defaults == DEFAULTS


def test_the_main_table_is_partitioned_by_day_clustered_and_cannot_be_read_without_saying_which_day() -> None:
    ddl = _create(predictions.TABLE).sql("bigquery")

    assert f"PARTITION BY {predictions.PARTITION_COLUMN}" in ddl
    assert f"CLUSTER BY {', '.join(predictions.CLUSTERING)}" in ddl
    assert "require_partition_filter=TRUE" in ddl


def test_the_fences_have_the_columns_that_the_merge_writes() -> None:
    create = _create(merge_sql.FENCES)

    assert [column.name for column in create.find_all(exp.ColumnDef)] == [
        "lock_key",
        "fence",
        "game_date",
        "updated_at",
    ]


def test_key_order_and_clustering_name_columns() -> None:
    named = [*predictions.KEY, *predictions.ORDER, *predictions.CLUSTERING, *DEFAULTS, *predictions.RULES]

    assert {*named, predictions.PARTITION_COLUMN, predictions.CHANGED_AT} <= BY_NAME.keys()
    assert len(BY_NAME) == len(COLUMNS)


def test_the_order_of_versions_has_no_nulls_and_the_line_is_exact() -> None:
    assert not any(BY_NAME[name].is_nullable for name in predictions.ORDER)
    assert (BY_NAME["current_points_line"].type, BY_NAME["current_points_line"].scale) == ("NUMERIC", 1)


def test_the_item_is_part_of_the_key_and_the_day_is_not() -> None:
    # The audit counts keys by item, and every statement is of one day anyway.
    assert predictions.ITEM in predictions.KEY
    assert predictions.PARTITION_COLUMN not in predictions.KEY
