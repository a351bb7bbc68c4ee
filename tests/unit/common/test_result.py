"""Outcomes as values, and the table by which exceptions are classified: one test per row, on exceptions
built as the client libraries build them."""

import base64
import concurrent.futures
import errno
import json
import socket
import ssl
from collections.abc import Callable
from typing import Any

import google.api_core.exceptions as google_errors
import google.auth.exceptions
import grpc
import grpc.aio
import pydantic
import pytest
import requests
import urllib3.exceptions
from google.api_core.retry import Retry

from common.result import (
    LOCK_HELD,
    MESSAGE_MAX_CHARS,
    NOT_YET,
    STACK_TRACE_MAX_CHARS,
    ErrorInfo,
    ErrorType,
    Result,
    ResultError,
    classify,
    returns_result,
    returns_result_async,
)

TRANSIENT, PERMANENT, UNKNOWN = ErrorType.TRANSIENT, ErrorType.PERMANENT, ErrorType.UNKNOWN

A_FAULT = ErrorInfo.transient("Busy", "try again")


def grpc_error(code: grpc.StatusCode, details: str = "said the server") -> Exception:
    """What Firestore and Pub/Sub raise: made from the error of a real call, without a reason."""
    call_error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details)
    error: Exception = google_errors.from_grpc_error(call_error)
    return error


def rest_error(status: int, reason: str, message: str = "said the server") -> Exception:
    """What BigQuery raises: made from the JSON of a real HTTP answer."""
    response = requests.Response()
    response.status_code = status
    response.request = requests.Request("POST", "https://bigquery.invalid/jobs").prepare()
    body = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    response._content = json.dumps({"error": body}).encode()
    error: Exception = google_errors.from_http_response(response)
    return error


def raised_by(function: Callable[[], Any]) -> BaseException:
    try:
        function()
    except BaseException as exc:
        return exc
    raise AssertionError("nothing was raised")


def chained(outer: Exception, cause: BaseException) -> BaseException:
    def fail() -> None:
        raise outer from cause

    return raised_by(fail)


def given_up_retrying(last: Exception) -> BaseException:
    """The RetryError of the real Retry, which never waits here: its time is over at the first failure."""

    def fail() -> None:
        raise last

    retry = Retry(predicate=lambda _: True, initial=1.0, timeout=0.0)
    return raised_by(retry(fail))


class Row(pydantic.BaseModel):
    points: int


class OurConflict(google_errors.Aborted):
    """A subclass, as a newer version of the library may bring along."""


