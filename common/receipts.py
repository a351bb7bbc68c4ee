"""The receipt of a consolidation: what was staged, what is merged, under which fence.

Stored in `prediction_batches/{batch_id}/receipts/{fence}` by the commit that makes the batch consolidated.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from .batch_store import CALL_TIMEOUT_SECONDS, FAULTS, RETRY, BatchStore
from .messages import MessageStatus
from .result import ErrorInfo, Result

if TYPE_CHECKING:
    from .batch_records import Batch

RECEIPT_MISSING: Final = "ReceiptMissing"


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


class Receipts:
    """Reads the receipts of a batch."""

    def __init__(self, store: BatchStore) -> None:
        self._store = store

    def latest(self, batch: "Batch") -> Result[Receipt | None]:
        """That of the highest generation; None if nothing was consolidated yet."""
        return self._all(batch.batch_id).map(lambda found: found[-1] if found else None)

    def covering(self, batch: "Batch", generation: int) -> Result[Receipt]:
        """That of the consolidation which took in `generation`: its own, or the next later one."""
        return self._all(batch.batch_id).and_then(
            lambda found: _first_from(found, generation, batch.batch_id)
        )

    def _all(self, batch_id: str) -> Result[list[Receipt]]:
        try:
            snapshots = (
                self._store.ref(batch_id)
                .collection("receipts")
                .get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
            )
            found = [Receipt.from_document(snapshot.to_dict() or {}) for snapshot in snapshots]
        except (*FAULTS, KeyError) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch_id))
        return Result.success(sorted(found, key=lambda receipt: receipt.generation))


def _first_from(found: list[Receipt], generation: int, batch_id: str) -> Result[Receipt]:
    for receipt in found:
        if receipt.generation >= generation:
            return Result.success(receipt)
    return Result.failure(
        ErrorInfo.permanent(
            RECEIPT_MISSING, f"batch {batch_id!r} is consolidated, but generation {generation} has no receipt"
        )
    )
