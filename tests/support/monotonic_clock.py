"""A monotonic clock that moves when it is told to, or slept on."""


class MonotonicClock:
    """Seconds; called, it tells them, as `time.monotonic` would."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        """What was slept, in seconds, each time."""

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
