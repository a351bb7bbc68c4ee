"""The statements of `merge.sql`, filled in; columns and key come from the table's one definition.

Pure: texts in, text out. Values enter as checked literals, for scripts take no parameters on the emulator.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from ..predictions.table import CHANGED_AT, ITEM, ORDER, PARTITION_COLUMN, TABLE
from ..sql_blocks import SqlBlocks
from ..warehouse import literals
from . import row_sql

FENCES: Final = "consolidation_fences"
"""The table with one row per lock key: the highest fence that has merged."""

MAX_TABLES: Final = 500
"""Of one statement; BigQuery's limit is 1,000 after expansion."""
MAX_SQL_CHARS: Final = 900_000
"""Of one statement; BigQuery's limit is 1 MB."""

_BLOCKS: Final = SqlBlocks(Path(__file__).with_name("merge.sql"))
_NEWEST: Final = ORDER[0]


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Where things are: one dataset holds the main table, the fences and the staging tables."""

    predictions: str
    """The dataset."""
    as_of: datetime | None = None
    """The moment whose rows are read, of the last seven days; None: now. For statements that only read."""

    @property
    def rows(self) -> str:
        """The main table in a FROM clause, quoted, as `one`. A statement reads a table as of one moment."""
        then = "" if self.as_of is None else f" FOR SYSTEM_TIME AS OF {literals.moment(self.as_of)}"
        return f"{literals.name(self.main)} AS one{then}"

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
    """Append slices to the table `into`, which `gather` has made. Not idempotent by itself: the job's id is
    what keeps a second call from appending again, and `gather` starts anew.
    """
    return _BLOCKS.fill(
        "gather_more",
        gathered=literals.name(tables.path(into)),
        columns=row_sql.listed(("staging_table", "is_claimed", *row_sql.STAGED, CHANGED_AT), spaces=2),
        slices=_union(tables, slices),
    )


def count(tables: Tables, gathered: str, game_date: date) -> str:
    """What was gathered, by staging table and player: columns as `staged_rows.Counted` has them."""
    return _BLOCKS.fill(
        "count",
        gathered=literals.name(tables.path(gathered)),
        item=ITEM,
        key=row_sql.KEY_COLUMNS,
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
    # Grouped by table and time: a slate is asked for at once, so one condition serves many players, and the
    # statement stays below the limit of its length.
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
    """Raise the fence, merge and count, in one script; `merge.sql` tells why each step is there.

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
        key=row_sql.KEY_COLUMNS,
        newest=_NEWEST,
        newest_of_key=f"\n  {row_sql.NEWEST_OF_KEY}" if has_repeated_keys else "",
        same_key=row_sql.SAME_KEY,
        is_newer=row_sql.IS_NEWER,
        columns=row_sql.COLUMNS_STAGED,
        values=row_sql.VALUES,
        assignments=row_sql.ASSIGNMENTS,
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
        same_key=row_sql.SAME_KEY,
        same_order=row_sql.SAME_ORDER,
        differs=row_sql.DIFFERS,
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
        "duplicates", main=literals.name(tables.main), of_day=_of_day(game_date), key=row_sql.KEY_COLUMNS
    )


def _of_day(game_date: date) -> str:
    # A literal: BigQuery prunes partitions by a constant, and not by what a subquery will say.
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
