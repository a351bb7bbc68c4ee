"""A day whose batches share keys is judged at every run: it finds nothing, at a read per completion."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from common.audit.batches_seen import Details, Seen, Wanted
from common.audit.in_turn import UNHURRIED
from common.audit.outcomes import Ok
from common.audit.row_checks import check_rows
from common.batches.records import Batch, BatchStatus
from common.consolidation.merge_sql import Tables
from common.consolidation.receipt import Receipt
from common.result import Result
from common.warehouse.records import Rows
from tests.support.batch_documents import batch_of, ended
from tests.support.receipts import receipt

DAY = date(2026, 1, 17)
NOW = datetime(2026, 1, 18, 6, tzinfo=UTC)
PLAYERS = ("amy", "bob", "cas")
MERGED = replace(batch_of(), game_date=DAY, status=BatchStatus.CONSOLIDATED)
BATCHES = (replace(MERGED, batch_id="first"), replace(MERGED, batch_id="second"))


class Stores:
    """Two batches that predicted the same for the same players: their keys are there once."""

    def seen(self, wanted: Wanted) -> Result[Seen]:
        seen = Seen(batches=BATCHES, unreadable=(), gone=frozenset(), read_time=NOW, reads=len(BATCHES))
        return Result.success(seen)

    def receipt(self, batch: Batch) -> Result[Receipt | None]:
        return Result.success(receipt(batch_id=batch.batch_id, total_predictions=len(PLAYERS)))

    def details(self, batch: Batch) -> Result[Details]:
        staged = {name: ended(name, staging_table="t", staged_rows=1) for name in PLAYERS}
        return Result.success(Details(documents=staged, expected=frozenset(PLAYERS), reads=len(PLAYERS)))

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        counted = {"key_count": 1, "row_count": 1, "duplicate_keys": 0, "modified_keys": 0}
        rows = [{"game_date": DAY, "player_lookup": name, **counted} for name in PLAYERS]
        return Result.success(Rows(rows=rows, job_id="job", bytes_processed=10, affected_rows=None))


def test_two_batches_that_share_their_keys_are_well_at_a_read_per_completion() -> None:
    stores: Any = Stores()

    outcome = check_rows(
        stores,
        Tables(predictions="d"),
        batches=stores,
        seen=stores.seen(Wanted(since=DAY)),
        turn=UNHURRIED,
    )

    receipts, batches_again, completions = 2, 2, 2 * len(PLAYERS)
    assert isinstance(outcome, Ok) and outcome.cost.reads == receipts + batches_again + completions
    assert outcome.looked_at == frozenset({"first", "second", DAY.isoformat()})
