"""Closing a batch, once, and its trigger, certainly.

    all players ended      claims/closed-{generation} is created      BatchComplete       trigger_message_id
    ──────────────────►    with the batch's new status, one commit ─►  is published ──────► is noted
                           (refused if it exists)

A crash anywhere is resumed by the redelivery of the event that closed the batch (at once) or by any other
event and the sweep (after a grace). The counter alone never closes a batch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from google.cloud import firestore

from ..messages import BatchComplete, Message
from ..recorder.marking import Due
from ..result import ErrorInfo, Result
from ..topics import PREDICTION_BATCH_COMPLETE, Topic
from .records import COMPLETIONS, Batch, BatchStatus, Completion
from .rules import must_publish
from .store import CALL_TIMEOUT_SECONDS, FAULTS, RETRY, UNREADABLE, BatchStore, Change
from .transitions import close, note_trigger

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

    def settle(self, batch_id: str, event_id: str, *, due: Due | None = None) -> Result[Settlement]:
        """Close the batch if all its players have ended and nobody has closed it yet.

        `due` is what the caller knows of the batch already. Safe to repeat: the same event gets the same
        answer until the trigger is noted.
        """
        seen, ends_seen = (None, None) if due is None else (due.batch, due.ends)

        def decide(batch: Batch) -> Result[Change | None]:
            if not batch.is_due:
                return Result.success(None)
            ends = self._ends(batch) if ends_seen is None else Result.success(ends_seen)
            return ends.map(lambda found: close(batch, event_id=event_id, ends=found))

        amended = self._store.amend(batch_id, decide, seen=seen)
        return amended.map(lambda done: _settlement(done.batch, event_id))

    def _ends(self, batch: Batch) -> Result[tuple[Completion, ...]]:
        """The first and the last completion, for the story."""
        if not batch.schema_mode.writes_subcollection:
            return Result.success(_array_ends(batch))
        completions = self._store.ref(batch.batch_id).collection(COMPLETIONS)
        try:
            found = [
                snapshot
                for direction in (firestore.Query.ASCENDING, firestore.Query.DESCENDING)
                for snapshot in completions.order_by("completed_at", direction=direction)
                .limit(1)
                .get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
            ]
            ends = tuple(Completion.from_document(snapshot.to_dict()) for snapshot in found)
        except (*FAULTS, *UNREADABLE) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch.batch_id))
        return Result.success(ends)


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
        noted = self._store.amend(
            batch.batch_id, lambda now: note_trigger(now, batch.generation, message_id), seen=batch
        )
        log.info(
            "trigger published",
            action="trigger_published",
            batch_id=batch.batch_id,
            generation=batch.generation,
            message_id=message_id,
        )
        return noted.map(lambda _: message_id)


def _array_ends(batch: Batch) -> tuple[Completion, ...]:
    timed = sorted(
        (one.completed_at, one.player_lookup) for one in batch.in_array.values() if one.completed_at
    )
    return tuple(batch.in_array[name] for _, name in (*timed[:1], *timed[-1:]))


def _settlement(batch: Batch, event_id: str) -> Settlement:
    closed_by, closed_at = batch.closed_by_event, batch.closed_at
    if closed_by is None or closed_at is None:
        return Settlement(batch=batch, closed_by_caller=False, owes_trigger=False)
    is_mine = must_publish(
        closed_by=closed_by, event_id=event_id, closed_at=closed_at, server_now=batch.read_time
    )
    return Settlement(
        batch=batch,
        closed_by_caller=closed_by == event_id,
        owes_trigger=batch.owes_trigger and is_mine,
    )
