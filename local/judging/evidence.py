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
    """As Pub/Sub gave it: what the batch has noted is held against it."""
    published_at: datetime
    """By Pub/Sub's clock."""
    message: PhaseCompletion


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One reading of all stores, after the last event was answered: a verdict needs nothing else.

    Its parts stand in the order of the stores that tell them.
    """

    requests: tuple[PredictionRequest, ...]
    """What was asked for: one for each expected player."""
    # Firestore
    batch: Batch
    """The one batch of the run."""
    opened_at: datetime
    completions: tuple[Completion, ...]
    """Of the players who have ended, by name."""
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
    """What was told of the end of phase 5; more than one where a death or a late player made it so."""
    dead_letter_messages: int
    """On all dead-letter topics together."""
    # BigQuery
    expected: frozenset[Prediction]
    """What the workers' rule makes of the requests."""
    main: tuple[Prediction, ...]
    """Every row of the day, duplicates included."""
    staging_left: Mapping[str, int]
    """Rows by staging table."""
    unmerged_left: int
    """Keys in these tables that are not in the main table."""
    executions: int
    """Rows of this consolidation in the execution log."""
    # The functions' logs
    recorder_log: DeliveryLog
    """Of the completion recorder; that of the consolidation below. Both over all of their lives."""
    consolidation_log: DeliveryLog

    @property
    def missing_players(self) -> tuple[str, ...]:
        """Who was asked for and has not ended."""
        ended = {one.player_lookup for one in self.completions}
        return tuple(sorted({request.player_lookup for request in self.requests} - ended))
