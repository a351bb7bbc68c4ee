"""A call of the client → a `Result`.

What was attempted stands in the error's details, cut and without secrets.

The one place where the exceptions of the BigQuery client become values: every method of `Warehouse` and of
`WarehouseTables` is `attempted`, so that none of them raises for what BigQuery answers.
"""

import functools
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as WaitTimeout
from dataclasses import replace
from typing import Any, Final, ParamSpec, TypeVar

from ..result import ErrorInfo, ErrorType, Result
from ..texts import cut
from .jobs import MAY_STILL_RUN, REFUSALS, JobUnsettled

P = ParamSpec("P")
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
"""Characters of a query that an error's details keep: errors go into log lines and dead letters, and a
generated script has up to a megabyte."""
MAX_PARAMETER_CHARS: Final = 200
"""Characters of one parameter: a list of names has thousands."""
_SECRET_WORDS: Final = ("secret", "token", "password", "credential", "webhook", "api_key")


def attempted(
    details: Callable[..., Mapping[str, Any]],
) -> Callable[[Callable[P, T]], Callable[P, Result[T]]]:
    """Makes a method return what it returns as a success, and what the client raises as a failure.

    An exception that is not among `FAULTS` is a defect and is raised on. The type of the failure is that of
    `classify`. A job that may still run (JobUnsettled) is TRANSIENT and has MAY_STILL_RUN in its details,
    whatever kept us from asking: who holds a lock must not give it back then.

    `details` makes those of a failure from the method's arguments; it must not raise.
    """

    def decorate(method: Callable[P, T]) -> Callable[P, Result[T]]:
        @functools.wraps(method)
        def returning(*args: P.args, **kwargs: P.kwargs) -> Result[T]:
            try:
                return Result.success(method(*args, **kwargs))
            except FAULTS as exc:
                # Made only now: a call that succeeds has nothing to tell. Without the object itself.
                told = details(*args[1:], **kwargs)
                is_unsettled = isinstance(exc, JobUnsettled)
                error = _unsettled(exc, told) if is_unsettled else ErrorInfo.from_exception(exc, **told)
                return Result.failure(error)

        return returning

    return decorate


def _unsettled(exc: BaseException, details: Mapping[str, Any]) -> ErrorInfo:
    """Described as what kept us from asking, where something did."""
    cause = exc.__cause__
    # A wait that ran out is no fault of its own: then "may still run" is all there is to tell.
    is_fault = cause is not None and not isinstance(cause, WaitTimeout)
    told = ErrorInfo.from_exception(cause if is_fault and cause else exc, **details)
    return replace(
        told,
        type=ErrorType.TRANSIENT,
        message=f"{exc}: {cause}" if is_fault else str(exc),
        details={**details, MAY_STILL_RUN: True},
    )


def describe(sql: str, parameters: Mapping[str, Any] | None = None, **_: Any) -> dict[str, Any]:
    """Query and parameters of a call, for an error's details: cut, and without what looks like a secret."""
    shown = {name: _shown(name, value) for name, value in (parameters or {}).items()}
    return {"query": cut(sql, MAX_QUERY_CHARS), "parameters": shown}


def _shown(name: str, value: Any) -> str:
    """`(not shown)` by the parameter's name alone: a value does not say that it is a secret."""
    # Rather too often: a parameter that is not shown costs a look, one that is shown goes into every log.
    is_secret = any(word in name.lower() for word in _SECRET_WORDS)
    return "(not shown)" if is_secret else cut(repr(value), MAX_PARAMETER_CHARS)
