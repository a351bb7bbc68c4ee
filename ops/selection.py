"""`--where FIELD=VALUE`: which of many a command is about. Pure; the one definition of the filter's language.

    --where status=failed --where "missing>0" --where "batch_id=batch_2026-01-1*"

Operators: `=` and `!=` for texts, `yes` and `no`; `<`, `<=`, `>`, `>=` for times; all of them for numbers and
dates. In a text or a date `*` and `?` stand for any text and any character. All conditions have to hold. A
record that has no value there fits `!=` alone.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from fnmatch import translate
from typing import Any, Final, Generic, TypeVar

from common.result import ResultError

from .refusals import wrong_usage

T = TypeVar("T")

LANGUAGE: Final = (
    "FIELD=VALUE, or != < <= > >=; in a text * and ? stand for any characters. Repeat it: all have to hold."
)
# The longer signs stand first: `<=` must not be read as `<` before a value that begins with `=`.
_CONDITION: Final = re.compile(r"\s*(\w+)\s*(!=|<=|>=|=|<|>)\s*(.+?)\s*", re.DOTALL)
_EQUAL: Final = {"=": operator.eq, "!=": operator.ne}
_ORDER: Final = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class Kind(Enum):
    """What a field holds; says how its value is read, and what it may be compared by."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    FLAG = "yes or no"


@dataclass(frozen=True, kw_only=True)
class Field(Generic[T]):
    """One field that may be asked for."""

    kind: Kind
    of: Callable[[T], Any]
    """Its value in a record; None where there is none."""
    choices: tuple[str, ...] = ()
    """A text that is one of these."""


def text(of: Callable[[T], Any], *, choices: type[Enum] | None = None) -> Field[T]:
    """`choices`: the enumeration that the text is a value of."""
    named = () if choices is None else tuple(each.value for each in choices)
    return Field(kind=Kind.TEXT, of=of, choices=named)


def number(of: Callable[[T], Any]) -> Field[T]:
    """A field that holds a number."""
    return Field(kind=Kind.NUMBER, of=of)


def day(of: Callable[[T], Any]) -> Field[T]:
    """A field that holds a date."""
    return Field(kind=Kind.DATE, of=of)


def time(of: Callable[[T], Any]) -> Field[T]:
    """A field that holds a time."""
    return Field(kind=Kind.TIME, of=of)


def flag(of: Callable[[T], Any]) -> Field[T]:
    """A field that is yes or no."""
    return Field(kind=Kind.FLAG, of=of)


Fields = Mapping[str, Field[T]]


@dataclass(frozen=True, kw_only=True)
class Condition(Generic[T]):
    """One `--where`."""

    field: str
    sign: str
    value: str
    holds: Callable[[T], bool]
    """Whether a record fits."""

    def __str__(self) -> str:
        return f"{self.field}{self.sign}{self.value}"


@dataclass(frozen=True, kw_only=True)
class Selection(Generic[T]):
    """All conditions of a command; without any it chooses everything."""

    conditions: tuple[Condition[T], ...]

    def __bool__(self) -> bool:
        return bool(self.conditions)

    def __str__(self) -> str:
        """As it is typed."""
        return " ".join(f"--where {each}" for each in self.conditions)

    def of(self, records: Sequence[T]) -> list[T]:
        """Those for which every condition holds, in their order."""
        return [record for record in records if all(each.holds(record) for each in self.conditions)]

    def exactly(self, field: str) -> str | None:
        """The one value that this field has to have; None where several would do.

        For who can make a query of it. `of` judges the condition once more, so that a query may find too
        many, and never too few.
        """
        for each in self.conditions:
            if (each.field, each.sign) == (field, "=") and not _has_wildcard(each.value):
                return each.value
        return None


def selection(texts: Sequence[str] | None, fields: Fields[T]) -> Selection[T]:
    """Read conditions; raises ResultError that names the field and the value that make no sense."""
    return Selection(conditions=tuple(_condition(each, fields) for each in texts or ()))


