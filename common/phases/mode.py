"""How a date lies to today, in the pipeline's zone: a boundary has other rules for each."""

from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Final

from ..sport import ZONE


class Mode(Enum):
    """How a date lies to today, in the pipeline's zone: what can have been computed depends on it."""

    OVERNIGHT = "overnight"
    """The date is over: games were played."""
    SAME_DAY = "same_day"
    TOMORROW = "tomorrow"
    """Tomorrow or later."""


UPCOMING: Final = (Mode.SAME_DAY, Mode.TOMORROW)
"""The modes of a date that is not over."""


def mode_of(game_date: date, now: datetime) -> Mode:
    """By the date in the pipeline's zone, whatever the zone of `now`."""
    today = now.astimezone(ZONE).date()
    if game_date < today:
        return Mode.OVERNIGHT
    return Mode.SAME_DAY if game_date == today else Mode.TOMORROW


def next_midnight(now: datetime) -> datetime:
    """In the pipeline's zone: when the mode of a date may change. Also on the days of 23 and of 25 hours."""
    tomorrow = now.astimezone(ZONE).date() + timedelta(days=1)
    # By the calendar: adding 24 hours misses midnight twice a year.
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=ZONE).astimezone(UTC)
