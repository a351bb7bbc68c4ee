"""Phases that stand still, dispatches that were not sent, and game days on which a phase saw no event at all.

The schedule decides whether silence is wrong: a day without games is silent, and a schedule that nobody knows
is itself a finding. It is asked only where there is silence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol

from ..findings import Finding, FindingClass, Repair, Scope, Severity, operator_command
from ..phases.alerts import CHECK as PHASES
from ..result import Result
from .batch_rules import minutes
from .outcomes import Cost, Outcome, Unknown, outcome_of
from .stores import BIGQUERY, FIRESTORE
from .unreadable import unreadable_document

__all__ = ["PHASES", "PhaseDay", "Phases", "PhasesSeen", "Schedule", "check_phases"]

DISPATCH_TAKES: Final = timedelta(minutes=15)
"""A claim's grace and a sweep: then nobody is at it any more."""
SCHEDULE: Final = Scope.of_system("schedule")
"""Of the finding that nobody knows whether there are games."""


@dataclass(frozen=True, kw_only=True)
class PhaseDay:
    """One boundary and date that is not over, as of one look."""

    boundary: str
    game_date: date
    stuck: tuple[Finding, ...] = ()
    """What keeps it from starting, as the phases themselves tell it."""
    is_silent: bool = False
    """Nothing was ever reported of it; `stuck` is wrong only if there are games."""
    claimed_at: datetime | None = None
    """Since when its dispatch is decided and not sent."""


@dataclass(frozen=True, kw_only=True)
class PhasesSeen:
    """One reading of the boundaries; `now` is the clock that it is judged by."""

    days: tuple[PhaseDay, ...]
    now: datetime
    reads: int
    unreadable: Mapping[tuple[str, date], str] = field(default_factory=dict)
    """Documents that make no sense, by path and date, with why."""


class Phases(Protocol):
    """Reads the boundaries of some dates; a failure is "could not look"."""

    def seen(self, dates: Sequence[date]) -> Result[PhasesSeen]:
        """Every boundary on these dates that is not over."""


class Schedule(Protocol):
    """Which dates have games."""

    def games(self, first_day: date, last_day: date) -> Result[Mapping[date, int] | None]:
        """Games by date, None where no schedule reaches that far; a failure is "could not ask"."""
        ...


def check_phases(phases: Phases, schedule: Schedule, dates: Sequence[date]) -> Outcome:
    """What does not start although it could, or should have by now.

    The schedule is asked only where a phase is silent past its deadline; where it cannot be asked, those days
    are unknown, and the others are told.
    """
    seen = phases.seen(dates)
    if seen.error is not None:
        return Unknown(store=FIRESTORE, error=seen.error)
    known = seen.unwrap()
    found = [finding for day in known.days if not day.is_silent for finding in day.stuck]
    found += [finding for day in known.days for finding in unsent(day, known.now)]
    found += [
        unreadable_document(PHASES, path, why, of=Scope.of_date(game_date))
        for (path, game_date), why in known.unreadable.items()
    ]
    where: dict[str, Any] = {"cost": Cost(reads=known.reads)}
    # Of a date with a damaged document nothing is known to be over.
    unread = {game_date for _, game_date in known.unreadable}
    scopes = frozenset({SCHEDULE.name, *(each.isoformat() for each in dates if each not in unread)})
    # Only past its deadline is silence worth a question to the schedule.
    silent = [day for day in known.days if day.is_silent and day.stuck]
    if not silent:
        return outcome_of(found, looked_at=scopes, **where)
    # One question for all dates: one for each would be a query for each, billed by itself.
    asked = schedule.games(min(dates), max(dates))
    if asked.error is not None:
        # What is open about a silent day stays open: nobody has looked whether it is over.
        blind = {day.game_date.isoformat() for day in silent} | {SCHEDULE.name}
        return Unknown(
            store=BIGQUERY, error=asked.error, findings=tuple(found), looked_at=scopes - blind, **where
        )
    return outcome_of([*found, *silence(silent, asked.unwrap())], looked_at=scopes, **where)


def unsent(day: PhaseDay, now: datetime) -> list[Finding]:
    """The finding that a dispatch was decided and not sent; none while somebody may be at it. Pure.

    The clock is the one that the dates were read by; DISPATCH_TAKES covers a sweep, which may still be at it.
    """
    waiting = None if day.claimed_at is None else now - day.claimed_at
    if waiting is None or waiting < DISPATCH_TAKES:
        return []
    return [
        Finding(
            finding_class=FindingClass.UNSENT_DISPATCH,
            severity=Severity.CRITICAL,
            check=PHASES,
            scope=Scope.of_date(day.game_date),
            subject=day.boundary,
            summary=f"{day.boundary}: decided {minutes(waiting)} ago, and its trigger was not sent",
            repair=Repair.REPUBLISH_DISPATCH,
            look=operator_command("phases", day.game_date.isoformat()),
            depends_on=frozenset({FIRESTORE, "pubsub"}),
        )
    ]


def silence(days: Sequence[PhaseDay], games: Mapping[date, int] | None) -> list[Finding]:
    """Of the days that are silent past their deadline, those that should not be; or the one finding that
    nobody knows. Pure.
    """
    if games is not None:
        return [finding for day in days if games.get(day.game_date) for finding in day.stuck]
    first, last = min(day.game_date for day in days), max(day.game_date for day in days)
    return [
        Finding(
            finding_class=FindingClass.UNKNOWN_SCHEDULE,
            severity=Severity.WARNING,
            check=PHASES,
            scope=SCHEDULE,
            summary=f"phases are silent from {first} to {last}, and no schedule says whether there are games",
            look=operator_command("phases", last.isoformat()),
            depends_on=frozenset({BIGQUERY}),
        )
    ]
