from datetime import UTC, datetime, timedelta

import pytest

from common.batches.records import BatchStatus, Counts
from common.batches.rules import (
    TRIGGER_GRACE,
    closing_status,
    completion_pct,
    is_overdue,
    is_sampled,
    must_publish,
    reported_pct,
)
from tests.support.batch_documents import NOW, batch_of

COMPLETE, PARTIAL, FAILED = BatchStatus.COMPLETE, BatchStatus.PARTIAL, BatchStatus.FAILED


@pytest.mark.parametrize(
    ("counts", "expected", "status"),
    [
        pytest.param(Counts(), 0, COMPLETE, id="nobody is expected"),
        pytest.param(Counts(completed=20), 20, COMPLETE, id="all completed"),
        pytest.param(Counts(skipped=10, failed=10), 20, COMPLETE, id="all reported, none completed"),
        pytest.param(Counts(completed=19, timed_out=1), 20, PARTIAL, id="exactly enough"),
        pytest.param(Counts(skipped=9, failed=10, timed_out=1), 20, PARTIAL, id="who failed has reported"),
        pytest.param(Counts(completed=18, timed_out=2), 20, FAILED, id="one too few"),
        pytest.param(Counts(timed_out=20), 20, FAILED, id="nobody reported"),
    ],
)
def test_batch_closes_by_how_many_were_heard_of(counts: Counts, expected: int, status: BatchStatus) -> None:
    assert closing_status(counts, expected=expected, min_completion_pct=95) is status


@pytest.mark.parametrize(
    ("counts", "expected", "reported", "completed"),
    [
        pytest.param(Counts(), 0, 100.0, 100.0, id="an empty batch is whole"),
        pytest.param(Counts(completed=1, skipped=1, failed=1, timed_out=1), 4, 75.0, 50.0, id="one of each"),
        pytest.param(Counts(completed=5), 4, 100.0, 100.0, id="never above 100"),
    ],
)
def test_percentages(counts: Counts, expected: int, reported: float, completed: float) -> None:
    assert (reported_pct(counts, expected), completion_pct(counts, expected)) == (reported, completed)


@pytest.mark.parametrize(
    ("event_id", "age", "expected"),
    [
        pytest.param("closer", timedelta(0), True, id="the closer at once"),
        pytest.param("other", timedelta(0), False, id="another one not yet"),
        pytest.param("other", TRIGGER_GRACE - timedelta(microseconds=1), False, id="nor within the grace"),
        pytest.param("other", TRIGGER_GRACE, True, id="but after it"),
    ],
)
def test_who_publishes_a_trigger_that_is_not_noted(event_id: str, age: timedelta, expected: bool) -> None:
    closed_at = datetime(2026, 1, 17, tzinfo=UTC)

    assert (
        must_publish(closed_by="closer", event_id=event_id, closed_at=closed_at, server_now=closed_at + age)
        is expected
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"status": "open", "deadline": NOW}, True, id="open, at its deadline"),
        pytest.param({"status": "open", "deadline": NOW + timedelta(seconds=1)}, False, id="open, before it"),
        pytest.param({"status": "complete", "deadline": NOW}, False, id="closed"),
        pytest.param({}, False, id="the system before set no deadline"),
    ],
)
def test_overdue(fields: dict[str, object], expected: bool) -> None:
    assert is_overdue(batch_of(**fields), NOW) is expected


def test_sample_is_a_tenth_and_the_same_for_every_instance() -> None:
    sampled = [is_sampled("batch1", f"player{number}") for number in range(10_000)]

    assert 900 < sum(sampled) < 1_100
    assert sampled == [is_sampled("batch1", f"player{number}") for number in range(10_000)]
    assert sampled != [is_sampled("batch2", f"player{number}") for number in range(10_000)]
