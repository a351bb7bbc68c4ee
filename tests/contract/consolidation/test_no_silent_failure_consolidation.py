"""BigQuery that fails a worker or a consolidation: told as what it is, and the next attempt succeeds."""

import pytest

from common.staging.writer import StagingWriter
from common.warehouse.warehouse import Warehouse
from tests.support.batch_helpers import GAME_DATE
from tests.support.bigquery_failures import IMPATIENT, OF_A_JOB, OF_ANY_CALL, Failure, each
from tests.support.consolidation_stack import BATCH, Stack
from tests.support.prediction_rows import CREATED_AT, prediction
from tests.support.results import error_of
from tests.support.stub_bigquery import BigQueryStub, client


@pytest.fixture
def failing(stub: BigQueryStub) -> Warehouse:
    return Warehouse(client(stub.host), IMPATIENT)


@each(OF_ANY_CALL, OF_A_JOB)
def test_rows_that_were_not_staged_are_a_failure_that_says_why_and_no_rows_are_a_success(
    stub: BigQueryStub, failing: Warehouse, failure: Failure
) -> None:
    writer = StagingWriter(failing, "nba_predictions", lambda: CREATED_AT)
    nothing = writer.write([], BATCH, "w1")
    failure.provoke(stub)

    refused = writer.write([prediction("a")], BATCH, "w1")
    stub.refusal, stub.failure, stub.answers_to_cut = None, None, 0
    staged = writer.write([prediction("a")], BATCH, "w1")

    assert (nothing.unwrap().table, nothing.unwrap().rows) == (None, 0)
    error = error_of(refused)
    assert (error.type, error.exception_class) == (failure.error_type, failure.exception_class)
    assert error.details is not None
    assert error.details["table"].startswith("nba_predictions._staging_")
    assert staged.unwrap().rows == 1


@each({name: OF_ANY_CALL[name] for name in ("403 accessDenied", "403 quotaExceeded", "connection reset")})
def test_a_consolidation_that_failed_is_not_one_without_rows_and_may_be_repeated(
    stack: Stack, stub: BigQueryStub, failing: Warehouse, failure: Failure
) -> None:
    stack.play({"a": [prediction("a")], "b": [prediction("b")]})
    failure.provoke(stub)

    failed = stack.make_consolidator(warehouse=failing).consolidate(BATCH, 1)
    repeated = stack.consolidate()

    error = error_of(failed)
    assert (error.type, error.exception_class) == (failure.error_type, failure.exception_class)
    assert error.details
    assert repeated.unwrap().rows_inserted == 2
    assert [row["game_date"] for row in stack.main_rows()] == [GAME_DATE, GAME_DATE]
