"""Whose report it is, and which of several stands. No clock, no I/O."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..messages import MessageStatus, PhaseCompletion
from .records import Report
from .shape import Boundary

_RANK: Final = (
    MessageStatus.FAILED,
    MessageStatus.SKIPPED,
    MessageStatus.NO_DATA,
    MessageStatus.PARTIAL,
    MessageStatus.SUCCESS,
)
"""Of different statuses of one processor the later in this order stands."""


def processor_of(boundary: Boundary, completion: PhaseCompletion) -> str | None:
    """The graph's name of the processor; None if it knows none: it is quarantined, and counts for nothing.

    Publishers name themselves by the graph's name, by their table, or by their class; the first of these that
    the boundary knows is meant.
    """
    named = completion.processor_name
    table = (completion.output_table or "").rpartition(".")[2]
    # A class `FooBarProcessor` means `foo_bar`.
    in_snake_case = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", named.removesuffix("Processor")).lower()
    # The surest first: a class may be named after another table.
    for name in (named, table, in_snake_case, in_snake_case.removeprefix("async_").removesuffix("_async")):
        known = boundary.aliases.get(name, name)
        if known in boundary.known:
            return known
    return None


def stands_against(new: Report, old: Report) -> bool:
    """Whether `new` takes the place of `old`: the better status, else the later one by what both say of
    themselves, so that the order of arrival decides nothing."""
    return _weight(new) > _weight(old)


def _weight(report: Report) -> tuple[int, datetime, str]:
    """Greater is better: status, then the time that the message itself tells, then the run."""
    sent_at = report.sent_at or datetime.min.replace(tzinfo=UTC)
    # The run's id last, so that the order is total: two deliveries of two runs end alike, whichever comes
    # first.
    return _RANK.index(report.status), sent_at, report.execution_id


def report_of(processor: str, completion: PhaseCompletion, event_id: str, now: datetime) -> Report:
    """The report that this completion makes; `now` is taken for its first arrival as well, until the store
    knows an earlier one.
    """
    return Report(
        processor=processor,
        processor_name=completion.processor_name,
        status=completion.status,
        execution_id=completion.execution_id,
        event_id=event_id,
        recorded_at=now,
        first_recorded_at=now,
        sent_at=completion.timestamp,
        record_count=completion.record_count,
        correlation_id=completion.correlation_id,
        metadata=_plain(completion.metadata),
    )


def _plain(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    # A map of Firestore has texts for keys.
    return {str(key): value for key, value in (metadata or {}).items()}


def reports_by_arrival(reports: Mapping[str, Report]) -> list[Report]:
    """The latest last, by name where the clock does not tell."""
    return sorted(reports.values(), key=lambda report: (report.recorded_at, report.processor))
