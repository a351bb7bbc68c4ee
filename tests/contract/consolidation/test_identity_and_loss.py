"""Which tables are merged and dropped, who may still do so, and what is said of rows that are missing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from common.batches.records import COMPLETIONS, BatchStatus, batch_path
from common.consolidation.clean_up import CleanUp
from common.consolidation.staged_rows import FOREIGN_TABLE, STAGED_ROWS_DIFFER
from common.maintenance.recount import recount
from common.messages import MessageStatus, PlayerOutcome
from common.predictions.table import COLUMNS, TABLE
from common.result import LOCK_LOST, ErrorInfo, ErrorType, Result
from common.staging.table_names import gathered_prefix, staging_table
from common.warehouse.records import Rows
from tests.support.batch_helpers import AFTER_DEADLINE, as_the_old_system_wrote_it
from tests.support.consolidation_stack import BATCH, LOCK_KEY, TABLES, Stack
from tests.support.prediction_rows import CREATED_AT, prediction
from tests.support.results import error_of


class Around:
    """A warehouse that does something before or after each statement that contains a word."""

    def __init__(
        self,
        stack: Stack,
        word: str,
        *,
        before: Callable[[], object] = lambda: None,
        after: Callable[[], object] = lambda: None,
    ) -> None:
        self._stack = stack
        self._word = word
        self._before = before
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stack.warehouse, name)

    def execute(self, sql: str, *args: Any, **options: Any) -> Result[Rows]:
        if self._word not in sql:
            return self._stack.warehouse.execute(sql, *args, **options)
        self._before()
        done = self._stack.warehouse.execute(sql, *args, **options)
        self._after()
        return done


def players_in_main(stack: Stack) -> list[str]:
    return [row["player_lookup"] for row in stack.main_rows()]


class TestIdentity:
    def test_a_table_made_anew_with_as_many_rows_outlives_the_redelivery_of_the_one_before(
        self, stack: Stack
    ) -> None:
        stack.open(["a", "late"], min_completion_pct=50)
        stack.complete("a", stack.stage([prediction("a")]))
        stack.time_out(AFTER_DEADLINE)
        first = stack.consolidate().unwrap()
        stack.consolidator.drop_staging_tables(first).unwrap()
        [table] = first.tables

        retried = stack.writer.write([prediction("late")], BATCH, "w1")
        assert error_of(retried).type is ErrorType.TRANSIENT  # the writer did not know that it was dropped
        stack.complete("late", stack.stage([prediction("late")]))
        redelivered = stack.consolidator.drop_staging_tables(stack.consolidate().unwrap()).unwrap()
        second = stack.consolidate(generation=2).unwrap()

        assert redelivered == [table]
        assert list(second.tables) == [table]
        assert second.tables[table].rows == first.tables[table].rows
        assert players_in_main(stack) == ["a", "late"]

    @pytest.mark.parametrize("name", [f"{TABLE}_backup", staging_table("another", "w1")])
    def test_no_completion_can_have_a_table_of_others_merged_or_dropped(
        self, stack: Stack, name: str
    ) -> None:
        stack.open(["a"])
        stack.warehouse.create_table(TABLES.path(name), COLUMNS).unwrap()
        stack.complete("a", stack.stage([prediction("a")]))
        # Messages that name it are refused; what is stored may be older, or another's.
        stored = stack.db.document(f"{batch_path(BATCH)}/{COMPLETIONS}/a")
        stored.update({"staging_table": name})

        error = error_of(stack.consolidate())

        assert (error.type, error.exception_class) == (ErrorType.PERMANENT, FOREIGN_TABLE)
        assert name in error.message
        assert stack.warehouse.look(TABLES.path(name)).unwrap() is not None
        assert stack.main_rows() == []

    def test_a_receipt_cannot_have_a_table_of_others_dropped_either(self, stack: Stack) -> None:
        stack.play({"a": [prediction("a")]})
        receipt = stack.consolidate().unwrap()
        created = stack.warehouse.create_table(TABLES.path("backup"), COLUMNS).unwrap()
        [merged] = receipt.tables.values()
        forged = {"backup": type(merged)(rows=0, created_at=created)}

        kept = CleanUp(stack.warehouse, TABLES).drop_merged(BATCH, forged).unwrap()

        assert kept == ["backup"]
        assert stack.warehouse.look(TABLES.path("backup")).unwrap() is not None

    def test_what_dead_holders_have_gathered_goes_with_the_next_consolidation(self, stack: Stack) -> None:
        stack.play({"a": [prediction("a")]})
        broken = Around(stack, "MERGE", before=lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            stack.make_consolidator(warehouse=broken).consolidate(BATCH, 1)
        left = [name for name in stack.staging_tables() if name.startswith(gathered_prefix(BATCH))]

        receipt = stack.consolidate().unwrap()
        stack.consolidator.drop_staging_tables(receipt).unwrap()

        assert len(left) == 1
        assert stack.staging_tables() == []

    @pytest.mark.parametrize("answers_of", [("slow", "slow"), ("slow", "prompt")], ids=["one", "two"])
    def test_a_player_whom_his_worker_has_answered_twice_is_merged_as_he_claimed(
        self, stack: Stack, answers_of: tuple[str, str]
    ) -> None:
        stack.open(["slow", "prompt", "last"])
        for number, player in enumerate(("slow", "prompt", *answers_of)):
            at = CREATED_AT + timedelta(minutes=number)
            lines = (24.5, None) if number < 2 else (25.5, None)
            rows = [
                prediction(player, current_points_line=line, created_at=at, predicted_points=number)
                for line in lines
            ]
            staged = stack.stage(rows)
            stack.complete(player, staged)
        stack.complete("last", outcome=PlayerOutcome.SKIPPED)

        receipt = stack.consolidate().unwrap()

        # Of two answers of as many rows the newer one, whole: no line of the older stays beside it.
        expected = {"slow": 0, "prompt": 1} | {player: 2 + number for number, player in enumerate(answers_of)}
        found = {(row["player_lookup"], float(row["predicted_points"])) for row in stack.main_rows()}
        assert found == set(expected.items())
        assert (receipt.rows_staged, receipt.keys_in_main, len(stack.main_rows())) == (4, 4, 4)
        assert stack.consolidator.drop_staging_tables(receipt).unwrap() == []
        assert stack.staging_tables() == []

    def test_rows_that_were_loaded_twice_are_no_second_answer_and_refused(self, stack: Stack) -> None:
        stack.open(["a"])
        stack.stage([prediction("a", prediction_id="of another load")])
        stack.complete("a", stack.stage([prediction("a")]))

        error = error_of(stack.consolidate())

        assert (error.exception_class, error.type) == (STAGED_ROWS_DIFFER, ErrorType.PERMANENT)
        assert "1 row claimed, 2 found" in error.message
        assert stack.main_rows() == []


class TestHolders:
    def test_an_overtaken_holder_who_finds_the_tables_gone_has_lost_the_lock_and_blames_nobody(
        self, stack: Stack
    ) -> None:
        stack.play({"a": [prediction("a")]})

        def overtake() -> None:
            stack.lock.force_release(LOCK_KEY, who="test", why="to overtake").unwrap()
            stack.consolidator.drop_staging_tables(stack.consolidate().unwrap()).unwrap()

        slow = stack.make_consolidator(warehouse=Around(stack, "CREATE OR REPLACE", before=overtake))
        error = error_of(slow.consolidate(BATCH, 1))

        assert (error.type, error.exception_class) == (ErrorType.TRANSIENT, LOCK_LOST)
        assert error.is_expected
        assert players_in_main(stack) == ["a"]
        assert len(stack.receipts()) == 1

    def test_nobody_can_ask_for_the_lock_so_a_permanent_failure_is_not_believed(self, stack: Stack) -> None:
        stack.play({"a": [prediction("a")]})
        unreachable = ErrorInfo.transient("ServiceUnavailable", "told to fail")

        class Lost:
            """A holder's lock in a store that answers no more."""

            def __init__(self, lease: Any) -> None:
                self._lease = lease

            def __getattr__(self, name: str) -> Any:
                return getattr(self._lease, name)

            def check(self, *, ask_store: bool = False) -> Result[Any]:
                return Result.failure(unreachable) if ask_store else self._lease.check()

        class LostLock:
            def try_acquire(self, *args: Any) -> Result[Any]:
                return stack.lock.try_acquire(*args).map(Lost)

        wrong = Around(stack, "CREATE OR REPLACE", before=lambda: stack.warehouse.delete_table(_first(stack)))
        consolidator = stack.make_consolidator(warehouse=wrong, lock=LostLock())

        assert error_of(consolidator.consolidate(BATCH, 1)) == unreachable
        assert stack.lock_document()["state"] == "released"


