"""Receipts of consolidations, as a test wants them."""

from datetime import UTC, datetime
from typing import Any

from common.consolidation.receipt import MergedTable, Receipt
from tests.support.batch_helpers import GAME_DATE

STAGED_AT = datetime(2026, 1, 17, 22, 30, tzinfo=UTC)


def receipt(**fields: Any) -> Receipt:
    """Of three players who all completed, with five predictions each."""
    known: dict[str, Any] = {
        "batch_id": "batch1",
        "generation": 1,
        "fence": 7,
        "game_date": GAME_DATE.isoformat(),
        "expected_players": 3,
        "completed_players": 3,
        "skipped_players": 0,
        "failed_players": 0,
        "timed_out_players": 0,
        "unstaged_players": 0,
        "tables": {"_staging_batch1_w1": MergedTable(rows=15, created_at=STAGED_AT)},
        "gathered_table": "_gathered_batch1_1_7",
        "rows_staged": 15,
        "keys_staged": 15,
        "keys_in_main": 15,
        "duplicate_keys": 0,
        "rows_inserted": 15,
        "rows_updated": 0,
        "total_predictions": 15,
        "job_id": "merge-1",
        "bytes_processed": 1_000,
        "started_at": datetime(2026, 1, 17, 23, 0, tzinfo=UTC),
        "consolidated_at": datetime(2026, 1, 17, 23, 0, 2, tzinfo=UTC),
    }
    return Receipt(**{**known, **fields})
