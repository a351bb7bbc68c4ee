"""The trigger of a closed batch: published, then noted on the batch.

    recorder A   closes, claims ── publishes ── ✗ dies before it notes
    redelivery   looks: owed, but claimed 20 s ago ── "not yet" ── comes again
    recorder B   looks: claimed 60 s ago ── claims anew ── publishes (a second message) ── notes

The claim keeps living publishers from each other, its grace outlasts a publish, and the second message is
harmless: a generation is consolidated once.
"""

from collections.abc import Callable
from typing import Protocol
from uuid import uuid4

import structlog

from ..messages import BatchComplete, Message
from ..result import Result, ResultError, returns_result
from ..topics import PREDICTION_BATCH_COMPLETE, Topic
from .batch_store import BatchStore
from .changes import Change
from .closing import being_published
from .records import Batch
from .rules import is_claimable
from .transitions import claim_trigger, give_back_trigger, note_trigger

log = structlog.get_logger()


class MessagePublisher(Protocol):
    """Publishes one message; returns its id."""

    def publish(self, topic: Topic, message: Message) -> Result[str]:
        """The id of the message, once it is confirmed."""


class TriggerOutbox:
    """Publishes the trigger of a closed batch and notes its message id on the batch; safe to share between
    threads.
    """

    def __init__(self, store: BatchStore, publisher: Callable[[], MessagePublisher]) -> None:
        self._store = store
        self._publisher = publisher

    @returns_result
    def send(self, batch: Batch) -> str:
        """Publish `BatchComplete` for the batch's generation; returns the message id.

        `batch` is as its closing or `claim` left it: the claim in it is the caller's. Publish first, note
        second: a crash in between publishes once more when the claim is over, and the consolidation endures
        repeats. A publish that failed gives the claim back, so that the next delivery tries again at once;
        its failure is the publisher's. If noting fails, the message is out, and the caller's retry publishes
        another.
        """
        message = BatchComplete(
            batch_id=batch.batch_id,
            game_date=batch.game_date,
            generation=batch.generation,
            correlation_id=batch.correlation_id,
        )
        published = self._publisher().publish(PREDICTION_BATCH_COMPLETE, message)
        # Not out, or nobody knows: either way the next one may try at once, for a second message is harmless.
        if published.error is not None:
            self._give_back(batch)
            raise ResultError(published.error)
        message_id = published.unwrap()
        log.info(
            "trigger published",
            action="trigger_published",
            batch_id=batch.batch_id,
            generation=batch.generation,
            message_id=message_id,
        )
        self._store.compare_and_set(
            batch.batch_id, lambda now: note_trigger(now, batch.generation, message_id), seen=batch
        ).unwrap()
        return message_id

    @returns_result
    def claim(self, batch: Batch) -> Batch:
        """Claim the publishing for a batch that no event has closed just now; returns it with the claim in
        it.

        For one that was opened without players, one whose consolidation hangs, or one that an audit mends.
        "Not yet" (TRANSIENT) while another holds the claim, and for a batch that has moved on.
        """
        claimant = uuid4().hex

        def decide(now: Batch) -> Result[Change | None]:
            is_as_seen = (now.status, now.generation) == (batch.status, batch.generation)
            is_free = is_as_seen and now.trigger_claim != claimant and is_claimable(now)
            return Result.success(claim_trigger(now, claimant) if is_free else None)

        claimed = self._store.compare_and_set(batch.batch_id, decide, seen=batch).unwrap().batch
        if claimed.trigger_claim != claimant:
            raise ResultError(being_published(claimed))
        return claimed

    def _give_back(self, batch: Batch) -> None:
        """Let the next one try at once. A failure is only logged: the claim comes free by itself."""
        claimant = batch.trigger_claim
        if claimant is None:
            return
        given = self._store.compare_and_set(
            batch.batch_id, lambda now: give_back_trigger(now, claimant), seen=batch
        )
        if given.error is not None:  # it comes free when its grace is over
            log.warning("trigger's claim not given back", action="claim_kept", error=given.error.to_dict())