class TestTriggers:
    def test_a_generation_that_is_not_reached_merges_nothing_and_changes_nothing(self, stack: Stack) -> None:
        stack.play({"a": [prediction("a")]})

        error = error_of(stack.consolidate(generation=2))

        assert (error.type, error.exception_class) == (ErrorType.PERMANENT, "WrongGeneration")
        assert (stack.batches.get(BATCH).unwrap().status, stack.main_rows()) == (BatchStatus.COMPLETE, [])
        assert stack.consolidate().unwrap().keys_in_main == 1

    def test_an_abandoned_batch_is_not_merged_by_the_trigger_of_an_older_generation(
        self, stack: Stack
    ) -> None:
        stack.open(["a", "late"], min_completion_pct=50)
        stack.complete("a", stack.stage([prediction("a")]))
        stack.time_out(AFTER_DEADLINE)
        stack.complete("late", stack.stage([prediction("late")]))
        stack.batches.abandon(BATCH, who="test", why="given up").unwrap()

        error = error_of(stack.consolidate(generation=1))

        assert error.type is ErrorType.PERMANENT
        assert (stack.batches.get(BATCH).unwrap().status, stack.main_rows()) == (BatchStatus.ABANDONED, [])


class TestWhatIsMissing:
    def test_two_rows_with_one_key_time_and_id_and_another_value_are_told(self, stack: Stack) -> None:
        stack.open(["a"])
        stack.stage([prediction("a", predicted_points=1, key_factors={"rest": 1})])
        staged = stack.stage([prediction("a", predicted_points=2, key_factors={"rest": 1})])
        stack.complete("a", staged, staged_rows=2)

        receipt = stack.consolidate().unwrap()

        assert (receipt.contradicting_rows, receipt.status) == (1, MessageStatus.PARTIAL)
        assert len(stack.main_rows()) == 1

    def test_rows_that_repeat_one_in_the_main_table_contradict_it_only_if_they_differ(
        self, stack: Stack
    ) -> None:
        row = prediction("a", key_factors={"b": 1, "a": [2]}, data_quality_issues=["late"])
        stack.play({"a": [row]}, batch_id="morning")
        stack.consolidate("morning").unwrap()
        stack.play({"a": [row, prediction("a", current_points_line=None)]}, batch_id="noon")
        same = stack.consolidate("noon").unwrap()
        stack.play({"a": [{**row, "recommendation": "UNDER"}]}, batch_id="evening")
        other = stack.consolidate("evening").unwrap()

        assert (same.contradicting_rows, same.status) == (0, MessageStatus.SUCCESS)
        assert (other.contradicting_rows, other.status) == (1, MessageStatus.PARTIAL)

    def test_rows_of_a_batch_that_the_system_before_began_are_found_by_its_names_or_missed_by_name(
        self, stack: Stack
    ) -> None:
        start = f"_staging_{BATCH.replace('-', '_')}"
        as_the_old_system_wrote_it(
            stack.batches,
            expected=2,
            completed=["a", "lost"],
            batch_id=BATCH,
            status="complete",
            trigger_generation=0,
        )
        for name, rows in {
            f"{start}_worker_0123456789ab": [prediction("a"), prediction("a", system_id="similarity")],
            # Delivered twice, as it was: another table with the same row.
            f"{start}_prediction_worker_00012_abc_1a2b3c4d": [prediction("a")],
            f"{start}1_worker_0123456789ab": [prediction("lost")],
        }.items():
            stack.load(name, rows)
        drifted = f"{start}_worker_ba9876543210"
        stack.warehouse.create_table(TABLES.path(drifted), COLUMNS[:-1]).unwrap()

        receipt = stack.consolidate().unwrap()
        stack.consolidator.drop_staging_tables(receipt).unwrap()

        assert players_in_main(stack) == ["a", "a"]
        assert (receipt.unstaged_players, receipt.unstaged_names) == (1, ("lost",))
        assert (receipt.status, receipt.total_predictions) == (MessageStatus.PARTIAL, 2)
        assert stack.staging_tables() == sorted([f"{start}1_worker_0123456789ab", drifted])

    def test_who_was_lost_after_a_merge_and_brings_his_rows_again_is_counted_once(self, stack: Stack) -> None:
        rows = {name: [prediction(name), prediction(name, system_id="similarity")] for name in ("a", "b")}
        stack.play(rows)
        first = stack.consolidate().unwrap()
        stack.consolidator.drop_staging_tables(first).unwrap()
        recount(stack.batches, BATCH, lost=["a", "b"]).unwrap()

        totals = []
        for generation, name in enumerate(("a", "b"), start=2):
            stack.complete(name, stack.stage(rows[name], worker=f"again-{name}"))
            receipt = stack.consolidate(generation=generation).unwrap()
            totals.append((receipt.keys_in_main, receipt.total_predictions))

        assert first.total_predictions == len(stack.main_rows()) == 4
        assert totals == [(2, 4), (2, 4)]


def _first(stack: Stack) -> str:
    return TABLES.path(stack.staging_tables()[0])
