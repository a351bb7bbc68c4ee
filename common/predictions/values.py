"""Single values as BigQuery's JSON loads take them, exactly, or a ValueError that says why not.

A value comes from a worker's model and may be anything at all: whatever it raises when it is looked at, it is
no value of the column's type.
"""

import functools
import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, ParamSpec, TypeVar

from pydantic import BeforeValidator, Field

from .columns import Column

P = ParamSpec("P")
T = TypeVar("T")

JSON_INTEGERS: Final = range(-(2**63), 2**64)
"""Larger ones BigQuery rounds to a float."""


def _refusing(check: Callable[P, T]) -> Callable[P, T]:
    """Make whatever looking at a value raises a refusal of the value: ValueError.

    A value is any object of a worker's model (a lazy array, a proxy): its methods may raise anything.
    """

    @functools.wraps(check)
    def refusing(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return check(*args, **kwargs)
        except ValueError:
            raise
        except Exception as exc:  # of the value's own making: any object may be in a row
            raise ValueError(f"{type(exc).__name__} when it was looked at") from exc

    return refusing


def decimal_type(column: Column) -> Any:
    """NUMERIC with the column's digits."""
    assert column.precision is not None and column.scale is not None
    digits = Field(max_digits=column.precision, decimal_places=column.scale, allow_inf_nan=False)
    return Annotated[Decimal, BeforeValidator(_to_decimal), digits]


def decimal_text(column: Column) -> Callable[[Decimal], str]:
    """Exact decimal text, with as many decimals as the column has; raises ValueError where digits would be
    lost.
    """

    def text(number: Decimal) -> str:
        written = f"{number:.{column.scale}f}"
        # More digits than Python's decimal context has are rounded before pydantic counts them.
        if Decimal(written) != number:
            raise ValueError(f"more than {column.scale} decimals")
        return written

    return text


@_refusing
def _to_decimal(value: Any) -> Decimal:
    """An exact decimal of a number; a float means the shortest decimal that is read back as it: 24.1, not
    24.10000000000000142.
    """
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        raise ValueError("a number was expected")
    # `repr`, since Decimal(24.1) is 24.10000000000000142…; `float`, since a subclass may print itself in its
    # own way.
    number = Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise ValueError("not a finite number")
    return number


@_refusing
def to_float(value: Any) -> float:
    """Finite; raises ValueError, also for a bool and for text."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("a float was expected")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


@_refusing
def list_or_none(value: Any) -> Any:
    """A list or a tuple as it is, and None as an empty list: BigQuery has no NULL arrays.

    Text is no list of letters.
    """
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise ValueError("a list was expected")
    return value


@_refusing
def date_text(value: Any) -> str:
    """ISO, of a date or its ISO text; raises ValueError, also for a datetime, whose day depends on a zone."""
    if isinstance(value, str):
        return date.fromisoformat(value).isoformat()
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("a date was expected")
    return value.isoformat()


@_refusing
def timestamp_text(value: Any) -> str:
    """UTC, to the microsecond, ISO.

    Raises ValueError for a naive datetime: BigQuery would take it for UTC.
    """
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise ValueError("a time with its zone was expected")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


@_refusing
def json_copy(value: Any) -> Any:
    """A copy of a JSON value; refused if it would not come back as it went in.

    Keys that are no text would become one (and might meet a namesake), tuples would become lists, integers
    beyond 64 bits would be rounded, and half a surrogate pair is no text at all.
    """
    if value is None:
        return None
    # Encoded on the way: half a surrogate pair is text to Python, and none to UTF-8.
    copy = json.loads(json.dumps(value, allow_nan=False, ensure_ascii=False).encode(), parse_int=_json_int)
    if copy != value:
        raise ValueError("does not come back from JSON as it is")
    return copy


def _json_int(digits: str) -> int:
    number = int(digits)
    if number not in JSON_INTEGERS:
        raise ValueError("a number too large for JSON in BigQuery")
    return number


def shown(value: Any, limit: int) -> str:
    """What a person sees of a value, which may be one that cannot be shown."""
    try:
        text = repr(value)
    except Exception as exc:  # of the value's own making, as above
        return f"a {type(value).__name__} that cannot be shown ({type(exc).__name__})"
    return text if len(text) <= limit else text[:limit] + "…"
