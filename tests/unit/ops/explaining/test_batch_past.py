"""A batch as it was, from its timeline and the times of its completions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.batches.records import BatchStatus, Counts
from common.documents.document import Document
from common.messages import PlayerOutcome
from ops.explaining.batch_past import as_told
from tests.support.batch_documents import batch_of, ended

START = datetime(2026, 1, 17, 23, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def entry(minutes: float, event: str, **facts: Any) -> Document:
    data = {"event": event, "message": "m", "at": at(minutes), **facts}
    return Document(path=f"b/timeline/{event}", data=data, update_time=START, read_time=START)


STORY = [
    entry(60, "consolidated", generation=2, fence=8),
    entry(0, "opened"),
    entry(20, "closed", generation=1, status="partial", closed_by_event="sweep"),
    entry(21, "trigger", generation=1, message_id="m1"),
    entry(25, "consolidating", generation=1),
    entry(30, "consolidated", generation=1, fence=7),
    entry(31, "announced", generation=1, message_id="m2"),
    entry(50, "late-cas", new_generation=2, event_id="e9"),
    entry(51, "trigger", generation=2, message_id="m3"),
    entry(55, "consolidating", generation=2),
    entry(61, "announced", generation=2, message_id="m4"),
]
COMPLETIONS = [
    replace(ended("amy"), completed_at=at(5)),
    replace(ended("bob"), completed_at=at(10)),
    replace(ended("dee", PlayerOutcome.TIMED_OUT), predictions_count=0, completed_at=at(19)),
    replace(ended("cas"), completed_at=at(50)),
]
NOW = replace(
    batch_of(),
    expected_players=4,
    min_completion_pct=50.0,
    status=BatchStatus.CONSOLIDATED,
    generation=2,
    consolidated_generation=2,
    phase_generation=2,
)


@pytest.mark.parametrize(
    ("minutes", "status", "generation", "merged", "counts"),
    [
        (7, BatchStatus.OPEN, 1, 0, Counts(completed=1)),
        (20.5, BatchStatus.PARTIAL, 1, 0, Counts(completed=2, timed_out=1)),
        (26, BatchStatus.CONSOLIDATING, 1, 0, Counts(completed=2, timed_out=1)),
        (40, BatchStatus.CONSOLIDATED, 1, 1, Counts(completed=2, timed_out=1)),
        (52, BatchStatus.PARTIAL, 2, 1, Counts(completed=3, timed_out=1)),
        (70, BatchStatus.CONSOLIDATED, 2, 2, Counts(completed=3, timed_out=1)),
    ],
)
def test_batch_is_as_the_last_entry_by_then_left_it(
    minutes: float, status: BatchStatus, generation: int, merged: int, counts: Counts
) -> None:
    past = as_told(NOW, COMPLETIONS, STORY, at(minutes))

    assert past is not None
    found = past.batch
    assert (found.status, found.generation, found.consolidated_generation) == (status, generation, merged)
    assert found.counts == counts
    assert found.total_predictions == 5 * counts.completed
    assert found.read_time == at(minutes)


def test_trigger_and_announcement_are_those_of_the_time() -> None:
    past = as_told(NOW, COMPLETIONS, STORY, at(52))

    assert past is not None
    assert (past.batch.trigger_generation, past.batch.trigger_message_id) == (2, "m3")
    assert (past.batch.phase_generation, past.batch.phase_message_id) == (1, "m2")
    assert not past.batch.owes_trigger


def test_nothing_was_there_before_it_was_opened() -> None:
    assert as_told(NOW, COMPLETIONS, STORY, at(-1)) is None


def test_batch_that_was_given_up_by_then_is() -> None:
    story = [entry(0, "opened"), entry(3, "abandoned", generation=1, who="ann", why="wrong slate")]

    past = as_told(NOW, (), story, at(4))

    assert past is not None and past.batch.status is BatchStatus.ABANDONED
