"""The scenarios of the former staging writer by their names, against the emulator, and what they missed.

Where a scenario enshrined a defect, its docstring says what is asserted instead.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from common.consolidation.clean_up import ORPHAN_AGE
from common.predictions.rows import INVALID_ROWS
from common.predictions.table import COLUMNS
from common.result import ErrorType
from common.staging.writer import EXPIRES_AFTER, StagedWrite, StagingWriter
from common.warehouse.warehouse import Warehouse
from tests.support.consolidation_stack import BATCH, TABLES, Stack
from tests.support.prediction_rows import prediction
from tests.support.stub_bigquery import NOT_FOUND, BigQueryStub, client
from tests.support.wall_clock import WallClock


def rows_of(stack: Stack, written: StagedWrite) -> int:
    return stack.warehouse.row_count(TABLES.path(str(written.table))).unwrap()


class TestBatchStagingWriter:
    def test_write_to_staging_success(self, stack: Stack) -> None:
        written = stack.writer.write([prediction("a"), prediction("b")], BATCH, "w1").unwrap()

        assert written.rows == 2
        assert written.job_id
        assert rows_of(stack, written) == 2

    def test_write_to_staging_creates_table(self, stack: Stack) -> None:
        """With the definition's columns, before the first load; formerly the load made it as it liked."""
        written = stack.stage([prediction("a")])

        facts = stack.warehouse.look(TABLES.path(str(written.table))).unwrap()
        assert facts is not None
        assert list(facts.columns) == [column.name for column in COLUMNS]

    def test_write_to_staging_uses_write_append(self, stack: Stack) -> None:
        """One table for a worker's whole life; formerly one for every call."""
        first = stack.stage([prediction("a")])
        second = stack.stage([prediction("b")])

        assert first.table == second.table
        assert rows_of(stack, first) == 2

    def test_write_to_staging_empty_predictions(self, stack: Stack) -> None:
        written = stack.writer.write([], BATCH, "w1").unwrap()

        assert written == StagedWrite(table=None, rows=0)
        assert stack.staging_tables() == []

    def test_write_to_staging_bad_request_error(self, stack: Stack) -> None:
        """Refused before loading, with row and column named; formerly BigQuery's "too many errors"."""
        result = stack.writer.write([prediction("a"), prediction("b", confidence_score=101)], BATCH, "w1")

        assert result.error is not None
        assert (result.error.type, result.error.exception_class) == (ErrorType.PERMANENT, INVALID_ROWS)
        assert "row 1: confidence_score: Input should be less than or equal to 100" in result.error.message
        assert stack.staging_tables() == []

    def test_write_to_staging_not_found_error(self, clock: WallClock) -> None:
        """A dataset that is not there is a permanent failure, not `success=False` with a text."""
        with BigQueryStub().serving() as server:
            server.refusal = NOT_FOUND
            writer = StagingWriter(Warehouse(client(server.host)), "elsewhere", clock)

            result = writer.write([prediction("a")], BATCH, "w1")

        assert result.error is not None
        assert (result.error.type, result.error.exception_class) == (ErrorType.PERMANENT, "NotFound")

    def test_write_to_staging_schema_mismatch(self, stack: Stack) -> None:
        """A column that the table lacks is named and nothing is loaded; formerly its values were dropped."""
        result = stack.writer.write([prediction("a", new_model_score=0.5)], BATCH, "w1")

        assert result.error is not None
        assert "row 0: new_model_score: Extra inputs are not permitted" in result.error.message


