"""Completion over time as the points of an SVG. Pure; coordinates are in the units of its view box."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from .records import BatchLine

WIDTH: Final = 320
HEIGHT: Final = 90
MAX_POINTS: Final = 120


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One batch over time, drawn; None where there is nothing to mark."""

    line: str
    """Of a polyline: how many were done, from the start to now."""
    now_x: float
    deadline_x: float | None
    earliest_x: float | None
    latest_x: float | None


def chart(batch: BatchLine, now: datetime) -> Chart | None:
    """None where nothing can be drawn yet. The axis ends with whatever comes last; a latest end far away is
    cut, so that the line stays to be seen."""
    if batch.started_at is None or not batch.expected or now <= batch.started_at:
        return None
    start = batch.started_at
    is_over = batch.ended >= batch.expected and bool(batch.completed_at)
    until = max(batch.completed_at) if is_over else now
    span = until - start
    marks = [until]
    if batch.deadline is not None and not is_over:
        marks.append(min(batch.deadline, start + 3 * span))
    if batch.expected_end is not None:
        marks.append(min(batch.expected_end.latest, start + 3 * span))
    total = max((max(marks) - start).total_seconds(), 1.0)

    def x(moment: datetime) -> float:
        return round(min(1.0, max(0.0, (moment - start).total_seconds() / total)) * WIDTH, 1)

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
