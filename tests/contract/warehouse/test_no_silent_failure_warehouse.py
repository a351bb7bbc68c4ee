"""BigQuery that refuses, fails, breaks off or is away: never an empty list, a zero, a False or "written"."""

import socket
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from common.consolidation.duplicate_keys import duplicates
from common.consolidation.merge_sql import Tables
from common.execution_log import Execution, ExecutionLog
from common.messages import MessageStatus
from common.predictions.columns import Column, Mode
from common.result import Result
from common.warehouse.jobs import MAY_STILL_RUN, Timeouts
from common.warehouse.warehouse import Limits, Warehouse
from tests.support.bigquery_failures import (
    IMPATIENT,
    OF_A_JOB,
    OF_A_STATEMENT,
    OF_ANY_CALL,
    PERMANENT,
    TRANSIENT,
    Failure,
    each,
)
from tests.support.results import error_of
from tests.support.stub_bigquery import INVALID_ROWS, BigQueryStub, client

PATIENT = Limits(timeouts=Timeouts(retry_seconds=10.0))
GAMES = "nba_raw.games"
COLUMNS = (Column(name="game_id", type="STRING", mode=Mode.REQUIRED),)
DAYS = f"SELECT DISTINCT game_date FROM `{GAMES}` WHERE game_date >= @since"
SINCE = {"since": date(2026, 1, 1)}

Call = Callable[[Warehouse], Result[Any]]


@pytest.fixture
def warehouse(stub: BigQueryStub) -> Warehouse:
    return Warehouse(client(stub.host), IMPATIENT)


def check(result: Result[Any], failure: Failure, details: dict[str, Any]) -> None:
    error = error_of(result)
    assert (error.type, error.exception_class) == (failure.error_type, failure.exception_class)
    # A start that failed for the moment may have taken place, where nobody can ask.
    assert {**(error.details or {}), MAY_STILL_RUN: True} == {**details, MAY_STILL_RUN: True}
    assert result.is_retryable is (failure.error_type is TRANSIENT)


@each(OF_ANY_CALL, OF_A_STATEMENT)
def test_a_query_that_failed_is_not_a_query_without_rows(
    stub: BigQueryStub, warehouse: Warehouse, failure: Failure
) -> None:
    empty = warehouse.query(f"SELECT * FROM `{GAMES}`")
    failure.provoke(stub)

    asked = warehouse.query(f"SELECT * FROM `{GAMES}`")

    assert empty.unwrap().rows == []
    check(asked, failure, {"query": f"SELECT * FROM `{GAMES}`", "parameters": {}})


@each(OF_ANY_CALL, OF_A_STATEMENT)
def test_a_question_for_days_that_failed_is_neither_no_day_nor_every_day(
    stub: BigQueryStub, warehouse: Warehouse, failure: Failure
) -> None:
    def days() -> Result[set[date]]:
        return warehouse.query(DAYS, SINCE).map(lambda found: {row["game_date"] for row in found.rows})

    no_days = days()
    failure.provoke(stub)

    asked = days()

    assert no_days == Result.success(set())
    check(asked, failure, {"query": DAYS, "parameters": {"since": "datetime.date(2026, 1, 1)"}})


@each(OF_ANY_CALL, OF_A_STATEMENT, OF_A_JOB)
def test_an_update_that_failed_is_not_an_update_that_matched_nothing(
    stub: BigQueryStub, warehouse: Warehouse, failure: Failure
) -> None:
    update = f"UPDATE `{GAMES}` SET is_final = TRUE WHERE game_date = @since"
    unmatched = warehouse.execute(update, SINCE)
    stub.affected_rows = 3
    matched = warehouse.execute(update, SINCE)
    failure.provoke(stub)

    executed = warehouse.execute(update, SINCE)

    assert (unmatched.unwrap().affected_rows, matched.unwrap().affected_rows) == (0, 3)
    check(executed, failure, {"query": update, "parameters": {"since": "datetime.date(2026, 1, 1)"}})


@each(OF_ANY_CALL, OF_A_JOB)
def test_rows_that_were_not_loaded_are_never_taken_for_loaded(
    stub: BigQueryStub, warehouse: Warehouse, failure: Failure
) -> None:
    def load() -> Result[Any]:
        return warehouse.load(GAMES, [{"game_id": "g1"}, {"game_id": "g2"}], COLUMNS, job_key="k")

    loaded = load()
    failure.provoke(stub)

    not_loaded = load()

    assert loaded.unwrap().rows == 2
    check(not_loaded, failure, {"table": GAMES, "rows": 2, "job_key": "k"})


