"""Reads back the receipts that consolidations left."""

from typing import Final

from ..batches.records import RECEIPTS, Batch
from ..batches.store import CALL_TIMEOUT_SECONDS, FAULTS, RETRY, BatchStore
from ..result import ErrorInfo, Result
from .receipt import Receipt

RECEIPT_MISSING: Final = "ReceiptMissing"


class Receipts:
    """Reads the receipts of a batch."""

    def __init__(self, store: BatchStore) -> None:
        self._store = store

    def latest(self, batch: Batch) -> Result[Receipt | None]:
        """That of the highest generation; None if nothing was consolidated yet."""
        return self._all(batch.batch_id).map(lambda found: found[-1] if found else None)

    def covering(self, batch: Batch, generation: int) -> Result[Receipt]:
        """That of the consolidation which took in `generation`: its own, or the next later one."""
        return self._all(batch.batch_id).and_then(
            lambda found: _first_from(found, generation, batch.batch_id)
        )

    def _all(self, batch_id: str) -> Result[list[Receipt]]:
        try:
            snapshots = (
                self._store.ref(batch_id).collection(RECEIPTS).get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
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
