"""Whether a lease is over, and why: what its holder, its heartbeat and its release have to agree on."""

import threading

from ..result import ErrorInfo


class Ending:
    """Ends once, for the first reason that is given; safe to share between threads.

    Nobody waits for the store while holding its lock.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.reason: ErrorInfo | None = None
        """Why the lease is over; None while it lasts."""
        self.lost: ErrorInfo | None = None
        """The reason of a lease that ended before it was released; None for one that was released in time."""

    def lose(self, why: ErrorInfo) -> ErrorInfo:
        """It expired, or another has it. Returns the reason that counts, which may be an earlier one."""
        return self._end(why, is_lost=True)

    def release(self, why: ErrorInfo) -> ErrorInfo:
        """Its holder is about to give it back; an earlier loss stays one."""
        return self._end(why, is_lost=False)

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait until the lease is over or `stop` is set; False if `seconds` pass before."""
        with self._changed:
            return self._changed.wait_for(lambda: stop.is_set() or self.reason is not None, seconds)

    def stop(self, stop: threading.Event) -> None:
        """Set `stop`, and wake who waits."""
        with self._changed:
            stop.set()
            self._changed.notify_all()

    def _end(self, why: ErrorInfo, *, is_lost: bool) -> ErrorInfo:
        with self._changed:
            if self.reason is None:
                self.reason = why
                self.lost = why if is_lost else None
                self._changed.notify_all()
            return self.reason
