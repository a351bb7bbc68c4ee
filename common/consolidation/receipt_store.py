"""Keeps the receipts of consolidations: stored once for a generation, and read back."""

from typing import Final

from ..batches.batch_store import readable
from ..batches.batches import Batches
from ..batches.records import RECEIPTS, Batch
from ..result import ErrorInfo, ResultError, returns_result
from .receipt import Receipt
from .receipt_chain import DIGEST_FIELD, FENCE_FIELD

RECEIPT_MISSING: Final = "ReceiptMissing"


class Receipts:
    """The receipts of one sport's batches; safe to share between threads."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    @returns_result
    def store(self, batch: Batch, receipt: Receipt) -> Receipt:
        """Store the receipt in the commit that makes the batch consolidated; returns the one that stands.

        That is ours, unless somebody was faster, who has stored one of their own: the batch document is
        compared and set, and ours is not written if this or a later generation has been consolidated. So
        again: the stored one. `batch` is what was read of it last. Failures are those of
        `Batches.finish_consolidation`, and as for `latest`.
        """
        finished = self._batches.finish_consolidation(
            batch.batch_id,
            receipt.generation,
            receipt.fence,
            receipt.to_document(),
            known_as={DIGEST_FIELD: receipt.digest, FENCE_FIELD: receipt.fence},
            seen=batch,
        ).unwrap()
        if finished.changed:
            return receipt
        # Theirs stands: the batch document names it, by digest and fence. Ours was never written.
        return self.covering(finished.batch, receipt.generation).unwrap()

    @returns_result
    def latest(self, batch: Batch) -> Receipt | None:
        """The receipt of the highest generation.

        None, without asking the store, if nothing was consolidated yet.

        Failures: RECEIPT_MISSING (PERMANENT: the batch says it is consolidated, and there is no receipt), a
        document that is no receipt (PERMANENT), or a fault of the store.
        """
        if not batch.consolidated_generation:
            return None
        # All are read, and not the last by name: names are fences, which sort as text ("10" before "9").
        return self._all(batch.batch_id).unwrap()[-1]

    @returns_result
    def covering(self, batch: Batch, generation: int) -> Receipt:
        """The receipt of the consolidation that took in `generation`: its own, or the next later one.

        A generation that was overtaken by a late completion before it was consolidated has none of its own.
        Failures as for `latest`.
        """
        # By generation: the first that reaches so far is the one that took it in.
        for receipt in self._all(batch.batch_id).unwrap():
            if receipt.generation >= generation:
                return receipt
        raise ResultError(_missing(batch.batch_id, f"generation {generation} has"))

    @returns_result
    def _all(self, batch_id: str) -> list[Receipt]:
        """At least one, by generation."""
        documents = self._batches.store.below(batch_id, RECEIPTS).unwrap()
        found = [readable(document, Receipt.from_document).unwrap() for document in documents]
        # Only asked for a batch that says it is consolidated: nothing is no answer here, but a loss.
        if not found:
            raise ResultError(_missing(batch_id, "there is"))
        return sorted(found, key=lambda receipt: receipt.generation)


def _missing(batch_id: str, what: str) -> ErrorInfo:
    why = f"batch {batch_id!r} is consolidated, but {what} no receipt"
    return ErrorInfo.permanent(RECEIPT_MISSING, why, batch_id=batch_id)
