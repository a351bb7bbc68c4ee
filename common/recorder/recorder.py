"""Records completions exactly once, many in one commit, and tells the one caller that completed its batch."""

import asyncio
import itertools
from dataclasses import replace
from typing import Final
from uuid import uuid4

import structlog

from ..batches.batches import Batches
from ..batches.closing import Closing, Due, being_published
from ..batches.completion import Completion
from ..batches.records import UNEXPECTED, Batch, Counts, Roster, batch_path
from ..batches.rules import MAX_ARRAY_ELEMENTS, is_sampled
from ..batches.timeline import contradiction
from ..documents.port import AsyncDocuments, is_refused
from ..documents.writes import SERVER_TIME, Create, Set
from ..messages import PlayerCompletion
from ..result import ErrorInfo, ResultError, returns_result_async
from .answers import Outdone, Recorded, RecordOutcome, as_it_stands, is_stale, stale
from .batch_cache import MAX_BATCHES, BatchCache, CachedBatch
from .group_commit import MAX_IN_FLIGHT
from .subcollection_commit import FirstCompletion, SubcollectionCommit

log = structlog.get_logger()

MAX_READINGS: Final = 5
"""How often a batch that changes its mode is read again: a migration takes a handful of steps."""


class Recorder:
    """Records completions for the tasks of one event loop; nothing is left running after an answer.

    One per instance. Any number of instances may record the same batch: the store decides, what an instance
    keeps in memory only saves questions.
    """

    def __init__(
        self,
        documents: AsyncDocuments,
        batches: Batches,
        *,
        max_in_flight: int = MAX_IN_FLIGHT,
        max_batches: int = MAX_BATCHES,
    ) -> None:
        self._documents = documents
        self._store = batches.store
        self._closing = Closing(batches.store)
        self._max_in_flight = max_in_flight
        self._instance, self._attempts = uuid4().hex, itertools.count()
        self._cache = BatchCache(batches, self._cached, max_batches=max_batches)

    @returns_result_async
    async def record(self, completion: PlayerCompletion, *, event_id: str) -> Recorded:
        """Record one delivery of one completion; the answer says what became of it and what is owed.

        Idempotent: any number of deliveries, to any number of instances, leave the state of one. Of different
        outcomes of one player the best stands, whatever the order of arrival. Failures: "not yet" for a batch
        that does not exist, or whose trigger another delivery of this event is publishing (TRANSIENT);
        WrongGameDate, ArrayFull, an unreadable document (PERMANENT); Contended, Stale and faults of the store
        (TRANSIENT).

        The caller publishes `owed_trigger`, if there is one, and then calls `trigger_sent`: an event that is
        acknowledged before leaves the trigger to the sweep.
        """
        one = _completion(completion, event_id)
        for _ in range(MAX_READINGS):
            cached = (await self._cache.get(completion.batch_id)).unwrap()
            _check_date(cached.batch, completion)
            if not cached.expects(one.player_lookup):
                return await self._keep_unexpected(cached, one)
            answer = await cached.record(one)
            if not is_stale(answer):
                return await self._follow_up(cached, one, answer.unwrap())
            # Read anew: the batch has changed its mode, and what this instance knows of it is of the mode
            # before.
            self._cache.forget(cached)
        raise ResultError(stale(completion.batch_id))

    def trigger_sent(self, batch: Batch) -> None:
        """The trigger that this instance owed is out and noted: it need not look at the batch's next repeat.

        Losing this costs one reading, and nothing else.
        """
        self._cache.settle(batch)

    async def _follow_up(self, cached: CachedBatch, one: Completion, answer: Recorded | Outdone) -> Recorded:
        """What an answer of the store asks for; on the warm path, nothing."""
        # New for each attempt: two deliveries of one event are two claimants, and only one of them publishes.
        claimant = f"{self._instance}-{next(self._attempts)}"
        if isinstance(answer, Outdone):
            recorded = await self._replace(cached, one, answer, claimant)
        else:
            recorded = answer
        if recorded.contradicted is not None:
            await self._note_contradiction(cached.batch, recorded.contradicted, one)
        if recorded.needs_settling:
            recorded = await self._settle(cached, one, recorded, claimant)
        if cached.is_first_to_near_array_limit(recorded.counts):
            _warn_of_array(cached.batch, recorded.counts)
        return replace(recorded, is_sampled=True) if _is_sampled(cached.batch, one, recorded) else recorded

    async def _replace(
        self, cached: CachedBatch, one: Completion, outdone: Outdone, claimant: str
    ) -> Recorded:
        """Let the better outcome stand; a closed batch is then closed anew, and owes another trigger."""
        # Loaded here, like `array_commit` below: a cold start does not wait for what is rare.
        from ..batches.late_completion import LateCompletions

        # Before the store is asked: whoever repeats an event from now on has to look, for a trigger will be
        # owed.
        cached.is_settled = False
        replaced = await asyncio.to_thread(
            LateCompletions(self._store).record,
            cached.batch.batch_id,
            one,
            claimant=claimant,
            seen=outdone.batch,
            found=outdone.found,
        )
        batch, stands = replaced.unwrap().batch, replaced.unwrap().stands
        cached.settle(batch, is_settled=False)
        return replace(as_it_stands(batch, stands, one), needs_settling=True)

    async def _settle(
        self, cached: CachedBatch, one: Completion, recorded: Recorded, claimant: str
    ) -> Recorded:
        """Close the batch if it is due. "Not yet", if this event closed it and another delivery of it is
        publishing the trigger: until that is noted, an acknowledgement might be the last one."""
        due = None if recorded.batch is None else Due(batch=recorded.batch, ends=recorded.ends)
        settled = await asyncio.to_thread(
            self._closing.settle, cached.batch.batch_id, one.event_id, claimant=claimant, due=due
        )
        settlement = settled.unwrap()
        if settlement.awaits_another:
            raise ResultError(being_published(settlement.batch))
        cached.settle(settlement.batch, is_settled=settlement.is_settled)
        return replace(
            recorded,
            completes_batch=settlement.closed_by_caller,
            owed_trigger=settlement.batch if settlement.owes_trigger else None,
        )

    async def _note_contradiction(self, batch: Batch, stands: Completion, one: Completion) -> None:
        """Two events say different things of one player: the lesser is kept in the timeline, once."""
        log.warning(
            f"{one.player_lookup} is {stands.outcome.value}, and {one.outcome.value} by another event",
            action="outcomes_contradict",
            batch_id=batch.batch_id,
            player_lookup=one.player_lookup,
        )
        path = batch_path(batch.batch_id)
        story = [
            Create(path=f"{path}/{below}", fields=fields) for below, fields in contradiction(one).items()
        ]
        noted = await self._documents.commit(story)
        if not is_refused(noted):  # refused: it was told before
            noted.unwrap()

    async def _keep_unexpected(self, cached: CachedBatch, one: Completion) -> Recorded:
        """Keep what was said of a player whom nobody asked for; the same document at every delivery."""
        path = f"{batch_path(cached.batch.batch_id)}/{UNEXPECTED}/{one.player_lookup}"
        (await self._documents.commit([Set(path=path, fields=one.to_document(SERVER_TIME))])).unwrap()
        return Recorded(
            outcome=RecordOutcome.UNEXPECTED,
            counts=cached.counts,
            expected_players=cached.batch.expected_players,
        )

    def _cached(self, roster: Roster) -> CachedBatch:
        """What this instance keeps of a batch, with the commit that its mode asks for."""
        batch = roster.batch
        if batch.schema_mode.writes_subcollection:
            # Kept with the batch: the closing tells of the first completion, if this instance has recorded
            # it.
            commit = SubcollectionCommit(self._documents, batch, FirstCompletion())
            return CachedBatch(roster, commit, max_in_flight=self._max_in_flight)
        from .array_commit import ArrayCommit

        # Under a precondition two commits at a time would only refuse each other.
        return CachedBatch(roster, ArrayCommit(self._store, batch), max_in_flight=1)


