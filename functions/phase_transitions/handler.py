"""A processor is done: record it, and start the next phase if that was missing. Or time has passed."""

from datetime import datetime
from typing import Protocol

import structlog

from common.messages import PhaseCompletion
from common.phases.boundaries import ReportAnswer
from common.phases.days import Recorded
from common.phases.phase_graph import Graph
from common.phases.shape import Boundary
from common.phases.sweep import Swept
from common.result import Result

from .rules import boundary_of

log = structlog.get_logger()


class Boundaries(Protocol):
    """Records a processor and starts what follows; recording again changes nothing."""

    def report(self, boundary: Boundary, completion: PhaseCompletion, event_id: str) -> Result[ReportAnswer]:
        """What became of the report, and where its date stands."""


class Sweep(Protocol):
    """Does what is due by the clock."""

    def run(self) -> Result[Swept]:
        """What it did; a partial where something could not be looked at."""


class Ticks(Protocol):
    """Notes that a sweep has run, and how many did not come."""

    def note(self, function: str, now: datetime) -> Result[int]:
        """Ticks that were missed before this one. Safe to repeat."""


def handle(
    completion: PhaseCompletion, topic: str, event_id: str, *, graph: Graph, boundaries: Boundaries
) -> Result[ReportAnswer] | Result[None]:
    """Handle one delivery of the topic of that constant. A redelivery goes on where the last one ended.

    None, acknowledged with a warning: this sport's pipeline has no boundary on that topic. Failures:
    WrongPhase (PERMANENT), or what recording, gates or dispatch met: a gate that could not be evaluated is
    TRANSIENT.
    """
    found = boundary_of(graph, topic, completion)
    if found.error is not None:
        return Result.failure(found.error)
    boundary = found.unwrap()
    # Acknowledged: the registry may know topics for which this sport has no boundary.
    if boundary is None:
        log.warning(f"no boundary of {graph.sport} is woken by {topic}", action="no_boundary", topic=topic)
        return Result.success(None)
    reported = boundaries.report(boundary, completion, event_id)
    if reported.data is not None:
        _tell(boundary, completion, reported.data)
    return reported


def handle_sweep(now: datetime, *, function: str, sweep: Sweep, ticks: Ticks) -> Result[Swept]:
    """Handle one tick. What could not be looked at is in the answer, and left to the next tick; the tick is
    delivered again only if it could not be noted."""
    # Before the work: a sweep that takes all its time, or dies, has come all the same.
    noted = ticks.note(function, now)
    swept = sweep.run()
    # A partial is told like any sweep: what it did look at was done.
    if swept.data is not None:
        _tell_of_sweep(swept.data)
    return Result.failure(noted.error) if noted.error is not None else swept


def _tell(boundary: Boundary, completion: PhaseCompletion, report: ReportAnswer) -> None:
    """One line for each completion, at warning level if it counts for nothing."""
    is_unusual = report.recorded in (Recorded.UNKNOWN, Recorded.IGNORED)
    day = report.day
    tell = log.warning if is_unusual else log.info
    tell(
        f"{report.processor} {completion.status.value}: {report.recorded.value}",
        action=f"processor_{report.recorded.value}",
        boundary=boundary.name,
        game_date=completion.game_date.isoformat(),
        processor=report.processor,
        status=completion.status.value,
        state=day.state.value if day else None,
        reason=day.decision.reason if day and day.decision else None,
    )


def _tell_of_sweep(swept: Swept) -> None:
    """One line for each sweep, at warning level if something was left."""
    tell = log.warning if swept.failed or not swept.is_complete else log.info
    tell(
        f"swept: {swept.looked} looked at, {len(swept.dispatched)} started, {len(swept.failed)} failed",
        action="phases_swept",
        dispatched=swept.dispatched,
        failed=swept.failed,
        is_complete=swept.is_complete,
    )
