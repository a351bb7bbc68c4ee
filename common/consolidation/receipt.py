"""The receipt of a consolidation: what was staged, what is merged, under which fence.

Stored in `prediction_batches/{batch_id}/receipts/{fence}` by the commit that makes the batch consolidated;
`receipt_store.py` reads it back.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Final

from ..messages import MessageStatus

PROCESSOR: Final = "prediction_consolidation"
"""The name under which the log and the announcement know the consolidation."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Proof of one consolidation. Keys are business keys, each counted once."""

    batch_id: str
    generation: int
    fence: int
    game_date: str
    """ISO; a document has no dates."""
    expected_players: int
    completed_players: int
    skipped_players: int
    failed_players: int
    timed_out_players: int
    unstaged_players: int
    """Who reported predictions without naming a staging table; their rows are not in."""
    tables: Mapping[str, int]
    """The staging tables that are merged to the last row, and their rows: these may be dropped."""
    gathered_table: str | None
    """Where they were gathered; None where nothing was staged."""
    rows_staged: int
    keys_staged: int
    keys_in_main: int
    duplicate_keys: int
    rows_inserted: int
    rows_updated: int
    total_predictions: int
    """Predictions of the batch in the main table, those of earlier generations included."""
    job_id: str | None
    """Of the merge; None where nothing was staged."""
    bytes_processed: int
    started_at: datetime
    consolidated_at: datetime

    @property
    def execution_id(self) -> str:
        """The same for every repeat of the consolidation, of its log row and of its announcement."""
        return f"{self.batch_id}-{self.generation}"

    @property
    def status(self) -> MessageStatus:
        """What the batch came to: `no_data` without a prediction, `partial` if anybody's are missing."""
        if not self.total_predictions:
            return MessageStatus.NO_DATA
        is_incomplete = self.failed_players or self.timed_out_players or self.unstaged_players
        return MessageStatus.PARTIAL if is_incomplete else MessageStatus.SUCCESS

    @classmethod
    def from_document(cls, data: Mapping[str, Any]) -> "Receipt":
        return cls(**{field.name: data[field.name] for field in fields(cls)})

    def to_document(self) -> dict[str, Any]:
        return asdict(self)
