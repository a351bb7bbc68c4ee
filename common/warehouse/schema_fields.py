"""Columns ↔ the client's schema fields: the only place where `predictions.columns` meets the BigQuery
library.
"""

from collections.abc import Sequence
from typing import Any

from google.cloud.bigquery import SchemaField

from ..predictions.columns import Column


def to_fields(columns: Sequence[Column]) -> list[SchemaField]:
    """The fields of a table with these columns, in their order; precision and scale only where the column has
    them.
    """
    return [_field(column) for column in columns]


def type_of(field: SchemaField) -> str:
    """Its type as GoogleSQL spells it, `ARRAY<…>` where repeated.

    The API's metadata spells some types as legacy SQL does (INTEGER, FLOAT, BOOLEAN), which would never
    compare equal to the definition.
    """
    name = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}.get(field.field_type, field.field_type)
    return f"ARRAY<{name}>" if field.mode == "REPEATED" else name


def _field(column: Column) -> SchemaField:
    digits = {"precision": column.precision, "scale": column.scale}
    given: dict[str, Any] = {name: value for name, value in digits.items() if value is not None}
    return SchemaField(column.name, column.type, mode=column.mode.value, **given)
