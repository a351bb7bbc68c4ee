"""What the stores say about a run that is over: everything that its promises are judged by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from common.batches.completion import Completion
from common.batches.records import Batch
from common.consolidation.receipt import Receipt
from common.lock.rules import LockRecord
from common.messages import PhaseCompletion, PredictionRequest

from .delivery_log import DeliveryLog
from .rows import Prediction


@dataclass(frozen=True, kw_only=True)
class Announced:
    """One message on the topic that ends phase 5."""

    message_id: str
    published_at: datetime
    message: PhaseCompletion


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One reading of all stores."""

    requests: tuple[PredictionRequest, ...]
    """What was asked for: one for each expected player."""
    # Firestore
    batch: Batch
    opened_at: datetime
    completions: tuple[Completion, ...]
    unexpected_players: tuple[str, ...]
    closing_claims: tuple[str, ...]
    """Documents that only one can create: one for each generation that was closed."""
    receipts: tuple[Receipt, ...]
    lock: LockRecord | None
    """Of the day; None if it was never taken."""
    dead_letters: tuple[str, ...]
    """The reasons in the documents."""
    # Pub/Sub
    completion_events: int
    """Messages published on `prediction-ready`."""
    triggers: tuple[str, ...]
    """Ids of the messages on `prediction-batch-complete`."""
    announced: tuple[Announced, ...]
    dead_letter_messages: int
    # BigQuery
    expected: frozenset[Prediction]
    """What the workers' rule makes of the requests."""
    main: tuple[Prediction, ...]
    staging_left: Mapping[str, int]
    """Rows by staging table."""
    unmerged_left: int
    """Keys in these tables that are not in the main table."""
    executions: int
    """Rows of this consolidation in the execution log."""
    # The functions' logs
    recorder_log: DeliveryLog
    consolidation_log: DeliveryLog

    @property
    def missing_players(self) -> tuple[str, ...]:
        """Who was asked for and has not ended."""
        ended = {one.player_lookup for one in self.completions}
        return tuple(sorted({request.player_lookup for request in self.requests} - ended))
