"""Outcomes as values: what a call returns when "failed" must never look like "nothing there".

Inside a use case calls are unwrapped and read straight down; `returns_result` at its public method turns the
failure back into a value. Nothing here imports a client library.
"""

import functools
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, ParamSpec, TypeVar, cast

from .classification import ErrorType, classify, is_transient, retried

__all__ = [
    "LOCK_HELD",
    "LOCK_LOST",
    "NOT_YET",
    "ErrorInfo",
    "ErrorType",
    "Result",
    "ResultError",
    "classify",
    "is_transient",
    "returns_result",
    "returns_result_async",
]

P = ParamSpec("P")
T = TypeVar("T")
U = TypeVar("U")

Status = Literal["success", "failure", "partial"]

STACK_TRACE_MAX_CHARS = 10_000
"""The end of a trace is kept: it names the error, and a log entry takes 256 KB."""
MESSAGE_MAX_CHARS = 10_000
"""An exception may hold a whole statement or body; this is logged and stored."""

NOT_YET = "NotYet"
"""The three answers that are part of normal operation: told quietly, and retried. "Not yet" is what it is
too early for; a lock is held by another; a lock that was ours is not any more."""
LOCK_HELD = "LockHeld"
LOCK_LOST = "LockLost"
_EXPECTED = frozenset({NOT_YET, LOCK_HELD, LOCK_LOST})