def _is_sampled(batch: Batch, one: Completion, recorded: Recorded) -> bool:
    """Whether this completion is among those of which array and counter are compared afterwards."""
    writes_both = batch.schema_mode.writes_array and batch.schema_mode.writes_subcollection
    is_new = recorded.outcome is RecordOutcome.RECORDED
    return writes_both and is_new and is_sampled(batch.batch_id, one.player_lookup)


def _warn_of_array(batch: Batch, counts: Counts) -> None:
    log.warning(
        f"{counts.ended} of at most {MAX_ARRAY_ELEMENTS} players are in the array",
        action="array_nearly_full",
        batch_id=batch.batch_id,
    )


def _check_date(batch: Batch, completion: PlayerCompletion) -> None:
    """Raises ResultError (WrongGameDate, PERMANENT) where event and batch are of different game dates."""
    if completion.game_date != batch.game_date:
        why = f"game_date: {completion.game_date}, but batch {batch.batch_id!r} is of {batch.game_date}"
        raise ResultError(ErrorInfo.permanent("WrongGameDate", why))


def _completion(message: PlayerCompletion, event_id: str) -> Completion:
    """The event as a document; whether it was late, and of which generation, the store decides."""
    return Completion(
        player_lookup=message.player_lookup,
        outcome=message.outcome,
        predictions_count=message.predictions_generated,
        event_id=event_id,
        reason=message.reason,
        staging_table=message.staging_table,
        staged_rows=message.staged_rows,
    )
