"""One boundary and date under an edited graph: when it would have started, beside when it did."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from common.phases.records import Day, Report
from common.phases.report_rules import reports_by_arrival
from common.phases.rules import Readiness, readiness, when_waiting
from common.phases.shape import Boundary

HORIZON: Final = timedelta(days=3)
"""After the last report: no tier and no deadline of a sound graph lies behind it."""


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What was, and what would have been. Times are None where it did not start, or would not have."""

    boundary: str
    game_date: date
    was_at: datetime | None
    was_reason: str | None
    would_at: datetime | None
    would_reason: str | None
    without: tuple[str, ...]
    """Expected processors that were not done yet when it would have started."""

    @property
    def gained(self) -> timedelta | None:
        """Positive: earlier than it was. None where one of the two did not start."""
        if self.was_at is None or self.would_at is None:
            return None
        return self.was_at - self.would_at


def replayed(boundary: Boundary, day: Day, *, was_blocked: bool) -> Replayed:
    """Take the date through the graph again: at each report, and whenever the graph would have looked.

    Pure.

    Gates are not asked again, what they saw is gone. Where the date stood before a gate (`was_blocked`), it
    is taken to have opened when the date was dispatched, and not at all if it was not; else to have been
    open.
    """
    ready = next(_ready(boundary, day), None)
    if was_blocked and day.dispatched_at is None:
        ready = None
    # When a gate opened nobody wrote down; that it was open when the date was dispatched is certain.
    opened_at = day.dispatched_at if was_blocked else None
    would_at = None if ready is None else max(ready[0], opened_at or ready[0])
    return Replayed(
        boundary=boundary.name,
        game_date=day.key.game_date,
        was_at=day.dispatched_at,
        was_reason=day.dispatch.reason if day.dispatch else None,
        would_at=would_at,
        would_reason=None if ready is None else ready[1].reason,
        without=() if ready is None else ready[1].missing,
    )


def _ready(boundary: Boundary, day: Day) -> Iterator[tuple[datetime, Readiness]]:
    """Each moment at which enough processors are done, in order."""
    arrived: dict[str, Report] = {}
    waiting = reports_by_arrival(day.in_generation)
    for number, report in enumerate(waiting):
        # As they arrived: a report of a processor that had reported before takes its place, as in the store.
        arrived[report.processor] = report
        until = waiting[number + 1].recorded_at if number + 1 < len(waiting) else None
        yield from _looks(boundary, replace(day, reports=dict(arrived)), report.recorded_at, until)


def _looks(
    boundary: Boundary, day: Day, at: datetime, until: datetime | None
) -> Iterator[tuple[datetime, Readiness]]:
    """From one report to the next: at the report itself, and at each check that falls due meanwhile.

    `until` is when the next report came, None behind the last: then HORIZON is the end. A moment at which it
    would have been ready is told as soon as it is met, so that the first is all that is reckoned.
    """
    # Without an end the checks of a date that nothing starts would go on for ever.
    end = at + HORIZON if until is None else until
    moment: datetime | None = at
    while moment is not None and moment <= end and (until is None or moment < until or moment == at):
        found = readiness(boundary, day, moment)
        if found.is_ready:
            yield moment, found
        moment = when_waiting(found, day.key.game_date, moment)
