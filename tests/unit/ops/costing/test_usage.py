"""What is counted, what is reckoned, and that each says which it is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from common.batches.records import Batch, Counts
from ops.costing.receipts import FIELDS, Spent
from ops.costing.usage import BYTES_PER_TABLE, usage_of
from tests.support.batch_documents import NOW, batch_of
from tests.support.receipts import receipt


def batch(**fields: Any) -> Batch:
    told = {"trigger_generation": 1, "phase_generation": 1, "expected_players": 450}
    return replace(batch_of(), **{**told, "counts": Counts(completed=440, failed=5, timed_out=5), **fields})


AUDIT = {
    "started_at": NOW,
    "ended_at": NOW + timedelta(seconds=3),
    "cost": {"reads": 70, "bytes_processed": 2_000},
}


def spent(**fields: Any) -> Spent:
    """What a receipt of one table tells."""
    data = receipt(**fields).to_document()
    return Spent(**{name: data[name] for name in FIELDS}, tables=1)


MERGED = spent(bytes_billed=20_971_520, jobs=2)


def test_what_documents_and_receipts_tell_is_counted() -> None:
    used = usage_of([batch()], [MERGED], [AUDIT, AUDIT])

    assert (used.completions, used.batches, used.consolidations, used.audits) == (450, 1, 1, 2)
    assert used.firestore_reads.measured == 140
    assert used.firestore_writes.measured == 451
    assert (used.bigquery_bytes.measured, used.bigquery_bytes.estimated) == (20_971_520 + 4_000, 0)
    assert used.messages.measured == 450 + 445 + 2
    assert used.run_requests.measured == 445 + 2 + 2
    assert used.run_vcpu_seconds.measured == 2 + 6


def test_what_no_store_tells_is_reckoned_and_says_how() -> None:
    used = usage_of([batch()], [MERGED], [])

    assert (used.firestore_reads.estimated, used.firestore_writes.estimated) == (455, 458)
    assert "450 completions read once + 1 consolidation * 5" in used.firestore_reads.formula
    assert "450 counters" in used.firestore_writes.formula
    assert used.pubsub_bytes.estimated == 2 * 1_000 * 897
    assert used.run_vcpu_seconds.estimated == 450 * 0.00033


def test_receipt_of_an_earlier_release_is_billed_for_its_tables_at_least() -> None:
    used = usage_of([batch()], [spent(bytes_billed=None)], [])

    assert (used.bigquery_bytes.measured, used.bigquery_bytes.estimated) == (0, 2 * BYTES_PER_TABLE)
    assert "1 receipt without it: 2 tables" in used.bigquery_bytes.formula


def test_days_without_anything_used_nothing() -> None:
    used = usage_of([], [], [])

    assert used.firestore_reads.units + used.firestore_writes.units + used.run_vcpu_seconds.units == 0
