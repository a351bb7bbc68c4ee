"""Rows as workers make them → rows as they are loaded, or every reason why not.

A bad row fails the whole write, with row and column named: no row and no value is dropped silently.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from ..result import ErrorInfo, Result
from .columns import Column, Mode
from .table import BY_NAME, COLUMNS, DEFAULTS, PARTITION_COLUMN, RECOMMENDATIONS

MAX_PROBLEMS: Final = 20
"""How many problems an error names; it counts all of them."""

INVALID_ROWS: Final = "InvalidRows"

Row = Mapping[str, Any]


class _Bad(ValueError):
    """Says what is wrong with one value."""


def encode(rows: Sequence[Row]) -> Result[list[dict[str, Any]]]:
    """Check the rows and turn their values into JSON's, all columns named; the rows are left as they are.

    DATE takes a date or its ISO text, TIMESTAMP an aware datetime or its text, NUMERIC an int, a Decimal or a
    float, with no more digits than the column holds. A PERMANENT failure names row (from 0), column, value.
    """
    problems: list[str] = []
    encoded = [_encode_row(index, row, problems) for index, row in enumerate(rows)]
    days = {row.get(PARTITION_COLUMN) for row in encoded}
    if len(days) > 1 and not problems:
        problems.append(f"{PARTITION_COLUMN}: the rows of one write are of one day, found {len(days)}")
    if problems:
        return Result.failure(_invalid(problems))
    return Result.success(encoded)


def _encode_row(index: int, row: Row, problems: list[str]) -> dict[str, Any]:
    unknown = [name for name in row if name not in BY_NAME]
    problems.extend(f"row {index}: {name}: no such column" for name in unknown)
    encoded: dict[str, Any] = {}
    for column in COLUMNS:
        value = row.get(column.name, DEFAULTS.get(column.name))
        try:
            encoded[column.name] = _encode_value(column, value)
        except _Bad as exc:
            problems.append(f"row {index}: {column.name}: {exc}, got {value!r:.100}")
    return encoded


def _encode_value(column: Column, value: Any) -> Any:
    if column.mode is Mode.REPEATED:
        return [_encode_one(column, item) for item in ([] if value is None else _list(value))]
    if value is None:
        if column.mode is Mode.REQUIRED:
            raise _Bad("required")
        return None
    encoded = _encode_one(column, value)
    if column.name in _RULES:
        matches, rule = _RULES[column.name]
        if not matches(value):
            raise _Bad(rule)
    return encoded


def _encode_one(column: Column, value: Any) -> Any:
    return _ENCODERS[column.type](column, value)


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise _Bad("a list was expected")
    return value


def _string(_: Column, value: Any) -> str:
    if not isinstance(value, str):
        raise _Bad("a text was expected")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Bad("no valid Unicode") from None
    return value


def _bool(_: Column, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Bad("a bool was expected")
    return value


def _int64(_: Column, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Bad("an int was expected")
    if not -(2**63) <= value < 2**63:
        raise _Bad("does not fit into INT64")
    return value


def _float64(_: Column, value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _Bad("a float was expected")
    if not math.isfinite(value):
        raise _Bad("not a finite number")
    return float(value)


def _numeric(column: Column, value: Any) -> str:
    """Exact decimal text; a float means the shortest decimal that is read back as it."""
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        raise _Bad("a number was expected")
    number = Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise _Bad("not a finite number")
    assert column.precision is not None and column.scale is not None
    if number != round(number, column.scale):
        raise _Bad(f"more than {column.scale} decimals")
    if abs(number) >= Decimal(10) ** (column.precision - column.scale):
        raise _Bad(f"more than {column.precision - column.scale} digits before the point")
    return f"{number:.{column.scale}f}"


def _date(_: Column, value: Any) -> str:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise _Bad("no ISO date") from None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _Bad("a date was expected")
    return value.isoformat()


def _timestamp(_: Column, value: Any) -> str:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise _Bad("no ISO time") from None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise _Bad("a time with its zone was expected")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _json(_: Column, value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as exc:
        raise _Bad(f"no JSON ({exc})") from None


_ENCODERS: Final[Mapping[str, Callable[[Column, Any], Any]]] = {
    "STRING": _string,
    "BOOL": _bool,
    "INT64": _int64,
    "FLOAT64": _float64,
    "NUMERIC": _numeric,
    "DATE": _date,
    "TIMESTAMP": _timestamp,
    "JSON": _json,
}

_RULES: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "confidence_score": (lambda score: 0 <= score <= 100, "not within 0 and 100"),
    "predicted_points": (lambda points: points >= 0, "less than 0"),
    "recommendation": (lambda word: word in RECOMMENDATIONS, f"none of {', '.join(sorted(RECOMMENDATIONS))}"),
    "player_lookup": (lambda key: re.fullmatch("[a-z0-9]+", key) is not None, "not normalised"),
    "game_id": (bool, "empty"),
    "system_id": (bool, "empty"),
    "prediction_id": (bool, "empty"),
}


def _invalid(problems: list[str]) -> ErrorInfo:
    named = problems[:MAX_PROBLEMS]
    unnamed = len(problems) - len(named)
    more = f"; and {unnamed} more" if unnamed else ""
    return ErrorInfo.permanent(
        INVALID_ROWS, "; ".join(named) + more, problems=named, problem_count=len(problems)
    )
