"""Whether tables still have the columns that `table.py` says: told by name, before a query fails."""

from collections.abc import Mapping
from typing import Final

from ..result import ErrorInfo, Result
from ..texts import details_of, first_of
from .columns import Mode
from .table import COLUMNS, TABLE

SCHEMA_DIFFERS: Final = "SchemaDiffers"
"""Failure class of `check` (PERMANENT)."""

_WANTED: Final = {
    column.name: f"ARRAY<{column.type}>" if column.mode is Mode.REPEATED else column.type
    for column in COLUMNS
}


def check(tables: Mapping[str, Mapping[str, str] | None]) -> Result[None]:
    """Compare tables with the definition.

    `tables` has the columns of each (name → type), None for one that is not there. A PERMANENT failure names
    each table that is not there, and each column that is missing, mistyped or, in a staging table, unknown:
    its values would be lost. A column that only the main table has stays NULL, so that it can be added first.
    """
    problems = [problem for table, columns in tables.items() for problem in _problems(table, columns)]
    if problems:
        return Result.failure(ErrorInfo.permanent(SCHEMA_DIFFERS, first_of(problems), **details_of(problems)))
    return Result.success(None)


def _problems(table: str, columns: Mapping[str, str] | None) -> list[str]:
    if columns is None:
        return [f"{table}: there is no such table"]
    missing = [f"{table}.{name}: missing" for name in _WANTED if name not in columns]
    mistyped = [
        f"{table}.{name}: {columns[name]}, not {wanted}"
        for name, wanted in _WANTED.items()
        if not _agrees(columns.get(name, wanted), wanted)
    ]
    extra = [f"{table}.{name}: unknown" for name in columns if name not in _WANTED and table != TABLE]
    return missing + mistyped + extra


def _agrees(found: str, wanted: str) -> bool:
    """Whether a column's type is as defined."""
    # The emulator tells a JSON column as STRING where DDL made it; BigQuery refuses a merge of these two.
    return found == wanted or (wanted == "JSON" and found == "STRING")
