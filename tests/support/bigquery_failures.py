"""How BigQuery fails, and what a caller is told: a table for every call that must not fail silently."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from common.result import ErrorType
from common.warehouse.jobs import Timeouts
from common.warehouse.warehouse import Limits
from tests.support.stub_bigquery import (
    ABORTED_TRANSACTION,
    ACCESS_DENIED,
    BACKEND_ERROR,
    BILLING_NOT_ENABLED,
    CONTENTION,
    INTERNAL_ERROR,
    INVALID_QUERY,
    NOT_FOUND,
    QUOTA_EXCEEDED,
    RATE_LIMIT_EXCEEDED,
    ApiError,
    BigQueryStub,
)

IMPATIENT = Limits(
    query_seconds=2.0,
    load_seconds=2.0,
    timeouts=Timeouts(request_seconds=1.0, retry_seconds=0.05, upload_repeats=0, cancel_seconds=1.0),
)


@dataclass(frozen=True)
class Failure:
    """How BigQuery fails, and what a caller is told."""

    provoke: Callable[[BigQueryStub], None]
    error_type: ErrorType
    exception_class: str


def refused(error: ApiError) -> Callable[[BigQueryStub], None]:
    """The request is."""

    def provoke(stub: BigQueryStub) -> None:
        stub.refusal = error

    return provoke


def failed(error: ApiError) -> Callable[[BigQueryStub], None]:
    """The request is taken, and its job fails."""

    def provoke(stub: BigQueryStub) -> None:
        stub.failure = error

    return provoke


def broken_off(stub: BigQueryStub) -> None:
    stub.answers_to_cut = 1_000


PERMANENT, TRANSIENT = ErrorType.PERMANENT, ErrorType.TRANSIENT

OF_ANY_CALL = {
    "403 accessDenied": Failure(refused(ACCESS_DENIED), PERMANENT, "Forbidden"),
    "403 billingNotEnabled": Failure(refused(BILLING_NOT_ENABLED), PERMANENT, "Forbidden"),
    "403 rateLimitExceeded": Failure(refused(RATE_LIMIT_EXCEEDED), TRANSIENT, "Forbidden"),
    "403 quotaExceeded": Failure(refused(QUOTA_EXCEEDED), TRANSIENT, "Forbidden"),
    "404 notFound": Failure(refused(NOT_FOUND), PERMANENT, "NotFound"),
    "500 internalError": Failure(refused(INTERNAL_ERROR), TRANSIENT, "InternalServerError"),
    "503 backendError": Failure(refused(BACKEND_ERROR), TRANSIENT, "ServiceUnavailable"),
    "connection reset": Failure(broken_off, TRANSIENT, "ChunkedEncodingError"),
}
OF_A_STATEMENT = {
    "400 invalidQuery": Failure(refused(INVALID_QUERY), PERMANENT, "BadRequest"),
    "400 could not serialize": Failure(refused(CONTENTION), TRANSIENT, "BadRequest"),
    "400 transaction aborted": Failure(refused(ABORTED_TRANSACTION), TRANSIENT, "BadRequest"),
}
OF_A_JOB = {
    "job: accessDenied": Failure(failed(ACCESS_DENIED), PERMANENT, "Forbidden"),
    "job: rateLimitExceeded": Failure(failed(RATE_LIMIT_EXCEEDED), TRANSIENT, "TooManyRequests"),
    "job: quotaExceeded": Failure(failed(QUOTA_EXCEEDED), TRANSIENT, "Forbidden"),
    "job: notFound": Failure(failed(NOT_FOUND), PERMANENT, "NotFound"),
    "job: backendError": Failure(failed(BACKEND_ERROR), TRANSIENT, "InternalServerError"),
    "job: internalError": Failure(failed(INTERNAL_ERROR), TRANSIENT, "InternalServerError"),
    "job: could not serialize": Failure(failed(CONTENTION), TRANSIENT, "BadRequest"),
    "job: transaction aborted": Failure(failed(ABORTED_TRANSACTION), TRANSIENT, "BadRequest"),
}


def each(*tables: dict[str, Failure]) -> pytest.MarkDecorator:
    """One test per failure."""
    rows = {name: failure for table in tables for name, failure in table.items()}
    return pytest.mark.parametrize("failure", [pytest.param(row, id=name) for name, row in rows.items()])
