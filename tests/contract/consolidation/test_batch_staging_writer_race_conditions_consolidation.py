"""The scenarios of the former consolidator by their names, against the emulators.

Where a scenario enshrined a defect, its docstring says what is asserted instead.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from common.batches.records import BatchStatus
from common.consolidation.clean_up import CleanUp
from common.consolidation.duplicate_keys import duplicates
from common.consolidation.verification import NOT_VERIFIED
from common.result import LOCK_HELD, ErrorInfo, ErrorType, Result
from common.staging.table_names import batch_prefix, parse
from common.warehouse.records import Rows
from common.warehouse.warehouse import Warehouse
from tests.support.batch_helpers import GAME_DATE
from tests.support.consolidation_stack import BATCH, LOCK_KEY, TABLES, Stack
from tests.support.prediction_rows import prediction

CONTENTION = ErrorInfo(
    ErrorType.TRANSIENT,
    "BadRequest",
    "400 Transaction is aborted due to concurrent update against table p:d.consolidation_fences",
)


def play(stack: Stack, players: int = 3, **options: Any) -> None:
    """A complete batch in which every player has two rows."""
    names = [f"player{number}" for number in range(players)]
    rows = {name: [prediction(name), prediction(name, system_id="similarity")] for name in names}
    stack.play(rows, worker=lambda name: f"worker-{name}", **options)


class Failing:
    """A warehouse whose calls fail as told, before or after they have taken effect."""

    def __init__(
        self, warehouse: Warehouse, containing: str, error: ErrorInfo, *, after: bool = False
    ) -> None:
        self._warehouse = warehouse
        self._containing = containing
        self._error = error
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._warehouse, name)

    def execute(self, sql: str, *args: Any, **options: Any) -> Result[Rows]:
        if self._containing not in sql:
            return self._warehouse.execute(sql, *args, **options)
        if self._after:
            self._warehouse.execute(sql, *args, **options).unwrap()
        return Result.failure(self._error)


class Unaware:
    """A holder who has not noticed that the lock was taken away."""

    def __init__(self, fence: int) -> None:
        self.fence = fence

    def check(self) -> Result[None]:
        return Result.success(None)


class TestBatchConsolidator:
    def test_consolidate_lock_acquired(self, stack: Stack) -> None:
        play(stack)

        receipt = stack.consolidate().unwrap()

        lock = stack.lock_document()
        assert (lock["state"], lock["operation_id"], lock["fence"]) == ("released", BATCH, receipt.fence)
        assert stack.fences() == [receipt.fence]

    def test_consolidate_no_staging_tables(self, stack: Stack) -> None:
        """Nothing was claimed: an empty receipt. Formerly a success also where tables had been lost."""
        stack.open([])

        receipt = stack.consolidate().unwrap()

        assert (receipt.rows_staged, receipt.keys_in_main, receipt.job_id) == (0, 0, None)
        assert stack.batches.get(BATCH).unwrap().status is BatchStatus.CONSOLIDATED

    def test_consolidate_merge_succeeds(self, stack: Stack) -> None:
        play(stack)

        receipt = stack.consolidate().unwrap()

        assert (receipt.rows_staged, receipt.keys_staged, receipt.keys_in_main) == (6, 6, 6)
        assert (receipt.rows_inserted, receipt.rows_updated, receipt.duplicate_keys) == (6, 0, 0)
        assert len(stack.main_rows()) == 6

    def test_consolidate_merge_returns_zero_rows(self, stack: Stack) -> None:
        """Rows that are merged already are a success with the same receipt counts; formerly a failure."""
        play(stack)
        first = stack.consolidate().unwrap()
        before = stack.main_rows()
        stack.forget_consolidation()

        again = stack.consolidate().unwrap()

        assert (again.rows_inserted, again.rows_updated) == (0, 0)
        assert again.keys_in_main == first.keys_in_main
        assert stack.main_rows() == before

    def test_consolidate_duplicates_detected_post_merge(self, stack: Stack) -> None:
        play(stack)
        stack.consolidate().unwrap()
        stack.insert_again("player1")
        stack.forget_consolidation()

        result = stack.consolidate()

        assert result.error is not None
        assert (result.error.type, result.error.exception_class) == (ErrorType.PERMANENT, NOT_VERIFIED)
        assert "2 of the merged keys are in the main table more than once" in result.error.message
        assert stack.batches.get(BATCH).unwrap().status is BatchStatus.CONSOLIDATING
        assert len(stack.staging_tables()) > 3

    def test_consolidate_validation_passed(self, stack: Stack) -> None:
        """A check that could not run is a failure; formerly it returned -1, and that passed."""
        play(stack)
        unchecked = Failing(stack.warehouse, "AS suspected_keys", CONTENTION, after=True)

        failed = stack.make_consolidator(warehouse=unchecked).consolidate(BATCH, 1)
        passed = stack.consolidate()

        assert failed.is_retryable and failed.is_failure
        assert passed.unwrap().duplicate_keys == 0
        assert duplicates(stack.warehouse, TABLES, GAME_DATE).unwrap() == []

    def test_consolidate_cleanup_executed(self, stack: Stack) -> None:
        play(stack)
        receipt = stack.consolidate().unwrap()

        kept = stack.consolidator.drop_staging_tables(receipt).unwrap()

        assert kept == []
        assert stack.staging_tables() == []

    def test_consolidate_cleanup_skipped_on_failure(self, stack: Stack) -> None:
        play(stack)
        tables = stack.staging_tables()

        failed = stack.make_consolidator(warehouse=Failing(stack.warehouse, "MERGE", CONTENTION)).consolidate(
            BATCH, 1
        )

        assert failed.is_failure
        assert set(tables) <= set(stack.staging_tables())
        assert stack.main_rows() == []

    def test_consolidate_bad_request_error(self, stack: Stack) -> None:
        """Permanent, and told as such; formerly a text beside `success=False`."""
        play(stack)
        wrong = ErrorInfo.permanent("BadRequest", "400 Syntax error")

        result = stack.make_consolidator(warehouse=Failing(stack.warehouse, "MERGE", wrong)).consolidate(
            BATCH, 1
        )

        assert result.error == wrong
        assert not result.is_retryable
        assert stack.lock_document()["state"] == "released"

    def test_consolidate_conflict_error(self, stack: Stack) -> None:
        """Contention is transient and changes nothing; formerly it was one more permanent error."""
        play(stack)
        contended = stack.make_consolidator(warehouse=Failing(stack.warehouse, "MERGE", CONTENTION))

        result = contended.consolidate(BATCH, 1)

        assert result.is_retryable
        assert stack.consolidate().unwrap().rows_inserted == 6

    def test_consolidate_unexpected_error(self, stack: Stack) -> None:
        """What nobody foresaw is raised to the one boundary, and the lock is given back all the same."""
        play(stack)

        class Broken:
            def __getattr__(self, name: str) -> Any:
                raise ZeroDivisionError("nobody foresaw this")

        with pytest.raises(ZeroDivisionError):
            stack.make_consolidator(warehouse=Broken()).consolidate(BATCH, 1)

        assert stack.lock_document()["state"] == "released"

    def test_find_staging_tables(self, stack: Stack) -> None:
        """Tables come from what the completions claim; formerly from a listing by a shared prefix."""
        play(stack)
        stack.stage([prediction("stranger")], batch_id=BATCH + "2")
        stack.stage([prediction("unclaimed")], worker="stray")

        receipt = stack.consolidate().unwrap()

        assert len(receipt.tables) == 3
        assert {row["player_lookup"] for row in stack.main_rows()} == {"player0", "player1", "player2"}
        assert all(table.startswith(batch_prefix(BATCH)) for table in receipt.tables)

    def test_find_staging_tables_empty(self, stack: Stack) -> None:
        """A claimed table that is not there is missed, by name; formerly a success with no rows."""
        play(stack)
        lost = next(table for table in stack.staging_tables() if "player1" in table)
        stack.warehouse.delete_table(TABLES.path(lost)).unwrap()

        result = stack.consolidate()

        assert result.error is not None
        assert result.error.type is ErrorType.PERMANENT
        assert result.error.message == f"{lost}: there is no such table"
        assert stack.main_rows() == []

    def test_merge_query_with_deduplication(self, stack: Stack) -> None:
        """The newest of a key wins, by an exact line; formerly 24.5 and 25.0 were one key."""
        rows = [
            prediction("a", prediction_id="old", predicted_points=1),
            prediction("a", prediction_id="new", predicted_points=2, created_at=_later(1)),
            prediction("a", prediction_id="other line", current_points_line=25.0),
            prediction("a", prediction_id="no line", current_points_line=None),
            prediction("a", prediction_id="no line yet", current_points_line=None, created_at=_later(-1)),
        ]
        stack.play({"a": rows})

        receipt = stack.consolidate().unwrap()

        assert (receipt.rows_staged, receipt.keys_in_main) == (5, 3)
        assert {row["current_points_line"]: row["prediction_id"] for row in stack.main_rows()} == {
            Decimal("24.5"): "new",
            Decimal("25.0"): "other line",
            None: "no line",
        }

    def test_cleanup_orphaned_staging_tables(self, stack: Stack) -> None:
        """Old tables go only when their batch is over; formerly unmerged data went too."""
        play(stack)
        stack.stage([prediction("stranger")], batch_id="unheard-of")
        clean_up = CleanUp(stack.warehouse, TABLES)
        tomorrow = datetime.now(UTC) + timedelta(hours=25)
        mine = {table for table in stack.staging_tables() if BATCH in str(parse(table))}

        young = clean_up.orphans(stack.batches.get, datetime.now(UTC)).unwrap()
        unmerged = clean_up.orphans(stack.batches.get, tomorrow).unwrap()
        stack.consolidate().unwrap()
        merged = clean_up.orphans(stack.batches.get, tomorrow).unwrap()
        dropped = clean_up.drop_orphans(merged.over).unwrap()

        assert (young.over, young.left_alone) == ((), ())
        assert (unmerged.over, len(unmerged.left_alone)) == ((), 4)
        assert mine < set(dropped)
        assert stack.staging_tables() == [table.name for table in merged.left_alone]


class TestRaceConditionScenarios:
    def test_concurrent_consolidations_same_date(self, stack: Stack) -> None:
        """Two batches of a day: whoever comes second is told to come again, and merges beside the first."""
        play(stack)
        play(stack, batch_id="evening", players=4)

        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(stack.consolidate, (BATCH, "evening")))
        held = [result for result in results if result.is_failure]
        again = [stack.consolidate(batch) for batch in (BATCH, "evening")]

        assert all(result.error is not None and result.error.exception_class == LOCK_HELD for result in held)
        assert [result.unwrap().keys_in_main for result in again] == [6, 8]
        assert len(stack.main_rows()) == 8

    def test_race_no_duplicates_with_lock(self, stack: Stack) -> None:
        play(stack)

        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda _: stack.consolidate(), range(8)))

        receipts = {result.unwrap().fence for result in results if result.is_success}
        assert len(receipts) == 1
        assert duplicates(stack.warehouse, TABLES, GAME_DATE).unwrap() == []
        assert len(stack.main_rows()) == 6
        assert len(stack.receipts()) == 1

    def test_race_duplicates_without_lock(self, stack: Stack) -> None:
        """Without the lock there are none either: the fence decides. Formerly each racer inserted."""
        play(stack)
        leases = [stack.lock.try_acquire(LOCK_KEY, "first").unwrap()]
        stack.lock.force_release(LOCK_KEY, who="test", why="to have two holders").unwrap()
        leases.append(stack.lock.try_acquire(LOCK_KEY, "second").unwrap())

        newer = stack.merge_as(leases[1], BATCH).unwrap()
        older = stack.merge_as(Unaware(leases[0].fence), BATCH)

        assert newer.rows_inserted == 6
        assert older.error is not None and older.error.exception_class == "LockLost"
        assert stack.fences() == [leases[1].fence]
        assert len(stack.main_rows()) == 6

    def test_lock_prevents_concurrent_inserts(self, stack: Stack) -> None:
        play(stack)
        stack.lock.try_acquire(LOCK_KEY, "another").unwrap()

        result = stack.consolidate()

        assert result.error is not None and result.error.details is not None
        assert result.error.exception_class == LOCK_HELD
        assert result.error.details["operation_id"] == "another"
        assert stack.main_rows() == []
        assert stack.batches.get(BATCH).unwrap().status is BatchStatus.COMPLETE


def _later(hours: int) -> datetime:
    return datetime(2026, 1, 17, 22, tzinfo=UTC) + timedelta(hours=hours)
