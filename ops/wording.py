"""How times, durations and lists of names are said to a person."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

NAMES_SHOWN: Final = 5
"""In a sentence; lists show all."""


def duration(length: timedelta) -> str:
    """`48 s`, `12 min`, `3 h 05 min`, `2 d 4 h`; never negative."""
    seconds = max(0, round(length.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    # Up to two of a unit in the smaller one: `1 min` could be anything from one to two.
    if seconds < 120:
        return f"{seconds} s"
    if minutes < 120:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60:02} min"
    return f"{days} d {hours % 24} h"


def moment(at: datetime) -> str:
    """In UTC, to the second: `2026-01-17 23:04:05`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def clock(at: datetime) -> str:
    """In UTC, without the day: `23:04:05`."""
    return f"{at.astimezone(UTC):%H:%M:%S}"


def names(found: Sequence[str], *, shown: int = NAMES_SHOWN) -> str:
    """The first few, and how many more there are; "" for none."""
    more = len(found) - shown
    listed = ", ".join(found[:shown])
    return f"{listed} and {more} more" if more > 0 else listed
