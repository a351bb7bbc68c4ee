"""Exception → ErrorType, as a table: what to do about a failure.

Classification goes by exception type first (most specific class wins), then by API reason, then by cause;
words in a message count only within one reason. The table and its traps were measured with the real clients.
The question for each row is: could this pass by itself?
"""

import errno
from collections.abc import Mapping
from enum import Enum


class ErrorType(Enum):
    """What a caller should do about a failure."""

    TRANSIENT = "transient"
    """The same call may succeed later: retry."""
    PERMANENT = "permanent"
    """The same call will always fail: tell a person, do not retry."""
    UNKNOWN = "unknown"
    """Nobody knows: retry, a bounded number of times."""


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
        cause = retried(exc)
        return classify(cause) if cause is not None else _TRANSIENT
    carried = getattr(getattr(exc, "error", None), "type", None)
    if isinstance(carried, ErrorType):
        return carried  # a ResultError: its failure was classified before
    if _is_transient_by_reason(exc) or _is_firestore_contention(exc):
        return _TRANSIENT
    if isinstance(exc, OSError) and exc.errno in _TRANSIENT_ERRNOS:
        return _TRANSIENT
    return next((_BY_CLASS[name] for name in names if name in _BY_CLASS), _UNKNOWN)


def is_transient(exc: BaseException) -> bool:
    """For a Retry: its own predicates leave out what Firestore and BigQuery raise under contention."""
    return classify(exc) is ErrorType.TRANSIENT


def retried(exc: BaseException) -> BaseException | None:
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
