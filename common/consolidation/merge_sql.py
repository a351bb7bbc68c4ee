"""The SQL of the consolidation. Columns and key come from `predictions.py`, values are checked literals.

Literals, not parameters: the emulator takes none in scripts, so one form serves both.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from ..predictions.table import BY_NAME, CHANGED_AT, COLUMNS, KEY, ORDER, PARTITION_COLUMN, TABLE

FENCES: Final = "consolidation_fences"

MAX_TABLES: Final = 500
"""Of one statement; BigQuery's limit is 1,000 after expansion."""
MAX_SQL_CHARS: Final = 900_000
"""Of one statement; BigQuery's limit is 1 MB."""

_NAMES: Final = tuple(column.name for column in COLUMNS)


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Where things are: one dataset holds the main table, the fences and the staging tables."""

    predictions: str
    """The dataset."""

    @property
    def main(self) -> str:
        return self.path(TABLE)

    @property
    def fences(self) -> str:
        return self.path(FENCES)

    def path(self, table: str) -> str:
        return f"{self.predictions}.{table}"


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A staging table and the players whose rows in it are claimed."""

    table: str
    players: tuple[str, ...]


def gather(tables: Tables, slices: Sequence[Slice], into: str, expires: datetime) -> str:
    """Copy staging tables into one, made anew, with where each row is from and whether it is claimed.

    Each table is named: nothing that appears later is in it. Columns are matched by name.
    """
    return (
        f"CREATE OR REPLACE TABLE {_quoted(tables.path(into))}\n"
        f"OPTIONS (expiration_timestamp = {moment(expires)})\n"
        f"AS\n{_union(tables, slices)}"
    )


def gather_more(tables: Tables, slices: Sequence[Slice], into: str) -> str:
    """Append what one statement could not take."""
    names = _listed(("staging_table", "is_claimed", *_NAMES), 2)
    return (
        f"INSERT INTO {_quoted(tables.path(into))} (\n  {names}\n)\n"
        f"SELECT\n  {names}\nFROM (\n{_indent(_union(tables, slices), 2)}\n)"
    )


def gathered_counts(tables: Tables, gathered: str, game_date: date) -> str:
    """Rows per staging table and player, and how many of them are of another day."""
    return (
        "SELECT staging_table, player_lookup, is_claimed, COUNT(*) AS found_rows,\n"
        f"  COUNTIF({PARTITION_COLUMN} IS DISTINCT FROM {day(game_date)}) AS misdated_rows\n"
        f"FROM {_quoted(tables.path(gathered))}\n"
        "GROUP BY staging_table, player_lookup, is_claimed"
    )


def ensure_fence(tables: Tables, lock_key: str, game_date: date, now: datetime) -> str:
    """Create the fence row before any transaction needs it.

    Two of these at once may leave two rows (inserts do not conflict); the merge is right with any number.
    """
    return (
        f"INSERT INTO {_quoted(tables.fences)} (lock_key, fence, game_date, updated_at)\n"
        f"SELECT {text(lock_key)}, 0, {day(game_date)}, {moment(now)}\n"
        f"FROM UNNEST([1])\n"
        f"WHERE NOT EXISTS (SELECT 1 FROM {_quoted(tables.fences)} WHERE lock_key = {text(lock_key)})"
    )


def merge_script(
    tables: Tables, gathered: str, *, lock_key: str, fence: int, game_date: date, now: datetime
) -> str:
    """Raise the fence and merge, in one transaction; ends with the counts and with the fence that stands.

    The fence is written even where it is ours already: the write is what makes this transaction conflict with
    that of any other holder, and two insert-only MERGEs alone would not. Where a higher fence stands, nothing
    is written and the source is empty.
    """
    main, fences, mine = _quoted(tables.main), _quoted(tables.fences), f"lock_key = {text(lock_key)}"
    highest = f"(SELECT MAX(fence) FROM {fences} WHERE {mine})"
    of_day = f"{PARTITION_COLUMN} = {day(game_date)}"
    return f"""\
DECLARE rows_before INT64 DEFAULT (SELECT COUNT(*) FROM {main} WHERE {of_day});
BEGIN TRANSACTION;
UPDATE {fences}
SET fence = {int(fence)}, updated_at = {moment(now)}
WHERE {mine} AND fence <= {int(fence)};
MERGE {main} AS T
USING (
  SELECT
    {_listed(_NAMES, 4)}
  FROM {_quoted(tables.path(gathered))}
  WHERE is_claimed AND {highest} = {int(fence)}
  {_newest_of_key()}
) AS S
ON T.{of_day} AND {same_key("T", "S")}
WHEN MATCHED AND {_is_newer("S", "T")} THEN
  UPDATE SET
    {_listed(_assignments(now), 4)}
WHEN NOT MATCHED BY TARGET THEN
  INSERT (
    {_listed(_NAMES, 4)}
  )
  VALUES (
    {_listed((_merged_value(name, now) for name in _NAMES), 4)}
  );
COMMIT TRANSACTION;
SELECT
  rows_before,
  COUNT(*) AS rows_after,
  COUNTIF({CHANGED_AT} = {moment(now)}) AS rows_changed,
  {highest} AS fence
FROM {main}
WHERE {of_day};
"""


