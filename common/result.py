"""Outcomes as values: what a call returns when "failed" must never look like "nothing there".

Classification goes by exception type first (most specific class wins), then by API reason, then by cause;
words in a message count only within one reason. The table and its traps were measured with the real clients.
"""

import errno
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, Literal, NoReturn, TypeVar, cast

T = TypeVar("T")
U = TypeVar("U")

Status = Literal["success", "failure", "partial"]

STACK_TRACE_MAX_CHARS = 10_000
MESSAGE_MAX_CHARS = 10_000
"""An exception may hold a whole statement or body; this is logged and stored."""


class ErrorType(Enum):
    """What a caller should do about a failure."""

    TRANSIENT = "transient"
    """The same call may succeed later: retry."""
    PERMANENT = "permanent"
    """The same call will always fail: tell a person, do not retry."""
    UNKNOWN = "unknown"
    """Nobody knows: retry, a bounded number of times."""


@dataclass(frozen=True)
class ErrorInfo:
    """Why something failed, in a form that can be logged, stored and decided upon."""

    type: ErrorType
    exception_class: str
    message: str
    details: Mapping[str, Any] | None = None
    stack_trace: str | None = None

    @classmethod
    def from_exception(cls, exc: BaseException, **details: Any) -> "ErrorInfo":
        """Describe `exc`; `details` name what was being attempted (ids, tables), never secrets.

        Of a RetryError the class is that of its cause, the last thing that went wrong.
        """
        trace = "".join(traceback.format_exception(exc))[-STACK_TRACE_MAX_CHARS:]
        told = _retried(exc) or exc
        message = str(exc)[:MESSAGE_MAX_CHARS]
        return cls(classify(exc), type(told).__name__, message, details or None, trace)

    @classmethod
    def permanent(cls, exception_class: str, message: str, **details: Any) -> "ErrorInfo":
        """A failure of our own making that no retry will cure: bad input, a refused operation."""
        return cls(ErrorType.PERMANENT, exception_class, message, details or None)

    @classmethod
    def transient(cls, exception_class: str, message: str, **details: Any) -> "ErrorInfo":
        """A failure of our own making that a retry may cure."""
        return cls(ErrorType.TRANSIENT, exception_class, message, details or None)

    @classmethod
    def not_yet(cls, message: str, **details: Any) -> "ErrorInfo":
        """Nothing is wrong, it is only too early: retried without noise in the logs."""
        return cls.transient(NOT_YET, message, **details)

    @property
    def is_expected(self) -> bool:
        """Whether this is part of normal operation (a held lock, "not yet") and no fault."""
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
        if self.status not in ("success", "failure", "partial"):
            raise ValueError(f"status: {self.status!r} is none of success, failure, partial")
        if self.status == "success" and self.error is not None:
            raise ValueError("error: a success carries none")
        if self.status != "success" and self.error is None:
            raise ValueError(f"error: a {self.status} carries one")
        if self.status == "failure" and self.data is not None:
            raise ValueError("data: a failure carries none; what is half done is a partial")

    @classmethod
    def success(cls, data: T) -> "Result[T]":
        return cls("success", data)

    @classmethod
    def failure(cls, error: ErrorInfo) -> "Result[T]":
        return cls("failure", None, error)

    @classmethod
    def partial(cls, data: T, error: ErrorInfo) -> "Result[T]":
        return cls("partial", data, error)

    @property
    def is_success(self) -> bool:
        return self.status == "success"

    @property
    def is_failure(self) -> bool:
        return self.status == "failure"

    @property
    def is_partial(self) -> bool:
        return self.status == "partial"

    @property
    def is_retryable(self) -> bool:
        """Whether trying again may help: a failure or partial whose error is TRANSIENT or UNKNOWN."""
        return self.error is not None and self.error.type is not ErrorType.PERMANENT

    def unwrap(self) -> T:
        """The data of a success or partial; raises ResultError with the ErrorInfo of a failure."""
        if self.is_failure:
            self._raise()
        return cast(T, self.data)

    def map(self, function: Callable[[T], U]) -> "Result[U]":
        """Apply `function` to the data, keeping status and error; a failure passes through."""
        if self.is_failure:
            return cast("Result[U]", self)
        return Result(self.status, function(cast(T, self.data)), self.error)

    def and_then(self, function: Callable[[T], "Result[U]"]) -> "Result[U]":
        """Chain a call that may itself fail; the error of a partial survives a following success."""
        if self.is_failure:
            return cast("Result[U]", self)
        following = function(cast(T, self.data))
        if self.error is not None and following.is_success:
            return Result("partial", following.data, self.error)
        return following

    def _raise(self) -> NoReturn:
        raise ResultError(cast(ErrorInfo, self.error))


NOT_YET = "NotYet"
LOCK_HELD = "LockHeld"
_EXPECTED = frozenset({NOT_YET, LOCK_HELD})

_TRANSIENT, _PERMANENT, _UNKNOWN = ErrorType.TRANSIENT, ErrorType.PERMANENT, ErrorType.UNKNOWN

