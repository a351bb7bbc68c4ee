"""Whether tables still have the columns that `predictions.py` says: told by name, before a query fails."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .predictions import COLUMNS, TABLE
from .result import ErrorInfo, Result
from .table_schema import Mode

SCHEMA_DIFFERS: Final = "SchemaDiffers"
MAX_NAMED: Final = 20

_WANTED: Final = {
    column.name: f"ARRAY<{column.type}>" if column.mode is Mode.REPEATED else column.type
    for column in COLUMNS
}


def check(staging_tables: Sequence[str], columns: Sequence[Mapping[str, Any]]) -> Result[None]:
    """Compare the tables, and the main one, with the definition.

    `columns` has `table_name`, `column_name`, `data_type`. A PERMANENT failure names each table that is not
    there, and each column that is missing, mistyped or, in a staging table, unknown: its values would be
    lost. A column that only the main table has stays NULL, so that a column can be added there first.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in columns:
        found[row["table_name"]][row["column_name"]] = _base(row["data_type"])
    problems = [
        problem for table in (*staging_tables, TABLE) for problem in _problems(table, found.get(table))
    ]
    if problems:
        return Result.failure(
            ErrorInfo.permanent(
                SCHEMA_DIFFERS,
                "; ".join(problems[:MAX_NAMED]),
                problems=problems[:MAX_NAMED],
                problem_count=len(problems),
            )
        )
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
    # The emulator tells a JSON column as STRING where DDL made it; BigQuery refuses a merge of these two.
    return found == wanted or (wanted == "JSON" and found == "STRING")


def _base(data_type: str) -> str:
    """`NUMERIC(5, 1)` → `NUMERIC`: digits are the load's and the table's business."""
    return data_type.partition("(")[0]
