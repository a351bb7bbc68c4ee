"""What nobody's event resumes: deadlines that passed, closings and triggers that were cut short.

Called with the clock by the sweep and by the auditor. Everything here may run beside live recorders, and
beside itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from google.cloud.firestore_v1.base_query import FieldFilter

from ..batches.batches import Batches
from ..batches.closing import SWEEP, Closing, Settlement, TriggerOutbox
from ..batches.records import Batch, BatchStatus
from ..batches.rules import is_overdue
from ..batches.store import CALL_TIMEOUT_SECONDS, COLLECTION, FAULTS, RETRY, UNREADABLE
from ..result import ErrorInfo, ErrorType, Result
from .time_out import time_out_missing

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentSnapshot


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """What was done for one batch."""

    batch_id: str
    timed_out: tuple[str, ...]
    closed_as: BatchStatus | None
    """None if it was closed before, or is still open."""
    trigger_message_id: str | None
    """None if no trigger was owed, or not yet by us."""


class OverdueBatches:
    """Times out, closes and triggers batches by the clock."""

    def __init__(self, batches: Batches, outbox: TriggerOutbox) -> None:
        self._batches = batches
        self._store = batches.store
        self._closing = Closing(batches.store)
        self._outbox = outbox

    def close_overdue(self, now: datetime) -> Result[list[Resumed]]:
        """Resume every batch that needs it: the players missing at its deadline are timed out, it is closed,
        its trigger is published.

        `now` is aware. A partial names the batches that could not be helped; the next call tries them again.
        """
        found = self._candidates()
        if found.is_failure:
            return found.map(lambda _: [])
        return _gather(
            [
                (batch_id, batch.and_then(lambda batch: self._resume(batch, now)))
                for batch_id, batch in found.unwrap().items()
            ]
        )

    def _candidates(self) -> Result[dict[str, Result[Batch]]]:
        """Batches that may be open or owe their trigger, by id; a failure for one that cannot be read."""
        waiting = [status.value for status in BatchStatus if status.wants_trigger]
        filters = (FieldFilter("is_complete", "==", False), FieldFilter("status", "in", waiting))
        try:
            snapshots = [
                snapshot
                for each in filters
                for snapshot in self._store.db.collection(COLLECTION)
                .where(filter=each)
                .get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
            ]
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc))
        return Result.success({snapshot.id: _read(snapshot) for snapshot in snapshots})

    def _resume(self, batch: Batch, now: datetime) -> Result[Resumed | None]:
        if not is_overdue(batch, now):
            return self._settle(batch, ()) if batch.is_due or batch.owes_trigger else Result.success(None)
        timed_out = time_out_missing(self._batches, batch.batch_id)
        return timed_out.and_then(lambda names: self._settle(batch, names))

    def _settle(self, batch: Batch, timed_out: Sequence[str]) -> Result[Resumed | None]:
        settled = self._closing.settle(batch.batch_id, SWEEP)
        return settled.and_then(self._send).map(
            lambda sent: Resumed(
                batch_id=batch.batch_id,
                timed_out=tuple(timed_out),
                closed_as=_closed_as(batch, settled.unwrap()),
                trigger_message_id=sent,
            )
        )

    def _send(self, settlement: Settlement) -> Result[str | None]:
        if not settlement.owes_trigger:
            return Result.success(None)
        return self._outbox.send(settlement.batch).map(lambda message_id: message_id)


def _read(snapshot: "DocumentSnapshot[Any]") -> Result[Batch]:
    try:
        return Result.success(Batch.from_snapshot(snapshot))
    except UNREADABLE as exc:
        return Result.failure(ErrorInfo.from_exception(exc, batch_id=snapshot.id))


def _closed_as(before: Batch, settlement: Settlement) -> BatchStatus | None:
    is_new = before.status is BatchStatus.OPEN and settlement.closed_by_caller
    return settlement.batch.status if is_new else None


def _gather(resumed: Sequence[tuple[str, Result[Resumed | None]]]) -> Result[list[Resumed]]:
    """One batch that cannot be helped does not keep the others waiting, and is not forgotten either."""
    done = [result.data for _, result in resumed if result.data is not None]
    errors = {batch_id: result.error for batch_id, result in resumed if result.error is not None}
    if not errors:
        return Result.success(done)
    first = min(errors.values(), key=lambda error: error.type is ErrorType.PERMANENT)
    why = "; ".join(f"{batch_id}: {error.message}" for batch_id, error in errors.items())
    return Result.partial(done, ErrorInfo(first.type, first.exception_class, why))
