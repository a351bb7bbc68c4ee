from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.batches.records import BatchStatus, Counts
from common.batches.rules import (
    TRIGGER_GRACE,
    closing_status,
    completion_pct,
    is_claimable,
    is_overdue,
    is_sampled,
    outdoes,
    reported_pct,
)
from common.documents.store import CALL_TIMEOUT_SECONDS, RETRY_TIMEOUT_SECONDS
from common.messages import PlayerOutcome
from common.publisher import PUBLISH_TIMEOUT_SECONDS
from tests.support.batch_documents import NOW, batch_of, ended

MOMENT = timedelta(microseconds=1)
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
    ("fields", "expected"),
    [
        pytest.param({"trigger_claim": None, "trigger_claimed_at": NOW}, True, id="given back"),
        pytest.param({"trigger_claim": None}, True, id="never claimed"),
        pytest.param({"trigger_claim": "a", "trigger_claimed_at": NOW}, False, id="claimed just now"),
        pytest.param(
            {"trigger_claim": "a", "trigger_claimed_at": NOW - TRIGGER_GRACE + MOMENT},
            False,
            id="claimed within the grace",
        ),
        pytest.param(
            {"trigger_claim": "a", "trigger_claimed_at": NOW - TRIGGER_GRACE},
            True,
            id="whoever claimed it died",
        ),
        pytest.param({"closed_at": NOW}, False, id="an earlier release has closed it just now"),
        pytest.param({"closed_at": NOW - TRIGGER_GRACE}, True, id="an earlier release closed it and died"),
        pytest.param({}, True, id="nobody knows who closed it"),
    ],
)
def test_publishing_of_a_trigger_is_claimed_by_the_servers_clock(
    fields: dict[str, Any], expected: bool
) -> None:
    assert is_claimable(batch_of(status="complete", **fields)) is expected


def test_claim_outlasts_the_publishing_and_the_noting_of_a_trigger() -> None:
    noting = RETRY_TIMEOUT_SECONDS + CALL_TIMEOUT_SECONDS

    assert TRIGGER_GRACE >= timedelta(seconds=PUBLISH_TIMEOUT_SECONDS + noting)


C, S, F, T = (
    PlayerOutcome.COMPLETED,
    PlayerOutcome.SKIPPED,
    PlayerOutcome.FAILED,
    PlayerOutcome.TIMED_OUT,
)


@pytest.mark.parametrize(
    ("new", "found", "expected"),
    [
        (new, found, (T, F, S, C).index(new) > (T, F, S, C).index(found))
        for new in PlayerOutcome
        for found in PlayerOutcome
    ],
)
def test_better_outcome_of_a_player_replaces_the_lesser(
    new: PlayerOutcome, found: PlayerOutcome, expected: bool
) -> None:
    assert outdoes(ended("ann", new), ended("ann", found)) is expected


def test_what_is_known_by_name_only_gives_way_to_who_says_where_the_rows_are() -> None:
    by_name = replace(ended("ann"), event_id="", predictions_count=0)
    without_table, with_table = ended("ann"), ended("ann", staging_table="t", staged_rows=5)

    assert not outdoes(without_table, by_name)
    assert outdoes(with_table, by_name)
    assert not outdoes(with_table, without_table)


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
