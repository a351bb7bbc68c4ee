"""Completion over time as the points of an SVG. Pure; coordinates are in the units of its view box."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from .records import BatchLine

WIDTH: Final = 320
"""Of the view box, with `HEIGHT`; the page scales it."""
HEIGHT: Final = 90
MAX_POINTS: Final = 120
"""Of the line: a batch of 20,000 players must not make a page of megabytes."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One batch over time, drawn; None where there is nothing to mark."""

    line: str
    """`x,y x,y …` of a polyline: how many were done, from the start to now; y grows downwards."""
    now_x: float
    deadline_x: float | None
    """None where there is no deadline, or the batch is over; below the earliest and latest expected end,
    None where nothing can be expected."""
    earliest_x: float | None
    latest_x: float | None


def chart(batch: BatchLine, now: datetime) -> Chart | None:
    """One batch over time; None where nothing can be drawn yet (no start, nothing expected).

    The axis ends with whatever comes last, but at most at three times the time so far: a deadline or an end
    that is far away would press the line into a corner.
    """
    if batch.started_at is None or not batch.expected or now <= batch.started_at:
        return None
    start = batch.started_at
    is_over = batch.ended >= batch.expected and bool(batch.completed_at)
    until = max(batch.completed_at) if is_over else now
    span = until - start
    marks = [until]
    if batch.deadline is not None and not is_over:
        # A deadline in three hours must not press a batch of ten minutes into a corner.
        marks.append(min(batch.deadline, start + 3 * span))
    if batch.expected_end is not None:
        marks.append(min(batch.expected_end.latest, start + 3 * span))
    total = max((max(marks) - start).total_seconds(), 1.0)

    def x(moment: datetime) -> float:
        return round(min(1.0, max(0.0, (moment - start).total_seconds() / total)) * WIDTH, 1)

    # Every n-th completion: the line's shape stays, its size is bounded.
    step = max(1, len(batch.completed_at) // MAX_POINTS)
    points = [(0.0, float(HEIGHT))]
    for number in range(0, len(batch.completed_at), step):
        points.append((x(batch.completed_at[number]), _y(number + 1, batch.expected)))
    points.append((x(until), _y(batch.ended, batch.expected)))
    end = batch.expected_end
    return Chart(
        line=" ".join(f"{one},{other}" for one, other in points),
        now_x=x(until),
        deadline_x=x(batch.deadline) if batch.deadline is not None and not is_over else None,
        earliest_x=x(end.earliest) if end else None,
        latest_x=x(end.latest) if end else None,
    )


def _y(done: int, expected: int) -> float:
    return round(HEIGHT * (1 - min(1.0, done / expected)), 1)