TABLE = {
    "Aborted, though it is a Conflict": (grpc_error(grpc.StatusCode.ABORTED), TRANSIENT),
    "a subclass of Aborted": (OurConflict("contention"), TRANSIENT),  # type: ignore[no-untyped-call]
    "ServiceUnavailable": (grpc_error(grpc.StatusCode.UNAVAILABLE), TRANSIENT),
    "InternalServerError": (grpc_error(grpc.StatusCode.INTERNAL), TRANSIENT),
    "BadGateway": (google_errors.from_http_status(502, "bad gateway"), TRANSIENT),
    "GatewayTimeout": (google_errors.from_http_status(504, "gateway timeout"), TRANSIENT),
    "ResourceExhausted": (grpc_error(grpc.StatusCode.RESOURCE_EXHAUSTED), TRANSIENT),
    "TooManyRequests": (google_errors.from_http_status(429, "slow down"), TRANSIENT),
    "HTTP 500": (google_errors.from_http_status(500, "oops"), TRANSIENT),
    "HTTP 503": (google_errors.from_http_status(503, "oops"), TRANSIENT),
    "DeadlineExceeded": (grpc_error(grpc.StatusCode.DEADLINE_EXCEEDED), TRANSIENT),
    "a future that timed out": (concurrent.futures.TimeoutError(), TRANSIENT),
    "connection reset": (ConnectionResetError(errno.ECONNRESET, "reset by peer"), TRANSIENT),
    "connection refused": (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), TRANSIENT),
    "broken pipe": (BrokenPipeError(errno.EPIPE, "broken pipe"), TRANSIENT),
    "network unreachable": (OSError(errno.ENETUNREACH, "network is unreachable"), TRANSIENT),
    "host unreachable": (OSError(errno.EHOSTUNREACH, "no route to host"), TRANSIENT),
    "socket timeout": (TimeoutError("timed out"), TRANSIENT),
    "name not resolved": (socket.gaierror(socket.EAI_AGAIN, "temporary failure"), TRANSIENT),
    "ValueError after five commit attempts of Firestore": (
        chained(
            ValueError("Failed to commit transaction in 5 attempts."), grpc_error(grpc.StatusCode.ABORTED)
        ),
        TRANSIENT,
    ),
    "the same ValueError without that cause": (
        ValueError("Failed to commit transaction in 5 attempts."),
        PERMANENT,
    ),
    "ValueError caused by something permanent": (
        chained(ValueError("bad row"), grpc_error(grpc.StatusCode.INVALID_ARGUMENT)),
        PERMANENT,
    ),
    "RetryError after a transient fault": (
        given_up_retrying(grpc_error(grpc.StatusCode.UNAVAILABLE)),
        TRANSIENT,
    ),
    "RetryError after a permanent fault": (
        given_up_retrying(grpc_error(grpc.StatusCode.PERMISSION_DENIED)),
        PERMANENT,
    ),
    "RetryError without a cause": (google_errors.RetryError("deadline exceeded", None), TRANSIENT),
    "requests ConnectionError": (requests.exceptions.ConnectionError("aborted"), TRANSIENT),
    "requests ReadTimeout": (requests.exceptions.ReadTimeout("30 s"), TRANSIENT),
    "requests ConnectTimeout": (requests.exceptions.ConnectTimeout("30 s"), TRANSIENT),
    "requests ChunkedEncodingError": (requests.exceptions.ChunkedEncodingError("cut off"), TRANSIENT),
    "requests SSLError, though it is a ConnectionError": (
        requests.exceptions.SSLError("certificate verify failed"),
        PERMANENT,
    ),
    "urllib3 ProtocolError": (urllib3.exceptions.ProtocolError("connection broken"), TRANSIENT),
    "SSLError of a socket": (ssl.SSLCertVerificationError(1, "certificate verify failed"), PERMANENT),
    "google.auth TransportError": (google.auth.exceptions.TransportError("metadata server"), TRANSIENT),
    "google.auth without credentials": (
        google.auth.exceptions.DefaultCredentialsError("none found"),
        PERMANENT,
    ),
    "BigQuery could not serialize": (
        rest_error(400, "invalidQuery", "Could not serialize access to table p:d.t due to concurrent update"),
        TRANSIENT,
    ),
    "BigQuery transaction aborted": (
        rest_error(
            400, "invalidQuery", "Transaction is aborted due to concurrent update against table p:d.t"
        ),
        TRANSIENT,
    ),
    "BigQuery too many DML statements": (
        rest_error(400, "invalidQuery", "Too many DML statements outstanding against table p:d.t"),
        TRANSIENT,
    ),
    "BigQuery wrong statement": (rest_error(400, "invalidQuery", "Syntax error at [1:1]"), PERMANENT),
    "BigQuery words of contention under another reason": (
        rest_error(400, "invalid", "could not serialize access to your input"),
        PERMANENT,
    ),
    "BigQuery 400 invalid": (rest_error(400, "invalid"), PERMANENT),
    "BigQuery rateLimitExceeded": (rest_error(403, "rateLimitExceeded"), TRANSIENT),
    "BigQuery quotaExceeded": (rest_error(403, "quotaExceeded"), TRANSIENT),
    "BigQuery jobRateLimitExceeded": (rest_error(400, "jobRateLimitExceeded"), TRANSIENT),
    "BigQuery accessDenied": (rest_error(403, "accessDenied"), PERMANENT),
    "BigQuery billingNotEnabled": (rest_error(403, "billingNotEnabled"), PERMANENT),
    "BigQuery backendError": (rest_error(503, "backendError"), TRANSIENT),
    "BigQuery internalError": (rest_error(500, "internalError"), TRANSIENT),
    "BigQuery jobBackendError under 400": (rest_error(400, "jobBackendError"), TRANSIENT),
    "BigQuery jobInternalError under 400": (rest_error(400, "jobInternalError"), TRANSIENT),
    "AlreadyExists, the caller's to interpret": (grpc_error(grpc.StatusCode.ALREADY_EXISTS), UNKNOWN),
    "BigQuery 409 duplicate, the caller's": (rest_error(409, "duplicate"), UNKNOWN),
    "FailedPrecondition, the caller's, though it is a BadRequest": (
        grpc_error(grpc.StatusCode.FAILED_PRECONDITION),
        UNKNOWN,
    ),
    "NotFound of Firestore": (grpc_error(grpc.StatusCode.NOT_FOUND), PERMANENT),
    "BigQuery 404 notFound": (rest_error(404, "notFound"), PERMANENT),
    "NotFound that speaks of a timeout": (rest_error(404, "notFound", "table timeout_503"), PERMANENT),
    "InvalidArgument": (grpc_error(grpc.StatusCode.INVALID_ARGUMENT), PERMANENT),
    "OutOfRange": (grpc_error(grpc.StatusCode.OUT_OF_RANGE), PERMANENT),
    "PermissionDenied": (grpc_error(grpc.StatusCode.PERMISSION_DENIED), PERMANENT),
    "Unauthenticated": (grpc_error(grpc.StatusCode.UNAUTHENTICATED), PERMANENT),
    "Forbidden without a reason": (google_errors.from_http_status(403, "no"), PERMANENT),
    "Unimplemented": (grpc_error(grpc.StatusCode.UNIMPLEMENTED), PERMANENT),
    "pydantic ValidationError": (
        raised_by(lambda: Row.model_validate_json('{"points": "many"}')),
        PERMANENT,
    ),
    "TypeError": (raised_by(lambda: 1 + "1"), PERMANENT),  # type: ignore[operator]
    "KeyError": (raised_by(lambda: dict[str, int]()["game_id"]), PERMANENT),
    "JSON error": (raised_by(lambda: json.loads("{")), PERMANENT),
    "base64 error": (raised_by(lambda: base64.b64decode("x", validate=True)), PERMANENT),
    "bytes that are no UTF-8": (raised_by(lambda: b"\xff".decode()), PERMANENT),
    "Cancelled": (grpc_error(grpc.StatusCode.CANCELLED), UNKNOWN),
    "Unknown": (grpc_error(grpc.StatusCode.UNKNOWN), UNKNOWN),
    "DataLoss": (grpc_error(grpc.StatusCode.DATA_LOSS), UNKNOWN),
    "anything else": (RuntimeError("503 timeout quotaExceeded"), UNKNOWN),
    "a failure that was unwrapped keeps its class": (
        raised_by(Result.failure(ErrorInfo.permanent("Refused", "no")).unwrap),
        PERMANENT,
    ),
}


