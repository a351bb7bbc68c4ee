"""The rows of the predictions table in SQL: which are the same, which is newer, what is written. Pure.

All of it follows from the table's one definition, so it is written once, when the module is loaded. S is a
staged row, T a row of the main table.
"""

from collections.abc import Iterable
from typing import Final

from ..predictions.columns import Mode
from ..predictions.table import BY_NAME, CHANGED_AT, COLUMNS, KEY, ORDER, PARTITION_COLUMN

STAGED: Final = tuple(column.name for column in COLUMNS if column.name != CHANGED_AT)
"""Columns whose values come from the staged row: all but the time of the merge."""


def _same(names: Iterable[str]) -> str:
    """Equality of the rows S and T in these columns, in which NULL equals NULL: `=` never matches it, and
    each run would insert the row again.
    """
    # NULL-safe only where it has to be: `=` can be hashed by every engine.
    operators = {name: "IS NOT DISTINCT FROM" if BY_NAME[name].is_nullable else "=" for name in names}
    return " AND ".join(f"T.{name} {operator} S.{name}" for name, operator in operators.items())


def _newest_of_key() -> str:
    """Of several rows with one key the greatest in `ORDER` alone: MERGE inserts unmatched duplicates
    silently.
    """
    # Both columns, though one nearly always decides: a tie would be broken differently by every run.
    newest_first = ", ".join(f"{name} DESC" for name in ORDER)
    return f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {KEY_COLUMNS} ORDER BY {newest_first}) = 1"


def _is_newer() -> str:
    """S is greater than T in `ORDER`, lexicographically. Neither column is nullable, so no comparison yields
    NULL.
    """
    # Not `>=`: an equal row is the same row, and writing it again would change `updated_at` for nothing.
    first, second = ORDER
    return f"(S.{first} > T.{first} OR (S.{first} = T.{first} AND S.{second} > T.{second}))"


def _differs() -> Iterable[str]:
    """A condition per column that is neither compared already nor the consolidation's own."""
    for column in COLUMNS:
        if column.name in (*KEY, *ORDER, PARTITION_COLUMN, CHANGED_AT):
            continue
        # Neither JSON nor arrays can be compared as they are.
        is_compared_as_text = column.type == "JSON" or column.mode is Mode.REPEATED
        wrapped = "TO_JSON_STRING({})" if is_compared_as_text else "{}"
        sides = (wrapped.format(f"{side}.{column.name}") for side in ("T", "S"))
        yield " IS DISTINCT FROM ".join(sides)


def listed(items: Iterable[str], *, spaces: int = 4) -> str:
    """One to a line, so that a golden file shows which column has changed."""
    return (",\n" + " " * spaces).join(items)


KEY_COLUMNS: Final = ", ".join(KEY)
COLUMNS_STAGED: Final = listed(STAGED)
VALUES: Final = listed(f"S.{name}" for name in STAGED)
# Key and partition column stay as they are: they are equal in both rows, or the rows would not have met.
ASSIGNMENTS: Final = listed(
    f"{name} = S.{name}" for name in STAGED if name not in KEY and name != PARTITION_COLUMN
)
SAME_KEY: Final = _same(KEY)
"""S and T are the same prediction."""
SAME_ORDER: Final = _same(ORDER)
"""And neither is newer."""
IS_NEWER: Final = _is_newer()
NEWEST_OF_KEY: Final = _newest_of_key()
DIFFERS: Final = " OR\n  ".join(_differs())
"""Any value differs that the statement does not compare otherwise."""
