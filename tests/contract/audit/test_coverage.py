"""Which game days have data, asked of the emulator: a table that cannot be asked, and a run that goes on."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.audit.coverage import CoverageCheck, CoverageReport, DatedTable
from common.audit.schedule import GameSchedule
from common.phases.nba import SCHEDULE
from common.result import Result
from common.runtime.checkpoint import CORRUPT_CHECKPOINT, Checkpoints
from tests.support.consolidation_stack import Stack
from tests.support.ops_cli import ops
from tests.support.results import error_of

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 31)
PLAYED = [date(2026, 1, 10), date(2026, 1, 17)]
ODDS = DatedTable(path="nba_raw.odds", date_column="game_date")
CACHE = DatedTable(path="nba_raw.cache", date_column="cache_date")
GONE = DatedTable(path="nba_raw.gone", date_column="game_date")


@pytest.fixture
def played(stack: Stack) -> Stack:
    """Two game days: the odds know both, the cache one."""
    stack.client.create_dataset("nba_raw", timeout=30)
    for name, column, days in (
        ("nbac_schedule", "game_date", PLAYED),
        ("odds", "game_date", PLAYED),
        ("cache", "cache_date", PLAYED[:1]),
    ):
        values = ", ".join(f"(DATE '{day}', 'x')" for day in days)
        stack.warehouse.execute(f"CREATE TABLE nba_raw.{name} ({column} DATE, game_id STRING)").unwrap()
        stack.warehouse.execute(f"INSERT INTO nba_raw.{name} VALUES {values}").unwrap()
    return stack


def checked(stack: Stack, folder: Path, *tables: DatedTable) -> Result[CoverageReport]:
    schedule = GameSchedule(stack.warehouse, "nba_raw", SCHEDULE)
    checkpoints = Checkpoints(folder, name="test")
    check = CoverageCheck(stack.warehouse, schedule, checkpoints, lambda: datetime.now(UTC))
    return check.run(tables, FIRST, LAST, told=lambda done, all_of: None)


def said(report: CoverageReport) -> dict[str, Any]:
    return {
        each.table: (list(each.with_data), list(each.missing), list(each.unknown)) for each in report.tables
    }


def test_game_day_without_data_is_missing_and_one_that_could_not_be_asked_for_is_unknown_until_it_can(
    played: Stack, tmp_path: Path
) -> None:
    first = checked(played, tmp_path, ODDS, GONE, CACHE).unwrap()
    played.warehouse.execute("CREATE TABLE nba_raw.gone (game_date DATE)").unwrap()
    second = checked(played, tmp_path, ODDS, GONE, CACHE).unwrap()
    third = checked(played, tmp_path, ODDS, GONE, CACHE).unwrap()

    known: dict[str, Any] = {ODDS.path: (PLAYED, [], []), CACHE.path: (PLAYED[:1], PLAYED[1:], [])}
    assert said(first) == {**known, GONE.path: ([], [], PLAYED)}
    assert not first.is_known and first.tables[1].error is not None
    assert said(second) == {**known, GONE.path: ([], PLAYED, [])}
    assert [each.taken_over for each in (first, second, third)] == [0, 2, 0]
    assert said(third) == said(second) and third.is_known and not third.is_complete


def test_damaged_checkpoint_is_refused(played: Stack, tmp_path: Path) -> None:
    checked(played, tmp_path, ODDS, GONE).unwrap()
    newest = max(tmp_path.glob("test.*.json"))
    newest.write_bytes(newest.read_bytes()[:-2])

    assert error_of(checked(played, tmp_path, ODDS)).exception_class == CORRUPT_CHECKPOINT


def test_schedule_that_cannot_be_asked_is_a_failure_and_nothing_is_called_covered(
    stack: Stack, tmp_path: Path
) -> None:
    assert checked(stack, tmp_path, ODDS).is_failure
    assert list(tmp_path.iterdir()) == []


def test_operator_is_told_what_is_missing_and_that_not_all_could_be_asked(
    played: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.reports.ROOT", tmp_path)
    environment = {**os.environ, "GCP_PROJECT": played.project, "SPORT": "nba"}
    asked = ("coverage", "--from", f"{FIRST}", "--to", f"{LAST}")

    as_json = ops(environment, *asked, "-o", "json")
    again = ops(environment, *asked)
    upside_down = ops(environment, "coverage", "--from", f"{LAST}", "--to", f"{LAST - timedelta(days=1)}")

    tables = as_json.data["tables"]
    predictions = tables["nba_predictions.player_prop_predictions"]
    assert predictions["missing"] == [day.isoformat() for day in PLAYED] and predictions["error"] is None
    assert tables["nba_raw.odds_api_game_lines"]["unknown"] == predictions["missing"]
    assert (as_json.status, again.status, upside_down.status) == (3, 3, 2)
    assert "of an earlier run taken over" in again.output
    assert list((tmp_path / ".run" / "coverage").glob("*.json"))
