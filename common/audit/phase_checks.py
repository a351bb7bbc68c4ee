"""Phases that stand still, dispatches that were not sent, and game days on which a phase saw no event at all.

The schedule decides whether silence is wrong: a day without games is silent, and a schedule that nobody knows
is itself a finding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from ..findings import Finding, FindingClass, Repair, Scope, Severity, operator_command
from ..result import Result
from .batch_rules import minutes
from .outcomes import Cost, Outcome, Unknown, outcome_of

PHASES: Final = "phases"
SILENCE: Final = "phase_silence"
FIRESTORE: Final = "firestore"
BIGQUERY: Final = "bigquery"

STUCK_AFTER: Final = timedelta(hours=1)
DISPATCH_TAKES: Final = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class PhaseDay:
    """One boundary and date as an audit sees it."""

    phase: int
    boundary: str
    game_date: date
    state: str
    """`waiting`, `ready`, `blocked`, `dispatching`, `dispatched`, `held` or `abandoned`."""
    since: datetime | None
    """Since when it is ready or blocked, or claimed for its dispatch."""
    reason: str
    missing: tuple[str, ...]
    has_events: bool
    """Whether anything was ever recorded for it."""
    expected_by: datetime | None
    """When its phase has reported on a good day; None where no time is set."""


@dataclass(frozen=True, kw_only=True)
class PhasesSeen:
    days: tuple[PhaseDay, ...]
    read_time: datetime
    reads: int


class Phases(Protocol):
    def seen(self, dates: Sequence[date]) -> Result[PhasesSeen]: ...


class Schedule(Protocol):
    def games(self, first_day: date, last_day: date) -> Result[Mapping[date, int] | None]:
        """Games by date, None where no schedule reaches that far; a failure is "could not ask"."""
        ...


def check_phases(phases: Phases, dates: Sequence[date]) -> Outcome:
    """READY or BLOCKED for too long, or claimed and not sent."""
    seen = phases.seen(dates)
    if seen.error is not None:
        return Unknown(store=FIRESTORE, error=seen.error)
    known = seen.unwrap()
    found = [finding for day in known.days for finding in stuck_findings(day, known.read_time)]
    return outcome_of(found, looked_at=[each.isoformat() for each in dates], cost=Cost(reads=known.reads))


def stuck_findings(day: PhaseDay, now: datetime) -> list[Finding]:
    """Pure; `now` is the store's."""
    waiting = None if day.since is None else now - day.since
    if waiting is None:
        return []
    if day.state in ("ready", "blocked") and waiting >= STUCK_AFTER:
        told = f"{day.state} for {minutes(waiting)}: {day.reason}"
        return [_finding(day, FindingClass.STUCK_PHASE, PHASES, told)]
    if day.state == "dispatching" and waiting >= DISPATCH_TAKES:
        told = f"decided {minutes(waiting)} ago, and its trigger was not sent"
        return [_finding(day, FindingClass.UNSENT_DISPATCH, PHASES, told, repair=Repair.REPUBLISH_DISPATCH)]
    return []


def check_silence(phases: Phases, schedule: Schedule, dates: Sequence[date]) -> Outcome:
    """Game days on which a phase saw nothing, although it should have by now."""
    asked = schedule.games(min(dates), max(dates))
    if asked.error is not None:
        return Unknown(store=BIGQUERY, error=asked.error)
    seen = phases.seen(dates)
    if seen.error is not None:
        return Unknown(store=FIRESTORE, error=seen.error)
    known = seen.unwrap()
    found = silence_findings(known.days, asked.unwrap(), known.read_time, dates)
    looked_at = [*(each.isoformat() for each in dates), "schedule"]
    return outcome_of(found, looked_at=looked_at, cost=Cost(reads=known.reads))


def silence_findings(
    days: Sequence[PhaseDay], games: Mapping[date, int] | None, now: datetime, dates: Sequence[date]
) -> list[Finding]:
    """Pure."""
    if games is None:
        told = f"no game is known around {min(dates)} to {max(dates)}: is silence wrong? Nobody can say"
        return [
            Finding(
                finding_class=FindingClass.UNKNOWN_SCHEDULE,
                severity=Severity.WARNING,
                check=SILENCE,
                scope=Scope.of_system("schedule"),
                summary=told,
                look=operator_command("phases", max(dates).isoformat()),
                depends_on=frozenset({BIGQUERY}),
            )
        ]
    return [
        _finding(
            day,
            FindingClass.SILENT_PHASE,
            SILENCE,
            f"{games[day.game_date]} games, and no processor of the phase has reported anything",
        )
        for day in days
        if games.get(day.game_date) and not day.has_events and day.expected_by is not None
        if day.expected_by < now
    ]


def _finding(
    day: PhaseDay,
    finding_class: FindingClass,
    check: str,
    summary: str,
    *,
    repair: Repair | None = None,
) -> Finding:
    return Finding(
        finding_class=finding_class,
        severity=Severity.CRITICAL,
        check=check,
        scope=Scope.of_date(day.game_date),
        subject=day.boundary,
        summary=f"{day.boundary}: {summary}",
        ids=day.missing,
        repair=repair,
        look=operator_command("phases", day.game_date.isoformat()),
        depends_on=frozenset({FIRESTORE, "pubsub"}),
    )
