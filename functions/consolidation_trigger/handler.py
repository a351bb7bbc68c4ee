"""A batch is complete: consolidate it, clean up, and announce the end of phase 5."""

from typing import Any, Protocol

import structlog

from common.batches.records import Batch
from common.consolidation.receipt import Receipt
from common.messages import BatchComplete, PhaseCompletion
from common.result import ErrorInfo, Result
from common.topics import PHASE5_PREDICTIONS_COMPLETE, Topic

from .rules import announcement

log = structlog.get_logger()


class Consolidator(Protocol):
    def consolidate(self, batch_id: str, generation: int) -> Result[Receipt]: ...
    def tidy(self, receipt: Receipt) -> Result[Any]: ...


class Batches(Protocol):
    def get(self, batch_id: str) -> Result[Batch]: ...
    def note_phase_message(self, batch_id: str, generation: int, message_id: str) -> Result[None]: ...


class Publisher(Protocol):
    def publish(self, topic: Topic, message: PhaseCompletion) -> Result[str]: ...


def handle(
    message: BatchComplete,
    event_id: str,
    *,
    consolidator: Consolidator,
    batches: Batches,
    publisher: Publisher,
    dataset: str,
) -> Result[Receipt]:
    """Handle one delivery. Every step may be repeated: a redelivery goes on where the last one ended.

    A clean-up that fails does not hold up the announcement; it fails the event afterwards, and its redelivery
    cleans up again.
    """
    found = batches.get(message.batch_id).and_then(lambda batch: _same_day(batch, message))
    if found.error is not None:
        return Result.failure(found.error)
    consolidated = consolidator.consolidate(message.batch_id, message.generation)
    if consolidated.error is not None:
        return consolidated
    receipt = consolidated.unwrap()
    _tell(receipt)
    tidied = consolidator.tidy(receipt)
    announced = _announce(receipt, event_id, batches=batches, publisher=publisher, dataset=dataset)
    return announced.and_then(lambda _: tidied).map(lambda _: receipt)


def _same_day(batch: Batch, message: BatchComplete) -> Result[Batch]:
    if batch.game_date == message.game_date:
        return Result.success(batch)
    return Result.failure(
        ErrorInfo.permanent(
            "WrongDay",
            f"game_date: {message.game_date}, but batch {batch.batch_id!r} is of {batch.game_date}",
        )
    )


def _announce(
    receipt: Receipt, event_id: str, *, batches: Batches, publisher: Publisher, dataset: str
) -> Result[None]:
    """Publish, then note that it was; noted already: nothing."""
    found = batches.get(receipt.batch_id)
    if found.error is not None:
        return Result.failure(found.error)
    batch = found.unwrap()
    if batch.phase_generation >= receipt.generation:
        return Result.success(None)
    message = announcement(receipt, dataset=dataset, correlation_id=batch.correlation_id, event_id=event_id)
    return publisher.publish(PHASE5_PREDICTIONS_COMPLETE, message).and_then(
        lambda message_id: batches.note_phase_message(receipt.batch_id, receipt.generation, message_id)
    )


def _tell(receipt: Receipt) -> None:
    log.info(
        f"batch consolidated: {receipt.keys_in_main} predictions from {len(receipt.tables)} tables",
        action="batch_consolidated",
        batch_id=receipt.batch_id,
        generation=receipt.generation,
        fence=receipt.fence,
        status=receipt.status.value,
        rows_inserted=receipt.rows_inserted,
        rows_updated=receipt.rows_updated,
    )
