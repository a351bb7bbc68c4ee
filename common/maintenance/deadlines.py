"""Batches that no event resumes: deadlines that passed, closings and triggers that were cut short.

Called with the clock by the sweep and by the auditor. Everything here may run beside live recorders, and
beside itself:

    sweep      reads: p missing ──────────── creates p as timed_out: refused ── reads again: nobody missing
    recorder         creates p as completed ┘ (had it come later, it would be a late completion)
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from ..batches import recording
from ..batches.batch_store import MAX_ATTEMPTS, contended
from ..batches.batches import Batches
from ..batches.closing import SWEEP, Closing, Settlement
from ..batches.completion import Completion
from ..batches.records import Batch, BatchStatus, Progress
from ..batches.rules import is_overdue
from ..batches.trigger_outbox import TriggerOutbox
from ..chunks import chunks
from ..documents.port import is_refused
from ..messages import PlayerOutcome
from ..recorder.array_commit import ArrayCommit
from ..result import ErrorInfo, ErrorType, Result, ResultError, returns_result
from .swept import Resumed

CHUNK: Final = 200
"""Players per commit: a commit of 10 MiB at most, and one refusal costs no more than so many."""
EVENT_ID: Final = "deadline"
"""What the documents of those who are timed out have in place of an event's id."""
REASON: Final = "not heard of by the deadline"


class OverdueBatches:
    """Times out, closes and triggers batches by the clock; safe to share between threads."""

    def __init__(self, batches: Batches, outbox: TriggerOutbox) -> None:
        self._batches = batches
        self._store = batches.store
        self._closing = Closing(batches.store)
        self._outbox = outbox

    def close_overdue(self, now: datetime) -> Result[list[Resumed]]:
        """Resume every batch that needs it: players missing at its deadline are timed out, it is closed, its
        trigger is published.

        `now` is aware. A partial names the batches that could not be helped; the next call tries them again.
        A failure: the batches could not be listed. Idempotent.
        """
        found = self.waiting()
        if found.error is not None:
            return Result.failure(found.error)
        return _gather(
            [
                (batch_id, batch.and_then(lambda batch: self.resume(batch, now)))
                for batch_id, batch in found.unwrap().items()
            ]
        )

    @returns_result
    def resume(self, batch: Batch, now: datetime) -> Resumed | None:
        """Do what one batch needs by the clock; None where nothing is to be done. Idempotent.

        Failures: "not yet" where another publishes its trigger at this moment, Contended, or a fault of a
        store.
        """
        if not needs_resuming(batch, now):
            return None
        overdue = is_overdue(batch, now)
        # Before it is closed: who is missing is then counted as ended, and the closing needs no rule of its
        # own.
        timed_out = time_out_missing(self._batches, batch.batch_id).unwrap() if overdue else ()
        return self._settle(batch, timed_out)

    @returns_result
    def close_now(self, batch_id: str) -> Batch:
        """Close one open batch whatever its deadline says, and publish its trigger; the batch afterwards. For
        people.

        Who is missing is timed out. Whether it is complete, partial or failed then follows from
        `min_completion_pct`. Idempotent: a batch that is closed stays as it is.
        """
        time_out_missing(self._batches, batch_id).unwrap()
        self._settle(self._batches.get(batch_id).unwrap(), ())
        return self._batches.get(batch_id).unwrap()

    @returns_result
    def waiting(self, *, and_also: Sequence[BatchStatus] = ()) -> dict[str, Result[Batch]]:
        """Batches that may be open or owe their trigger, by id; a failure for one that cannot be read.

        `and_also`: statuses that are wanted, too. Two queries; the legacy system wrote no status, so that
        `is_complete` tells what it has left open.
        """
        # By status and not by what it owes: Firestore compares a field with values, and not with another
        # field.
        statuses = (*(status for status in BatchStatus if status.wants_trigger), *and_also)
        waiting = [status.value for status in statuses]
        return {
            **self._store.where("is_complete", [False]).unwrap(),
            **self._store.where("status", waiting).unwrap(),
        }

    def _settle(self, batch: Batch, timed_out: Sequence[str]) -> Resumed:
        settlement = self._closing.settle(batch.batch_id, SWEEP).unwrap()
        sent = self._outbox.send(settlement.batch).unwrap() if settlement.owes_trigger else None
        return Resumed(
            batch_id=batch.batch_id,
            timed_out=tuple(timed_out),
            closed_as=_closed_as(batch, settlement),
            trigger_message_id=sent,
        )


def needs_resuming(batch: Batch, now: datetime) -> bool:
    """Whether a batch is past its deadline, or its closing or trigger was cut short."""
    return is_overdue(batch, now) or batch.is_due or batch.owes_trigger


@returns_result
def time_out_missing(batches: Batches, batch_id: str) -> tuple[str, ...]:
    """Record whoever has not ended as timed out, until nobody is missing; returns all who are timed out.

    Runs beside live recorders: of a completion and a time-out for the same player the store takes one, and a
    refused commit has written nothing. Idempotent: a repeat times out only who is still missing. A batch
    without a manifest (the legacy system's) has nobody to time out. Contended (TRANSIENT) if the batch
    changed at every attempt.
    """
    for _ in range(MAX_ATTEMPTS):
        progress = batches.progress(batch_id).unwrap()
        # Read anew each time: every refusal means that somebody has ended, or that the mode has changed.
        names = _not_ended(progress)
        if not names:
            return progress.timed_out
        _record_until_refused(batches, progress.batch, chunks(names, CHUNK))
    raise ResultError(contended(batch_id))


def _not_ended(progress: Progress) -> list[str]:
    """In the order of their names; empty where nobody knows who is expected."""
    timed_out = set(progress.timed_out)
    return [name for name in progress.missing or () if name not in timed_out]


def _record_until_refused(batches: Batches, batch: Batch, groups: Iterable[Sequence[str]]) -> None:
    """Refused: a completion was faster, or the batch changed its mode; whoever calls looks again."""
    for names in groups:
        completions = [_timed_out(name) for name in names]
        if not batch.schema_mode.writes_subcollection:
            # Whoever has ended meanwhile is left out.
            for answer in ArrayCommit(batches.store, batch).record_blocking(completions):
                answer.unwrap()
            continue
        committed = batches.store.documents.commit(recording.writes(batch, completions))
        if is_refused(committed):
            return
        committed.unwrap()


def _timed_out(name: str) -> Completion:
    return Completion(
        player_lookup=name,
        outcome=PlayerOutcome.TIMED_OUT,
        predictions_count=0,
        event_id=EVENT_ID,
        reason=REASON,
    )


def _closed_as(before: Batch, settlement: Settlement) -> BatchStatus | None:
    # An event may have closed it between our reading and our closing.
    is_new = before.status is BatchStatus.OPEN and settlement.closed_by_caller
    return settlement.batch.status if is_new else None


def _gather(resumed: Sequence[tuple[str, Result[Resumed | None]]]) -> Result[list[Resumed]]:
    """One batch that cannot be helped does not keep the others waiting, and is not forgotten either."""
    done = [result.data for _, result in resumed if result.data is not None]
    errors = {batch_id: result.error for batch_id, result in resumed if result.error is not None}
    if not errors:
        return Result.success(done)
    # The one that a retry may cure: a tick that is told PERMANENT would not be repeated for the others.
    first = min(errors.values(), key=lambda error: error.type is ErrorType.PERMANENT)
    why = "; ".join(f"{batch_id}: {error.message}" for batch_id, error in errors.items())
    return Result.partial(done, ErrorInfo(first.type, first.exception_class, why))