@pytest.mark.parametrize(("exc", "expected"), TABLE.values(), ids=TABLE.keys())
def test_exception_is_classified_as_the_table_says(exc: BaseException, expected: ErrorType) -> None:
    assert classify(exc) is expected


def test_success_carries_data_and_no_error() -> None:
    result = Result.success(0)

    assert result.is_success and not result.is_failure and not result.is_partial
    assert result.unwrap() == 0
    assert result.is_retryable is False


def test_failure_raises_its_error_when_unwrapped() -> None:
    result: Result[int] = Result.failure(A_FAULT)

    with pytest.raises(ResultError, match="Busy: try again") as raised:
        result.unwrap()

    assert raised.value.error is A_FAULT


def test_partial_carries_both_and_unwraps_to_its_data() -> None:
    result = Result.partial([1, 2], A_FAULT)

    assert result.is_partial and not result.is_success and not result.is_failure
    assert result.unwrap() == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        pytest.param(("success", 1, A_FAULT), "error", id="a success with an error"),
        pytest.param(("failure", None, None), "error", id="a failure without an error"),
        pytest.param(("partial", 1, None), "error", id="a partial without an error"),
        pytest.param(("failure", 1, A_FAULT), "data", id="a failure with data"),
        pytest.param(("maybe", 1, None), "status", id="a status that does not exist"),
    ],
)
def test_contradictory_result_cannot_be_constructed(arguments: tuple[Any, ...], named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named}: "):
        Result(*arguments)


@pytest.mark.parametrize(
    ("error_type", "retryable"), [(TRANSIENT, True), (UNKNOWN, True), (PERMANENT, False)], ids=str
)
def test_retryable_is_always_a_bool(error_type: ErrorType, retryable: bool) -> None:
    error = ErrorInfo(error_type, "Some", "thing")

    assert Result.failure(error).is_retryable is retryable
    assert Result.partial(1, error).is_retryable is retryable


def test_map_changes_data_and_keeps_status_and_error() -> None:
    assert Result.success(2).map(str) == Result.success("2")
    assert Result.partial(2, A_FAULT).map(str) == Result.partial("2", A_FAULT)
    assert Result[int].failure(A_FAULT).map(str) == Result.failure(A_FAULT)


