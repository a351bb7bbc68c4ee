"""Records completions exactly once, many in one commit, and tells the one caller that completed its batch."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import structlog
from google.cloud import firestore

from ..batches.batches import Batches, Roster
from ..batches.closing import Closing
from ..batches.dual_write_check import ConsistencyCheck
from ..batches.late_completion import LateCompletions
from ..batches.records import UNEXPECTED, Batch, Completion, Counts
from ..batches.rules import ARRAY_WARNING_ELEMENTS, MAX_ARRAY_ELEMENTS, is_sampled
from ..batches.store import CALL_TIMEOUT_SECONDS, COLLECTION, FAULTS
from ..messages import PlayerCompletion
from ..result import ErrorInfo, Result
from .answers import Recorded, RecordOutcome
from .array_commit import ArrayCommit
from .batch_cache import MAX_BATCHES, OpenBatch, OpenBatches
from .group_commit import MAX_IN_FLIGHT
from .marking import Due, Marked, Verdict
from .subcollection_commit import ASYNC_RETRY, MarkerCommit

log = structlog.get_logger()

MAX_READINGS: Final = 5


class Recorder:
    """Records completions for the tasks of one event loop; nothing is left running after an answer."""

    def __init__(
        self,
        db: firestore.AsyncClient,
        batches: Batches,
        *,
        consistency: ConsistencyCheck | None = None,
        max_in_flight: int = MAX_IN_FLIGHT,
        max_batches: int = MAX_BATCHES,
    ) -> None:
        self._db = db
        self._store = batches.store
        self._closing = Closing(batches.store)
        self._late = LateCompletions(batches.store)
        self._consistency = consistency
        self._max_in_flight = max_in_flight
        self._open = OpenBatches(batches, self._open_batch, max_batches=max_batches)

    async def record(self, completion: PlayerCompletion, *, event_id: str) -> Result[Recorded]:
        """Record one delivery of one completion.

        "Not yet" for a batch that does not exist; PERMANENT if the date is not the batch's. Any number of
        deliveries, to any number of instances, leave the state of one.
        """
        for _ in range(MAX_READINGS):
            opened = await self._open.get(completion.batch_id)
            if opened.is_failure:
                return _failed(opened)
            open_batch = opened.unwrap()
            answer = await self._record(open_batch, completion, event_id)
            if answer is not None:
                return answer
            self._open.forget(open_batch)
        return Result.failure(ErrorInfo.transient("Stale", f"batch {completion.batch_id!r} keeps changing"))

    async def _record(
        self, open_batch: OpenBatch, completion: PlayerCompletion, event_id: str
    ) -> Result[Recorded] | None:
        """None if the batch is no longer as it was read."""
        refusal = _refusal(open_batch.batch, completion)
        if refusal is not None:
            return Result.failure(refusal)
        one = _completion(completion, event_id)
        if not open_batch.expects(one.player_lookup):
            return await self._keep_unexpected(open_batch, one)
        marked = await open_batch.mark(one)
        if marked.is_failure:
            return _failed(marked)
        if marked.unwrap().verdict is Verdict.STALE:
            return None
        answer = await self._answer(open_batch, one, marked.unwrap())
        _warn_of_array(open_batch, marked.unwrap())
        await self._check_sampled(open_batch, one, marked.unwrap())
        return answer

    async def _answer(self, open_batch: OpenBatch, one: Completion, marked: Marked) -> Result[Recorded]:
        if marked.verdict is Verdict.TIMED_OUT:
            return await self._record_late(open_batch, one)
        recorded = _recorded(open_batch, _outcome(marked), marked.counts)
        if not marked.needs_settling:
            return Result.success(recorded)
        return await self._settle(open_batch, one, recorded, marked.due)

    async def _record_late(self, open_batch: OpenBatch, one: Completion) -> Result[Recorded]:
        moved = await asyncio.to_thread(self._late.record, open_batch.batch.batch_id, one)
        if moved.is_failure:
            return _failed(moved)
        outcome = RecordOutcome.LATE if moved.unwrap().by_caller else RecordOutcome.DUPLICATE
        recorded = _recorded(open_batch, outcome, moved.unwrap().batch.counts)
        return await self._settle(open_batch, one, recorded)

    async def _settle(
        self, open_batch: OpenBatch, one: Completion, recorded: Recorded, due: Due | None = None
    ) -> Result[Recorded]:
        batch_id = open_batch.batch.batch_id
        settled = await asyncio.to_thread(self._closing.settle, batch_id, one.event_id, due=due)
        if settled.is_failure:
            return _failed(settled)
        settlement = settled.unwrap()
        open_batch.is_settled = settlement.is_settled
        return Result.success(
            replace(
                recorded,
                completes_batch=settlement.closed_by_caller,
                owed_trigger=settlement.batch if settlement.owes_trigger else None,
            )
        )

    async def _check_sampled(self, open_batch: OpenBatch, one: Completion, marked: Marked) -> None:
        """Compare both schemas after a sample of the events. It tells, and never fails what is recorded."""
        batch = open_batch.batch
        writes_both = batch.schema_mode.writes_array and batch.schema_mode.writes_subcollection
        is_new = marked.verdict is Verdict.RECORDED
        is_due = writes_both and is_new and is_sampled(batch.batch_id, one.player_lookup)
        if self._consistency is None or not is_due:
            return
        checked = await asyncio.to_thread(self._consistency.check, batch.batch_id)
        if checked.error is not None:
            log.error(
                "consistency could not be checked or told",
                action="consistency_unchecked",
                batch_id=batch.batch_id,
                error=checked.error.to_dict(),
            )

    async def _keep_unexpected(self, open_batch: OpenBatch, one: Completion) -> Result[Recorded]:
        """Keep what was said of a player whom nobody asked for; the same document at every delivery."""
        batch = open_batch.batch
        ref = self._db.collection(COLLECTION).document(batch.batch_id)
        document = one.to_document(firestore.SERVER_TIMESTAMP)
        try:
            await (
                ref.collection(UNEXPECTED)
                .document(one.player_lookup)
                .set(document, retry=ASYNC_RETRY, timeout=CALL_TIMEOUT_SECONDS)
            )
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch.batch_id))
        return Result.success(_recorded(open_batch, RecordOutcome.UNEXPECTED, open_batch.counts))

    def _open_batch(self, roster: Roster) -> OpenBatch:
        batch = roster.batch
        if batch.schema_mode.writes_subcollection:
            return OpenBatch(roster, MarkerCommit(self._db, batch).record, max_in_flight=self._max_in_flight)
        in_array = ArrayCommit(self._store, batch)

        async def record(completions: Sequence[Completion]) -> Sequence[Result[Marked]]:
            return await asyncio.to_thread(in_array.record, completions)

        # Under a precondition two commits at a time would only refuse each other.
        return OpenBatch(roster, record, max_in_flight=1)


def _recorded(open_batch: OpenBatch, outcome: RecordOutcome, counts: Counts) -> Recorded:
    return Recorded(
        outcome=outcome,
        completed_count=counts.completed,
        ended_count=counts.ended,
        expected_players=open_batch.batch.expected_players,
        completes_batch=False,
    )


def _warn_of_array(open_batch: OpenBatch, marked: Marked) -> None:
    """Once per instance and batch."""
    batch = open_batch.batch
    is_near = batch.schema_mode.writes_array and marked.counts.ended >= ARRAY_WARNING_ELEMENTS
    if is_near and not open_batch.has_warned:
        open_batch.has_warned = True
        log.warning(
            f"{marked.counts.ended} of at most {MAX_ARRAY_ELEMENTS} players are in the array",
            action="array_nearly_full",
            batch_id=batch.batch_id,
        )


def _outcome(marked: Marked) -> RecordOutcome:
    if marked.verdict is Verdict.DUPLICATE:
        return RecordOutcome.DUPLICATE
    return RecordOutcome.LATE if marked.is_late else RecordOutcome.RECORDED


def _refusal(batch: Batch, completion: PlayerCompletion) -> ErrorInfo | None:
    if completion.game_date != batch.game_date:
        return ErrorInfo.permanent(
            "WrongGameDate",
            f"game_date: {completion.game_date}, but batch {batch.batch_id!r} is of {batch.game_date}",
        )
    return None


def _completion(message: PlayerCompletion, event_id: str) -> Completion:
    return Completion(
        player_lookup=message.player_lookup,
        outcome=message.outcome,
        predictions_count=message.predictions_generated,
        event_id=event_id,
        reason=message.reason,
        staging_table=message.staging_table,
        staged_rows=message.staged_rows,
    )


def _failed(result: Result[Any]) -> Result[Recorded]:
    assert result.error is not None
    return Result.failure(result.error)
