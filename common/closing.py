"""Closing a batch, once, and its trigger, certainly.

    all players ended      claims/closed-{generation} is created      BatchComplete       trigger_message_id
    ──────────────────►    with the batch's new status, one commit ─►  is published ──────► is noted
                           (refused if it exists)

A crash anywhere is resumed by the redelivery of the event that closed the batch (at once) or by any other
event and the sweep (after a grace). The counter alone never closes a batch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog
from google.cloud import firestore

from .batch_records import Batch, BatchStatus, Completion
from .batch_rules import closing_status, must_publish
from .batch_store import CALL_TIMEOUT_SECONDS, FAULTS, RETRY, BatchStore, Change
from .messages import BatchComplete, Message
from .result import ErrorInfo, Result
from .timeline import entry
from .topics import PREDICTION_BATCH_COMPLETE, Topic

log = structlog.get_logger()

SWEEP: Final = "sweep"
"""The event id of whoever closes a batch without an event."""


class MessagePublisher(Protocol):
    def publish(self, topic: Topic, message: Message) -> Result[str]: ...


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """Where a batch stands once its closing was attempted."""

    batch: Batch
    closed_by_caller: bool
    """Whether the caller's event closed the current generation."""
    owes_trigger: bool
    """Whether the caller is to publish the trigger now."""

    @property
    def is_settled(self) -> bool:
        """Nothing is left to do for this generation."""
        return self.batch.status is not BatchStatus.OPEN and not self.batch.owes_trigger


class Closing:
    """Claims the closing of batches; safe to share between threads."""

    def __init__(self, store: BatchStore) -> None:
        self._store = store

    def settle(self, batch_id: str, event_id: str) -> Result[Settlement]:
        """Close the batch if all its players have ended and nobody has closed it yet.

        Safe to repeat: the same event gets the same answer until the trigger is noted.
        """

        def decide(batch: Batch) -> Result[Change | None]:
            if not batch.is_due:
                return Result.success(None)
            return self._ends(batch).map(lambda ends: close(batch, event_id=event_id, ends=ends))

        return self._store.amend(batch_id, decide).and_then(lambda now: self._settlement(now.batch, event_id))

    def _settlement(self, batch: Batch, event_id: str) -> Result[Settlement]:
        if batch.status is BatchStatus.OPEN or batch.closed_at is None:
            return Result.success(Settlement(batch=batch, closed_by_caller=False, owes_trigger=False))
        return self._claim(batch).map(lambda claim: _judge(batch, claim, event_id))

    def _claim(self, batch: Batch) -> Result[Mapping[str, Any]]:
        ref = self._store.ref(batch.batch_id).collection("claims").document(claim_id(batch.generation))
        try:
            snapshot = ref.get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch.batch_id))
        return Result.success(snapshot.to_dict() or {})

    def _ends(self, batch: Batch) -> Result[tuple[Completion, ...]]:
        """The first and the last completion, for the story; none for a batch that keeps no documents."""
        if not batch.schema_mode.writes_subcollection:
            return Result.success(batch.array_entries[:1] + batch.array_entries[-1:])
        completions = self._store.ref(batch.batch_id).collection("completions")
        try:
            found = [
                snapshot
                for direction in (firestore.Query.ASCENDING, firestore.Query.DESCENDING)
                for snapshot in completions.order_by("completed_at", direction=direction)
                .limit(1)
                .get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
            ]
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch.batch_id))
        return Result.success(tuple(Completion.from_document(snapshot.to_dict()) for snapshot in found))


class TriggerOutbox:
    """Publishes the trigger of a closed batch and notes its message id on the batch."""

    def __init__(self, store: BatchStore, publisher: Callable[[], MessagePublisher]) -> None:
        self._store = store
        self._publisher = publisher

    def send(self, batch: Batch) -> Result[str]:
        """Publish `BatchComplete` for the batch's generation; returns the message id.

        Publish first, note second: a crash in between publishes again, and the consolidation endures repeats.
        """
        message = BatchComplete(
            batch_id=batch.batch_id,
            game_date=batch.game_date,
            generation=batch.generation,
            correlation_id=batch.correlation_id,
        )
        published = self._publisher().publish(PREDICTION_BATCH_COMPLETE, message)
        return published.and_then(lambda message_id: self._note(batch, message_id))

    def _note(self, batch: Batch, message_id: str) -> Result[str]:
        noted = self._store.amend(batch.batch_id, lambda now: note_trigger(now, batch.generation, message_id))
        log.info(
            "trigger published",
            action="trigger_published",
            batch_id=batch.batch_id,
            generation=batch.generation,
            message_id=message_id,
        )
        return noted.map(lambda _: message_id)


def claim_id(generation: int) -> str:
    return f"closed-{generation}"


def close(batch: Batch, *, event_id: str, ends: tuple[Completion, ...] = ()) -> Change:
    """The commit that closes an open batch whose players have all ended."""
    counts = batch.counts
    status = closing_status(
        counts, expected=batch.expected_players, min_completion_pct=batch.min_completion_pct
    )
    story = entry(
        "closed",
        f"{status.value}: {counts.reported} of {batch.expected_players} players reported",
        generation=batch.generation,
        status=status.value,
        closed_by_event=event_id,
        counts={**vars(counts)},
    )
    for event, end in zip(("first-completion", "last-completion"), ends, strict=False):
        story |= entry(event, end.player_lookup, generation=batch.generation, completed_at=end.completed_at)
    return Change(
        fields=closed_fields(status, event_id=event_id),
        creates={f"claims/{claim_id(batch.generation)}": claim(status, event_id=event_id)},
        sets=story,
    )


def closed_fields(status: BatchStatus, *, event_id: str) -> dict[str, Any]:
    return {
        "status": status.value,
        "is_complete": True,
        "completion_time": firestore.SERVER_TIMESTAMP,
        "closed_at": firestore.SERVER_TIMESTAMP,
        "closed_by_event": event_id,
    }


def claim(status: BatchStatus, *, event_id: str) -> dict[str, Any]:
    return {"event_id": event_id, "status": status.value, "closed_at": firestore.SERVER_TIMESTAMP}


def note_trigger(batch: Batch, generation: int, message_id: str) -> Result[Change | None]:
    """Note the message id unless this or a later generation has one."""
    if batch.trigger_generation >= generation:
        return Result.success(None)
    fields = {"trigger_message_id": message_id, "trigger_generation": generation}
    story = entry("trigger", f"message {message_id}", generation=generation, message_id=message_id)
    return Result.success(Change(fields=fields, sets=story))


def _judge(batch: Batch, claim: Mapping[str, Any], event_id: str) -> Settlement:
    closed_by, closed_at = claim.get("event_id", ""), claim.get("closed_at", batch.closed_at)
    is_mine = must_publish(
        closed_by=closed_by, event_id=event_id, closed_at=closed_at, server_now=batch.read_time
    )
    return Settlement(
        batch=batch,
        closed_by_caller=closed_by == event_id,
        owes_trigger=batch.owes_trigger and is_mine,
    )
