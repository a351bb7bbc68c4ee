"""Jobs whose answer is lost, that run on, or that somebody else has started; no emulator does any of this."""

from collections.abc import Iterator

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from common.result import ErrorType
from common.warehouse.jobs import MAY_STILL_RUN, Timeouts
from common.warehouse.warehouse import MAXIMUM_BYTES_BILLED, Limits, Warehouse
from tests.support.scripted_bigquery import ScriptedBigQuery, error, job, results

DUPLICATE = (409, error(409, "duplicate", "Already Exists: Job p:US.k-0"))
QUERY = "SELECT 1"


@pytest.fixture
def server() -> ScriptedBigQuery:
    return ScriptedBigQuery()


@pytest.fixture
def warehouse(server: ScriptedBigQuery) -> Iterator[Warehouse]:
    timeouts = Timeouts(request_seconds=5, retry_seconds=0.5, cancel_seconds=0.3)
    with server.serve() as address:
        client = bigquery.Client(
            project="p",
            location="US",
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=address),
        )
        yield Warehouse(client, Limits(query_seconds=0.3, timeouts=timeouts))
        client.close()


def test_a_job_that_was_started_before_is_attached_to_and_not_run_again(
    server: ScriptedBigQuery, warehouse: Warehouse
) -> None:
    server.answer("POST jobs", DUPLICATE)
    server.answer("GET jobs/k-0", (200, job("k-0", "RUNNING")), (200, job("k-0")))
    server.answer("GET queries/k-0", (200, results("k-0", values=(7,))))

    result = warehouse.execute(QUERY, job_key="k")

    assert result.unwrap().rows == [{"x": 7}]
    assert server.count("POST jobs") == 1


def test_a_statement_may_not_read_more_than_it_is_allowed_to(
    server: ScriptedBigQuery, warehouse: Warehouse
) -> None:
    server.answer("POST jobs", (200, job("k-0")))
    server.answer("GET queries/k-0", (200, results("k-0")))

    warehouse.execute(QUERY, job_key="k").unwrap()

    [sent] = server.bodies("POST jobs")
    assert sent["configuration"]["query"]["maximumBytesBilled"] == str(MAXIMUM_BYTES_BILLED)


def test_an_insert_whose_answer_was_lost_finds_its_own_job(
    server: ScriptedBigQuery, warehouse: Warehouse
) -> None:
    server.answer("POST jobs", (503, error(503, "backendError", "the answer was lost")), DUPLICATE)
    server.answer("GET jobs*", (200, job("k-0")))
    server.answer("GET queries*", (200, results("k-0")))

    result = warehouse.execute(QUERY)

    assert result.unwrap().rows == [{"x": 1}]
    assert len({body["jobReference"]["jobId"] for body in server.bodies("POST jobs")}) == 1


@pytest.mark.parametrize(
    "earlier",
    [
        pytest.param(job("k-0", failed=("backendError", "no longer")), id="it has failed"),
        pytest.param(job("k-0", query="SELECT 2"), id="it did something else"),
    ],
)
def test_an_earlier_job_that_does_not_stand_leads_to_the_next_id(
    server: ScriptedBigQuery, warehouse: Warehouse, earlier: dict[str, object]
) -> None:
    server.answer("POST jobs", DUPLICATE, (200, job("k-1")))
    server.answer("GET jobs/k-0", (200, earlier))
    server.answer("GET queries/k-0", (200, results("k-0")))
    server.answer("GET queries/k-1", (200, results("k-1", values=(2,))))

    result = warehouse.execute(QUERY, job_key="k")

    assert result.unwrap().rows == [{"x": 2}]
    assert [body["jobReference"]["jobId"] for body in server.bodies("POST jobs")] == ["k-0", "k-1"]


def test_a_question_that_fails_is_not_taken_for_a_job_that_failed(
    server: ScriptedBigQuery, warehouse: Warehouse
) -> None:
    server.answer("POST jobs", DUPLICATE)
    server.answer("GET jobs/k-0", (403, error(403, "accessDenied", "not yours to see")))

    result = warehouse.execute(QUERY, job_key="k")

    assert result.error is not None
    assert (result.error.type, result.error.exception_class) == (ErrorType.PERMANENT, "Forbidden")
    assert server.count("POST jobs") == 1