@dataclass(frozen=True)
class ErrorInfo:
    """Why something failed, in a form that can be logged, stored and decided upon."""

    type: ErrorType
    exception_class: str
    """The class of the exception, or the name that our own failure has: what a caller compares."""
    message: str
    """For people: names the field or id, and the value."""
    details: Mapping[str, Any] | None = None
    """For machines: ids, tables, counts. Shown in logs and dead letters, so never a secret."""
    stack_trace: str | None = None

    @classmethod
    def from_exception(cls, exc: BaseException, **details: Any) -> "ErrorInfo":
        """Describe `exc`; its type is that of `classify`.

        `details` name what was being attempted (ids, tables), never secrets. Of a RetryError the class is
        that of its cause, the last thing that went wrong.
        """
        trace = "".join(traceback.format_exception(exc))[-STACK_TRACE_MAX_CHARS:]
        told = retried(exc) or exc
        message = str(exc)[:MESSAGE_MAX_CHARS]
        return cls(classify(exc), type(told).__name__, message, details or None, trace)

    @classmethod
    def permanent(cls, exception_class: str, message: str, **details: Any) -> "ErrorInfo":
        """A failure of our own making that no retry will cure: bad input, a refused operation.

        An event that fails so is dead-lettered.
        """
        return cls(ErrorType.PERMANENT, exception_class, message, details or None)

    @classmethod
    def transient(cls, exception_class: str, message: str, **details: Any) -> "ErrorInfo":
        """A failure of our own making that a retry may cure: the event is delivered again."""
        return cls(ErrorType.TRANSIENT, exception_class, message, details or None)

    @classmethod
    def not_yet(cls, message: str, **details: Any) -> "ErrorInfo":
        """Nothing is wrong, it is only too early: retried without noise in the logs."""
        return cls.transient(NOT_YET, message, **details)

    @property
    def is_expected(self) -> bool:
        """Whether this is part of normal operation (a lock held or lost, "not yet") and no fault."""
        return self.exception_class in _EXPECTED

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form for documents and logs; the stack trace is left to the log of its origin."""
        return {
            "type": self.type.value,
            "exception_class": self.exception_class,
            "message": self.message,
            "details": {key: _jsonable(value) for key, value in (self.details or {}).items()},
            "has_stack_trace": self.stack_trace is not None,
        }


class ResultError(Exception):
    """A failure was unwrapped; `error` holds the ErrorInfo."""

    def __init__(self, error: ErrorInfo) -> None:
        super().__init__(f"{error.exception_class}: {error.message}")
        self.error = error


@dataclass(frozen=True)
class Result(Generic[T]):
    """A success with data, a failure with an error, or a partial with both.

    A success with an error, and a failure or partial without one, cannot be constructed (ValueError).
    """

    status: Status
    data: T | None = None
    error: ErrorInfo | None = None

    def __post_init__(self) -> None:
        # First what nearly all are: five are made for each event.
        if self.status == "success" and self.error is None:
            return
        if self.status not in ("success", "failure", "partial"):
            raise ValueError(f"status: {self.status!r} is none of success, failure, partial")
        if self.status == "success" and self.error is not None:
            raise ValueError("error: a success carries none")
        if self.status != "success" and self.error is None:
            raise ValueError(f"error: a {self.status} carries one")
        # Data beside a failure would be taken for an answer by whoever forgets to look.
        if self.status == "failure" and self.data is not None:
            raise ValueError("data: a failure carries none; what is half done is a partial")

    @classmethod
    def success(cls, data: T) -> "Result[T]":
        """All of it; no error."""
        return cls("success", data)

    @classmethod
    def failure(cls, error: ErrorInfo) -> "Result[T]":
        """Nothing of it, and why."""
        return cls("failure", None, error)

    @classmethod
    def partial(cls, data: T, error: ErrorInfo) -> "Result[T]":
        """Some of it, and why not all: acknowledged, with its error in the log.

        What a retry should do is a failure.
        """
        return cls("partial", data, error)

    @property
    def is_success(self) -> bool:
        """All of it, and no error."""
        return self.status == "success"

    @property
    def is_failure(self) -> bool:
        """Nothing of it."""
        return self.status == "failure"

    @property
    def is_partial(self) -> bool:
        """Some of it, and an error."""
        return self.status == "partial"

    @property
    def is_retryable(self) -> bool:
        """Whether trying again may help: a failure or partial whose error is TRANSIENT or UNKNOWN."""
        return self.error is not None and self.error.type is not ErrorType.PERMANENT

    def unwrap(self) -> T:
        """The data of a success or partial; raises ResultError with the ErrorInfo of a failure."""
        if self.status == "failure":
            raise ResultError(cast(ErrorInfo, self.error))
        return cast(T, self.data)

    def map(self, function: Callable[[T], U]) -> "Result[U]":
        """Apply `function` to the data, keeping status and error; a failure passes through.

        What `function` raises is raised.
        """
        if self.is_failure:
            return cast("Result[U]", self)
        return Result(self.status, function(cast(T, self.data)), self.error)

    def and_then(self, function: Callable[[T], "Result[U]"]) -> "Result[U]":
        """Chain a call that may itself fail; the error of a partial survives a following success."""
        if self.is_failure:
            return cast("Result[U]", self)
        following = function(cast(T, self.data))
        # What was missing before is missing still.
        if self.error is not None and following.is_success:
            return Result("partial", following.data, self.error)
        return following


def returns_result(use_case: Callable[P, T]) -> Callable[P, Result[T]]:
    """The one boundary of a use case: inside, calls are unwrapped; a ResultError becomes its failure again.

    Whatever else is raised is no outcome but a fault of ours, and is raised on: the entry point classifies
    it.
    """

    @functools.wraps(use_case)
    def returning(*args: P.args, **kwargs: P.kwargs) -> Result[T]:
        try:
            return Result.success(use_case(*args, **kwargs))
        except ResultError as exc:
            return Result.failure(exc.error)

    return returning


def returns_result_async(
    use_case: Callable[P, Awaitable[T]],
) -> Callable[P, Coroutine[Any, Any, Result[T]]]:
    """As `returns_result`, for a use case that is awaited."""

    @functools.wraps(use_case)
    async def returning(*args: P.args, **kwargs: P.kwargs) -> Result[T]:
        try:
            return Result.success(await use_case(*args, **kwargs))
        except ResultError as exc:
            return Result.failure(exc.error)

    return returning


def _jsonable(value: Any) -> Any:
    """JSON's values as they are, collections item by item, anything else as text: a log line and a dead
    letter must not fail because of a detail.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_jsonable(item) for item in value]
    return str(value)
