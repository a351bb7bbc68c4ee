"""A call of the client → a `Result`; what was attempted is in the details, cut and without secrets."""

from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as WaitTimeout
from dataclasses import replace
from typing import Any, Final, TypeVar

from ..result import ErrorInfo, ErrorType, Result
from ..texts import cut
from .jobs import MAY_STILL_RUN, REFUSALS, JobUnsettled

T = TypeVar("T")

FAULTS: Final = (
    *REFUSALS,
    WaitTimeout,
    JobUnsettled,
    ValueError,
    TypeError,
)
"""What a call of the client raises, and what values that have no BigQuery type raise."""

MAX_QUERY_CHARS: Final = 1_000
MAX_PARAMETER_CHARS: Final = 200
_SECRET_WORDS: Final = ("secret", "token", "password", "credential", "webhook", "api_key")


def attempt(call: Callable[[], T], details: Mapping[str, Any]) -> Result[T]:
    """What `call` returns, or why it failed. What is no fault of the client's is raised."""
    try:
        return Result.success(call())
    except JobUnsettled as exc:
        return Result.failure(_unsettled(exc, details))
    except FAULTS as exc:
        return Result.failure(ErrorInfo.from_exception(exc, **details))


def _unsettled(exc: JobUnsettled, details: Mapping[str, Any]) -> ErrorInfo:
    """Described as what kept us from asking, where something did."""
    cause = exc.__cause__
    is_fault = cause is not None and not isinstance(cause, WaitTimeout)
    told = ErrorInfo.from_exception(cause if is_fault and cause else exc, **details)
    return replace(
        told,
        type=ErrorType.TRANSIENT,
        message=f"{exc}: {cause}" if is_fault else str(exc),
        details={**details, MAY_STILL_RUN: True},
    )


def describe(sql: str, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Query and parameters for an error's details: cut, and without what looks like a secret."""
    shown = {name: _shown(name, value) for name, value in (parameters or {}).items()}
    return {"query": cut(sql, MAX_QUERY_CHARS), "parameters": shown}


def _shown(name: str, value: Any) -> str:
    is_secret = any(word in name.lower() for word in _SECRET_WORDS)
    return "(not shown)" if is_secret else cut(repr(value), MAX_PARAMETER_CHARS)
