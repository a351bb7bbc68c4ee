"""Every job of a consolidation counts, and what one does not say is not made up."""

import pytest

from common.consolidation.jobs import Jobs
from common.result import ErrorInfo, Result, ResultError
from common.warehouse.records import Rows


class Store:
    """Answers each statement with the next of these."""

    def __init__(self, *answers: Result[Rows]) -> None:
        self._answers = iter(answers)
        self.keys: list[str | None] = []

    def execute(
        self, sql: str, *, job_key: str | None = None, timeout_seconds: float | None = None
    ) -> Result[Rows]:
        self.keys.append(job_key)
        return next(self._answers)


def ended(processed: int, billed: int | None) -> Result[Rows]:
    return Result.success(
        Rows(rows=[], job_id="j", bytes_processed=processed, affected_rows=None, bytes_billed=billed)
    )


def after(*answers: Result[Rows]) -> Jobs:
    jobs = Jobs(Store(*answers), "b1", 1)
    for _ in answers:
        jobs.run("step", "SELECT 1", timeout_seconds=1)
    return jobs


def test_jobs_are_added_up() -> None:
    jobs = after(ended(5, 10), ended(7, 20))

    assert (jobs.count, jobs.bytes_processed, jobs.bytes_billed) == (2, 12, 30)


def test_job_that_failed_is_raised_and_does_not_count() -> None:
    jobs = Jobs(Store(Result[Rows].failure(ErrorInfo.transient("ServiceUnavailable", "away"))), "b1", 1)

    with pytest.raises(ResultError, match="away"):
        jobs.run("step", "SELECT 1", timeout_seconds=1)

    assert (jobs.count, jobs.bytes_processed, jobs.bytes_billed) == (0, 0, 0)


def test_sum_of_which_a_part_is_unknown_is_unknown() -> None:
    assert after(ended(5, 10), ended(7, None), ended(1, 10)).bytes_billed is None


def test_job_has_the_same_name_in_every_attempt_at_the_same_work() -> None:
    store = Store(*[ended(0, 0)] * 4)

    for work, step in (
        (("b1", 1), "merge"),
        (("b1", 1), "merge"),
        (("b1", 2), "merge"),
        (("b1", 1), "count"),
    ):
        Jobs(store, *work).run(step, "SELECT 1", timeout_seconds=1)

    first, again, next_generation, other_step = store.keys
    assert first == again
    assert len({first, next_generation, other_step}) == 3