def test_and_then_stops_at_the_first_failure() -> None:
    calls: list[int] = []

    def note(value: int) -> Result[int]:
        calls.append(value)
        return Result.success(value + 1)

    assert Result.success(1).and_then(note) == Result.success(2)
    assert Result[int].failure(A_FAULT).and_then(note).is_failure
    assert calls == [1]


def test_error_of_a_partial_survives_a_following_success() -> None:
    following = Result.partial(1, A_FAULT).and_then(lambda value: Result.success(value + 1))

    assert following == Result.partial(2, A_FAULT)


def test_failure_after_a_partial_is_a_failure() -> None:
    later = ErrorInfo.permanent("Refused", "no")

    assert Result.partial(1, A_FAULT).and_then(lambda _: Result[int].failure(later)) == Result.failure(later)


def test_error_info_tells_class_message_details_and_trace_of_an_exception() -> None:
    info = ErrorInfo.from_exception(raised_by(lambda: dict[str, int]()["game_id"]), table="t")

    assert (info.type, info.exception_class, info.message) == (PERMANENT, "KeyError", "'game_id'")
    assert info.details == {"table": "t"}
    assert info.stack_trace is not None and "KeyError: 'game_id'" in info.stack_trace


def test_error_info_of_a_call_that_was_retried_names_what_went_wrong_and_not_the_retry() -> None:
    info = ErrorInfo.from_exception(given_up_retrying(grpc_error(grpc.StatusCode.UNAVAILABLE)))

    assert (info.type, info.exception_class) == (TRANSIENT, "ServiceUnavailable")
    assert ErrorInfo.from_exception(google_errors.RetryError("", None)).exception_class == "RetryError"


def test_stack_trace_is_cut_at_its_end_that_matters() -> None:
    info = ErrorInfo.from_exception(RuntimeError("x" * 2 * STACK_TRACE_MAX_CHARS + "end"))

    assert info.stack_trace is not None
    assert len(info.stack_trace) == STACK_TRACE_MAX_CHARS
    assert info.stack_trace.rstrip().endswith("end")


def test_message_is_cut_because_an_exception_may_hold_a_whole_statement() -> None:
    assert (
        ErrorInfo.from_exception(RuntimeError("x" * 2 * MESSAGE_MAX_CHARS)).message == "x" * MESSAGE_MAX_CHARS
    )


def test_what_was_retried_in_vain_is_named_by_what_went_wrong() -> None:
    info = ErrorInfo.from_exception(given_up_retrying(grpc_error(grpc.StatusCode.UNAVAILABLE)))

    assert (info.type, info.exception_class) == (TRANSIENT, "ServiceUnavailable")


def test_held_lock_and_not_yet_are_expected_and_a_fault_is_not() -> None:
    assert ErrorInfo.not_yet("no such batch").is_expected
    assert ErrorInfo.not_yet("no such batch").exception_class == NOT_YET
    assert ErrorInfo.transient(LOCK_HELD, "by another").is_expected
    assert not A_FAULT.is_expected


def test_error_info_as_dict_is_json_whatever_its_details_hold() -> None:
    info = ErrorInfo.permanent("Bad", "row", rows=({1, 2}, None), at=ErrorType.UNKNOWN, nested={1: b"x"})

    written = json.loads(json.dumps(info.to_dict()))

    assert written["details"] == {"rows": [[1, 2], None], "at": "ErrorType.UNKNOWN", "nested": {"1": "b'x'"}}
    assert written["type"] == "permanent"
    assert written["has_stack_trace"] is False


@returns_result
def doubled(found: Result[int]) -> int:
    """Twice what was found."""
    return 2 * found.unwrap()


@returns_result_async
async def doubled_later(found: Result[int]) -> int:
    return 2 * found.unwrap()


async def test_value_of_a_use_case_is_a_success() -> None:
    assert doubled(Result.success(4)) == Result.success(8)
    assert await doubled_later(Result.success(4)) == Result.success(8)


async def test_failure_that_was_unwrapped_inside_is_returned_as_it_was() -> None:
    assert doubled(Result.failure(A_FAULT)).error is A_FAULT
    assert (await doubled_later(Result.failure(A_FAULT))).error is A_FAULT


async def test_fault_of_our_own_is_raised_on() -> None:
    nothing: Result[int] = Result("success", None)

    with pytest.raises(TypeError):
        doubled(nothing)
    with pytest.raises(TypeError):
        await doubled_later(nothing)


def test_use_case_keeps_its_name_and_its_contract() -> None:
    assert (doubled.__name__, doubled.__doc__) == ("doubled", "Twice what was found.")
