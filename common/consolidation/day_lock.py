"""The lock of a game day, for the length of a `with` block: nobody else consolidates that day meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Final

import structlog

from ..lock.lease import Lease
from ..lock.lock import Lock
from ..lock.rules import CONSOLIDATION, LockKey
from ..result import LOCK_LOST, ErrorInfo, ErrorType, ResultError
from ..sport import SportNames
from ..warehouse.jobs import MAY_STILL_RUN

LOCK_TYPE: Final = CONSOLIDATION
"""The lock is that of a day, not of a batch: two batches of one day write the same partition of the main
table."""

log = structlog.get_logger()


class DayLock:
    """Hands out the days of one sport and one set of datasets; safe to share between threads."""

    def __init__(self, lock: Lock, names: SportNames) -> None:
        self._lock = lock
        self._names = names

    def key(self, game_date: date) -> LockKey:
        """Names the lock, and the fence's row. Each sport and each set of datasets has days of its own."""
        return LockKey(
            lock_type=LOCK_TYPE,
            game_date=game_date,
            sport=self._names.sport.value,
            dataset_prefix=self._names.dataset_prefix,
        )

    @contextmanager
    def held(self, game_date: date, operation_id: str) -> Iterator[Lease]:
        """The lease of the day, renewed while the block runs and given back however it ends.

        Raises ResultError: LOCK_HELD (TRANSIENT) if another has the day; it does not wait, for the event is
        delivered again. What the block raises is raised on, but if the lease turns out to be over, LOCK_LOST
        takes its place: a successor may have dropped the tables that the block then missed, and that is no
        fault of the batch's.

        Only a merge that may still run keeps the lock until its lease expires: whoever came next would work
        beside it. The fence keeps the rows right even then; waiting saves both from failing each other's
        transactions.
        """
        # No waiting: a handler that waits holds one of the instance's places, a redelivery holds none.
        lease = self._lock.try_acquire(self.key(game_date), operation_id).unwrap()
        may_still_run = False
        try:
            with lease.heartbeat():
                yield lease
        except ResultError as exc:
            # A job that nobody could cancel may commit at any moment: the lock is the successor's only sign
            # of it.
            may_still_run = MAY_STILL_RUN in (exc.error.details or {})
            if not may_still_run:
                _raise_if_lost(lease, exc, why=exc.error)
            raise
        except Exception as exc:  # not swallowed: whatever it is, the lock comes free, and it is raised on
            told = ErrorInfo.from_exception(exc, operation_id=operation_id)
            log.error("consolidation broke off", action="consolidation_broke_off", error=told.to_dict())
            _raise_if_lost(lease, exc, why=told)
            raise
        finally:
            if not may_still_run:
                # If this fails, the lease has logged it, and the lock comes free when it expires.
                lease.release()


def _raise_if_lost(lease: Lease, exc: Exception, *, why: ErrorInfo) -> None:
    """Ask the store whose the lock is; raise LOCK_LOST if it is not ours.

        we           gather ················ "no such table": PERMANENT? or dropped by the successor?
        successor           fence + 1 ── merges ── drops ┘

    Where the store cannot be asked, a PERMANENT failure is not believed either: the store's own fault is
    raised in its place, and the retry finds out.
    """
    asked = lease.check(ask_store=True).error
    if asked is None:
        return
    is_lost = asked.exception_class == LOCK_LOST
    if is_lost or why.type is ErrorType.PERMANENT:
        log.info(
            "a step failed without the lock",
            action="step_failed_without_lock",
            is_lost=is_lost,
            why=why.to_dict(),
        )
        raise ResultError(asked) from exc
