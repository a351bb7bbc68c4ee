"""What of a range of dates is covered, missing or unknown, and what a run takes over from the one before."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.audit.coverage import CoverageCheck, DatedTable, Question, coverage_of, questions
from common.audit.schedule import GameSchedule
from common.phases.nba import SCHEDULE
from common.result import ErrorInfo, Result
from common.runtime.checkpoint import Checkpoints
from common.warehouse.records import Rows

A, B = (DatedTable(path=f"raw.{name}", date_column="game_date") for name in "ab")
FIRST, LAST = date(2025, 12, 1), date(2026, 6, 18)
WINTER, SPRING = date(2026, 1, 17), date(2026, 3, 20)
NOW = datetime(2026, 6, 19, 12, tzinfo=UTC)
AWAY = ErrorInfo.transient("ServiceUnavailable", "away")
GONE = ErrorInfo.permanent("NotFound", "no such table")


def question(table: DatedTable, window: int) -> Question:
    first = FIRST + timedelta(days=100 * window)
    return Question(table=table, first_day=first, last_day=first + timedelta(days=99))


def test_every_day_is_in_one_window_and_windows_without_games_are_not_asked_for() -> None:
    both = [question(A, 0), question(B, 0), question(A, 1), question(B, 1)]

    assert questions([A, B], [WINTER, SPRING], FIRST, LAST) == both
    assert questions([A, B], [SPRING], FIRST, LAST) == both[2:]
    assert questions([A], [WINTER], WINTER, WINTER) == [Question(table=A, first_day=WINTER, last_day=WINTER)]
    assert questions([A], [], FIRST, LAST) == []


@pytest.mark.parametrize(
    ("answers", "with_data", "missing", "unknown"),
    [
        pytest.param({}, [], [], [WINTER, SPRING], id="nothing was answered"),
        pytest.param({question(A, 0): {WINTER}}, [WINTER], [], [SPRING], id="half was answered"),
        pytest.param({question(A, 0): set()}, [], [WINTER], [SPRING], id="an empty answer is one"),
        pytest.param(
            {question(A, 0): {WINTER}, question(A, 1): {SPRING}}, [WINTER, SPRING], [], [], id="covered"
        ),
        pytest.param(
            {question(A, 0): {WINTER + timedelta(days=1)}}, [], [WINTER], [SPRING], id="data of a day off"
        ),
        pytest.param({question(B, 0): {WINTER}}, [], [], [WINTER, SPRING], id="of another table"),
    ],
)
def test_day_is_missing_only_if_somebody_said_so(
    answers: dict[Question, set[date]], with_data: list[date], missing: list[date], unknown: list[date]
) -> None:
    frozen = {each: frozenset(days) for each, days in answers.items()}

    found = coverage_of(A, [WINTER, SPRING], frozen, None)

    assert (list(found.with_data), list(found.missing), list(found.unknown)) == (with_data, missing, unknown)


class Scripted:
    """A warehouse in which table a has the day in winter; `failing` are answered with an error."""

    def __init__(self) -> None:
        self.failing: dict[tuple[str, date], ErrorInfo] = {}
        self.asked: list[tuple[str, date]] = []

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        known = parameters or {}
        if SCHEDULE.name in sql:
            return _rows([{"game_date": day, "games": 1} for day in (WINTER, SPRING)])
        [table] = [each for each in ("raw.a", "raw.b") if each in sql]
        self.asked.append((table, known["first_day"]))
        if error := self.failing.get(self.asked[-1]):
            return Result.failure(error)
        has = table == "raw.a" and known["first_day"] <= WINTER <= known["last_day"]
        return _rows([{"table_name": table, "game_date": WINTER}] if has else [])


def _rows(rows: list[dict[str, Any]]) -> Result[Rows]:
    return Result.success(Rows(rows=rows, job_id="j", bytes_processed=0, affected_rows=None))


class World:
    def __init__(self, folder: Path) -> None:
        self.warehouse, self.now = Scripted(), NOW
        self.told: list[tuple[int, int]] = []
        self.check = CoverageCheck(
            self.warehouse,
            GameSchedule(self.warehouse, "raw", SCHEDULE),
            Checkpoints(folder, name="test"),
            lambda: self.now,
        )

    def run(self) -> Any:
        self.warehouse.asked.clear()
        self.told.clear()
        return self.check.run([A, B], FIRST, LAST, told=lambda *of: self.told.append(of)).unwrap()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


LATER = FIRST + timedelta(days=100)


def test_store_that_is_away_ends_the_asking_and_the_next_run_goes_on_there(world: World) -> None:
    world.warehouse.failing = {("raw.a", LATER): AWAY}
    stopped = world.run()
    asked_at_first = list(world.warehouse.asked)
    world.warehouse.failing = {}
    ended = world.run()

    assert asked_at_first == [("raw.a", FIRST), ("raw.b", FIRST), ("raw.a", LATER)]
    assert [each.unknown for each in stopped.tables] == [(SPRING,), (SPRING,)]
    assert [each.error for each in stopped.tables] == [AWAY, None] and not stopped.is_known
    assert world.warehouse.asked == [("raw.a", LATER), ("raw.b", LATER)] and ended.taken_over == 2
    assert [each.missing for each in ended.tables] == [(SPRING,), (WINTER, SPRING)] and ended.is_known
    assert world.told[-1] == (4, 4)


def test_table_that_cannot_be_asked_keeps_no_other_from_being_asked(world: World) -> None:
    world.warehouse.failing = {("raw.a", FIRST): GONE, ("raw.a", LATER): GONE}

    report = world.run()

    assert [each.unknown for each in report.tables] == [(WINTER, SPRING), ()]
    assert report.tables[0].error == GONE and report.tables[0].missing == ()
    assert report.tables[1].missing == (WINTER, SPRING)


def test_answers_of_a_run_that_ended_or_is_long_past_are_asked_for_anew(world: World) -> None:
    world.run()
    after_an_end = world.run()
    world.warehouse.failing = {("raw.b", LATER): GONE}
    world.run()
    world.now += timedelta(hours=13)
    long_after = world.run()

    assert after_an_end.taken_over == long_after.taken_over == 0
