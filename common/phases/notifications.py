"""What follows a decision or a dispatch: people are alerted, and the dispatch is logged.

None of it can fail what has been done. What could not be told or logged stays on the date's document (`told`,
`owed`, `next_check`), and the sweep tries again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ..result import ErrorInfo, Result
from . import changes
from .alert_rules import Alert, untold
from .days import Days
from .records import Day
from .shape import Boundary


class Alerts(Protocol):
    """Tells an alert once."""

    def tell(self, boundary: Boundary, day: Day, alert: Alert) -> Result[None]:
        """Again: nothing more is told."""


class DispatchLog(Protocol):
    """Writes the row of a dispatch once."""

    def write(self, boundary: Boundary, day: Day) -> Result[Any]:
        """Again: no second row."""


@dataclass(frozen=True, kw_only=True)
class Notifications:
    """Sends what is due; safe to share between threads."""

    days: Days
    alerts: Alerts
    dispatch_log: DispatchLog
    now: Callable[[], datetime]

    def send(self, boundary: Boundary, day: Day) -> Result[Day]:
        """Tell every alert that is due, and log a dispatch that is not logged; the date as it was read.

        Safe to repeat, and beside itself: an alert is one finding, told once; a row has the dispatch's id. A
        partial carries the first error: what could not be told or logged is due at once, for the next sweep.
        """
        now = self.now()
        # Nearly always there is nothing to tell, and no reading is spent.
        if untold(boundary, day, now) or day.owed:
            # Read anew: somebody else may have told it since.
            fresh = self.days.read(boundary, day.key.game_date)
            if fresh.error is not None:
                return Result.partial(day, fresh.error)
            day = fresh.unwrap()
        told: list[str] = []
        done: list[str] = []
        errors: list[ErrorInfo] = []
        for alert in untold(boundary, day, now):
            _note(self.alerts.tell(boundary, day, alert), alert.id, told, errors)
        if changes.LOG_ROW in day.owed:
            _note(self.dispatch_log.write(boundary, day), changes.LOG_ROW, done, errors)
        next_check = _next_check(day, now, is_left=bool(errors))
        change = changes.settle(day, told=told, done=done, next_check=next_check)
        if change is not None:
            # Refused if somebody wrote meanwhile: who did so looks too, and a finding is told once.
            written = self.days.write(boundary, day, change)
            if written.error is not None:
                errors.append(written.error)
        # A partial, not a failure: what was done is done, and the event is acknowledged.
        return Result.partial(day, errors[0]) if errors else Result.success(day)


def _note(result: Result[Any], name: str, done: list[str], errors: list[ErrorInfo]) -> None:
    """Add the name to what was done, or the error to the errors."""
    if result.error is None:
        done.append(name)
    else:
        errors.append(result.error)


def _next_check(day: Day, now: datetime, *, is_left: bool) -> datetime | None:
    """At once where something is left; else as it was, and never for what is over."""
    if is_left:
        return now
    return None if day.state.is_final else day.next_check
