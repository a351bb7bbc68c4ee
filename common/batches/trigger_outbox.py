"""The trigger of a closed batch: published, then noted on the batch."""

from collections.abc import Callable
from typing import Protocol

import structlog

from ..messages import BatchComplete, Message
from ..result import Result, returns_result
from ..topics import PREDICTION_BATCH_COMPLETE, Topic
from .batch_store import BatchStore
from .records import Batch
from .transitions import note_trigger

log = structlog.get_logger()


class MessagePublisher(Protocol):
    def publish(self, topic: Topic, message: Message) -> Result[str]: ...


class TriggerOutbox:
    """Publishes the trigger of a closed batch and notes its message id on the batch."""

    def __init__(self, store: BatchStore, publisher: Callable[[], MessagePublisher]) -> None:
        self._store = store
        self._publisher = publisher

    @returns_result
    def send(self, batch: Batch) -> str:
        """Publish `BatchComplete` for the batch's generation; returns the message id.

        Publish first, note second: a crash in between publishes again, and the consolidation endures repeats.
        """
        message = BatchComplete(
            batch_id=batch.batch_id,
            game_date=batch.game_date,
            generation=batch.generation,
            correlation_id=batch.correlation_id,
        )
        message_id = self._publisher().publish(PREDICTION_BATCH_COMPLETE, message).unwrap()
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
