import json
from typing import Any

import google.api_core.exceptions as google_errors
import grpc
import pytest

from common.result import (
    LOCK_HELD,
    MESSAGE_MAX_CHARS,
    NOT_YET,
    STACK_TRACE_MAX_CHARS,
    ErrorInfo,
    ErrorType,
    Result,
    ResultError,
    returns_result,
    returns_result_async,
)
from tests.support.client_errors import given_up_retrying, grpc_error, raised_by

TRANSIENT, PERMANENT, UNKNOWN = ErrorType.TRANSIENT, ErrorType.PERMANENT, ErrorType.UNKNOWN

A_FAULT = ErrorInfo.transient("Busy", "try again")


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
