"""Exception → ErrorType, as a table: what to do about a failure.

Classification goes by exception type (the most specific class wins), by API reason and by cause; words in a
message count only within one reason. The table and its traps were measured with the real clients. The
question for each row is: could this pass by itself? A wrong PERMANENT loses an event to the dead letters, a
wrong TRANSIENT only wastes time; where nobody knows, it is UNKNOWN: retried a bounded number of times.
"""

import errno
import json
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Final


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
_BY_CLASS: Final[Mapping[str, ErrorType]] = {
    # The service's answers, gRPC and REST alike. A conflict is the caller's to interpret.
    "google.api_core.exceptions.Aborted": _TRANSIENT,
    "google.api_core.exceptions.AlreadyExists": _UNKNOWN,
    "google.api_core.exceptions.Conflict": _UNKNOWN,
    "google.api_core.exceptions.FailedPrecondition": _UNKNOWN,
    "google.api_core.exceptions.PreconditionFailed": _UNKNOWN,
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
    # Who we are: a metadata server that is starting passes, and so may a refusal to refresh.
    "google.auth.exceptions.TransportError": _TRANSIENT,
    "google.auth.exceptions.TimeoutError": _TRANSIENT,
    "google.auth.exceptions.ResponseError": _TRANSIENT,
    "google.auth.exceptions.GoogleAuthError": _UNKNOWN,
    # The way there. What refuses our certificate chain is told apart before this table is asked.
    "requests.exceptions.JSONDecodeError": _TRANSIENT,
    "requests.exceptions.InvalidJSONError": _PERMANENT,
    "requests.exceptions.ConnectionError": _TRANSIENT,
    "requests.exceptions.Timeout": _TRANSIENT,
    "requests.exceptions.ChunkedEncodingError": _TRANSIENT,
    "requests.exceptions.ContentDecodingError": _TRANSIENT,
    "requests.exceptions.RetryError": _TRANSIENT,
    "urllib3.exceptions.SSLError": _TRANSIENT,
    "urllib3.exceptions.ProtocolError": _TRANSIENT,
    "urllib3.exceptions.TimeoutError": _TRANSIENT,
    "urllib3.exceptions.MaxRetryError": _TRANSIENT,
    "urllib3.exceptions.DecodeError": _TRANSIENT,
    "urllib.error.HTTPError": _UNKNOWN,
    "urllib.error.URLError": _TRANSIENT,
    "http.client.InvalidURL": _PERMANENT,
    "http.client.HTTPException": _TRANSIENT,
    "ssl.SSLError": _TRANSIENT,
    "socket.gaierror": _TRANSIENT,
    "concurrent.futures._base.TimeoutError": _TRANSIENT,
    "builtins.TimeoutError": _TRANSIENT,
    "builtins.ConnectionError": _TRANSIENT,
    # What was asked for. The same question gets the same answer.
    "pydantic_core._pydantic_core.ValidationError": _PERMANENT,
    "builtins.ValueError": _PERMANENT,
    "builtins.TypeError": _PERMANENT,
    "builtins.LookupError": _PERMANENT,
    "builtins.ArithmeticError": _PERMANENT,
}

_RETRY_ERROR: Final = "google.api_core.exceptions.RetryError"
"""Base classes and classes that are asked about before the table, by qualified name like its keys."""
_API_ERROR: Final = "google.api_core.exceptions.GoogleAPICallError"
_BAD_REQUEST: Final = "google.api_core.exceptions.BadRequest"
_ABORTED: Final = "google.api_core.exceptions.Aborted"
_AUTH_ERROR: Final = "google.auth.exceptions.GoogleAuthError"
_REFUSED_CERTIFICATE: Final = "ssl.SSLCertVerificationError"

_TRANSIENT_REASONS: Final = frozenset(
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

_CONTENTION: Final = "could not serialize access"
_OVERTAKEN: Final = "aborted due to concurrent update"
_QUEUE_FULL: Final = "too many dml statements outstanding"
_STREAMING: Final = "would affect rows in the streaming buffer"

# BigQuery reports contention, a full queue and rows that cannot be changed yet under reasons that mean a
# wrong statement, or one too large for the memory: only these texts tell them apart.
_BY_REASON_AND_TEXT: Final[Mapping[tuple[str, str], ErrorType]] = {
    ("invalidQuery", _CONTENTION): _TRANSIENT,
    ("invalidQuery", _OVERTAKEN): _TRANSIENT,
    ("invalidQuery", _QUEUE_FULL): _TRANSIENT,
    ("resourcesExceeded", _QUEUE_FULL): _TRANSIENT,
    # Passes when the buffer is written out, which takes up to an hour and a half.
    ("invalidQuery", _STREAMING): _UNKNOWN,
    ("invalid", _STREAMING): _UNKNOWN,
}

_TRANSIENT_STATUSES: Final = frozenset({408, 425, *range(500, 600)})
"""Of answers for which the client has no class of its own."""

_TRANSIENT_ERRNOS: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EPIPE})

_CLIENTS: Final = ("google", "requests", "urllib3")
"""Top-level packages: an answer that is no JSON was read by one of these, ours is a body that we were
sent."""
_MAX_DEPTH: Final = 10
"""Of wrapped exceptions: a cause may lead back to itself."""


