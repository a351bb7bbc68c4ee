"""What `coverage` says, and with which status; and which tables it asks."""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from rich.console import Console

from common.audit.coverage import CoverageCheck, CoverageReport, DatedTable, Progress, TableCoverage
from common.phases.graph import GRAPHS
from common.result import ErrorInfo, Result
from common.sport import Sport, SportNames
from ops.commands.coverage import coverage, shown, tables_of
from ops.exit_status import ExitStatus

DAY, NEXT = date(2026, 1, 17), date(2026, 1, 18)
GONE = ErrorInfo.permanent("NotFound", "no such table")


def report(**of_a_table: Any) -> CoverageReport:
    known: dict[str, Any] = {"with_data": (), "missing": (), "unknown": (), "error": None}
    table = TableCoverage(table="raw.a", **{**known, **of_a_table})
    return CoverageReport(game_days=(DAY, NEXT), tables=(table,), taken_over=0)


class Told(CoverageCheck):
    """Answers at once, after it has told how far it is."""

    def __init__(self) -> None:
        pass

    def run(
        self, tables: Sequence[DatedTable], first_day: date, last_day: date, *, told: Progress
    ) -> Result[CoverageReport]:
        told(1, 2)
        return Result.success(report(with_data=(DAY, NEXT)))


@pytest.mark.parametrize(
    ("found", "status"),
    [
        pytest.param(report(with_data=(DAY, NEXT)), ExitStatus.WELL, id="all there"),
        pytest.param(report(with_data=(DAY,), missing=(NEXT,)), ExitStatus.FOUND, id="one missing"),
        pytest.param(
            report(missing=(DAY,), unknown=(NEXT,), error=GONE),
            ExitStatus.COULD_NOT_LOOK,
            id="one missing and one unknown",
        ),
        pytest.param(report(unknown=(DAY, NEXT)), ExitStatus.COULD_NOT_LOOK, id="never asked"),
    ],
)
def test_status_says_whether_all_is_there_and_whether_all_was_asked(
    found: CoverageReport, status: ExitStatus
) -> None:
    answer = shown(found, DAY, NEXT)

    assert answer.status is status
    assert answer.data["tables"]["raw.a"]["missing"] == found.tables[0].missing


def test_each_table_of_the_graph_is_asked_once_by_its_own_column_and_the_schedule_is_not() -> None:
    tables = tables_of(GRAPHS["nba"], SportNames(sport=Sport.NBA).dataset)

    assert len(tables) == len({each.path for each in tables})
    assert DatedTable(path="nba_precompute.player_daily_cache", date_column="cache_date") in tables
    assert DatedTable(path="nba_predictions.player_prop_predictions", date_column="game_date") in tables
    assert "nba_raw.nbac_schedule" not in {each.path for each in tables}


@pytest.mark.parametrize("is_terminal", [True, False])
def test_bar_is_drawn_for_a_person_and_for_nobody_else(is_terminal: bool) -> None:
    drawn = io.StringIO()

    answer = coverage(
        Told(), [], first=DAY, last=NEXT, screen=Console(file=drawn, force_terminal=is_terminal, width=100)
    )

    assert ("asking the tables" in drawn.getvalue()) is is_terminal
    assert answer.status is ExitStatus.WELL
