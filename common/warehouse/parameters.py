"""Python values → typed BigQuery parameters. The type follows from the value, or is declared with `Typed`.

A value whose type cannot be told (None, an empty list, a datetime without a zone) is refused: guessing STRING
is how a filter on a date silently finds nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter, StructQueryParameter

QueryParameter = ScalarQueryParameter | ArrayQueryParameter | StructQueryParameter


@dataclass(frozen=True)
class Typed:
    """A value with a declared BigQuery type: `Typed("DATE", None)`, `Typed("STRING", [])`."""

    type: str
    """Of the value, or of each element of a list."""
    value: Any


_SCALARS: tuple[tuple[type, str], ...] = (
    # bool before int and datetime before date: each is a subclass of the other.
    (bool, "BOOL"),
    (int, "INT64"),
    (float, "FLOAT64"),
    (str, "STRING"),
    (bytes, "BYTES"),
    (datetime, "TIMESTAMP"),
    (date, "DATE"),
    (time, "TIME"),
)


def to_parameters(values: Mapping[str, Any]) -> list[QueryParameter]:
    """Named parameters in the order of `values`.

    Mappings become STRUCTs, lists become ARRAYs of one element type. Raises TypeError or ValueError naming
    the parameter that has no BigQuery type.
    """
    return [_parameter(name, value) for name, value in values.items()]


def _parameter(name: str, value: Any) -> QueryParameter:
    if isinstance(value, Typed):
        return _declared(name, value)
    if isinstance(value, Mapping):
        return StructQueryParameter(name, *to_parameters(value))
    # Text and bytes are sequences, too, and no arrays.
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _array(name, value)
    return ScalarQueryParameter(name, _scalar_type(name, value), value)


def _declared(name: str, typed: Typed) -> QueryParameter:
    if isinstance(typed.value, list | tuple):
        return ArrayQueryParameter(name, typed.type, list(typed.value))
    return ScalarQueryParameter(name, typed.type, typed.value)


def _array(name: str, values: Sequence[Any]) -> ArrayQueryParameter:
    """The type of the elements is that of all of them.

    An empty list has none, and a mixed one would be cast by its first element.
    """
    if not values:
        raise ValueError(f"{name}: an empty list has no type; declare it with Typed")
    if all(isinstance(value, Mapping) for value in values):
        structs = [StructQueryParameter(None, *to_parameters(value)) for value in values]
        return ArrayQueryParameter(name, "STRUCT", structs)
    # One by one, not by the first: the client takes the type that it is told, and BigQuery casts the rest.
    types = {_scalar_type(name, value) for value in values}
    if len(types) > 1:
        raise TypeError(f"{name}: the elements of a list have one type, found {', '.join(sorted(types))}")
    return ArrayQueryParameter(name, types.pop(), list(values))


def _scalar_type(name: str, value: Any) -> str:
    """The BigQuery type of a value; refuses what BigQuery would take for another value: a naive datetime
    (which zone?) and an integer beyond 64 bits.
    """
    if isinstance(value, Decimal):
        return _decimal_type(name, value)
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(f"{name}: {value!r} has no time zone")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"{name}: {value} does not fit into INT64")
    found = next((type_name for kind, type_name in _SCALARS if isinstance(value, kind)), None)
    if found is None:
        raise TypeError(f"{name}: {type(value).__name__} has no BigQuery type; declare it with Typed")
    return found


def _decimal_type(name: str, value: Decimal) -> str:
    """NUMERIC where it fits (29 digits before the point, 9 behind), else BIGNUMERIC."""
    if not value.is_finite():
        raise ValueError(f"{name}: {value} is no number that BigQuery knows")
    fits = -int(value.as_tuple().exponent) <= 9 and value.adjusted() < 29
    return "NUMERIC" if fits else "BIGNUMERIC"