def _condition(text: str, fields: Fields[T]) -> Condition[T]:
    """One condition; raises ResultError (WrongUsage) that names field and value."""
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise _wrong(f"{text!r} is not of the form FIELD=VALUE")
    name, sign, value = found.groups()
    # A field that nobody knows must not count as one without a value: with `!=` it would choose everything.
    if name not in fields:
        raise _wrong(f"no field {name!r}; there are {', '.join(fields)}")
    field = fields[name]
    fits = _test(name, sign, value, field)

    def holds(record: T) -> bool:
        held = field.of(record)
        # What is absent is unlike every value.
        return sign == "!=" if held is None else fits(held)

    return Condition(field=name, sign=sign, value=value, holds=holds)


def _test(name: str, sign: str, value: str, field: Field[T]) -> Callable[[Any], bool]:
    """What compares a held value with the wanted one, by the field's kind; raises ResultError for a wrong
    sign.
    """
    if field.kind is Kind.TEXT or (field.kind is Kind.DATE and _has_wildcard(value)):
        return _text_test(name, sign, value, field)
    if field.kind in (Kind.FLAG, Kind.TIME):
        # Times are kept to the microsecond: nobody types one that is equal to any of them.
        allowed = _EQUAL if field.kind is Kind.FLAG else _ORDER
    else:
        allowed = {**_EQUAL, **_ORDER}
    if sign not in allowed:
        raise _wrong(f"{name}: a {field.kind.value} is compared by {' '.join(allowed)}, not by {sign}")
    compare, wanted = allowed[sign], _read(name, value, field.kind)
    return lambda held: bool(compare(held, wanted))


def _text_test(name: str, sign: str, value: str, field: Field[T]) -> Callable[[Any], bool]:
    """By pattern, case and all; `!=` is the opposite, also for what is absent."""
    if sign not in _EQUAL:
        raise _wrong(f"{name}: a text is compared by = and !=, not by {sign}")
    # A misspelt value would choose nothing and look like a day on which all is well.
    if field.choices and not _has_wildcard(value) and value not in field.choices:
        raise _wrong(f"{name}: {value!r} is none of {', '.join(field.choices)}")
    # In a shell [ begins a set of characters; here it is itself, as in reasons and in names of tables.
    pattern = re.compile(translate(value.replace("[", "[[]")))
    return lambda held: (pattern.fullmatch(_plain(held)) is not None) == (sign == "=")


def _read(name: str, value: str, kind: Kind) -> Any:
    """The value of a condition in the kind of its field; raises ResultError."""
    try:
        return _READ[kind](value)
    except (ValueError, KeyError):
        raise _wrong(f"{name}: {value!r} is not a {_EXAMPLES[kind]}") from None


def _moment(value: str) -> datetime:
    """A time without a zone is in UTC, as all times are printed here."""
    at = datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


_READ: Final[Mapping[Kind, Callable[[str], Any]]] = {
    Kind.NUMBER: float,
    Kind.DATE: date.fromisoformat,
    Kind.TIME: _moment,
    Kind.FLAG: {"yes": True, "no": False}.__getitem__,
}
_EXAMPLES: Final[Mapping[Kind, str]] = {
    Kind.NUMBER: "number",
    Kind.DATE: "date such as 2026-01-17",
    Kind.TIME: "time such as 2026-01-17T23:00 (UTC)",
    Kind.FLAG: "`yes` or a `no`",
}


def _plain(held: Any) -> str:
    """What a field holds, as it is typed."""
    return str(held.value if isinstance(held, Enum) else held)


def _has_wildcard(value: str) -> bool:
    """Whether several texts would do."""
    return "*" in value or "?" in value


def _wrong(why: str) -> ResultError:
    """WrongUsage, naming the option."""
    return wrong_usage(f"--where: {why}")
