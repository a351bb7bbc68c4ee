"""Which game days have data in which table, over a range of dates: resumable, and never a guess.

game days of the range ── windows, tables ── one question each ── answer kept ── … ── what is missing
                                                    │
                                         failed: unknown, asked again by the next run
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from ..result import ErrorInfo, ErrorType, Result, returns_result
from ..runtime.checkpoint import Checkpoint, Checkpoints
from .schedule import GameSchedule, QueryStore, get_dates_with_data, get_expected_game_dates

WINDOW: Final = timedelta(days=100)
"""Of one question: what is lost when a run is cut short."""
ANSWER_KEEPS: Final = timedelta(hours=12)
"""Data comes late: what was missing half a day ago may be there."""

Progress = Callable[[int, int], None]
"""Told after each question: how many are answered, of how many."""


@dataclass(frozen=True, kw_only=True)
class DatedTable:
    """A table that should have a row of each game day."""

    path: str
    """`dataset.table`."""
    date_column: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """Of one table and one window, both days included."""

    table: DatedTable
    first_day: date
    last_day: date

    @property
    def key(self) -> str:
        """Names its answer in the checkpoint."""
        return f"{self.table.path}.{self.table.date_column} {self.first_day} {self.last_day}"


@dataclass(frozen=True, kw_only=True)
class TableCoverage:
    """What is known of one table. Days that nobody could ask for are unknown, and never missing."""

    table: str
    with_data: tuple[date, ...]
    """Game days with a row or more."""
    missing: tuple[date, ...]
    unknown: tuple[date, ...]
    error: ErrorInfo | None
    """Why some are unknown; None where they were not asked for, as the store had failed before."""


@dataclass(frozen=True, kw_only=True)
class CoverageReport:
    """All tables, in the order given."""

    game_days: tuple[date, ...]
    tables: tuple[TableCoverage, ...]
    taken_over: int
    """Questions that an earlier run had answered, half a day ago at most."""

    @property
    def is_known(self) -> bool:
        """Whether every question was answered."""
        return not any(each.unknown for each in self.tables)

    @property
    def is_complete(self) -> bool:
        """Every game day is known to have data in every table."""
        return self.is_known and not any(each.missing for each in self.tables)


def questions(
    tables: Sequence[DatedTable], game_days: Sequence[date], first_day: date, last_day: date
) -> list[Question]:
    """Every window and table to ask, windows without a game day left out. Pure."""
    return [
        Question(table=table, first_day=first, last_day=last)
        for first, last in _windows(first_day, last_day)
        if any(first <= day <= last for day in game_days)
        for table in tables
    ]


def coverage_of(
    table: DatedTable,
    game_days: Sequence[date],
    answers: Mapping[Question, frozenset[date]],
    error: ErrorInfo | None,
) -> TableCoverage:
    """What the answers say of one table. Pure.

    A day is missing only if a question about it was answered, and the answer does not have it.
    """
    ours = {question: days for question, days in answers.items() if question.table == table}
    asked = [day for day in game_days if any(each.first_day <= day <= each.last_day for each in ours)]
    found = frozenset[date]().union(*ours.values())
    return TableCoverage(
        table=table.path,
        with_data=tuple(day for day in asked if day in found),
        missing=tuple(day for day in asked if day not in found),
        unknown=tuple(day for day in game_days if day not in asked),
        error=error,
    )


class CoverageCheck:
    """Asks the warehouse, and keeps what it said after each question.

    Not for two runs of one system at once: the later save is refused (CheckpointConflict).
    """

    def __init__(
        self,
        warehouse: QueryStore,
        schedule: GameSchedule,
        checkpoints: Checkpoints,
        now: Callable[[], datetime],
    ) -> None:
        """`checkpoints`: of this system, and of no other; answers are told apart by table and window."""
        self._warehouse = warehouse
        self._schedule = schedule
        self._checkpoints = checkpoints
        self._now = now

    @returns_result
    def run(
        self, tables: Sequence[DatedTable], first_day: date, last_day: date, *, told: Progress
    ) -> CoverageReport:
        """What each table has of the game days from `first_day` to `last_day`.

        A run that was cut short is given again: what was answered within half a day is taken over. A run that
        answered everything leaves nothing to take over, so that the next one asks anew. A table that cannot
        be asked is unknown and keeps no other from being asked; a store that is out of reach ends the asking.
        Failures: an unknown schedule, a question to it that failed, a damaged checkpoint.
        """
        game_days = get_expected_game_dates(self._schedule, first_day, last_day).unwrap()
        wanted = questions(tables, game_days, first_day, last_day)
        last = self._checkpoints.load().unwrap()
        kept = self._fresh(last)
        answers = {each: _days(kept[each.key]) for each in wanted if each.key in kept}
        taken_over, errors = len(answers), dict[DatedTable, ErrorInfo]()
        for question in wanted:
            if question not in answers:
                found = self._ask(question)
                if found.error is not None:
                    errors[question.table] = found.error
                    # Out of reach: the others would wait for it as well. A table that is refused keeps no
                    # other from being asked.
                    if found.error.type is ErrorType.TRANSIENT:
                        break
                    continue
                answers[question] = found.unwrap()
                kept[question.key] = self._answer(answers[question])
                # After every question: what is lost when the run is cut short is one answer.
                last = self._checkpoints.save(kept, after=last).unwrap()
            told(len(answers), len(wanted))
        # Kept answers are for a run that was cut short; the next whole one asks anew.
        if len(answers) == len(wanted):
            self._forget(wanted, kept, last).unwrap()
        found_of = [coverage_of(table, game_days, answers, errors.get(table)) for table in tables]
        return CoverageReport(game_days=tuple(game_days), tables=tuple(found_of), taken_over=taken_over)

    def _forget(
        self, wanted: Sequence[Question], kept: Mapping[str, Any], last: Checkpoint | None
    ) -> Result[Checkpoint]:
        answered = {each.key for each in wanted}
        rest = {key: answer for key, answer in kept.items() if key not in answered}
        return self._checkpoints.save(rest, after=last)

    def _ask(self, question: Question) -> Result[frozenset[date]]:
        table = question.table
        found = get_dates_with_data(
            self._warehouse,
            [table.path],
            question.first_day,
            question.last_day,
            date_column=table.date_column,
        )
        return found.map(lambda days: days[table.path])

    def _answer(self, days: frozenset[date]) -> dict[str, Any]:
        return {"days": sorted(day.isoformat() for day in days), "asked_at": self._now().isoformat()}

    def _fresh(self, checkpoint: Checkpoint | None) -> dict[str, Any]:
        kept = {} if checkpoint is None else checkpoint.progress
        # By when it was asked, and not by when the run began: a run may last, and be cut short, more than
        # once.
        oldest = self._now() - ANSWER_KEEPS
        return {
            key: answer for key, answer in kept.items() if datetime.fromisoformat(answer["asked_at"]) > oldest
        }


def _days(answer: Mapping[str, Any]) -> frozenset[date]:
    return frozenset(map(date.fromisoformat, answer["days"]))


def _windows(first_day: date, last_day: date) -> Iterator[tuple[date, date]]:
    while first_day <= last_day:
        end = min(last_day, first_day + WINDOW - timedelta(days=1))
        yield first_day, end
        first_day = end + timedelta(days=1)
