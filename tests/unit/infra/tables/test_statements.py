"""The files of `infra/sql` as statements: what may run again, in an order that works, each table once."""

import re
from collections import Counter
from pathlib import Path

import pytest
import sqlglot

from common.predictions.rows import encode
from common.sport import DatasetRole, Sport, SportNames
from infra.tables.declared import Table, declared
from infra.tables.statements import FOLDER, BadStatement, Kind, Statement, fill, read

NAMES = SportNames(sport=Sport.MLB, dataset_prefix="mine")
STATEMENTS = read(FOLDER, NAMES)
TABLES = [each for each in STATEMENTS if each.kind is Kind.TABLE]
IDS = [f"{each.kind.name} {each.table}" for each in STATEMENTS]


def test_placeholders_become_the_datasets_of_the_sport_and_other_braces_stay() -> None:
    sql = fill("SELECT '{x}' FROM `{predictions}.a` JOIN `{orchestration}.b`", NAMES)

    assert sql == "SELECT '{x}' FROM `mine_mlb_predictions.a` JOIN `mine_mlb_orchestration.b`"


@pytest.mark.parametrize("statement", STATEMENTS, ids=IDS)
@pytest.mark.filterwarnings("ignore")
def test_statement_parses_as_bigquery(statement: Statement) -> None:
    assert len(sqlglot.parse(statement.sql, dialect="bigquery")) == 1


@pytest.mark.parametrize("statement", STATEMENTS, ids=IDS)
def test_statement_is_about_a_dataset_that_there_is(statement: Statement) -> None:
    datasets = {NAMES.dataset(role) for role in DatasetRole}

    assert statement.table.partition(".")[0] in datasets
    assert "{" not in statement.sql


def defined_twice(statements: list[Statement]) -> set[str]:
    made = Counter(each.table for each in statements if each.kind in (Kind.TABLE, Kind.VIEW))
    return {name for name, times in made.items() if times > 1}


def test_each_table_and_view_is_defined_once() -> None:
    assert defined_twice(STATEMENTS) == set()


def test_whatever_a_statement_rests_on_comes_before_it() -> None:
    made: set[str] = set()
    for statement in STATEMENTS:
        named = set(re.findall(r"`([\w-]+\.\w+)`", statement.sql)) - {statement.table}
        assert statement.kind is Kind.OPTIONS or named <= made, statement.table
        made.add(statement.table)


@pytest.mark.parametrize("statement", TABLES, ids=[each.table for each in TABLES])
def test_table_says_why_it_is_laid_out_as_it_is(statement: Statement) -> None:
    """A table is partitioned, and then a query must say which partitions; or its file says why not."""
    text = (FOLDER / statement.file).read_text(encoding="utf-8")
    table = declared(statement)

    assert table.options["description"]
    if table.partitioned_by:
        assert table.options["require_partition_filter"] is True
        assert table.clustered_by
    else:
        assert re.search(r"[Nn](ot|either) partitioned", text)


def test_declaration_is_read_as_it_is_written() -> None:
    table = next(declared(each) for each in TABLES if each.table.endswith(".player_prop_predictions"))

    assert table.partitioned_by == "game_date"
    assert table.clustered_by == ("system_id", "player_lookup", "game_id")
    assert table.options["partition_expiration_days"] == 365
    assert table.columns["data_quality_issues"].type == "ARRAY<STRING>"
    assert (table.columns["predicted_points"].type, table.columns["predicted_points"].is_required) == (
        "NUMERIC",
        True,
    )


def test_partition_by_the_day_of_a_time_is_by_its_column() -> None:
    assert table_of("processor_execution_log").partitioned_by == "started_at"


def table_of(name: str) -> Table:
    return next(declared(each) for each in TABLES if each.table.endswith(f".{name}"))


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("scraper_runs", "process_id run_ts status runtime_sec row_count file_uri error_msg"),
        (
            "process_tracking",
            "process_id entity_key version_handle as_of_date arrived_at row_count file_uri",
        ),
        (
            "player_report_runs",
            "player_id game_id game_date status roster_v odds_v injury_v box_v pbp_v last_generated "
            "grade_result actual_pts hit_minute report_uri",
        ),
        ("player_history_manifest", "player_id latest_hist_date row_count updated_at"),
    ],
)
def test_table_of_operations_has_its_columns(name: str, columns: str) -> None:
    assert list(table_of(name).columns) == columns.split()


def test_log_of_executions_fills_in_when_a_row_was_made() -> None:
    assert (
        "DEFAULT CURRENT_TIMESTAMP()" in table_of("processor_execution_log").columns["created_at"].definition
    )


def test_every_rule_for_rows_is_looked_for_in_what_is_there() -> None:
    """The rules as the writer enforces them: each of these values is refused, and the view names each."""
    views = next(each.sql for each in STATEMENTS if each.table.endswith(".v_validation_all_violations"))
    broken = {
        "confidence_score": 101,
        "predicted_points": -1,
        "recommendation": "MAYBE",
        "player_lookup": "A b",
        "game_id": "",
        "system_id": "",
        "prediction_id": "",
    }

    refused = encode([broken]).error
    assert refused is not None and all(f"{name}: " in refused.message for name in broken)
    assert set(re.findall(r"STRUCT\(\s*'(\w+)'", views)) == set(broken)


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("CREATE TABLE `{raw}.a` (x INT64);", id="a second time fails"),
        pytest.param("DROP TABLE `{raw}.a`;", id="takes away"),
        pytest.param("ALTER TABLE `{raw}.a` SET OPTIONS (x = 1);", id="needs what may not be there"),
    ],
)
def test_statement_that_could_not_run_twice_is_refused(tmp_path: Path, sql: str) -> None:
    (tmp_path / "a.sql").write_text(f"-- why;\n{sql}\n")

    with pytest.raises(BadStatement, match=r"a\.sql: cannot be run twice"):
        read(tmp_path, NAMES)


def test_second_definition_of_a_table_is_seen(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.sql").write_text("CREATE TABLE IF NOT EXISTS `{raw}.same` (x INT64);\n")

    assert defined_twice(read(tmp_path, NAMES)) == {"mine_mlb_raw.same"}
