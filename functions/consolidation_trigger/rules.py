"""What phase 6 is told about a consolidated batch. Pure: from the receipt alone."""

from datetime import date

from common.batches.records import Counts
from common.batches.rules import completion_pct
from common.consolidation.receipt import PROCESSOR, Receipt
from common.messages import Phase, PhaseCompletion, PredictionsSummary
from common.predictions.table import TABLE


def announcement(
    receipt: Receipt, *, dataset: str, correlation_id: str | None, event_id: str
) -> PhaseCompletion:
    """The end of phase 5 for one generation of a batch; repeats have the same `execution_id`.

    Counts are those of the whole batch, earlier generations included: its reader decides on them.
    """
    return PhaseCompletion(
        processor_name=PROCESSOR,
        phase=Phase.PREDICTIONS,
        execution_id=receipt.execution_id,
        game_date=date.fromisoformat(receipt.game_date),
        status=receipt.status,
        output_table=TABLE,
        output_dataset=dataset,
        record_count=receipt.total_predictions,
        records_failed=receipt.failed_players + receipt.timed_out_players,
        trigger_source="pubsub",
        trigger_message_id=event_id,
        duration_seconds=(receipt.consolidated_at - receipt.started_at).total_seconds(),
        correlation_id=correlation_id,
        # From the receipt, and not from the clock: a repeat after a crash makes the very same message.
        timestamp=receipt.consolidated_at,
        metadata=_summary(receipt).model_dump(),
    )


def _summary(receipt: Receipt) -> PredictionsSummary:
    """How the batch ended, player by outcome, as phase 6 reads it in the metadata."""
    counts = Counts(completed=receipt.completed_players, skipped=receipt.skipped_players)
    return PredictionsSummary(
        batch_id=receipt.batch_id,
        generation=receipt.generation,
        expected_players=receipt.expected_players,
        completed_players=receipt.completed_players,
        skipped_players=receipt.skipped_players,
        failed_players=receipt.failed_players,
        timed_out_players=receipt.timed_out_players,
        completed_predictions=receipt.total_predictions,
        completion_pct=completion_pct(counts, receipt.expected_players),
    )
