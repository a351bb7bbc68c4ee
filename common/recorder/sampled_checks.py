"""Checks that only watch: they run once an event is settled, in threads of their own, and fail nobody.

    event    recorded ─── trigger sent ─── waits a little ─── answered
    check                                └─ asks, tells … as long as it takes

A check may hang in a store or in a webhook. So it comes after the trigger, has no thread in common with any
event, and the event that it follows waits for it for a moment only. It does wait: once an instance has
answered, its CPU may be taken away, and a check that starts afterwards may not run until the next event.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Final

import structlog

from ..result import ErrorInfo, Result

THREADS: Final = 2
"""Checks at a time: each reads a whole batch."""
MAX_PENDING: Final = 8
"""Running or waiting for a thread; a sample is given up rather than queued behind these."""
WAIT_SECONDS: Final = 3.0
"""For a check that hangs; one that does not takes a few readings."""

log = structlog.get_logger()


class SampledChecks:
    """For the tasks of one event loop. `check` blocks, and is called with the id of a batch."""

    def __init__(
        self,
        check: Callable[[str], Result[Any]],
        *,
        executor: Executor | None = None,
        max_pending: int = MAX_PENDING,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._check = check
        self._executor = executor or ThreadPoolExecutor(THREADS, "sampled-checks")
        self._max_pending = max_pending
        self._wait_seconds = wait_seconds
        self._pending: set[asyncio.Future[None]] = set()

    async def run(self, batch_id: str) -> None:
        """Start a check of the batch, and give it a moment to end. Raises nothing, whatever it meets: what
        went wrong, or was given up, is in the log."""
        if len(self._pending) >= self._max_pending:
            log.warning("sampled check left out: others hang", action="check_left_out", batch_id=batch_id)
            return
        # A thread of an executor has no context of its own: the lines of the check bear the event's ids by
        # this.
        in_context = contextvars.copy_context().run
        loop = asyncio.get_running_loop()
        pending = loop.run_in_executor(self._executor, in_context, self._look, batch_id)
        self._pending.add(pending)
        # Counted until it ends, and not until this event stops waiting for it.
        pending.add_done_callback(self._pending.discard)
        # Not `wait_for`: that cancels what it gives up, and the thread would go on uncounted.
        await asyncio.wait({pending}, timeout=self._wait_seconds)

    def _look(self, batch_id: str) -> None:
        try:
            checked = self._check(batch_id)
        except Exception as exc:  # the boundary: what only watches fails no event
            checked = Result.failure(ErrorInfo.from_exception(exc, batch_id=batch_id))
        if checked.error is not None:
            log.error(
                "consistency could not be checked or told",
                action="consistency_unchecked",
                batch_id=batch_id,
                error=checked.error.to_dict(),
            )
