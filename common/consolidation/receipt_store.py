"""Reads back the receipts that consolidations left."""

from typing import Final

from ..batches.batch_store import BatchStore, readable
from ..batches.records import RECEIPTS, Batch
from ..result import ErrorInfo, Result, returns_result
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

    @returns_result
    def _all(self, batch_id: str) -> list[Receipt]:
        documents = self._store.below(batch_id, RECEIPTS).unwrap()
        found = [readable(document, Receipt.from_document).unwrap() for document in documents]
        return sorted(found, key=lambda receipt: receipt.generation)


def _first_from(found: list[Receipt], generation: int, batch_id: str) -> Result[Receipt]:
    for receipt in found:
        if receipt.generation >= generation:
            return Result.success(receipt)
    return Result.failure(
        ErrorInfo.permanent(
            RECEIPT_MISSING, f"batch {batch_id!r} is consolidated, but generation {generation} has no receipt"
        )
    )
