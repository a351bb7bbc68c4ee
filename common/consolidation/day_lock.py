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

log = structlog.get_logger()


class DayLock:
    """Hands out the days of one sport and one set of datasets; safe to share between threads."""

    def __init__(self, lock: Lock, names: SportNames) -> None:
        self._lock = lock
        self._names = names

    def key(self, game_date: date) -> LockKey:
        """Of the lock, and of the fence's row. Other datasets are another day to themselves."""
        return LockKey(
            lock_type=LOCK_TYPE,
            game_date=game_date,
            sport=self._names.sport.value,
            dataset_prefix=self._names.dataset_prefix,
        )

    @contextmanager
    def held(self, game_date: date, operation_id: str) -> Iterator[Lease]:
        """The lease, renewed while the block runs and given back however it ends.

        Raises ResultError: LOCK_HELD if another has the day. What the block raises is raised on, but if the
        lease turns out to be over, LOCK_LOST takes its place: a successor may have dropped the tables that
        the block then missed, and that is no fault of the batch's. Only a merge that may still run keeps the
        lock, until its lease expires: whoever came next would work beside it.
        """
        lease = self._lock.try_acquire(self.key(game_date), operation_id).unwrap()
        may_still_run = False
        try:
            with lease.heartbeat():
                yield lease
        except ResultError as exc:
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
    """Ask the store whose the lock is; raise what it says if it is not ours.

    Where nobody can tell, a failure that no retry would cure is not believed either: the store's own fault is
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
