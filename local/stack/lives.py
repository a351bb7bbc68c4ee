"""When a server that has died is started again: at once, and ever later if it will not stay alive.

Time is `time.monotonic()` of whoever asks, in seconds.
"""

from dataclasses import dataclass
from typing import Final

SOUND_LIFE_SECONDS: Final = 10.0
"""A server that lived as long was well; its death says nothing about the next start."""
LONGEST_PAUSE_SECONDS: Final = 30.0
"""So that one that can start again, because its cause is mended, does so soon."""
EARLY_DEATHS: Final = 5
"""As many in a row, and it is not going to work."""


@dataclass(kw_only=True)
class Lives:
    """What is remembered of one server's starts and deaths."""

    starts: int = 0
    early_deaths: int = 0
    """In a row, up to now."""
    _started_at: float | None = None
    _may_start_at: float = 0.0

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        return max(self.starts - 1, 0)

    @property
    def is_hopeless(self) -> bool:
        """Whether it died early too often in a row to be tried again."""
        return self.early_deaths > EARLY_DEATHS

    def begin(self, now: float) -> None:
        """Note a start."""
        self.starts += 1
        self._started_at = now

    def may_start(self, now: float) -> bool:
        """Whether a server that is found dead is to be started now. Asked again and again until it is."""
        if self._started_at is not None:
            self._end(now)
        return now >= self._may_start_at

    def _end(self, now: float) -> None:
        """Note a death: early ones in a row make the next start later."""
        assert self._started_at is not None
        # How long it lived, not how it ended: a crash loop ends in many ways.
        is_early = now - self._started_at < SOUND_LIFE_SECONDS
        self.early_deaths = self.early_deaths + 1 if is_early else 0
        # At once after the first early death, then after 1, 2, 4 … seconds: a server that cannot start must
        # not eat the machine.
        pause = min(2.0 ** (self.early_deaths - 2), LONGEST_PAUSE_SECONDS) if self.early_deaths > 1 else 0.0
        self._may_start_at = now + pause
        self._started_at = None
