"""A lock for work that must not run twice at once: a lease on a document, with a fencing token.

Held elsewhere is an answer, not a fault: LOCK_HELD, with holder and expiry in its details. A fault of the
store is TRANSIENT or PERMANENT, and nobody enters because of it: there is no unlocked way on. Expiry is
judged by the server's clock alone.
"""

import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import Final

import structlog
from google.cloud import firestore

from ..result import LOCK_HELD, ErrorInfo, Result, ResultError, returns_result
from .free_locks import FreeLocks
from .lease import Lease, OnLost
from .rules import LeaseTiming, LockKey, LockRecord, longest_pause_seconds
from .store import FirestoreLocks, LockStore

NO_WAIT: Final = timedelta(0)
"""The default of a handler: its event is delivered again, which waits at no cost."""
LEASE_TOO_SHORT: Final = "LeaseTooShort"
"""Failure class (PERMANENT): the work takes longer than the lease, and no heartbeat was asked for."""

log = structlog.get_logger()


class Lock:
    """Hands out leases and keeps none: one instance serves any number of keys and threads."""

    def __init__(
        self,
        db: firestore.Client | LockStore,
        *,
        lease: timedelta = timedelta(seconds=300),
        renew_every: timedelta = timedelta(seconds=100),
        call_timeout: timedelta = timedelta(seconds=10),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """One per process is enough. Raises ValueError unless 0 < `renew_every` < `lease`.

        `lease` of 300 s outlasts a few failed renewals, and keeps a dead holder's lock from blocking a day
        for long. `call_timeout` bounds each call of Firestore with its retries; an attempt makes three at
        most. The clock, the sleep and the random numbers are passed in for tests.
        """
        self._timing = LeaseTiming(lease=lease, renew_every=renew_every)
        self._store = db if isinstance(db, LockStore) else FirestoreLocks(db, call_timeout, monotonic)
        self._free = FreeLocks(monotonic)
        self._monotonic = monotonic
        self._sleep = sleep
        self._uniform = uniform

    def try_acquire(self, key: LockKey, operation_id: str) -> Result[Lease]:
        """One attempt. Each call is a holder of its own: a second one for the same operation is refused, too.

        Failures: LOCK_HELD (TRANSIENT; its details name operation, holder, expiry and fence), or a fault of
        the store (TRANSIENT or PERMANENT). The caller gives the lease back with `release`.
        """
        return self._acquire_within(NO_WAIT, key, operation_id)

    @contextmanager
    def acquire(
        self,
        key: LockKey,
        operation_id: str,
        *,
        wait: timedelta = NO_WAIT,
        guarded_work: timedelta = timedelta(0),
        heartbeat: bool = False,
        on_lost: OnLost | None = None,
    ) -> Iterator[Result[Lease]]:
        """The lock for the length of a `with` block, or the reason why not: the block has to look.

            with lock.acquire(key, batch_id) as acquired:
                lease = acquired.unwrap()

        While another holds the lock, attempts follow each other with random pauses until `wait` is over, the
        last one at its very end; without `wait` there is one. A fault of the store ends the waiting.
        `guarded_work` is how long the block may take: more than the lease is refused (LEASE_TOO_SHORT,
        PERMANENT) unless a `heartbeat` runs during the block, which `on_lost` belongs to.

        The lock is given back however the block ends; what became of that, see `Lease`.
        """
        if guarded_work > self._timing.lease and not heartbeat:
            yield Result.failure(self._lease_too_short(guarded_work))
            return
        acquired = self._acquire_within(wait, key, operation_id)
        if acquired.is_failure:
            yield acquired
            return
        # The heartbeat ends before the lease is given back: a renewal behind the release would be told as a
        # lost lock.
        with acquired.unwrap() as lease, lease.heartbeat(on_lost) if heartbeat else nullcontext():
            yield acquired

    @returns_result
    def force_release(
        self, key: LockKey, who: str, why: str, *, holder_id: str | None = None
    ) -> LockRecord | None:
        """Take the lock from its holder, whose fence is stale from then on; for people and repairs.

        With `holder_id` only from that one: whoever was found dead may have a successor by now.
        Success: the record that was ended, or None if nobody held the lock. `{lock}/audit/{id}` keeps who,
        why, when and what was taken, written in the same commit and never changed. Again: nothing is left to
        end.
        """
        if not who.strip() or not why.strip():
            raise ResultError(ErrorInfo.permanent("InvalidArgument", "who and why: both are needed"))
        seen = self._store.read(key).unwrap()
        # A write that is refused shows the document anew; this ends when nobody holds it, or another does.
        while (ended := seen.record) is not None and ended.is_held_by(holder_id or ended.holder_id):
            holder_id = ended.holder_id  # a successor, should there be one by the next look, is spared
            revoked = ended.revoked(by=uuid.uuid4().hex, now=seen.server_now)
            taken = ended.to_fields()
            audit = {"who": who, "why": why, "at": seen.server_now, "ended": taken}
            seen = self._store.write(key, revoked, over=seen, audit=audit).unwrap()
            if seen.record == revoked:
                log.warning(
                    "lock taken from its holder", action="lock_force_released", who=who, why=why, **taken
                )
                return ended
        return None

    def _acquire_within(self, wait: timedelta, key: LockKey, operation_id: str) -> Result[Lease]:
        """Attempt until the lock is ours, a fault comes, or `wait` is over; with one holder id throughout, so
        that an attempt whose answer was lost is recognised by the next.
        """
        holder_id = uuid.uuid4().hex
        started = self._monotonic()
        deadline = started + wait.total_seconds()
        while True:
            is_last = self._monotonic() >= deadline
            acquired = self._attempt(key, operation_id, holder_id)
            waited = self._monotonic() - started
            if is_last or not _is_held_elsewhere(acquired):
                _log_attempt(acquired, key, operation_id, waited)
                return acquired
            # Full jitter: contenders that were refused together do not come back together.
            pause = self._uniform(0.0, longest_pause_seconds(waited))
            self._sleep(max(0.0, min(pause, deadline - self._monotonic())))

    @returns_result
    def _attempt(self, key: LockKey, operation_id: str, holder_id: str) -> Lease:
        """Write ourselves into the document until it shows us, or another. Again as the same holder: ours."""
        # What this process has left free lately needs no reading: if somebody was faster, the write that
        # rests on it is refused.
        seen = self._free.recall(key) or self._store.read(key).unwrap()
        # Ends: every round either raises, or sees a document that changed since the last one.
        while seen.record is None or not seen.record.is_held_by(holder_id):
            if seen.record is not None and not seen.record.is_free_at(seen.server_now):
                raise ResultError(_lock_held(key, seen.record))
            record = LockRecord.following(
                seen.record,
                key=key,
                operation_id=operation_id,
                holder_id=holder_id,
                now=seen.server_now,
                lease=self._timing.lease,
            )
            seen = self._store.write(key, record, over=seen).unwrap()
        return Lease(
            self._store,
            key,
            seen.record,
            seen=seen,
            timing=self._timing,
            monotonic=self._monotonic,
            free=self._free,
        )

    def _lease_too_short(self, guarded_work: timedelta) -> ErrorInfo:
        message = f"a lease of {self._timing.lease} cannot guard {guarded_work} of work without a heartbeat"
        return ErrorInfo.permanent(LEASE_TOO_SHORT, message)


def _is_held_elsewhere(acquired: Result[Lease]) -> bool:
    """Whether the attempt met another's lock, which is worth waiting for."""
    # By its class: a fault of the store is TRANSIENT as well, and ends the waiting.
    return acquired.error is not None and acquired.error.exception_class == LOCK_HELD


def _lock_held(key: LockKey, record: LockRecord) -> ErrorInfo:
    """TRANSIENT: LOCK_HELD, with holder and expiry."""
    return ErrorInfo.transient(
        LOCK_HELD,
        f"{key} is held for {record.operation_id} until {record.expires_at.isoformat()}",
        lock=str(key),
        operation_id=record.operation_id,
        holder_id=record.holder_id,
        expires_at=record.expires_at,
        fence=record.fence,
    )


def _log_attempt(acquired: Result[Lease], key: LockKey, operation_id: str, waited_seconds: float) -> None:
    """Waiting times, for contention to be seen; a fault of the store is logged by whoever answers for it."""
    event = log.bind(lock=str(key), operation_id=operation_id, waited_ms=round(waited_seconds * 1000))
    if acquired.error is None:
        lease = acquired.unwrap()
        event.info("lock acquired", action="lock_acquired", holder_id=lease.holder_id, fence=lease.fence)
    else:
        event.info("lock not acquired", action="lock_not_acquired", error=acquired.error.to_dict())
