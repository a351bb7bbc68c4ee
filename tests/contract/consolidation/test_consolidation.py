"""What the former scenarios missed: lines, ties, NULL keys, late rows, wrong claims, empty batches."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from common.batches.records import BatchStatus
from common.consolidation import merge_sql
from common.consolidation.duplicate_keys import DuplicateKey, duplicates
from common.consolidation.staged_rows import STAGED_ROWS_DIFFER
from common.messages import MessageStatus, PlayerOutcome
from common.predictions.columns import Column
from common.predictions.schema_check import SCHEMA_DIFFERS
from common.predictions.table import COLUMNS
from common.result import ErrorInfo, ErrorType, Result
from common.sport import Sport, SportNames
from common.staging.table_names import staging_table
from common.texts import counted
from common.warehouse.jobs import MAY_STILL_RUN
from common.warehouse.records import Rows
from tests.support.batch_helpers import AFTER_DEADLINE, GAME_DATE
from tests.support.consolidation_stack import BATCH, LOCK_KEY, TABLES, Stack
from tests.support.prediction_rows import CREATED_AT, prediction
from tests.support.results import error_of

INTEGER = Column(name="extra", type="INT64")


def by_line(stack: Stack, column: str) -> dict[Decimal | None, Any]:
    return {row["current_points_line"]: row[column] for row in stack.main_rows()}


def play_again(stack: Stack, batch_id: str, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Any:
    stack.play(rows, batch_id=batch_id)
    return stack.consolidate(batch_id).unwrap()


class TestKeys:
    def test_half_a_point_makes_another_line(self, stack: Stack) -> None:
        lines = [24.0, 24.5, 25.0, 25.5]

        stack.play(
            {"a": [prediction("a", current_points_line=line, predicted_points=line) for line in lines]}
        )
        receipt = stack.consolidate().unwrap()

        assert receipt.keys_in_main == 4
        assert by_line(stack, "predicted_points") == {
            Decimal(str(line)): Decimal(str(line)) for line in lines
        }

    def test_a_line_that_is_null_is_the_same_key_in_every_batch(self, stack: Stack) -> None:
        no_line = {"a": [prediction("a", current_points_line=None)]}
        newer = {"a": [prediction("a", current_points_line=None, created_at=CREATED_AT + timedelta(hours=1))]}

        first = play_again(stack, "morning", no_line)
        second = play_again(stack, "noon", newer)

        assert (first.rows_inserted, first.rows_updated) == (1, 0)
        assert (second.rows_inserted, second.rows_updated) == (0, 1)
        assert len(stack.main_rows()) == 1

    @pytest.mark.parametrize("turned_round", [False, True])
    def test_rows_created_at_the_same_moment_are_told_apart_by_their_id(
        self, stack: Stack, turned_round: bool
    ) -> None:
        rows = [prediction("a", prediction_id=one, predicted_points=n) for n, one in enumerate("zx")]

        stack.play({"a": rows[::-1] if turned_round else rows})
        stack.consolidate().unwrap()

        assert [row["prediction_id"] for row in stack.main_rows()] == ["z"]

    def test_an_older_row_never_replaces_a_newer_one(self, stack: Stack) -> None:
        play_again(stack, "noon", {"a": [prediction("a", predicted_points=2)]})
        older = prediction("a", predicted_points=1, created_at=CREATED_AT - timedelta(hours=1))

        receipt = play_again(stack, "morning", {"a": [older]})

        assert (receipt.rows_inserted, receipt.rows_updated, receipt.keys_in_main) == (0, 0, 1)
        assert by_line(stack, "predicted_points") == {Decimal("24.5"): Decimal(2)}

    def test_a_newer_row_replaces_every_column_but_the_key(self, stack: Stack) -> None:
        play_again(stack, "morning", {"a": [prediction("a", sportsbook="FANDUEL", warnings=["x"])]})
        newer = prediction(
            "a",
            prediction_id="newer",
            sportsbook=None,
            key_factors={"rest": 2},
            data_quality_issues=["late"],
            created_at=CREATED_AT + timedelta(hours=1),
        )

        play_again(stack, "noon", {"a": [newer]})

        [row] = stack.main_rows()
        assert (row["prediction_id"], row["sportsbook"], row["warnings"]) == ("newer", None, None)
        assert (row["key_factors"], row["data_quality_issues"]) == ({"rest": 2}, ["late"])

    def test_consolidating_again_does_not_touch_a_row(self, stack: Stack) -> None:
        stack.play({"a": [prediction("a"), prediction("a", current_points_line=None)]})
        stack.consolidate().unwrap()
        before = stack.main_rows()
        stack.forget_consolidation()

        stack.consolidate().unwrap()

        assert stack.main_rows() == before

    def test_only_the_day_of_the_batch_is_merged_into(self, stack: Stack) -> None:
        other_day = f"SELECT * REPLACE (DATE '2026-01-16' AS game_date) FROM `{TABLES.main}`"
        play_again(stack, "morning", {"a": [prediction("a")]})
        stack.warehouse.execute(f"INSERT INTO `{TABLES.main}` {other_day}").unwrap()
        newer = prediction("a", created_at=CREATED_AT + timedelta(hours=1))

        receipt = play_again(stack, "noon", {"a": [newer]})

        assert (receipt.rows_inserted, receipt.rows_updated) == (0, 1)
        assert [row["created_at"] for row in stack.main_rows()] == [newer["created_at"]]
        assert [row["created_at"] for row in stack.main_rows(date(2026, 1, 16))] == [CREATED_AT]


class TestClaims:
    @pytest.mark.parametrize(("claimed", "found"), [(1, 2), (3, 2)])
    def test_staged_rows_that_differ_from_the_claim_are_not_merged(
        self, stack: Stack, claimed: int, found: int
    ) -> None:
        stack.open(["a"])
        staged = stack.stage([prediction("a"), prediction("a", current_points_line=None)])
        stack.complete("a", staged, staged_rows=claimed)

        result = stack.consolidate()

        assert result.error is not None
        assert (result.error.type, result.error.exception_class) == (ErrorType.PERMANENT, STAGED_ROWS_DIFFER)
        assert f"{staged.table}: a: {counted(claimed, 'row')} claimed, {found} found" in result.error.message
        assert stack.main_rows() == []
        assert staged.table in stack.staging_tables()

    def test_a_players_rows_in_another_workers_table_are_left_out(self, stack: Stack) -> None:
        """As after a request that was delivered to two workers: the first completion counts."""
        stack.open(["a", "b"])
        stack.complete("a", stack.stage([prediction("a")], worker="w1"))
        both = [
            prediction("a", predicted_points=1, created_at=CREATED_AT + timedelta(hours=1)),
            prediction("b"),
        ]
        for row in both:
            staged = stack.stage([row], worker="w2")
        stack.complete("b", staged)

        receipt = stack.consolidate().unwrap()
        kept = stack.consolidator.drop_staging_tables(receipt).unwrap()

        assert receipt.rows_staged == 2
        assert {row["player_lookup"]: row["predicted_points"] for row in stack.main_rows()} == {
            "a": Decimal("27.3"),
            "b": Decimal("27.3"),
        }
        assert (kept, stack.staging_tables()) == ([], [])

    def test_a_table_that_appears_after_the_claims_is_not_merged_and_not_dropped(self, stack: Stack) -> None:
        stack.play({"a": [prediction("a")]})

        class Meanwhile:
            """A worker stages something between the look at the tables and the merge."""

            def __getattr__(self, name: str) -> Any:
                return getattr(stack.warehouse, name)

            def execute(self, sql: str, **options: Any) -> Result[Rows]:
                if "MERGE" in sql:
                    stack.stage([prediction("late")], worker="w9")
                return stack.warehouse.execute(sql, **options)

        receipt = stack.make_consolidator(warehouse=Meanwhile()).consolidate(BATCH, 1).unwrap()
        stack.consolidator.drop_staging_tables(receipt).unwrap()

        assert [row["player_lookup"] for row in stack.main_rows()] == ["a"]
        assert [table.rpartition("_")[2] for table in stack.staging_tables()] == ["w9"]

    def test_rows_appended_to_a_merged_table_keep_it_from_being_dropped(self, stack: Stack) -> None:
        stack.play({"a": [prediction("a")]})
        receipt = stack.consolidate().unwrap()
        table = stack.stage([prediction("late")]).table

        kept = stack.consolidator.drop_staging_tables(receipt).unwrap()

        assert kept == [table]
        assert stack.staging_tables() == [table]

    def test_a_worker_that_stages_another_day_is_found_out(self, stack: Stack) -> None:
        stack.open(["a"])
        staged = stack.stage([prediction("a", game_date="2026-01-18")])
        stack.complete("a", staged)

        result = stack.consolidate()

        assert result.error is not None
        assert result.error.message == f"{staged.table}: a: 1 row of another day"

    @pytest.mark.parametrize(
        ("drifted", "problem"),
        [
            pytest.param((*COLUMNS, INTEGER), ".extra: unknown", id="extra"),
            pytest.param(COLUMNS[:-1], ".updated_at: missing", id="missing"),
            pytest.param(
                (*COLUMNS[:-1], replace(INTEGER, name="updated_at")),
                ".updated_at: INT64, not TIMESTAMP",
                id="mistyped",
            ),
        ],
    )
    def test_a_staging_table_with_other_columns_is_named_before_any_query_fails(
        self, stack: Stack, drifted: Sequence[Column], problem: str
    ) -> None:
        stack.open(["a"])
        table = staging_table(BATCH, "drifted")
        stack.warehouse.create_table(TABLES.path(table), drifted).unwrap()
        stack.complete("a", None, staging_table=table, staged_rows=1, predictions_generated=1)

        result = stack.consolidate()

        assert result.error is not None
        assert (result.error.type, result.error.exception_class) == (ErrorType.PERMANENT, SCHEMA_DIFFERS)
        assert result.error.message == table + problem


class TestOutcomes:
    def test_a_batch_with_only_skipped_players_has_no_data(self, stack: Stack) -> None:
        stack.open(["a", "b"])
        for player in "ab":
            stack.complete(player, outcome=PlayerOutcome.SKIPPED)

        receipt = stack.consolidate().unwrap()
        kept = stack.consolidator.drop_staging_tables(receipt).unwrap()

        assert (receipt.status, receipt.skipped_players) == (MessageStatus.NO_DATA, 2)
        assert (receipt.total_predictions, kept, stack.main_rows()) == (0, [], [])
        assert stack.batches.get(BATCH).unwrap().status is BatchStatus.CONSOLIDATED

    def test_a_batch_with_zero_staged_rows_has_no_data(self, stack: Stack) -> None:
        stack.open(["a"])
        stack.complete("a", stack.writer.write([], BATCH, "w1").unwrap())

        assert stack.consolidate().unwrap().status is MessageStatus.NO_DATA

    def test_failed_players_make_it_partial(self, stack: Stack) -> None:
        stack.open(["a", "b"])
        stack.complete("a", stack.stage([prediction("a")]))
        stack.complete("b", outcome=PlayerOutcome.FAILED)

        receipt = stack.consolidate().unwrap()

        assert (receipt.status, receipt.failed_players, receipt.total_predictions) == (
            MessageStatus.PARTIAL,
            1,
            1,
        )

    def test_a_batch_that_is_still_open_is_refused(self, stack: Stack) -> None:
        stack.open(["a", "b"])
        stack.complete("a", stack.stage([prediction("a")]))

        result = stack.consolidate()

        assert result.error is not None
        assert not result.is_retryable
        assert stack.main_rows() == []

    @pytest.mark.parametrize(("of_batch", "ours"), [("experiment", ""), ("", "experiment")])
    def test_a_batch_of_other_datasets_is_refused_and_left_as_it_is(
        self, stack: Stack, of_batch: str, ours: str
    ) -> None:
        stack.open([], dataset_prefix=of_batch)
        names = SportNames(sport=Sport.NBA, dataset_prefix=ours)

        error = error_of(stack.make_consolidator(names=names).consolidate(BATCH, 1))

        assert (error.type, error.exception_class) == (ErrorType.PERMANENT, "WrongPrefix")
        assert stack.batches.get(BATCH).unwrap().status is BatchStatus.COMPLETE

    def test_a_batch_that_nobody_opened_is_not_there_yet(self, stack: Stack) -> None:
        result = stack.consolidate("unheard-of")

        assert result.error is not None and result.error.is_expected
        assert result.is_retryable

    def test_a_receipt_is_there_for_the_asking_while_another_holds_the_day(self, stack: Stack) -> None:
        stack.play({"a": [prediction("a")]})
        receipt = stack.consolidate().unwrap()
        stack.lock.try_acquire(LOCK_KEY, "another batch").unwrap()

        assert stack.consolidate().unwrap() == receipt

    def test_the_run_is_logged_once_with_what_it_belongs_to(self, stack: Stack) -> None:
        stack.play({"a": [prediction("a")]}, correlation_id="run-1")
        receipt = stack.consolidate().unwrap()

        written = [stack.consolidator.log_run(receipt).unwrap() for _ in range(2)]

        assert written == [True, False]
        [row] = stack.log_rows()
        assert (row["execution_id"], row["status"], row["record_count"]) == (f"{BATCH}-1", "success", 1)
        assert (row["metadata"]["fence"], row["correlation_id"]) == (receipt.fence, "run-1")


class TestGenerations:
    def test_a_late_player_is_merged_by_the_next_generation_and_nothing_of_theirs_is_dropped(
        self, stack: Stack
    ) -> None:
        stack.open(["a", "late"], min_completion_pct=50)
        stack.complete("a", stack.stage([prediction("a")]))
        staged = stack.stage([prediction("late")])
        stack.time_out(AFTER_DEADLINE)

        first = stack.consolidate().unwrap()
        first_kept = stack.consolidator.drop_staging_tables(first).unwrap()
        tables_between = stack.staging_tables()
        stack.complete("late", staged)
        second = stack.consolidate(generation=2).unwrap()
        stack.consolidator.drop_staging_tables(second).unwrap()

        assert (first.status, first.total_predictions, first_kept) == (MessageStatus.PARTIAL, 1, [])
        assert tables_between == [staged.table]
        assert (second.status, second.keys_in_main, second.total_predictions) == (MessageStatus.SUCCESS, 1, 2)
        assert stack.staging_tables() == []
        assert [receipt["generation"] for receipt in stack.receipts()] == [1, 2]

    def test_a_generation_that_is_overtaken_has_the_receipt_of_the_one_that_took_it_in(
        self, stack: Stack
    ) -> None:
        stack.open(["a", "late"], min_completion_pct=50)
        stack.complete("a", stack.stage([prediction("a")]))
        staged = stack.stage([prediction("late")])
        stack.time_out(AFTER_DEADLINE)
        stack.complete("late", staged)

        second = stack.consolidate(generation=2).unwrap()
        first = stack.consolidate(generation=1).unwrap()

        assert first == second
        assert second.keys_in_main == 2


class TestStatements:
    def test_the_main_table_sees_one_mutating_statement_however_many_tables_there_are(
        self, stack: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(merge_sql, "MAX_TABLES", 3)
        statements: list[str] = []

        class Listening:
            def __getattr__(self, name: str) -> Any:
                return getattr(stack.warehouse, name)

            def execute(self, sql: str, *args: Any, **options: Any) -> Result[Rows]:
                statements.append(sql)
                return stack.warehouse.execute(sql, *args, **options)

        players = [f"player{number}" for number in range(7)]
        stack.play({name: [prediction(name)] for name in players}, worker=lambda name: name)
        receipt = stack.make_consolidator(warehouse=Listening()).consolidate(BATCH, 1).unwrap()
        stack.consolidator.drop_staging_tables(receipt).unwrap()

        into_main = [
            sql for sql in statements if f"MERGE `{TABLES.main}`" in sql or f"INTO `{TABLES.main}`" in sql
        ]
        assert len(into_main) == 1
        assert sum("UNION ALL BY NAME" in sql for sql in statements) == 2  # 3 + 3 + 1 tables
        assert [row["player_lookup"] for row in stack.main_rows()] == players
        assert stack.staging_tables() == []

    def test_a_merge_that_may_still_run_keeps_the_lock_until_it_expires(self, stack: Stack) -> None:
        stack.play({"a": [prediction("a")]})

        class Unsettled:
            def __getattr__(self, name: str) -> Any:
                return getattr(stack.warehouse, name)

            def execute(self, sql: str, *args: Any, **options: Any) -> Result[Rows]:
                if "MERGE" not in sql:
                    return stack.warehouse.execute(sql, *args, **options)
                details = {MAY_STILL_RUN: True}
                return Result.failure(ErrorInfo(ErrorType.TRANSIENT, "JobUnsettled", "still runs", details))

        result = stack.make_consolidator(warehouse=Unsettled()).consolidate(BATCH, 1)

        assert result.is_retryable
        assert stack.lock_document()["state"] == "held"

    def test_two_fence_rows_from_a_race_of_their_creation_do_no_harm(self, stack: Stack) -> None:
        stack.play({"a": [prediction("a")]})
        stack.insert_fences(0, 0)

        receipt = stack.consolidate().unwrap()

        assert stack.fences() == [receipt.fence] * 2
        assert len(stack.main_rows()) == 1

    def test_where_any_fence_row_is_higher_nothing_is_merged(self, stack: Stack) -> None:
        stack.play({"a": [prediction("a")]})
        stack.insert_fences(0, 9)

        result = stack.consolidate()

        assert result.error is not None
        assert (result.error.type, result.error.exception_class) == (ErrorType.TRANSIENT, "LockLost")
        assert stack.main_rows() == []


class TestDuplicates:
    def test_there_are_none(self, stack: Stack) -> None:
        stack.play({"a": [prediction("a"), prediction("a", current_points_line=None)]})
        stack.consolidate().unwrap()

        assert duplicates(stack.warehouse, TABLES, GAME_DATE).unwrap() == []

    def test_there_are_these(self, stack: Stack) -> None:
        stack.play(
            {"a": [prediction("a"), prediction("a", current_points_line=None)], "b": [prediction("b")]}
        )
        stack.consolidate().unwrap()
        stack.insert_again("a")

        found = duplicates(stack.warehouse, TABLES, GAME_DATE).unwrap()

        key = {"game_id": "20260117_LAL_BOS", "player_lookup": "a", "system_id": "ensemble"}
        assert {one.key["current_points_line"]: one for one in found} == {
            line: DuplicateKey(key={**key, "current_points_line": line}, copies=2)
            for line in (None, Decimal("24.5"))
        }

    def test_it_could_not_be_checked(self, stack: Stack) -> None:
        stack.warehouse.delete_table(TABLES.main).unwrap()

        result = duplicates(stack.warehouse, TABLES, GAME_DATE)

        assert result.is_failure


def test_times_of_the_main_table_are_those_of_the_merge(stack: Stack) -> None:
    stack.play({"a": [prediction("a", updated_at=datetime(2020, 1, 1, tzinfo=UTC))]})

    receipt = stack.consolidate().unwrap()

    assert [row["updated_at"] for row in stack.main_rows()] == [receipt.started_at]
