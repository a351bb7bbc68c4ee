"""Every job of a consolidation counts, and what one does not say is not made up."""

from common.consolidation.metered import JobsUsed, MeteredStore
from common.result import ErrorInfo, Result
from common.warehouse.records import Rows, TableFacts


class Store:
    """Answers each statement with the next of these."""

    def __init__(self, *answers: Result[Rows]) -> None:
        self._answers = iter(answers)

    def execute(
        self, sql: str, *, job_key: str | None = None, timeout_seconds: float | None = None
    ) -> Result[Rows]:
        return next(self._answers)

    def look(self, table: str) -> Result[TableFacts | None]:
        return Result.success(None)


def job(processed: int, billed: int | None) -> Result[Rows]:
    return Result.success(
        Rows(rows=[], job_id="j", bytes_processed=processed, affected_rows=None, bytes_billed=billed)
    )


def used(*answers: Result[Rows]) -> JobsUsed:
    store = MeteredStore(Store(*answers))
    store.look("t")
    for _ in answers:
        store.execute("SELECT 1")
    return store.used


def test_jobs_are_added_up_and_metadata_is_free() -> None:
    assert used(job(5, 10), job(7, 20)) == JobsUsed(jobs=2, bytes_processed=12, bytes_billed=30)


def test_job_that_failed_does_not_count() -> None:
    gone = Result[Rows].failure(ErrorInfo.transient("ServiceUnavailable", "away"))

    assert used(job(5, 10), gone) == JobsUsed(jobs=1, bytes_processed=5, bytes_billed=10)


def test_sum_of_which_a_part_is_unknown_is_unknown() -> None:
    assert used(job(5, 10), job(7, None), job(1, 10)).bytes_billed is None


def test_nothing_used_is_nothing_billed() -> None:
    assert used() == JobsUsed(jobs=0, bytes_processed=0, bytes_billed=0)
