"""A batch is complete: consolidate it, clean up, and announce the end of phase 5."""

from typing import Protocol

import structlog

from common.batches.records import Batch
from common.consolidation.receipt import Receipt
from common.messages import BatchComplete, PhaseCompletion
from common.result import ErrorInfo, Result, ResultError, returns_result
from common.texts import counted
from common.topics import PHASE5_PREDICTIONS_COMPLETE, Topic

from .rules import announcement

log = structlog.get_logger()


class Consolidator(Protocol):
    """Merges a generation of a batch once; asking again gets the same receipt."""

    def consolidate(self, batch_id: str, generation: int, *, seen: Batch) -> Result[Receipt]:
        """The stored receipt, this call's or an earlier one's."""

    def drop_staging_tables(self, receipt: Receipt) -> Result[list[str]]:
        """Names of the tables that had to stay."""

    def log_run(self, receipt: Receipt) -> Result[bool]:
        """False if the row is there already."""


class Batches(Protocol):
    """Reads the batch and notes what was announced."""

    def get(self, batch_id: str) -> Result[Batch]:
        """The batch now."""

    def note_phase_message(
        self, batch_id: str, generation: int, message_id: str, *, seen: Batch
    ) -> Result[None]:
        """Again, or for an earlier generation: nothing."""


class Publisher(Protocol):
    """Publishes the announcement."""

    def publish(self, topic: Topic, message: PhaseCompletion) -> Result[str]:
        """The id of the message, once it is confirmed."""


@returns_result
def handle(
    message: BatchComplete,
    event_id: str,
    *,
    consolidator: Consolidator,
    batches: Batches,
    publisher: Publisher,
    dataset: str,
) -> Receipt:
    """Handle one delivery; returns the receipt. A redelivery goes on where the last one ended.

    The announcement goes first: the rows are in the main table, and nobody waits for the clean-up, whose
    failure fails the event afterwards; its redelivery cleans up again. Failures: LOCK_HELD and "not yet"
    (503, quietly), WrongDay (PERMANENT), and those of `Consolidator.consolidate`, of the publisher and of the
    stores.
    """
    batch = batches.get(message.batch_id).unwrap()
    _refuse_another_day(batch, message)
    receipt = consolidator.consolidate(message.batch_id, message.generation, seen=batch).unwrap()
    _tell(receipt)
    # Before the clean-up: phase 6 waits for this, nobody waits for that.
    _announce(receipt, event_id, batches=batches, publisher=publisher, dataset=dataset)
    # Unwrapped last: a table that cannot be dropped does not keep the run out of the log.
    dropped = consolidator.drop_staging_tables(receipt)
    consolidator.log_run(receipt).unwrap()
    dropped.unwrap()
    return receipt


def _refuse_another_day(batch: Batch, message: BatchComplete) -> None:
    """A message that contradicts its batch is forged or mixed up, and no repetition makes it right."""
    if batch.game_date != message.game_date:
        why = f"game_date: {message.game_date}, but batch {batch.batch_id!r} is of {batch.game_date}"
        raise ResultError(ErrorInfo.permanent("WrongDay", why))


def _announce(
    receipt: Receipt, event_id: str, *, batches: Batches, publisher: Publisher, dataset: str
) -> None:
    """Publish the end of phase 5, then note the message's id, unless it is noted already.

        this delivery   publishes ── notes
                                  ╰─ crash here: the next one publishes again, with the same execution_id

    Its reader counts a processor once, so the second message changes nothing.
    """
    # Read anew: whoever was faster has noted it since, and a second announcement would wake phase 6 again.
    batch = batches.get(receipt.batch_id).unwrap()
    if batch.phase_generation >= receipt.generation:
        return
    message = announcement(receipt, dataset=dataset, correlation_id=batch.correlation_id, event_id=event_id)
    message_id = publisher.publish(PHASE5_PREDICTIONS_COMPLETE, message).unwrap()
    batches.note_phase_message(receipt.batch_id, receipt.generation, message_id, seen=batch).unwrap()


def _tell(receipt: Receipt) -> None:
    """What came of it, and by name what did not: a partial batch is announced, and somebody has to look."""
    tables = counted(len(receipt.tables), "table")
    log.info(
        f"batch consolidated: {counted(receipt.keys_in_main, 'prediction')} from {tables}",
        action="batch_consolidated",
        batch_id=receipt.batch_id,
        generation=receipt.generation,
        fence=receipt.fence,
        status=receipt.status.value,
        rows_inserted=receipt.rows_inserted,
        rows_updated=receipt.rows_updated,
    )
    if receipt.unstaged_players:
        log.warning(
            f"rows of {counted(receipt.unstaged_players, 'player')} are nowhere",
            action="players_unstaged",
            batch_id=receipt.batch_id,
            players=receipt.unstaged_names,
        )
    if receipt.contradicting_rows:
        log.warning(
            f"{counted(receipt.contradicting_rows, 'row', 'contradict')} others of the same key, time and id",
            action="rows_contradict",
            batch_id=receipt.batch_id,
        )