def classify(exc: BaseException) -> ErrorType:
    """What to do about `exc`; never raises.

    AlreadyExists, Conflict and FailedPrecondition are the caller's to interpret (most often: it is done
    already, perhaps by this very caller, whose answer was lost); one that nobody interpreted is UNKNOWN. A
    RetryError is as its cause, a ResultError as the failure that it carries. An exception of no known class
    is UNKNOWN.
    """
    names = _class_names(exc)
    if _RETRY_ERROR in names:
        cause = retried(exc)
        return classify(cause) if cause is not None else _TRANSIENT
    carried = getattr(getattr(exc, "error", None), "type", None)
    if isinstance(carried, ErrorType):
        return carried  # a ResultError: its failure was classified before
    # Wrapped at any depth: the HTTP libraries raise it as a connection error, which would be TRANSIENT. No
    # retry makes a certificate valid.
    if any(_REFUSED_CERTIFICATE in _class_names(each) for each in _wrapped(exc)):
        return _PERMANENT
    answer = _by_answer(exc, names) if _API_ERROR in names else _by_circumstance(exc, names)
    return answer or next((_BY_CLASS[name] for name in names if name in _BY_CLASS), _UNKNOWN)


def is_transient(exc: BaseException) -> bool:
    """As the predicate of a Retry: `if_transient_error` of the client library leaves out Aborted and
    DeadlineExceeded, which Firestore and BigQuery raise under contention.
    """
    return classify(exc) is ErrorType.TRANSIENT


def retried(exc: BaseException) -> BaseException | None:
    """What was retried until time was up, if `exc` is a RetryError that knows it."""
    cause = getattr(exc, "cause", None) if _RETRY_ERROR in _class_names(exc) else None
    return cause if isinstance(cause, BaseException) else None


def _class_names(exc: BaseException) -> list[str]:
    return [f"{cls.__module__}.{cls.__qualname__}" for cls in type(exc).__mro__]


def _by_answer(exc: BaseException, names: list[str]) -> ErrorType | None:
    """What the service's answer says beyond its class; None: nothing."""
    reason = _reason(exc)
    if reason in _TRANSIENT_REASONS:
        return _TRANSIENT
    if reason is not None:
        # The text decides only within a reason: words alone may be in any message, a column's name among
        # them.
        text = str(exc).lower()
        return next(
            (t for (r, words), t in _BY_REASON_AND_TEXT.items() if r == reason and words in text), None
        )
    if names[0] == _BAD_REQUEST:
        # BigQuery names the reason of every refusal: one without comes from a proxy on the way, or is cut.
        # PERMANENT would lose the event for a fault that may pass.
        return _UNKNOWN
    is_listed = any(name in _BY_CLASS for name in names)
    return _TRANSIENT if not is_listed and getattr(exc, "code", None) in _TRANSIENT_STATUSES else None


def _by_circumstance(exc: BaseException, names: list[str]) -> ErrorType | None:
    """What is told by where an exception comes from, rather than by its class; None: nothing."""
    if isinstance(exc, ValueError) and exc.__cause__ is not None and _ABORTED in _class_names(exc.__cause__):
        # Firestore's transaction gives up with a plain ValueError (python-firestore #879).
        return _TRANSIENT
    if isinstance(exc, OSError) and exc.errno in _TRANSIENT_ERRNOS:
        return _TRANSIENT
    if isinstance(exc, json.JSONDecodeError) and _comes_out_of_a_client(exc):
        return _TRANSIENT
    if _AUTH_ERROR in names and _may_be_had_later(exc):
        return _TRANSIENT
    return None


def _may_be_had_later(exc: BaseException) -> bool:
    """Whether credentials say so themselves, or wrap what kept them from refreshing and passes."""
    cause = exc.__cause__
    return getattr(exc, "retryable", False) is True or (cause is not None and classify(cause) is _TRANSIENT)


def _reason(exc: BaseException) -> str | None:
    """The machine-readable reason of a REST error; gRPC errors have none."""
    errors = getattr(exc, "errors", None)
    first = errors[0] if isinstance(errors, list | tuple) and errors else None
    return first.get("reason") if isinstance(first, Mapping) else None


def _wrapped(exc: BaseException) -> Iterator[BaseException]:
    """`exc` and what it wraps: the HTTP libraries keep it as cause, as argument, or as `reason`."""
    layer: list[BaseException] = [exc]
    for _ in range(_MAX_DEPTH):
        yield from layer
        inner = [
            each
            for outer in layer
            for each in (outer.__cause__, getattr(outer, "reason", None), *outer.args)
            if isinstance(each, BaseException)
        ]
        layer = inner


def _comes_out_of_a_client(exc: BaseException) -> bool:
    """Whether a client library was reading, and not we: then it was a service's answer that was no JSON, and
    the call may have taken effect. The innermost frame outside of `json` tells.
    """
    module = ""
    trace = exc.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        module = module if name.partition(".")[0] == "json" else name
        trace = trace.tb_next
    return module.partition(".")[0] in _CLIENTS
