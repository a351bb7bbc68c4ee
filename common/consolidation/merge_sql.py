"""The statements of `merge.sql`, filled in; columns and key come from the table's one definition.

Pure: texts in, text out. Values enter as checked literals, for scripts take no parameters on the emulator.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from ..predictions.columns import Mode
from ..predictions.table import BY_NAME, CHANGED_AT, COLUMNS, ITEM, KEY, ORDER, PARTITION_COLUMN, TABLE
from ..sql_blocks import SqlBlocks
from ..warehouse import literals

FENCES: Final = "consolidation_fences"
"""The table with one row per lock key: the highest fence that has merged."""

MAX_TABLES: Final = 500
"""Of one statement; BigQuery's limit is 1,000 after expansion."""
MAX_SQL_CHARS: Final = 900_000
"""Of one statement; BigQuery's limit is 1 MB."""

_BLOCKS: Final = SqlBlocks(Path(__file__).with_name("merge.sql"))
_NAMES: Final = tuple(column.name for column in COLUMNS)
_NEWEST: Final = ORDER[0]


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Where things are: one dataset holds the main table, the fences and the staging tables."""

    predictions: str
    """The dataset."""

    @property
    def main(self) -> str:
        """The predictions table."""
        return self.path(TABLE)

    @property
    def fences(self) -> str:
        """The table of the fences."""
        return self.path(FENCES)

    def path(self, table: str) -> str:
        """`{dataset}.{table}`, not quoted."""
        return f"{self.predictions}.{table}"


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A staging table and the players whose rows in it are claimed."""

    table: str
    players: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Rows of one player in one staging table that have one time: what a worker said to one request."""

    staging_table: str
    player_lookup: str
    answered_at: datetime
    """Their `created_at`, which comes from the request."""
    found_rows: int


def gather(tables: Tables, slices: Sequence[Slice], into: str, expires: datetime) -> str:
    """Make the table `into` of these slices.

    It is made anew, so a second run leaves the same rows; it expires by itself, should its maker die.
    """
    return _BLOCKS.fill(
        "gather",
        gathered=literals.name(tables.path(into)),
        expires=literals.moment(expires),
        slices=_union(tables, slices),
    )


def gather_more(tables: Tables, slices: Sequence[Slice], into: str) -> str:
    """Append slices to the table `into`, which `gather` has made.

    Not idempotent by itself: the job's id is what keeps a second call from appending again, and `gather`
    starts anew.
    """
    return _BLOCKS.fill(
        "gather_more",
        gathered=literals.name(tables.path(into)),
        columns=_listed(("staging_table", "is_claimed", *_NAMES), 2),
        slices=_union(tables, slices),
    )


def count(tables: Tables, gathered: str, game_date: date) -> str:
    """What was gathered, by staging table and player: columns as `staged_rows.Counted` has them."""
    return _BLOCKS.fill(
        "count",
        gathered=literals.name(tables.path(gathered)),
        item=ITEM,
        key=", ".join(KEY),
        partition=PARTITION_COLUMN,
        day=literals.day(game_date),
    )


def answers(tables: Tables, gathered: str) -> str:
    """What was gathered, by staging table, player and time: columns as `answers.Answer` has them."""
    return _BLOCKS.fill("answers", gathered=literals.name(tables.path(gathered)), item=ITEM, newest=_NEWEST)


def staged_answers(tables: Tables, slices: Sequence[Slice]) -> str:
    """What the staging tables themselves hold of these players, by time: columns as `Answer` has them."""
    return "\nUNION ALL\n".join(
        _BLOCKS.fill(
            "staged_answers",
            table_text=literals.text(part.table),
            table=literals.name(tables.path(part.table)),
            players=", ".join(map(literals.text, part.players)),
            item=ITEM,
            newest=_NEWEST,
        )
        for part in slices
    )


def leave_out(tables: Tables, gathered: str, claimed: Sequence[Answer]) -> str:
    """Of the players of `claimed` leave all other answers in the same table out of the merge."""
    players: dict[tuple[str, datetime], list[str]] = defaultdict(list)
    for one in claimed:
        players[one.staging_table, one.answered_at].append(one.player_lookup)
    others = (
        _BLOCKS.fill(
            "other_answers",
            table_text=literals.text(table),
            answered_at=literals.moment(answered_at),
            players=", ".join(map(literals.text, names)),
            item=ITEM,
            newest=_NEWEST,
        )
        for (table, answered_at), names in players.items()
    )
    return _BLOCKS.fill(
        "leave_out", gathered=literals.name(tables.path(gathered)), others="\n  OR ".join(others)
    )


def merge_script(
    tables: Tables,
    gathered: str,
    *,
    has_repeated_keys: bool,
    lock_key: str,
    fence: int,
    game_date: date,
    now: datetime,
) -> str:
    """Raise the fence, merge and count, in one script with one transaction; `merge.sql` tells why each step
    is there.

    `has_repeated_keys`: whether claimed rows of the table `gathered` may have a key in common; only then the
    newest of each is looked for. The one row of answers is what `verification.Counts` reads. Run again with
    the same `now` it changes no row; with a later `now` neither, for only a newer row replaces one.
    """
    return _BLOCKS.fill(
        "merge",
        **_fenced(tables, lock_key=lock_key, fence=fence, game_date=game_date, now=now),
        main=literals.name(tables.main),
        gathered=literals.name(tables.path(gathered)),
        now=literals.moment(now),
        of_day=_of_day(game_date),
        columns=_listed(_NAMES, 4),
        key=", ".join(KEY),
        newest=_NEWEST,
        newest_of_key=f"\n  {_newest_of_key()}" if has_repeated_keys else "",
        same_key_T_S=same_key("T", "S"),
        is_newer_S_T=_is_newer("S", "T"),
        assignments=_listed(_assignments(now), 4),
        values=_listed((_merged_value(name, now) for name in _NAMES), 4),
        changed_at=CHANGED_AT,
    )


def contradicting(tables: Tables, gathered: str, game_date: date) -> str:
    """How many claimed rows of the table `gathered` differ in a value from a row of the main table with the
    same key, time and id: one row, `contradicting_rows`."""
    return _BLOCKS.fill(
        "contradicting",
        main=literals.name(tables.main),
        gathered=literals.name(tables.path(gathered)),
        of_day=_of_day(game_date),
        same_key_T_S=same_key("T", "S"),
        same_order_T_S=" AND ".join(_same(name, "T", "S") for name in ORDER),
        differs_T_S=" OR\n  ".join(_differs("T", "S")),
    )


def removal_script(
    tables: Tables, players: Sequence[str], *, lock_key: str, fence: int, game_date: date, now: datetime
) -> str:
    """Remove these players' rows of the day under the fence; one row: `rows_removed`, and the `fence` that
    stands then."""
    return _BLOCKS.fill(
        "remove",
        **_fenced(tables, lock_key=lock_key, fence=fence, game_date=game_date, now=now),
        main=literals.name(tables.main),
        of_day=_of_day(game_date),
        item=ITEM,
        players=", ".join(map(literals.text, players)),
    )


def _fenced(tables: Tables, *, lock_key: str, fence: int, game_date: date, now: datetime) -> dict[str, str]:
    """What a script under a fence is filled with, the beginning of its transaction included."""
    names = {
        "fences": literals.name(tables.fences),
        "lock_key": literals.text(lock_key),
        "fence": str(int(fence)),
    }
    begin = _BLOCKS.fill("raise_fence", **names, day=literals.day(game_date), now=literals.moment(now))
    return {**names, "raise_fence": begin.strip()}


def duplicates(tables: Tables, game_date: date) -> str:
    """The keys of the day that more than one row has."""
    return _BLOCKS.fill(
        "duplicates", main=literals.name(tables.main), of_day=_of_day(game_date), key=", ".join(KEY)
    )


def same_key(left: str, right: str) -> str:
    """Equality of two keys, in which NULL equals NULL."""
    return " AND ".join(_same(name, left, right) for name in KEY)


def _of_day(game_date: date) -> str:
    return f"{PARTITION_COLUMN} = {literals.day(game_date)}"


def _union(tables: Tables, slices: Sequence[Slice]) -> str:
    """The slices, one SELECT each. By name: a legacy table may have its columns in another order."""
    return "\nUNION ALL BY NAME\n".join(
        _BLOCKS.fill(
            "slice",
            table_text=literals.text(part.table),
            item=ITEM,
            players=", ".join(map(literals.text, part.players)),
            table=literals.name(tables.path(part.table)),
        )
        for part in slices
    )


def _newest_of_key() -> str:
    """Of several rows with one key the greatest in `ORDER` alone: MERGE inserts unmatched duplicates
    silently.
    """
    newest_first = ", ".join(f"{name} DESC" for name in ORDER)
    return f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {', '.join(KEY)} ORDER BY {newest_first}) = 1"


def _same(name: str, left: str, right: str) -> str:
    """Equality that lets the engine hash where the column cannot be NULL; else NULL equals NULL, for `=`
    never matches NULL, and each run would insert the row again.
    """
    # NULL-safe only where it has to be: `=` can be hashed by every engine.
    operator = "IS NOT DISTINCT FROM" if BY_NAME[name].is_nullable else "="
    return f"{left}.{name} {operator} {right}.{name}"


def _is_newer(left: str, right: str) -> str:
    """Greater in `ORDER`, lexicographically. Neither column is nullable, so no comparison yields NULL."""
    first, second = ORDER
    return (
        f"({left}.{first} > {right}.{first} "
        f"OR ({left}.{first} = {right}.{first} AND {left}.{second} > {right}.{second}))"
    )


def _differs(left: str, right: str) -> Iterable[str]:
    """A condition per column that is neither compared already nor the consolidation's own."""
    for column in COLUMNS:
        if column.name in (*KEY, *ORDER, PARTITION_COLUMN, CHANGED_AT):
            continue
        # Neither JSON nor arrays can be compared as they are.
        is_compared_as_text = column.type == "JSON" or column.mode is Mode.REPEATED
        wrapped = "TO_JSON_STRING({})" if is_compared_as_text else "{}"
        sides = (wrapped.format(f"{side}.{column.name}") for side in (left, right))
        yield " IS DISTINCT FROM ".join(sides)


def _assignments(now: datetime) -> Iterable[str]:
    """What an update sets: all but the key and the partition column, which are equal in both rows."""
    assigned = (name for name in _NAMES if name not in KEY and name != PARTITION_COLUMN)
    return (f"{name} = {_merged_value(name, now)}" for name in assigned)


def _merged_value(name: str, now: datetime) -> str:
    return literals.moment(now) if name == CHANGED_AT else f"S.{name}"


def _listed(items: Iterable[str], spaces: int) -> str:
    """One to a line, so that a golden file shows which column has changed."""
    return (",\n" + " " * spaces).join(items)
