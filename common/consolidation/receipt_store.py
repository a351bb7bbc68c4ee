"""Reads back the receipts that consolidations left."""

from typing import Final

from ..batches.batch_store import BatchStore, readable
from ..batches.records import RECEIPTS, Batch
from ..result import ErrorInfo, ResultError, returns_result
from .receipt import Receipt

RECEIPT_MISSING: Final = "ReceiptMissing"


class Receipts:
    """Reads the receipts of a batch; `finish_consolidation` writes them, in the commit that makes it
    consolidated.
    """

    def __init__(self, store: BatchStore) -> None:
        self._store = store

    @returns_result
    def latest(self, batch: Batch) -> Receipt | None:
        """The receipt of the highest generation.

        None, without asking the store, if nothing was consolidated yet.

        Failures: RECEIPT_MISSING (PERMANENT: the batch says it is consolidated, and there is no receipt), a
        document that is no receipt (PERMANENT), or a fault of the store.
        """
        if not batch.consolidated_generation:
            return None
        return self._all(batch.batch_id).unwrap()[-1]

    @returns_result
    def covering(self, batch: Batch, generation: int) -> Receipt:
        """The receipt of the consolidation that took in `generation`: its own, or the next later one.

        A generation that was overtaken by a late completion before it was consolidated has none of its own.
        Failures as for `latest`.
        """
        for receipt in self._all(batch.batch_id).unwrap():
            if receipt.generation >= generation:
                return receipt
        raise ResultError(_missing(batch.batch_id, f"generation {generation} has"))

    @returns_result
    def _all(self, batch_id: str) -> list[Receipt]:
        """At least one, by generation."""
        documents = self._store.below(batch_id, RECEIPTS).unwrap()
        found = [readable(document, Receipt.from_document).unwrap() for document in documents]
        if not found:
            raise ResultError(_missing(batch_id, "there is"))
        return sorted(found, key=lambda receipt: receipt.generation)


def _missing(batch_id: str, what: str) -> ErrorInfo:
    why = f"batch {batch_id!r} is consolidated, but {what} no receipt"
    return ErrorInfo.permanent(RECEIPT_MISSING, why, batch_id=batch_id)