def receipt(tables: Tables, gathered: str, game_date: date) -> str:
    """Compare what was staged with what is in the main table, key by key."""
    keys, newest = ", ".join(KEY), ORDER[0]
    return f"""\
WITH staged AS (
  SELECT {keys}, {newest}
  FROM {_quoted(tables.path(gathered))}
  WHERE is_claimed
  {_newest_of_key()}
),
merged AS (
  SELECT {keys}, COUNT(*) AS copies, MAX({newest}) AS {newest}
  FROM {_quoted(tables.main)}
  WHERE {PARTITION_COLUMN} = {day(game_date)}
  GROUP BY {keys}
)
SELECT
  COUNT(*) AS keys_staged,
  COUNTIF(merged.copies IS NOT NULL) AS keys_in_main,
  COUNTIF(merged.copies > 1) AS duplicate_keys,
  COUNTIF(merged.{newest} < staged.{newest}) AS outdated_keys
FROM staged
LEFT JOIN merged ON {same_key("staged", "merged")}
"""


def duplicates(tables: Tables, game_date: date) -> str:
    """The keys of a day that are there more than once."""
    keys = ", ".join(KEY)
    return (
        f"SELECT {keys}, COUNT(*) AS copies\nFROM {_quoted(tables.main)}\n"
        f"WHERE {PARTITION_COLUMN} = {day(game_date)}\nGROUP BY {keys}\nHAVING COUNT(*) > 1\nORDER BY {keys}"
    )


def same_key(left: str, right: str) -> str:
    """Equality of two keys, in which NULL equals NULL."""
    return " AND ".join(_same(name, left, right) for name in KEY)


def text(value: str) -> str:
    """A STRING literal; raises ValueError for what is not printable, which no id is."""
    if not value.isprintable():
        raise ValueError(f"{value!r}: not printable")
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def day(value: date) -> str:
    return f"DATE '{value.isoformat()}'"


def moment(value: datetime) -> str:
    return f"TIMESTAMP '{value.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S.%f+00:00')}'"


def _union(tables: Tables, slices: Sequence[Slice]) -> str:
    return "\nUNION ALL BY NAME\n".join(
        f"SELECT {text(part.table)} AS staging_table, "
        f"player_lookup IN ({', '.join(map(text, part.players))}) AS is_claimed, *\n"
        f"FROM {_quoted(tables.path(part.table))}"
        for part in slices
    )


def _newest_of_key() -> str:
    newest_first = ", ".join(f"{name} DESC" for name in ORDER)
    return f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {', '.join(KEY)} ORDER BY {newest_first}) = 1"


def _same(name: str, left: str, right: str) -> str:
    operator = "IS NOT DISTINCT FROM" if BY_NAME[name].is_nullable else "="
    return f"{left}.{name} {operator} {right}.{name}"


def _is_newer(left: str, right: str) -> str:
    first, second = ORDER
    return (
        f"({left}.{first} > {right}.{first} "
        f"OR ({left}.{first} = {right}.{first} AND {left}.{second} > {right}.{second}))"
    )


def _assignments(now: datetime) -> Iterable[str]:
    assigned = (name for name in _NAMES if name not in KEY and name != PARTITION_COLUMN)
    return (f"{name} = {_merged_value(name, now)}" for name in assigned)


def _listed(items: Iterable[str], spaces: int) -> str:
    """One to a line, so that a golden file shows which column has changed."""
    return (",\n" + " " * spaces).join(items)


def _merged_value(name: str, now: datetime) -> str:
    return moment(now) if name == CHANGED_AT else f"S.{name}"


def _quoted(path: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.]+", path):
        raise ValueError(f"{path!r}: no name of a table")
    return f"`{path}`"


def _indent(block: str, spaces: int) -> str:
    return "\n".join(" " * spaces + line for line in block.splitlines())
