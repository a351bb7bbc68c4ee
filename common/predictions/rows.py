"""Rows as workers make them → rows as they are loaded, or every reason why not.

A bad row fails the whole write, with row and column named: no row and no value is dropped silently. The rules
are pydantic's, in a model that is built from the columns; what JSON and BigQuery would bend is refused here.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Final, NotRequired, cast

from pydantic import AfterValidator, BeforeValidator, Field, Strict, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic's own choice below Python 3.12

from ..result import ErrorInfo, Result
from ..texts import details_of, first_of
from . import values
from .columns import Column, Matches, Mode, NotEmpty, OneOf, Rule, Within
from .table import CHANGED_AT, COLUMNS, DEFAULTS, KEY, ORDER, PARTITION_COLUMN, RULES

MAX_VALUE_CHARS: Final = 100
"""Of a wrong value in an error: a worker may have put anything into a row."""

INVALID_ROWS: Final = "InvalidRows"
"""Failure class of `encode` (PERMANENT)."""

Row = Mapping[str, Any]
"""Column → value. What is left out is NULL, or the column's default."""

_NO_VALUES: Final[Row] = {column.name: [] if column.mode is Mode.REPEATED else None for column in COLUMNS}
"""Every column is named in what is loaded: a column that a load job does not find is NULL without a word,
so that a misspelt name would lose its values."""


def encode(rows: Sequence[Row]) -> Result[list[dict[str, Any]]]:
    """Check the rows and turn their values into JSON's, all columns named; the rows are left as they are.

    DATE takes a date or its ISO text, TIMESTAMP an aware datetime or its text, NUMERIC an int, a Decimal or a
    float, with no more digits than the column holds (24.5, not 24.50001). All rows are of one day, and no two
    of them contradict each other. Whatever a row holds, the answer is a success or a PERMANENT failure of
    class InvalidRows that names row (from 0), column and value; it tells all problems, the first twenty in
    words. The same rows give the same JSON: the staging job's id rests on that.
    """
    given = [_with_defaults(row) for row in rows]
    try:
        checked = _model().validate_python(given)
    except ValidationError as exc:
        return Result.failure(_invalid([_told(problem) for problem in exc.errors(include_url=False)]))
    encoded = [{**_NO_VALUES, **row} for row in checked]
    problems = [*_several_days(encoded), *_contradictions(encoded)]
    return Result.failure(_invalid(problems)) if problems else Result.success(encoded)


@cache
def _model() -> TypeAdapter[list[dict[str, Any]]]:
    """Built when the first row comes: it takes longer than a cold start should."""
    fields = {column.name: _field(column) for column in COLUMNS}
    row: Any = cast(Any, TypedDict)("row", fields)  # made at run time, which no type checker follows
    # A column that the table does not have would be dropped by the emulator and fail a whole load in
    # BigQuery.
    row.__pydantic_config__ = {"extra": "forbid"}
    return TypeAdapter(list[row])


def _field(column: Column) -> Any:
    """The type of one column in the model: its values, rule, digits and mode."""
    rule = RULES.get(column.name)
    kind = _TYPES[column.type](column)
    value = kind if rule is None else Annotated[kind, _checked(rule)]
    if column.type == "NUMERIC":
        value = Annotated[value, AfterValidator(values.decimal_text(column))]
    if column.mode is Mode.REPEATED:
        several: Any = Annotated[list[value], BeforeValidator(values.list_or_none)]  # type: ignore[valid-type]
        return NotRequired[several]
    return value if column.mode is Mode.REQUIRED else NotRequired[value | None]


def _checked(rule: Rule) -> Any:
    """A rule as pydantic has it; `common/audit/rule_sql.py` has the same as SQL."""
    match rule:
        case Within():
            return Field(ge=rule.minimum, le=rule.maximum)
        case OneOf():
            return Field(pattern=f"^({'|'.join(map(re.escape, sorted(rule.values)))})$")
        case Matches():
            return Field(pattern=rule.pattern)
        case NotEmpty():
            return Field(min_length=1)


_TYPES: Final[Mapping[str, Callable[[Column], Any]]] = {
    # A length, if only 0, makes pydantic look at the text: half a surrogate pair is none.
    "STRING": lambda _: Annotated[str, Strict(), Field(min_length=0)],
    "BOOL": lambda _: Annotated[bool, Strict()],
    "INT64": lambda _: Annotated[int, Strict(), Field(ge=-(2**63), lt=2**63)],
    "FLOAT64": lambda _: Annotated[float, BeforeValidator(values.to_float)],
    "NUMERIC": lambda column: values.decimal_type(column),
    "DATE": lambda _: Annotated[Any, BeforeValidator(values.date_text)],
    "TIMESTAMP": lambda _: Annotated[Any, BeforeValidator(values.timestamp_text)],
    "JSON": lambda _: Annotated[Any, BeforeValidator(values.json_copy)],
}


def _with_defaults(row: Any) -> Any:
    """What is no mapping is left for the model to refuse."""
    return {**DEFAULTS, **row} if isinstance(row, Mapping) else row


def _several_days(rows: Sequence[Row]) -> Iterator[str]:
    """Rows of more than one day: the merge reads and writes one partition, and would lose the others."""
    days = {row[PARTITION_COLUMN] for row in rows}
    if len(days) > 1:
        yield f"{PARTITION_COLUMN}: the rows of one write are of one day, found {len(days)}"


def _contradictions(rows: Sequence[Row]) -> Iterator[str]:
    """Rows of which nobody could say which counts: only one of them would come to the main table."""
    first: dict[tuple[Any, ...], int] = {}
    for index, row in enumerate(rows):
        before = first.setdefault(tuple(row[name] for name in (*KEY, *ORDER)), index)
        # The same row twice is a repetition, and harmless. `updated_at` is the consolidation's own.
        if before != index and {**rows[before], CHANGED_AT: None} != {**row, CHANGED_AT: None}:
            yield f"row {index}: contradicts row {before}: the same {', '.join(ORDER)} and key, another value"


def _told(problem: Mapping[str, Any]) -> str:
    """One problem as pydantic found it, in a sentence: row, column, why and what was there."""
    row, *where = problem["loc"] or ("?",)
    column = ".".join(map(str, where)) or "row"
    # Our own sentence is inside; pydantic puts "Value error" before it.
    is_ours = problem["type"] == "value_error"
    why = problem["ctx"]["error"] if is_ours else problem["msg"]
    return f"row {row}: {column}: {why}, got {values.shown(problem['input'], MAX_VALUE_CHARS)}"


def _invalid(problems: list[str]) -> ErrorInfo:
    return ErrorInfo.permanent(INVALID_ROWS, first_of(problems), **details_of(problems))
