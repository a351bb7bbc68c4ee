"""A lock that is held: how long it surely lasts, how to keep it, how to give it back.

    holder   claims, fence 7 ─── works ─── paused ························ wakes: too late
    server   ├───────────── lease ─────────────┤ expired
    rival                                        claims, fence 8 ─── works

No lock can stop a paused holder from waking up between its last check and its write. The write itself can: it
carries `fence` and takes effect only where no higher one has been.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

import structlog

from ..result import LOCK_LOST, ErrorInfo, Result, returns_result
from .ending import Ending
from .free_locks import FreeLocks
from .rules import LeaseTiming, LockKey, LockRecord
from .store import LockSnapshot, LockStore

OnLost = Callable[[ErrorInfo], None]
"""Called with why the lease is over."""

# Clocks that run apart by more than this share are broken.
_CLOCK_DRIFT: Final = 0.01
# A renewal that failed is tried again after this share of the usual interval.
_SOONER: Final = 0.1

log = structlog.get_logger()


class Lease:
    """A lock that is held; safe to share between threads.

    Once it is over (expired, taken by another, released) it stays over: LOCK_LOST, which is TRANSIENT, for a
    new lease may do the work again. As a context manager it is given back when the block ends, however it
    ends. A block that ends well but whose lock was lost meanwhile, or could not be given back, ends with a
    ResultError; one that raises keeps its exception, with a note of what became of the lock.
    """

    def __init__(
        self,
        store: LockStore,
        key: LockKey,
        record: LockRecord,
        *,
        seen: LockSnapshot,
        timing: LeaseTiming,
        monotonic: Callable[[], float],
        free: FreeLocks,
    ) -> None:
        """`seen` shows `record` in the store; `free` hears when it is given back, and saves a reading."""
        self.key = key
        self.fence = record.fence
        self.operation_id = record.operation_id
        self.holder_id = record.holder_id
        self._record = record
        self._store = store
        self._timing = timing
        self._monotonic = monotonic
        self._free = free
        self._log = log.bind(
            lock=str(key), operation_id=record.operation_id, holder_id=record.holder_id, fence=record.fence
        )
        self._acquired_at = monotonic()
        self._next_beat = self._acquired_at + timing.renew_every.total_seconds()
        self._latest = seen
        self._ending = Ending()
        self._given_back: Result[None] | None = None
        # One thread writes at a time: a renewal and a release would refuse each other's version.
        self._writing = threading.Lock()

    def check(self, *, ask_store: bool = False) -> Result["Lease"]:
        """Whether the lease still holds: to be called before each irreversible step.

        Costs nothing and errs on the safe side: our monotonic clock against a deadline that lies before the
        server's. With `ask_store` the document is read as well, which also shows a lock taken away by force.
        Failures: LOCK_LOST, or the fault of a store that could not be asked.
        """
        if self._ending.reason is None and self._seconds_left() <= 0:
            self._lose("the lease expired")
        if self._ending.reason is not None:
            return Result.failure(self._ending.reason)
        return self._look().map(lambda _: self) if ask_store else Result.success(self)

    def renew(self) -> Result["Lease"]:
        """Extend the lease to its full length from now.

        LOCK_LOST if it is over. Any other failure is a fault of the store: the lease runs on to its deadline
        and may be renewed again.
        """
        with self._writing:
            # Set before the store is asked: whatever that raises, the next beat is not due at once.
            self._next_beat = self._monotonic() + self._timing.renew_every.total_seconds() * _SOONER
            renewed = self._extend()
            if renewed.is_success:
                self._latest = renewed.unwrap()
                self._next_beat = self._monotonic() + self._timing.renew_every.total_seconds()
        if renewed.error is not None:
            self._log.warning("lease not renewed", action="lock_renew_failed", error=renewed.error.to_dict())
        return renewed.map(lambda _: self)

    def release(self) -> Result[None]:
        """Give the lock back if it is still ours; `check()` fails from here on. Again: the same answer.

        LOCK_LOST if the lease was over before, even though nobody else has come: what was done since then was
        not guarded. Another's lock is left alone. After a fault of the store it may be called again; if it
        is not, the lock comes free when the lease expires.
        """
        self.check()  # an expired lease was lost, not released
        self._ending.release(self._lock_lost("the lease was released"))
        with self._writing:
            if self._given_back is None:
                after = self._write_released()
                if after.error is not None:
                    return self._not_released(after.error)
                self._given_back = self._conclude(after.unwrap())
            return self._given_back

    @contextmanager
    def heartbeat(self, on_lost: OnLost | None = None) -> Iterator[None]:
        """Renew the lease from a thread while the block runs; the thread has ended when the block has.

        If the lease is lost, `on_lost` is called once, in that thread: the place to cancel a running job. The
        block itself still asks `check()`. Whatever a renewal raises is logged, and the next is tried.
        """
        stop = threading.Event()
        thread = threading.Thread(target=self._beat, args=(stop, on_lost), name=f"heartbeat {self.key}")
        thread.start()
        try:
            yield
        finally:
            self._ending.stop(stop)
            # The thread must not outlive the block: after the answer a function's CPU may be throttled, and a
            # beat that comes late would renew a lock whose work is over.
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back; see the class for what a block ends with."""
        released = self.release()
        if exc is None:
            released.unwrap()
        elif released.error is not None:
            exc.add_note(f"and {self.key}: {released.error.message}")

    def _seconds_left(self) -> float:
        """Until the end of the lease, less what our clock and the server's may have drifted apart."""
        left = self._latest.deadline() - self._monotonic()
        return left - self._timing.lease.total_seconds() * _CLOCK_DRIFT

    def _look(self) -> Result[LockSnapshot]:
        """Read the document; LOCK_LOST where it shows another holder or an expired lease."""
        # An answer after the end of the lease would be worth nothing.
        return self._store.read(self.key, at_most_seconds=self._seconds_left()).and_then(self._if_ours)

    @returns_result
    def _extend(self) -> LockSnapshot:
        """Renew by compare-and-set on the version that was just read.

        A rival's write in between refuses ours, and is seen.
        """
        self.check().unwrap()
        # The new lease counts from the server's clock, which only a reading tells; it also shows a lock that
        # was taken by force.
        seen = self._look().unwrap()
        record = self._record.renewed(now=seen.server_now, lease=self._timing.lease)
        after = self._store.write(self.key, record, over=seen, at_most_seconds=self._seconds_left()).unwrap()
        return self._if_ours(after).unwrap()

    def _if_ours(self, seen: LockSnapshot) -> Result[LockSnapshot]:
        """What the server showed, if the lock is ours in it and has not expired; else the lease is over from
        here on.
        """
        if seen.record is None or not seen.record.is_held_by(self.holder_id):
            return Result.failure(self._lose("another has taken the lock"))
        if seen.has_expired():
            return Result.failure(self._lose("the lease expired"))
        return Result.success(seen)

    @returns_result
    def _write_released(self) -> LockSnapshot:
        """Until the document is not held by us: a renewal whose answer was lost may have moved it on."""
        seen = self._latest
        while seen.record is not None and seen.record.is_held_by(self.holder_id):
            seen = self._store.write(self.key, seen.record.released(), over=seen).unwrap()
        return seen

    def _conclude(self, after: LockSnapshot) -> Result[None]:
        """What became of a release that the store has settled."""
        if after.record is None or after.record.holder_id != self.holder_id:
            return self._not_released(self._lock_lost("another has taken the lock"))
        self._free.remember(self.key, after)
        held_ms = round((self._monotonic() - self._acquired_at) * 1000)
        self._log.info("lock released", action="lock_released", held_ms=held_ms)
        lost = self._ending.lost
        if lost is None and after.has_expired():
            lost = self._lock_lost("the lease expired before it was released")
        return Result.success(None) if lost is None else self._not_released(lost)

    def _not_released(self, error: ErrorInfo) -> Result[None]:
        """Logged here, because a `finally` that releases has nobody to return it to."""
        self._log.error(
            f"lock not released in time: {error.message}",
            action="lock_release_failed",
            error=error.to_dict(),
        )
        return Result.failure(error)

    def _lose(self, why: str) -> ErrorInfo:
        """The lease is over, and was not given back. Returns the reason that counts."""
        return self._ending.lose(self._lock_lost(why))

    def _lock_lost(self, why: str) -> ErrorInfo:
        return ErrorInfo.transient(
            LOCK_LOST, why, lock=str(self.key), holder_id=self.holder_id, fence=self.fence
        )

    def _beat(self, stop: threading.Event, on_lost: OnLost | None) -> None:
        """The heartbeat's thread: renews until block or lease ends, then tells `on_lost` of a loss."""
        while not self._is_done_before_next_beat(stop):
            self._renew_whatever_happens()
        lost = self._ending.lost
        if lost is not None and on_lost is not None:
            try:
                on_lost(lost)
            except Exception:  # the boundary of this thread: nobody else would hear of it
                self._log.exception("on_lost failed", action="lock_on_lost_failed")

    def _renew_whatever_happens(self) -> None:
        """One beat; nothing that it raises reaches the thread."""
        try:
            self.renew()
        except Exception:  # the boundary of this thread: a beat that ends it would end all beats
            self._log.exception("lease not renewed", action="lock_renew_failed")
            # An expired lease is noticed by the next check: it ends here even if no renewal ever works.
            self.check()

    def _is_done_before_next_beat(self, stop: threading.Event) -> bool:
        """Wait for the next beat or the end of the lease; True when there is nothing more to renew."""
        pause = min(self._next_beat - self._monotonic(), self._seconds_left())
        return self._ending.wait(stop, max(pause, 0.0))
