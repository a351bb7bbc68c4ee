"""A lock for work that must not run twice at once: a lease on a Firestore document, with a fencing token.

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
from functools import partial
from typing import Final

import structlog
from google.cloud import firestore

from ..result import LOCK_HELD, ErrorInfo, Result
from .lease import LOCK_LOST, Lease, OnLost
from .rules import Claim, LeaseTiming, LockKey, longest_pause_seconds
from .store import LockStore, Sighting

__all__ = ["LEASE_TOO_SHORT", "LOCK_HELD", "LOCK_LOST", "NO_WAIT", "Lease", "Lock", "LockKey"]

NO_WAIT: Final = timedelta(0)
LEASE_TOO_SHORT: Final = "LeaseTooShort"

log = structlog.get_logger()


class Lock:
    """Hands out leases and keeps none: one instance serves any number of keys and threads."""

    def __init__(
        self,
        db: firestore.Client,
        *,
        lease: timedelta = timedelta(seconds=300),
        renew_every: timedelta = timedelta(seconds=100),
        call_timeout: timedelta = timedelta(seconds=10),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """`call_timeout` bounds each call of the store with its retries; an attempt makes three at most."""
        self._timing = LeaseTiming(lease=lease, renew_every=renew_every)
        self._store = LockStore(db, call_timeout, monotonic)
        self._monotonic = monotonic
        self._sleep = sleep
        self._uniform = uniform

    def try_acquire(self, key: LockKey, operation_id: str) -> Result[Lease]:
        """One attempt. Each call is a holder of its own: a second one for the same operation is refused."""
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
                return acquired.and_then(consolidate)

        While another holds the lock, attempts follow each other with random pauses until `wait` is over, the
        last one at its very end; without `wait` there is one. A fault of the store ends the waiting.
        `guarded_work` is how long the block may take: more than the lease is refused (LEASE_TOO_SHORT,
        PERMANENT) unless a `heartbeat` runs during the block, which `on_lost` belongs to.
        """
        if guarded_work > self._timing.lease and not heartbeat:
            yield Result.failure(self._lease_too_short(guarded_work))
            return
        acquired = self._acquire_within(wait, key, operation_id)
        if acquired.is_failure:
            yield acquired
            return
        with acquired.unwrap() as lease, lease.heartbeat(on_lost) if heartbeat else nullcontext():
            yield acquired

    def force_release(
        self, key: LockKey, who: str, why: str, *, holder_id: str | None = None
    ) -> Result[Claim | None]:
        """Take the lock from its holder, whose fence is stale from then on; for people and repairs.

        With `holder_id` only from that one: whoever was found dead may have a successor by now.
        Success: the claim that was ended, or None if there was none. `{lock}/audit/{id}` keeps who, why, when
        and what was taken, written in the same commit and never changed. Again: nothing is left to end.
        """
        if not who.strip() or not why.strip():
            return Result.failure(ErrorInfo.permanent("InvalidArgument", "who and why: both are needed"))
        return self._store.read(key).and_then(partial(self._revoke, key, who, why, holder_id))

    def _acquire_within(self, wait: timedelta, key: LockKey, operation_id: str) -> Result[Lease]:
        holder_id = uuid.uuid4().hex
        started = self._monotonic()
        deadline = started + wait.total_seconds()
        while True:
            is_last = self._monotonic() >= deadline
            acquired = self._look(key).and_then(partial(self._claim, key, operation_id, holder_id))
            waited = self._monotonic() - started
            if is_last or not _is_held_elsewhere(acquired):
                _log_attempt(acquired, key, operation_id, waited)
                return acquired
            pause = self._uniform(0.0, longest_pause_seconds(waited))
            self._sleep(max(0.0, min(pause, deadline - self._monotonic())))

    def _look(self, key: LockKey) -> Result[Sighting]:
        free = self._store.recall_free(key)
        return self._store.read(key) if free is None else Result.success(free)

    def _claim(self, key: LockKey, operation_id: str, holder_id: str, seen: Sighting) -> Result[Lease]:
        if seen.claim is not None and seen.claim.is_held_by(holder_id):
            return Result.success(Lease(self._store, key, seen.claim, seen, self._timing, self._monotonic))
        if seen.claim is not None and not seen.claim.is_free_at(seen.server_now):
            return Result.failure(_lock_held(key, seen.claim))
        claim = Claim.following(
            seen.claim,
            key=key,
            operation_id=operation_id,
            holder_id=holder_id,
            now=seen.server_now,
            lease=self._timing.lease,
        )
        after = self._store.write(key, claim, over=seen)
        return after.and_then(partial(self._claim, key, operation_id, holder_id))

    def _revoke(
        self, key: LockKey, who: str, why: str, holder_id: str | None, seen: Sighting
    ) -> Result[Claim | None]:
        ended = seen.claim
        if ended is None or not ended.is_held_by(holder_id or ended.holder_id):
            return Result.success(None)
        revoked = ended.revoked(by=uuid.uuid4().hex, now=seen.server_now)
        taken = ended.to_fields()
        audit = {"who": who, "why": why, "at": seen.server_now, "ended": taken}
        after = self._store.write(key, revoked, over=seen, audit=audit)
        if after.error is not None:
            return Result.failure(after.error)
        if after.unwrap().claim != revoked:
            # Renewed meanwhile, or already given back.
            return self._revoke(key, who, why, ended.holder_id, after.unwrap())
        log.warning("lock taken from its holder", action="lock_force_released", who=who, why=why, **taken)
        return Result.success(ended)

    def _lease_too_short(self, guarded_work: timedelta) -> ErrorInfo:
        message = f"a lease of {self._timing.lease} cannot guard {guarded_work} of work without a heartbeat"
        return ErrorInfo.permanent(LEASE_TOO_SHORT, message)


def _is_held_elsewhere(acquired: Result[Lease]) -> bool:
    return acquired.error is not None and acquired.error.exception_class == LOCK_HELD


def _lock_held(key: LockKey, claim: Claim) -> ErrorInfo:
    return ErrorInfo.transient(
        LOCK_HELD,
        f"{key} is held for {claim.operation_id} until {claim.expires_at.isoformat()}",
        lock=str(key),
        operation_id=claim.operation_id,
        holder_id=claim.holder_id,
        expires_at=claim.expires_at,
        fence=claim.fence,
    )


def _log_attempt(acquired: Result[Lease], key: LockKey, operation_id: str, waited_seconds: float) -> None:
    """Waiting times, for contention to be seen; a fault of the store is logged by whoever answers for it."""
    event = log.bind(lock=str(key), operation_id=operation_id, waited_ms=round(waited_seconds * 1000))
    if acquired.error is None:
        lease = acquired.unwrap()
        event.info("lock acquired", action="lock_acquired", holder_id=lease.holder_id, fence=lease.fence)
    else:
        event.info("lock not acquired", action="lock_not_acquired", error=acquired.error.to_dict())