STILL = job("k-0", "RUNNING")


@pytest.fixture
def running(server: ScriptedBigQuery) -> ScriptedBigQuery:
    """A job that is started and does not end by itself."""
    server.answer("POST jobs", (200, STILL))
    server.answer("GET jobs/k-0", (200, STILL))
    server.answer("GET queries/k-0", (200, results("k-0", complete=False)))
    return server


def test_a_job_that_exists_and_is_not_found_yet_is_asked_about_again_later(
    server: ScriptedBigQuery, warehouse: Warehouse
) -> None:
    server.answer("POST jobs", DUPLICATE)
    server.answer("GET jobs/k-0", (404, error(404, "notFound", "Not found: Job p:k-0")))

    result = warehouse.execute(QUERY, job_key="k")

    assert result.error is not None
    assert result.error.type is ErrorType.TRANSIENT
    assert MAY_STILL_RUN in (result.error.details or {})


def test_a_job_that_takes_too_long_is_cancelled_and_has_timed_out(
    running: ScriptedBigQuery, warehouse: Warehouse
) -> None:
    stopped = job("k-0", failed=("stopped", "Job execution was cancelled"))
    running.on("POST cancel", lambda: running.answer("GET jobs/k-0", (200, stopped)))
    running.answer("POST cancel", (200, {"job": STILL}))

    result = warehouse.execute(QUERY, job_key="k")

    assert result.error is not None
    assert (result.error.type, result.error.exception_class) == (ErrorType.TRANSIENT, "TimeoutError")
    assert MAY_STILL_RUN not in (result.error.details or {})
    assert running.count("POST cancel") == 1


def test_a_job_that_ends_before_its_cancellation_arrives_has_succeeded(
    running: ScriptedBigQuery, warehouse: Warehouse
) -> None:
    def end() -> None:
        running.answer("GET jobs/k-0", (200, job("k-0")))
        running.answer("GET queries/k-0", (200, results("k-0", values=(9,))))

    running.on("POST cancel", end)
    running.answer("POST cancel", (200, {"job": STILL}))

    assert warehouse.execute(QUERY, job_key="k").unwrap().rows == [{"x": 9}]


def test_a_job_that_outlives_its_cancellation_may_still_take_effect_and_is_told_so(
    running: ScriptedBigQuery, warehouse: Warehouse
) -> None:
    running.answer("POST cancel", (200, {"job": STILL}))

    result = warehouse.execute(QUERY, job_key="k")

    assert result.error is not None
    assert (result.error.type, result.error.exception_class) == (ErrorType.TRANSIENT, "JobUnsettled")
    assert MAY_STILL_RUN in (result.error.details or {})


def test_a_job_that_nobody_can_ask_about_any_more_may_still_take_effect(
    running: ScriptedBigQuery, warehouse: Warehouse
) -> None:
    down = (503, error(503, "backendError", "down"))
    running.answer("GET jobs/k-0", down)
    running.answer("GET queries/k-0", down)

    result = warehouse.execute(QUERY, job_key="k")

    assert result.error is not None
    assert MAY_STILL_RUN in (result.error.details or {})


def test_a_job_that_failed_is_over(server: ScriptedBigQuery, warehouse: Warehouse) -> None:
    contention = "Transaction is aborted due to concurrent update against table p:d.t"
    server.answer("POST jobs", (200, job("k-0", "RUNNING")))
    server.answer("GET jobs/k-0", (200, job("k-0", failed=("invalidQuery", contention))))

    result = warehouse.execute(QUERY, job_key="k")

    assert result.error is not None
    assert (result.error.type, result.error.exception_class) == (ErrorType.TRANSIENT, "BadRequest")
    assert server.count("POST jobs") == 1


def test_a_start_that_was_refused_for_the_moment_leaves_no_job(
    server: ScriptedBigQuery, warehouse: Warehouse
) -> None:
    server.answer("POST jobs", (403, error(403, "quotaExceeded", "too many")))
    server.answer("GET jobs/k-0", (404, error(404, "notFound", "Not found: Job p:k-0")))

    result = warehouse.execute(QUERY, job_key="k")

    assert result.error is not None
    assert (result.error.type, result.error.exception_class) == (ErrorType.TRANSIENT, "Forbidden")
