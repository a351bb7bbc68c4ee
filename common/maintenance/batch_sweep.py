"""The sweep of the batches: what falls due by the clock, and what a crash left behind that no event resumes.

    past its deadline      missing players are timed out, the batch is closed, its trigger is published
    due, or owes its       closed, published: an instance died between the steps, or the grace of another is
    trigger                over
    `consolidating`,       triggered again: whoever consolidated it has died, and its message may be gone
    and no living lock

It works within a budget of time and says what it left; one bad document never stops it. It may run beside
itself and beside every event: each step is claimed by a precondition.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from ..batches.batches import Batches
from ..batches.records import Batch, BatchStatus
from ..batches.trigger_outbox import TriggerOutbox
from ..lock.rules import CONSOLIDATION, LockKey
from ..result import ErrorInfo, ErrorType, Result, returns_result
from .deadlines import OverdueBatches, needs_resuming
from .swept import Resumed, Swept

if TYPE_CHECKING:
    from ..lock.store import LockSnapshot

DEFAULT_BUDGET: Final = timedelta(seconds=40)
"""Below the time limit of the function, with room for the step that is under way when it is over."""
_NO_DEADLINE: Final = datetime.max.replace(tzinfo=UTC)


class Locks(Protocol):
    """Reads a lock document, with the server's time."""

    def read(self, key: LockKey) -> "Result[LockSnapshot]":
        """The lock document now, with the server's time."""


@dataclass
class _Tally:
    """What a running sweep knows; one thread's alone."""

    looked: int = 0
    resumed: list[Resumed] = field(default_factory=list)
    triggered_again: list[str] = field(default_factory=list)
    errors: dict[str, ErrorInfo] = field(default_factory=dict)
    left: int = 0


class BatchSweep:
    """Sweeps the batches of one sport and dataset prefix.

    Called by the recorder's function at every tick of the scheduler, every 10 minutes.
    """

    def __init__(
        self,
        batches: Batches,
        outbox: TriggerOutbox,
        locks: Locks,
        *,
        sport: str,
        dataset_prefix: str = "",
        budget: timedelta = DEFAULT_BUDGET,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox = outbox
        self._overdue = OverdueBatches(batches, outbox)
        self._locks = locks
        self._sport = sport
        self._dataset_prefix = dataset_prefix
        self._budget_seconds = budget.total_seconds()
        self._monotonic = monotonic

    def run(self, now: datetime) -> Result[Swept]:
        """Sweep once, the earliest deadlines first; `now` is aware, and decides which deadlines have passed.

        A partial names what could not be helped; a failure, where the batches could not even be listed. What
        its budget did not suffice for is counted in `left`, and found by the next tick. Idempotent.
        """
        until = self._monotonic() + self._budget_seconds
        found = self._overdue.waiting(and_also=(BatchStatus.CONSOLIDATING,))
        if found.error is not None:
            return Result.failure(found.error)
        waiting = {batch_id: batch for batch_id, batch in found.unwrap().items() if _may_wait(batch, now)}
        tally = _Tally(looked=len(found.unwrap()) - len(waiting))
        for batch_id, batch in sorted(waiting.items(), key=_urgency):
            # Counted on instead of broken off: how many are left is what a person needs to see.
            if self._monotonic() >= until:
                tally.left += 1
                continue
            tally.looked += 1
            helped = batch.and_then(lambda read: self._help(read, now, tally))
            # "Not yet": a recorder or another sweep is at it this moment.
            if helped.error is not None and not helped.error.is_expected:
                tally.errors[batch_id] = helped.error
        return _swept(tally)

    @returns_result
    def _help(self, batch: Batch, now: datetime, tally: _Tally) -> None:
        """Do what one batch needs, and note it in the tally.

        Expected failures ("not yet"): another is at it.
        """
        # Another deployment's: tests may share the database with production, but not its tables.
        if batch.dataset_prefix != self._dataset_prefix:
            return
        if batch.status is BatchStatus.CONSOLIDATING:
            if self._hangs(batch):
                self._outbox.send(self._outbox.claim(batch).unwrap()).unwrap()
                tally.triggered_again.append(batch.batch_id)
            return
        resumed = self._overdue.resume(batch, now).unwrap()
        if resumed is not None:
            tally.resumed.append(resumed)

    def _hangs(self, batch: Batch) -> bool:
        """Whether nobody consolidates it: who does, took the lock of its day before saying so.

            consolidation   takes the lock ── "consolidating" ── merges ── dies
            sweep                                              lease over, and still so: it hangs

        A lock that is held for another batch of the day says the same: the holder of this one is gone.
        """
        key = LockKey(
            lock_type=CONSOLIDATION,
            game_date=batch.game_date,
            sport=self._sport,
            dataset_prefix=self._dataset_prefix,
        )
        seen = self._locks.read(key).unwrap()
        is_free = seen.record is None or seen.record.is_free_at(seen.server_now)
        return is_free or (seen.record is not None and seen.record.operation_id != batch.batch_id)


def _may_wait(batch: Result[Batch], now: datetime) -> bool:
    """Whether there may be something to do, as far as the batch tells: the rest takes no time from these."""
    if batch.data is None or batch.data.status is BatchStatus.CONSOLIDATING:
        return True
    return needs_resuming(batch.data, now)


def _urgency(found: tuple[str, Result[Batch]]) -> tuple[datetime, str]:
    batch_id, batch = found
    deadline = None if batch.data is None else batch.data.deadline
    return deadline or _NO_DEADLINE, batch_id


def _swept(tally: _Tally) -> Result[Swept]:
    """The sweep's answer; of several errors one that a retry cures is told, for that is what the next tick
    does.
    """
    swept = Swept(
        looked=tally.looked,
        resumed=tuple(tally.resumed),
        triggered_again=tuple(tally.triggered_again),
        failed={batch_id: error.message for batch_id, error in tally.errors.items()},
        left=tally.left,
    )
    if not tally.errors:
        return Result.success(swept)
    first = min(tally.errors.values(), key=lambda error: error.type is ErrorType.PERMANENT)
    why = "; ".join(f"{batch_id}: {message}" for batch_id, message in swept.failed.items())
    return Result.partial(swept, ErrorInfo(first.type, first.exception_class, why))
