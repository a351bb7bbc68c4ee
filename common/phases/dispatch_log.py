"""One row of the execution log for each dispatch: what started when, why, and after how long a wait."""

from collections.abc import Callable
from typing import Any, Protocol

from ..execution_log import Execution
from ..messages import MessageStatus
from ..result import Result
from .records import Day
from .shape import Boundary

PROCESSOR = "phase_transitions"


class Log(Protocol):
    """Writes a row under its id once."""

    def write(self, execution: Execution) -> Result[Any]:
        """False if a row of this id is there."""


class DispatchLog:
    """Writes through the execution log, which is made when there is something to write."""

    def __init__(self, log: Callable[[], Log]) -> None:
        self._log = log

    def write(self, boundary: Boundary, day: Day) -> Result[Any]:
        """Write the row of a date that is dispatched. Safe to repeat: the row's id is the dispatch's.

        False where it is there already.
        """
        return self._log().write(execution_of(boundary, day))


def execution_of(boundary: Boundary, day: Day) -> Execution:
    """The row: it runs from the first report that counted to the dispatch, in wall-clock time.

    Partial where the phase was started without a processor.
    """
    dispatch, dispatched_at = day.dispatch, day.dispatched_at
    assert dispatch is not None and dispatched_at is not None
    reports = day.in_generation.values()
    began = min((report.first_recorded_at for report in reports), default=dispatch.decided_at)
    # By the decision that it was dispatched on, not by what came later.
    is_whole = not (day.decision and day.decision.missing)
    return Execution(
        execution_id=dispatch.dispatch_id,
        processor_name=PROCESSOR,
        phase=boundary.next_phase,
        game_date=day.key.game_date,
        # Reports are stamped by other clocks: a run must not end before it began.
        started_at=min(began, dispatched_at),
        completed_at=dispatched_at,
        status=MessageStatus.SUCCESS if is_whole else MessageStatus.PARTIAL,
        record_count=len(dispatch.present),
        correlation_id=dispatch.message.get("correlation_id"),
        triggered_by="manual" if dispatch.reason == "manual" else "pubsub",
        metadata={"boundary": boundary.name, "reason": dispatch.reason, "message_id": day.message_id},
    )
