"""A wall clock that moves when it is told to."""

from datetime import UTC, datetime, timedelta


class WallClock:
    """Called, it tells the time: it stands in for `datetime.now(UTC)` wherever a clock is passed in."""

    def __init__(self, start: datetime = datetime(2026, 1, 17, 23, 0, tzinfo=UTC)) -> None:
        self._now = start

    def __call__(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """The new time; `by` may be negative, as a wall clock that is set right may go back."""
        self.set(self._now + by)
        return self._now

    def set(self, to: datetime) -> None:
        """`to` must be aware."""
        if to.tzinfo is None:
            raise ValueError(f"a naive datetime tells no time: {to}")
        self._now = to
