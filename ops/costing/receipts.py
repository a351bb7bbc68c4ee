"""The receipts of many batches, by their paths: one call for hundreds, where a query is one for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

from common.batches.batch_store import BatchStore, readable
from common.batches.records import RECEIPTS, batch_path
from common.chunks import chunks
from common.documents.document import Document
from common.documents.query import Query
from common.parallel import for_each
from common.result import Result


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a receipt tells of the cost of its consolidation."""

    batch_id: str
    fence: int
    previous_fence: int | None = None
    started_at: datetime
    consolidated_at: datetime
    bytes_processed: int
    bytes_billed: int | None = None
    """None where an earlier release wrote the receipt."""
    tables: int = 0
    """How many were merged; read only where that stands for what was billed."""


TABLES: Final = "tables"
FIELDS: Final = tuple(each.name for each in fields(Spent) if each.name != TABLES)
"""Without the tables: a receipt names hundreds, which are nine tenths of the time that reading one takes."""
PATHS_PER_CALL: Final = 300
"""Documents of one request."""
CALLS_AT_ONCE: Final = 8
"""Requests at the same time: each waits for the network for most of its time."""


def receipts_of_many(store: BatchStore, newest: Mapping[str, int | None]) -> list[Spent]:
    """All receipts of these batches, in no order; raises ResultError.

    `newest` is batch → fence of its newest receipt, from which the earlier ones are followed; None where an
    earlier release wrote the batch, whose receipts are then asked for by a query.

    Follows the chains of all batches side by side: as many rounds as the longest has receipts, each of one
    call per PATHS_PER_CALL documents. A receipt that was removed breaks its chain: those before it are
    missing from the sum, and `verify` names the break.
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
    masked = Query(only=FIELDS)
    below = for_each(
        unknown, lambda each: store.below(each, RECEIPTS, masked), at_once=CALLS_AT_ONCE
    ).unwrap()
    found = [*found, *(_spent(each) for documents in below.values() for each in documents)]
    return _with_tables(store, found)


def _with_tables(store: BatchStore, found: Sequence[Spent]) -> list[Spent]:
    """Where it is not said what was billed, how many tables there were."""
    # A second reading of a few, so that the list of tables is not paid for with every receipt.
    paths = [_path(each.batch_id, each.fence) for each in found if each.bytes_billed is None]
    tables = {path: len(document.data.get(TABLES) or ()) for path, document in _read(store, paths, (TABLES,))}
    return [replace(each, tables=tables.get(_path(each.batch_id, each.fence), 0)) for each in found]


def _by_path(store: BatchStore, paths: Sequence[str]) -> list[Spent]:
    """Those of these receipts that are there; raises ResultError."""
    return [_spent(document) for _, document in _read(store, paths, FIELDS)]


def _read(store: BatchStore, paths: Sequence[str], only: tuple[str, ...]) -> list[tuple[str, Document]]:
    """Those that are there, with these of their fields."""

    def get(some: tuple[str, ...]) -> Result[dict[str, Document]]:
        return store.documents.get(some, only=only)

    calls = [tuple(some) for some in chunks(paths, PATHS_PER_CALL)]
    answers = for_each(calls, get, at_once=CALLS_AT_ONCE).unwrap()
    return [each for answer in answers.values() for each in answer.items()]


def _spent(document: Document) -> Spent:
    """Raises ResultError for a document that is no receipt."""
    return readable(document, _of).unwrap()


def _of(data: Mapping[str, Any]) -> Spent:
    """Raises TypeError where a field is missing, for `readable` to tell of."""
    return Spent(**{name: data[name] for name in FIELDS if name in data})


def _path(batch_id: str, fence: int) -> str:
    """Where the receipt of a fence is kept."""
    return f"{batch_path(batch_id)}/{RECEIPTS}/{fence}"
