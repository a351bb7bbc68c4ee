from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from common.consolidation.merge_sql import Tables
from common.consolidation.staged_rows import StagedBatch, StagedRows
from common.consolidation.unmergeable import unmergeable_players
from common.result import ErrorInfo, Result
from tests.support.results import error_of

FIRST = datetime(2026, 1, 17, 22, 0, tzinfo=UTC)
TABLES = Tables(predictions="nba_predictions")
AWAY = ErrorInfo.transient("ServiceUnavailable", "away")


class Warehouse:
    """Tables as player → rows of each of his answers; any other table is gone."""

    def __init__(self, tables: dict[str, dict[str, list[int]]], error: ErrorInfo | None = None) -> None:
        self._tables = tables
        self._error = error
        self.queries: list[str] = []

    def look(self, table: str) -> Result[Any]:
        return Result.success(self._tables.get(table.removeprefix("nba_predictions.")))

    def query(self, sql: str, parameters: Any = None) -> Result[Any]:
        self.queries.append(sql)
        if self._error is not None:
            return Result.failure(self._error)
        rows = [
            {
                "staging_table": table,
                "player_lookup": player,
                "answered_at": FIRST + timedelta(minutes=number),
                "found_rows": found,
            }
            for table, players in self._tables.items()
            for player, answers in players.items()
            for number, found in enumerate(answers)
        ]
        return Result.success(SimpleNamespace(rows=rows))


def _staged(*claims: tuple[str, str, int]) -> StagedBatch:
    return StagedBatch(
        staged=tuple(StagedRows(table=table, player=player, rows=rows) for table, player, rows in claims),
        finished_players=frozenset(player for _, player, _ in claims),
        unstaged_players=(),
    )


def test_players_whose_table_is_gone_or_holds_other_rows_than_claimed_are_named() -> None:
    warehouse = Warehouse({"t1": {"asclaimed": [5], "fewer": [4], "twice": [10], "intwoloads": [2, 3]}})
    staged = _staged(
        ("t1", "asclaimed", 5),
        ("t1", "fewer", 5),
        ("t1", "twice", 5),
        ("t1", "intwoloads", 5),
        ("t1", "none", 5),
        ("t2", "gone", 5),
    )

    found = unmergeable_players(warehouse, TABLES, staged)

    assert found.unwrap() == ("fewer", "gone", "none", "twice")


def test_one_of_two_answers_meets_the_claim_as_it_does_in_the_merge() -> None:
    warehouse = Warehouse({"t1": {"slow": [5, 5]}})

    assert unmergeable_players(warehouse, TABLES, _staged(("t1", "slow", 5))).unwrap() == ()


def test_where_every_table_is_gone_nothing_is_queried() -> None:
    warehouse = Warehouse({})

    assert unmergeable_players(warehouse, TABLES, _staged(("t2", "gone", 5))).unwrap() == ("gone",)
    assert warehouse.queries == []


def test_a_warehouse_that_is_away_is_a_failure_and_nobody_is_given_up() -> None:
    warehouse = Warehouse({"t1": {"a": [5]}}, error=AWAY)

    assert error_of(unmergeable_players(warehouse, TABLES, _staged(("t1", "a", 5)))) == AWAY