# By qualified name, so that classifying imports no client library; the first class of an exception's
# method resolution order that stands here decides, which is what "most specific first" means.
_BY_CLASS: Mapping[str, ErrorType] = {
    "google.api_core.exceptions.Aborted": _TRANSIENT,
    "google.api_core.exceptions.AlreadyExists": _UNKNOWN,
    "google.api_core.exceptions.Conflict": _UNKNOWN,
    "google.api_core.exceptions.FailedPrecondition": _UNKNOWN,
    "google.api_core.exceptions.ServiceUnavailable": _TRANSIENT,
    "google.api_core.exceptions.DataLoss": _UNKNOWN,
    "google.api_core.exceptions.Unknown": _UNKNOWN,
    "google.api_core.exceptions.Cancelled": _UNKNOWN,
    "google.api_core.exceptions.InternalServerError": _TRANSIENT,
    "google.api_core.exceptions.BadGateway": _TRANSIENT,
    "google.api_core.exceptions.GatewayTimeout": _TRANSIENT,
    "google.api_core.exceptions.TooManyRequests": _TRANSIENT,
    "google.api_core.exceptions.MethodNotImplemented": _PERMANENT,
    "google.api_core.exceptions.ClientError": _PERMANENT,
    "google.auth.exceptions.DefaultCredentialsError": _PERMANENT,
    "google.auth.exceptions.TransportError": _TRANSIENT,
    "requests.exceptions.SSLError": _PERMANENT,
    "requests.exceptions.ConnectionError": _TRANSIENT,
    "requests.exceptions.Timeout": _TRANSIENT,
    "requests.exceptions.ChunkedEncodingError": _TRANSIENT,
    "urllib3.exceptions.SSLError": _PERMANENT,
    "urllib3.exceptions.ProtocolError": _TRANSIENT,
    "urllib3.exceptions.TimeoutError": _TRANSIENT,
    "ssl.SSLError": _PERMANENT,
    "socket.gaierror": _TRANSIENT,
    "concurrent.futures._base.TimeoutError": _TRANSIENT,
    "builtins.TimeoutError": _TRANSIENT,
    "builtins.ConnectionError": _TRANSIENT,
    "pydantic_core._pydantic_core.ValidationError": _PERMANENT,
    "builtins.ValueError": _PERMANENT,
    "builtins.TypeError": _PERMANENT,
    "builtins.LookupError": _PERMANENT,
}

_RETRY_ERROR = "google.api_core.exceptions.RetryError"

_TRANSIENT_REASONS = frozenset(
    {
        "rateLimitExceeded",
        "quotaExceeded",
        "jobRateLimitExceeded",
        "backendError",
        "internalError",
        "jobBackendError",
        "jobInternalError",
    }
)

# BigQuery reports contention as 400 invalidQuery; only these texts tell it from a wrong statement.
_CONTENTION_TEXTS = (
    "could not serialize access",
    "aborted due to concurrent update",
    "too many dml statements outstanding",
)

_TRANSIENT_ERRNOS = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EPIPE})


def classify(exc: BaseException) -> ErrorType:
    """What to do about `exc`. AlreadyExists, Conflict and FailedPrecondition are the caller's to interpret
    (most often: it is done already); one that nobody interpreted is UNKNOWN."""
    names = _class_names(exc)
    if _RETRY_ERROR in names:
        cause = _retried(exc)
        return classify(cause) if cause is not None else _TRANSIENT
    if isinstance(exc, ResultError):
        return exc.error.type
    if _is_transient_by_reason(exc) or _is_firestore_contention(exc):
        return _TRANSIENT
    if isinstance(exc, OSError) and exc.errno in _TRANSIENT_ERRNOS:
        return _TRANSIENT
    return next((_BY_CLASS[name] for name in names if name in _BY_CLASS), _UNKNOWN)


def is_transient(exc: BaseException) -> bool:
    """For a Retry: its own predicates leave out what Firestore and BigQuery raise under contention."""
    return classify(exc) is ErrorType.TRANSIENT


def _retried(exc: BaseException) -> BaseException | None:
    """What was retried until time was up, if `exc` is a RetryError that knows it."""
    cause = getattr(exc, "cause", None) if _RETRY_ERROR in _class_names(exc) else None
    return cause if isinstance(cause, BaseException) else None


def _class_names(exc: BaseException) -> list[str]:
    return [f"{cls.__module__}.{cls.__qualname__}" for cls in type(exc).__mro__]


def _is_transient_by_reason(exc: BaseException) -> bool:
    reason = _reason(exc)
    is_contention = reason == "invalidQuery" and any(text in str(exc).lower() for text in _CONTENTION_TEXTS)
    return reason in _TRANSIENT_REASONS or is_contention


def _reason(exc: BaseException) -> str | None:
    """The machine-readable reason of a REST error; gRPC errors have none."""
    errors = getattr(exc, "errors", None)
    first = errors[0] if isinstance(errors, list | tuple) and errors else None
    return first.get("reason") if isinstance(first, Mapping) else None


def _is_firestore_contention(exc: BaseException) -> bool:
    """Firestore's transaction gives up with a plain ValueError caused by Aborted (python-firestore #879)."""
    cause = exc.__cause__
    return (
        isinstance(exc, ValueError)
        and cause is not None
        and "google.api_core.exceptions.Aborted" in _class_names(cause)
    )


def _jsonable(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_jsonable(item) for item in value]
    return str(value)
