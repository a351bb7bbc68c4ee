"""Receipts of many batches are found by their paths, those of earlier generations by the newer ones."""

from dataclasses import replace
from datetime import UTC, datetime

from common.batches.batch_store import BatchStore
from common.batches.records import batch_path
from common.consolidation.receipt import Receipt
from common.documents.memory_store import MemoryDocuments
from common.documents.writes import Set
from ops.costing.receipts import receipts_of_many
from tests.support.receipts import receipt


def stored(*receipts: Receipt) -> BatchStore:
    documents = MemoryDocuments(lambda: datetime(2026, 1, 18, tzinfo=UTC))
    for each in receipts:
        path = f"{batch_path(each.batch_id)}/receipts/{each.fence}"
        documents.commit([Set(path=path, fields=each.to_document())]).unwrap()
    return BatchStore(documents)


FIRST = receipt(batch_id="late", fence=5)
SECOND = receipt(batch_id="late", fence=8, generation=2, previous_digest=FIRST.digest, previous_fence=5)
OLD = receipt(batch_id="old", fence=3)
PLAIN = receipt(batch_id="plain")


def test_every_generation_of_every_batch_is_found() -> None:
    store = stored(FIRST, SECOND, OLD, PLAIN)

    found = receipts_of_many(store, {"late": 8, "old": None, "plain": 7})

    assert sorted((each.batch_id, each.fence) for each in found) == [
        ("late", 5),
        ("late", 8),
        ("old", 3),
        ("plain", 7),
    ]


def test_receipt_that_was_removed_ends_the_search_and_costs_nothing() -> None:
    store = stored(replace(SECOND, previous_fence=4))

    assert [each.fence for each in receipts_of_many(store, {"late": 8, "gone": 1})] == [8]
    assert receipts_of_many(store, {}) == []


def test_receipt_that_points_at_itself_is_read_once() -> None:
    store = stored(replace(SECOND, previous_fence=8))

    assert [each.fence for each in receipts_of_many(store, {"late": 8})] == [8]


def test_tables_are_counted_only_where_it_is_not_said_what_was_billed() -> None:
    billed = replace(PLAIN, batch_id="billed", bytes_billed=10)
    store = stored(PLAIN, billed)

    found = receipts_of_many(store, {"plain": 7, "billed": 7})

    assert {each.batch_id: each.tables for each in found} == {"plain": 1, "billed": 0}
