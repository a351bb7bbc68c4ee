"""The warehouse on the emulator: what each call answers when nothing is wrong, and when something is."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from common.predictions.columns import Column, Mode
from common.result import ErrorType
from common.warehouse.jobs import Timeouts
from common.warehouse.parameters import Typed
from common.warehouse.records import TableFacts
from common.warehouse.warehouse import Limits, Warehouse, connect

COLUMNS = (
    Column(name="name", type="STRING", mode=Mode.REQUIRED),
    Column(name="line", type="NUMERIC", precision=4, scale=1),
    Column(name="tags", type="STRING", mode=Mode.REPEATED),
)
TABLE = "d.t"
_HASTY = Limits(timeouts=Timeouts(request_seconds=1, retry_seconds=0.01))


@pytest.fixture
def warehouse(bigquery_host: str, project_id: str) -> Iterator[Warehouse]:
    client = connect(project_id, os.environ)
    client.create_dataset("d", timeout=10)
    yield Warehouse(client)
    client.close()


def test_rows_are_dicts_and_no_rows_are_an_empty_list(warehouse: Warehouse) -> None:
    found = warehouse.query("SELECT 1 AS x UNION ALL SELECT 2 ORDER BY x").unwrap()
    empty = warehouse.query("SELECT 1 AS x FROM UNNEST([1]) WHERE FALSE").unwrap()

    assert found.rows == [{"x": 1}, {"x": 2}]
    assert empty.rows == []
    assert found.job_id != empty.job_id


@pytest.mark.parametrize(
    "value",
    [
        True,
        7,
        1.5,
        "o'neal \\ \n",
        date(2026, 1, 17),
        datetime(2026, 1, 17, 20, tzinfo=UTC),
        time(20, 30),
        Decimal("24.5"),
        Typed("DATE", None),
        ["a", "b"],
        Typed("STRING", []),
    ],
)
def test_a_parameter_comes_back_as_it_went(warehouse: Warehouse, value: Any) -> None:
    found = warehouse.query("SELECT @p AS p", {"p": value}).unwrap()

    assert found.rows == [{"p": value.value if isinstance(value, Typed) else value}]


def test_structs_travel_in_lists(warehouse: Warehouse) -> None:
    sql = "SELECT one.name AS name FROM UNNEST(@all) AS one ORDER BY one.line DESC"

    found = warehouse.query(
        sql, {"all": [{"name": "b", "line": Decimal("0.5")}, {"name": "a", "line": Decimal(2)}]}
    )

    assert [row["name"] for row in found.unwrap().rows] == ["a", "b"]


def test_a_wrong_statement_is_a_permanent_failure_that_shows_it_without_secrets(warehouse: Warehouse) -> None:
    result = warehouse.query("SELECT nothing", {"api_token": "hush", "player": "lebronjames"})

    assert result.error is not None and result.error.details is not None
    assert result.error.type is ErrorType.PERMANENT
    assert result.error.details["query"] == "SELECT nothing"
    assert result.error.details["parameters"] == {"api_token": "(not shown)", "player": "'lebronjames'"}
    assert "hush" not in str(result.error.to_dict())


def test_a_long_statement_is_cut_in_the_details(warehouse: Warehouse) -> None:
    result = warehouse.query("SELECT nothing " + "-" * 5_000)

    assert result.error is not None and result.error.details is not None
    assert len(result.error.details["query"]) == 1_000
    assert result.error.details["query"].endswith("… (cut: 5,015 characters)")


def test_a_parameter_without_a_type_is_a_permanent_failure(warehouse: Warehouse) -> None:
    result = warehouse.query("SELECT @p", {"p": None})

    assert result.error is not None
    assert (result.error.type, result.error.exception_class) == (ErrorType.PERMANENT, "TypeError")


def test_a_table_is_created_once_and_dropped_once(warehouse: Warehouse) -> None:
    created = warehouse.create_table(TABLE, COLUMNS).unwrap()
    assert warehouse.create_table(TABLE, COLUMNS).unwrap() == created
    assert warehouse.look(TABLE).unwrap() == TableFacts(
        created=created, rows=0, columns={"name": "STRING", "line": "NUMERIC", "tags": "ARRAY<STRING>"}
    )
    assert warehouse.delete_table(TABLE).unwrap() is True
    assert warehouse.delete_table(TABLE).unwrap() is False


def test_a_table_that_is_not_there_is_an_answer_or_a_failure_but_never_zero(warehouse: Warehouse) -> None:
    assert warehouse.table_exists(TABLE).unwrap() is False
    assert warehouse.look(TABLE).unwrap() is None
    assert not warehouse.row_count(TABLE).is_retryable
    assert warehouse.row_count(TABLE).is_failure
    assert warehouse.query(f"SELECT * FROM `{TABLE}`").is_failure
    assert warehouse.load(TABLE, [{"name": "a"}], COLUMNS, job_key="k").is_failure


def test_a_dataset_that_is_not_there_is_no_missing_table(warehouse: Warehouse) -> None:
    result = warehouse.table_exists("elsewhere.t")

    assert result.error is not None
    assert (result.error.type, result.error.exception_class) == (ErrorType.PERMANENT, "NotFound")


def test_loaded_rows_are_appended_and_counted(warehouse: Warehouse) -> None:
    warehouse.create_table(TABLE, COLUMNS).unwrap()

    first = warehouse.load(
        TABLE, [{"name": "a", "line": "24.5", "tags": ["x"]}, {"name": "b"}], COLUMNS, job_key="k1"
    )
    second = warehouse.load(TABLE, [{"name": "ł", "line": "25.0"}], COLUMNS, job_key="k2")

    assert (first.unwrap().rows, second.unwrap().rows) == (2, 1)
    facts = warehouse.look(TABLE).unwrap()
    assert facts is not None
    assert warehouse.row_count(TABLE).unwrap() == facts.rows == 3
    found = warehouse.query(f"SELECT name, line FROM `{TABLE}` ORDER BY name").unwrap()
    assert found.rows == [
        {"name": "a", "line": Decimal("24.5")},
        {"name": "b", "line": None},
        {"name": "ł", "line": Decimal("25.0")},
    ]


def test_loading_nothing_is_a_success_without_a_job(warehouse: Warehouse) -> None:
    loaded = warehouse.load(TABLE, [], COLUMNS, job_key="k").unwrap()

    assert (loaded.rows, loaded.job_id) == (0, "")


def test_what_is_no_json_is_not_loaded(warehouse: Warehouse) -> None:
    warehouse.create_table(TABLE, COLUMNS).unwrap()

    result = warehouse.load(TABLE, [{"name": "a"}, {"name": float("nan")}], COLUMNS, job_key="k")

    assert result.error is not None and not result.is_retryable
    assert warehouse.row_count(TABLE).unwrap() == 0


def test_changed_rows_are_counted_and_none_is_zero(warehouse: Warehouse) -> None:
    warehouse.create_table(TABLE, COLUMNS).unwrap()
    warehouse.load(TABLE, [{"name": "a"}, {"name": "b"}], COLUMNS, job_key="k").unwrap()

    changed = warehouse.execute(
        f"UPDATE `{TABLE}` SET line = 1 WHERE name IN UNNEST(@names)", {"names": ["a"]}
    )
    nothing = warehouse.execute(f"UPDATE `{TABLE}` SET line = 1 WHERE name = 'c'")

    assert (changed.unwrap().affected_rows, nothing.unwrap().affected_rows) == (1, 0)


def test_a_script_brings_back_its_last_select_and_tells_no_affected_rows(warehouse: Warehouse) -> None:
    warehouse.create_table(TABLE, COLUMNS).unwrap()

    done = warehouse.execute(
        f"BEGIN TRANSACTION; INSERT INTO `{TABLE}` (name) VALUES ('a'); COMMIT TRANSACTION;"
        f"SELECT COUNT(*) AS rows_after FROM `{TABLE}`;"
    ).unwrap()

    assert done.rows == [{"rows_after": 1}]
    assert done.affected_rows is None


def test_tables_are_listed_by_their_exact_prefix(warehouse: Warehouse) -> None:
    for name in ("_staging_b1_w1", "_staging_b12_w1", "_Staging_b1_w2"):
        warehouse.create_table(f"d.{name}", COLUMNS).unwrap()

    listed = warehouse.list_tables("d", "_staging_b1_").unwrap()

    assert [table.name for table in listed] == ["_staging_b1_w1"]
    assert listed[0].created.tzinfo is not None


def test_the_environment_that_is_passed_in_names_the_emulator() -> None:
    client = connect("p", {"BIGQUERY_EMULATOR_HOST": "http://127.0.0.1:1"}, location="us-west2")

    assert (client.project, client.location) == ("p", "us-west2")
    assert "port=1)" in str(Warehouse(client, _HASTY).row_count(TABLE).error)
    client.close()