class TestWhatTheyMissed:
    def test_the_same_content_again_loads_nothing(self, stack: Stack) -> None:
        first = stack.stage([prediction("a")])

        again = stack.stage([prediction("a")])

        assert again == first
        assert rows_of(stack, first) == 1

    def test_other_content_other_worker_and_other_batch_are_other_jobs(self, stack: Stack) -> None:
        written = [
            stack.stage([prediction("a")]),
            stack.stage([prediction("a", predicted_points=1)]),
            stack.stage([prediction("a")], worker="w2"),
            stack.stage([prediction("a")], batch_id="other"),
        ]

        assert [rows_of(stack, one) for one in written] == [2, 2, 1, 1]

    def test_the_loads_id_is_made_from_its_content_and_from_which_table_it_goes_into(
        self, stack: Stack
    ) -> None:
        """The same id makes BigQuery refuse the second load of another instance (the emulator runs any id
        again); a table that was dropped and made anew has another, for its rows are not there."""
        sent: list[str] = []

        class Listening:
            def __getattr__(self, name: str) -> object:
                return getattr(stack.warehouse, name)

            def load(self, *args: object, job_key: str) -> object:
                sent.append(job_key)
                return stack.warehouse.load(*args, job_key=job_key)  # type: ignore[arg-type]

        def write_by_another_instance() -> StagedWrite:
            writer = StagingWriter(Listening(), TABLES.predictions, stack.now)  # type: ignore[arg-type]
            return writer.write([prediction("a"), prediction("b")], BATCH, "w1").unwrap()

        written = [write_by_another_instance() for _ in range(2)]
        stack.warehouse.delete_table(TABLES.path(str(written[0].table))).unwrap()
        anew = write_by_another_instance()

        assert sent[0] == sent[1] != sent[2]
        assert rows_of(stack, anew) == 2

    def test_what_an_instance_has_written_is_written_again_where_the_table_is_gone(
        self, stack: Stack
    ) -> None:
        """That it was loaded once does not say that it is there."""
        table = str(stack.stage([prediction("a")]).table)
        stack.warehouse.delete_table(TABLES.path(table)).unwrap()

        gone = stack.writer.write([prediction("a")], BATCH, "w1")
        retried = stack.writer.write([prediction("a")], BATCH, "w1").unwrap()

        assert gone.is_retryable and "was dropped" in str(gone.error)
        assert rows_of(stack, retried) == 1

    def test_a_load_ignores_nothing_and_makes_no_table(self, clock: WallClock) -> None:
        """What BigQuery is told; the emulator takes unknown fields in silence whatever it is told."""
        with BigQueryStub().serving() as server:
            warehouse = Warehouse(client(server.host))

            warehouse.load("d.t", [{"prediction_id": "a"}], COLUMNS, job_key="k").unwrap()

        [job] = server.jobs.values()
        load = job["configuration"]["load"]
        assert (load["ignoreUnknownValues"], load["maxBadRecords"]) == (False, 0)
        assert (load["createDisposition"], load["writeDisposition"]) == ("CREATE_NEVER", "WRITE_APPEND")
        assert "autodetect" not in load
        assert [field["name"] for field in load["schema"]["fields"]] == [column.name for column in COLUMNS]

    def test_a_table_dropped_in_between_is_made_again_by_the_retry(self, stack: Stack) -> None:
        table = str(stack.stage([prediction("a")]).table)
        stack.warehouse.delete_table(TABLES.path(table)).unwrap()

        failed = stack.writer.write([prediction("b")], BATCH, "w1")
        retried = stack.writer.write([prediction("b")], BATCH, "w1")

        assert failed.is_retryable
        assert rows_of(stack, retried.unwrap()) == 1

    def test_a_table_that_another_request_made_anew_in_between_is_found_by_the_retry(
        self, stack: Stack
    ) -> None:
        """Taken for the one that was loaded into, it made the missing table a permanent failure, and the
        request a dead letter."""
        stack.stage([prediction("a")])

        class MadeAnew:
            """The table is dropped under the load, and there again before anybody looks."""

            def __getattr__(self, name: str) -> object:
                return getattr(stack.warehouse, name)

            def load(self, table: str, *args: object, job_key: str) -> object:
                stack.warehouse.delete_table(table).unwrap()
                loaded = stack.warehouse.load(table, *args, job_key=job_key)  # type: ignore[arg-type]
                stack.warehouse.create_table(table, COLUMNS).unwrap()
                return loaded

        overtaken = StagingWriter(MadeAnew(), TABLES.predictions, stack.now)  # type: ignore[arg-type]
        failed = overtaken.write([prediction("b")], BATCH, "w1")
        another_instance = StagingWriter(stack.warehouse, TABLES.predictions, stack.now)
        retried = another_instance.write([prediction("b")], BATCH, "w1")

        assert failed.is_retryable and "was dropped" in str(failed.error)
        assert rows_of(stack, retried.unwrap()) == 1

    def test_many_threads_of_one_worker_lose_nothing(self, stack: Stack) -> None:
        players = [f"player{number}" for number in range(24)]

        with ThreadPoolExecutor(8) as pool:
            written = list(pool.map(lambda player: stack.stage([prediction(player)]), players))

        assert {one.table for one in written} == {written[0].table}
        assert rows_of(stack, written[0]) == 24

    def test_a_table_expires_after_the_orphan_clean_up_had_its_day(self) -> None:
        assert ORPHAN_AGE < EXPIRES_AFTER == timedelta(hours=48)

    def test_an_id_that_no_table_can_be_named_for_is_a_permanent_failure(self, stack: Stack) -> None:
        result = stack.writer.write([prediction("a")], "b" * 2_000, "w1")

        assert result.error is not None
        assert (result.error.type, result.error.exception_class) == (ErrorType.PERMANENT, "ValueError")
