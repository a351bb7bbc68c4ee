"""The receipts of many batches, by their paths: one call for hundreds, where a query is one for each."""

from collections.abc import Mapping, Sequence
from typing import Final

from common.batches.batch_store import BatchStore, readable
from common.batches.records import RECEIPTS, batch_path
from common.chunks import chunks
from common.consolidation.receipt import Receipt
from common.documents.document import Document
from common.parallel import for_each
from common.result import Result

PATHS_PER_CALL: Final = 300
"""Documents of one request."""
CALLS_AT_ONCE: Final = 8
"""Requests at the same time: each waits for the network for most of its time."""


def receipts_of_many(store: BatchStore, newest: Mapping[str, int | None]) -> list[Receipt]:
    """All receipts of these batches, in no order; raises ResultError.

    `newest` is batch → fence of its newest receipt, from which the earlier ones are followed; None where an
    earlier release wrote the batch, whose receipts are then asked for by a query.
    """
    known = [_path(batch_id, fence) for batch_id, fence in newest.items() if fence is not None]
    found = _by_path(store, known)
    earlier = found
    while wanted := [
        _path(each.batch_id, each.previous_fence)
        for each in earlier
        # Fences rise: one that was changed to point at itself, or forward, must not be followed for ever.
        if each.previous_fence is not None and each.previous_fence < each.fence
    ]:
        earlier = _by_path(store, wanted)
        found = [*found, *earlier]
    unknown = [batch_id for batch_id, fence in newest.items() if fence is None]
    below = for_each(unknown, lambda each: store.below(each, RECEIPTS), at_once=CALLS_AT_ONCE).unwrap()
    return [*found, *(_receipt(each) for documents in below.values() for each in documents)]


def _by_path(store: BatchStore, paths: Sequence[str]) -> list[Receipt]:
    """Those of these receipts that there are; raises ResultError."""

    def get(some: tuple[str, ...]) -> Result[dict[str, Document]]:
        return store.documents.get(some)

    calls = [tuple(some) for some in chunks(paths, PATHS_PER_CALL)]
    answers = for_each(calls, get, at_once=CALLS_AT_ONCE).unwrap()
    return [_receipt(each) for answer in answers.values() for each in answer.values()]


def _receipt(document: Document) -> Receipt:
    """Raises ResultError for a document that is no receipt."""
    return readable(document, Receipt.from_document).unwrap()


def _path(batch_id: str, fence: int) -> str:
    """Where the receipt of a fence is kept."""
    return f"{batch_path(batch_id)}/{RECEIPTS}/{fence}"