def test_a_load_that_succeeds_with_fewer_rows_than_it_was_given_is_a_failure(
    stub: BigQueryStub, warehouse: Warehouse
) -> None:
    stub.rows_not_written = 1

    error = error_of(warehouse.load(GAMES, [{"game_id": "g1"}, {"game_id": "g2"}], COLUMNS, job_key="k"))

    assert (error.type, error.exception_class) == (PERMANENT, "RowsLost")
    assert error.message == f"{GAMES}: 2 rows were given, 1 were written"


def test_a_load_asks_bigquery_to_refuse_what_does_not_fit(stub: BigQueryStub, warehouse: Warehouse) -> None:
    stub.failure = INVALID_ROWS

    error = error_of(warehouse.load(GAMES, [{"gameid": "g1"}], COLUMNS, job_key="k"))

    assert (error.type, error.exception_class) == (PERMANENT, "BadRequest")
    assert "No such field: gameid" in error.message
    asked = stub.jobs["k-0"]["configuration"]["load"]
    assert (asked["ignoreUnknownValues"], asked["maxBadRecords"]) == (False, 0)


@each(OF_ANY_CALL)
def test_a_table_that_could_not_be_asked_for_is_not_a_missing_table(
    stub: BigQueryStub, warehouse: Warehouse, failure: Failure
) -> None:
    stub.datasets = {"nba_raw"}
    missing = warehouse.table_exists(GAMES)
    stub.tables = {GAMES: 0}
    present = warehouse.table_exists(GAMES)
    failure.provoke(stub)

    asked = warehouse.table_exists(GAMES)

    assert (missing, present) == (Result.success(False), Result.success(True))
    check(asked, failure, {"table": GAMES})


@each(OF_ANY_CALL)
def test_rows_that_could_not_be_counted_are_not_zero_rows(
    stub: BigQueryStub, warehouse: Warehouse, failure: Failure
) -> None:
    stub.tables = {GAMES: 0}
    empty = warehouse.row_count(GAMES)
    failure.provoke(stub)

    counted = warehouse.row_count(GAMES)

    assert empty == Result.success(0)
    check(counted, failure, {"table": GAMES})


@each(OF_ANY_CALL, OF_A_STATEMENT)
def test_a_duplicate_check_that_could_not_run_is_not_a_check_that_found_none(
    stub: BigQueryStub, warehouse: Warehouse, failure: Failure
) -> None:
    tables = Tables(predictions="nba_predictions")
    none_found = duplicates(warehouse, tables, date(2026, 1, 17))
    failure.provoke(stub)

    error = error_of(duplicates(warehouse, tables, date(2026, 1, 17)))

    assert none_found == Result.success([])
    assert (error.type, error.exception_class) == (failure.error_type, failure.exception_class)


@each(OF_ANY_CALL, OF_A_STATEMENT, OF_A_JOB)
def test_a_run_that_was_not_logged_is_neither_logged_nor_logged_before(
    stub: BigQueryStub, warehouse: Warehouse, failure: Failure
) -> None:
    log = ExecutionLog(warehouse, "nba_orchestration")
    now = datetime(2026, 1, 17, 23, tzinfo=UTC)
    run = Execution(
        execution_id="b1-1",
        processor_name="prediction_consolidation",
        phase=5,
        game_date=date(2026, 1, 17),
        started_at=now,
        completed_at=now,
        status=MessageStatus.SUCCESS,
    )
    logged_before = log.write(run)
    stub.affected_rows = 1
    logged = log.write(run)
    failure.provoke(stub)

    error = error_of(log.write(run))

    assert (logged_before, logged) == (Result.success(False), Result.success(True))
    assert (error.type, error.exception_class) == (failure.error_type, failure.exception_class)


CALLS: dict[str, Call] = {
    "query": lambda warehouse: warehouse.query("SELECT 1"),
    "execute": lambda warehouse: warehouse.execute("DELETE FROM t WHERE TRUE"),
    "load": lambda warehouse: warehouse.load(GAMES, [{"game_id": "g1"}], COLUMNS, job_key="k"),
    "table_exists": lambda warehouse: warehouse.table_exists(GAMES),
    "row_count": lambda warehouse: warehouse.row_count(GAMES),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("listens", [False, True], ids=["nobody listens", "nobody answers"])
def test_a_warehouse_out_of_reach_is_a_transient_failure_of_every_call(call: Call, listens: bool) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listens:
            silent.listen()
        host, port = silent.getsockname()

        error = error_of(call(Warehouse(client(f"http://{host}:{port}"), IMPATIENT)))

    assert error.type is TRANSIENT
    assert error.exception_class in ("ConnectionError", "ReadTimeout")


def test_an_answer_that_breaks_off_once_is_asked_for_again_and_starts_one_job(stub: BigQueryStub) -> None:
    stub.answers_to_cut = 1

    asked = Warehouse(client(stub.host), PATIENT).query("SELECT 1")

    assert asked.is_success
    assert len(stub.jobs) == 1
