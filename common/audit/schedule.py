"""Which dates have games, and which tables have rows of a date: BigQuery asked once for a range of dates."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from ..phases.shape import Table
from ..result import ErrorInfo, Result, returns_result
from ..sql_blocks import SqlBlocks
from ..warehouse.records import Rows

SQL: Final = SqlBlocks(Path(__file__).with_name("days.sql"))
REACH: Final = timedelta(days=200)
"""A schedule without a single game this far around is not that of a summer break: it is not there."""


class QueryStore(Protocol):
    """What the schedule needs of the warehouse."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        """Rows of a SELECT, typed parameters in it."""


class GameSchedule:
    """The schedule of one sport: the table of the graph, in `dataset`.

    One query per question, which reads the partitions of its range alone.
    """

    def __init__(self, warehouse: QueryStore, dataset: str, table: Table) -> None:
        self._warehouse = warehouse
        self._sql = SQL.fill(
            "games", schedule=f"`{dataset}.{table.name}`", date_column=f"`{table.date_column}`"
        )

    @returns_result
    def games(self, first_day: date, last_day: date) -> Mapping[date, int] | None:
        """Rows of the schedule by date; a date that is not in it has none.

        None: no game is known for months around, so nobody can say. A failed query is a failure, and never a
        day off.
        """
        rows = self._warehouse.query(
            self._sql,
            # Far beyond the days asked for: only so an empty answer tells a missing schedule from a summer
            # break.
            {"first_day": first_day - REACH, "last_day": last_day + REACH},
        ).unwrap()
        found = {row["game_date"]: int(row["games"]) for row in rows.rows}
        if not found:
            return None
        return {day: number for day, number in found.items() if first_day <= day <= last_day}


def get_expected_game_dates(schedule: GameSchedule, first_day: date, last_day: date) -> Result[list[date]]:
    """The dates on which data is to be expected, in their order.

    A failure is a failure, and no date is made up; an unknown schedule is PERMANENT (UnknownSchedule) until
    there is one.
    """
    return schedule.games(first_day, last_day).and_then(_dates)


def _dates(games: Mapping[date, int] | None) -> Result[list[date]]:
    if games is None:
        return Result.failure(ErrorInfo.permanent("UnknownSchedule", "no game is known around these dates"))
    return Result.success(sorted(games))


@returns_result
def get_dates_with_data(
    warehouse: QueryStore,
    tables: Sequence[str],
    first_day: date,
    last_day: date,
    *,
    date_column: str = "game_date",
) -> dict[str, frozenset[date]]:
    """Per table, the dates that have a row: one statement for all tables, which reads these partitions only.

    `date_column` is that of all of them. A table without data has an empty set; a question that failed is a
    failure.
    """
    column = f"`{date_column}`"
    parts = [
        SQL.fill("dates_of_table", label=f"'{table}'", table=f"`{table}`", date_column=column)
        for table in tables
    ]
    rows = warehouse.query(
        "\nUNION ALL\n".join(parts), {"first_day": first_day, "last_day": last_day}
    ).unwrap()
    found: dict[str, set[date]] = {table: set() for table in tables}
    for row in rows.rows:
        found[row["table_name"]].add(row["game_date"])
    return {table: frozenset(days) for table, days in found.items()}


class NoSchedule:
    """Of a sport whose games nobody has written down: nobody can say whether silence is wrong."""

    def games(self, first_day: date, last_day: date) -> Result[Mapping[date, int] | None]:
        """None, which says that nobody knows."""
        return Result.success(None)
