from datetime import timedelta
from typing import Any

import pytest

from common.batches.changes import Change
from common.batches.records import BatchStatus
from common.batches.transitions import (
    abandon,
    announce,
    close,
    finish_consolidation,
    note_trigger,
    start_consolidation,
)
from common.result import Result
from tests.support.batch_documents import batch_of


def fields(result: Result[Change | None]) -> dict[str, Any] | None:
    change = result.unwrap()
    return None if change is None else dict(change.fields)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("complete", {"status": "consolidating"}),
        ("partial", {"status": "consolidating"}),
        ("consolidating", None),
        ("open", "refused"),
        ("failed", "refused"),
        ("abandoned", "refused"),
    ],
)
def test_what_may_be_consolidated(status: str, expected: Any) -> None:
    result = start_consolidation(batch_of(status=status), 1)

    assert ("refused" if result.is_failure else fields(result)) == expected
    assert not result.is_retryable


def test_consolidated_generation_is_not_started_again() -> None:
    assert (
        fields(start_consolidation(batch_of(status="complete", generation=2, consolidated_generation=1), 1))
        is None
    )


def test_older_generation_leaves_the_status_of_the_newer_one_alone() -> None:
    waiting = batch_of(status="complete", generation=2)

    assert fields(start_consolidation(waiting, 1)) is None
    assert fields(finish_consolidation(waiting, generation=1, fence=7, receipt={})) == {
        "consolidated_generation": 1
    }
    assert fields(finish_consolidation(waiting, generation=2, fence=8, receipt={})) == {
        "consolidated_generation": 2,
        "status": "consolidated",
    }


@pytest.mark.parametrize(
    ("fields", "generation"),
    [
        pytest.param({"status": "complete"}, 2, id="a generation that is not reached"),
        pytest.param({"status": "consolidating"}, 2, id="not reached, while the first is under way"),
        pytest.param({"status": "abandoned", "generation": 2}, 1, id="abandoned, and an older trigger"),
        pytest.param({"status": "failed", "generation": 2}, 1, id="failed, and an older trigger"),
    ],
)
def test_a_trigger_that_the_batch_does_not_bear_out_is_refused(
    fields: dict[str, Any], generation: int
) -> None:
    result = start_consolidation(batch_of(**fields), generation)

    assert result.is_failure and not result.is_retryable


def test_the_batch_after_a_step_is_known_without_reading_it_again() -> None:
    batch = batch_of(status="complete")
    at = batch.read_time + timedelta(seconds=1)

    started = start_consolidation(batch, 1).unwrap()
    assert started is not None and started.then is not None
    consolidating = started.then(at)
    finished = finish_consolidation(consolidating, generation=1, fence=7, receipt={}).unwrap()
    assert finished is not None and finished.then is not None
    consolidated = finished.then(at)

    assert (consolidating.status, consolidating.update_time) == (BatchStatus.CONSOLIDATING, at)
    assert (consolidated.status, consolidated.consolidated_generation) == (BatchStatus.CONSOLIDATED, 1)


def test_notes_are_never_lowered() -> None:
    noted = batch_of(status="complete", trigger_generation=2, phase_generation=2)

    assert fields(note_trigger(noted, 1, "old")) is None
    assert fields(note_trigger(noted, 2, "again")) is None
    assert fields(note_trigger(noted, 3, "new")) == {"trigger_message_id": "new", "trigger_generation": 3}
    assert fields(announce(noted, 2, "again")) is None
    assert fields(announce(noted, 3, "new")) == {"phase_message_id": "new", "phase_generation": 3}


@pytest.mark.parametrize(
    ("status", "claims"),
    [("open", ["claims/closed-1"]), ("complete", []), ("partial", []), ("failed", [])],
)
def test_abandoning_claims_the_closing_of_an_open_batch_only(status: str, claims: list[str]) -> None:
    change = abandon(batch_of(status=status), "ann", "test").unwrap()

    assert change is not None
    assert (change.fields["status"], list(change.creates)) == ("abandoned", claims)
    when_and_by_whom = {"completion_time", "closed_at", "closed_by_event"} & change.fields.keys()
    assert bool(when_and_by_whom) is (status == "open"), "a batch that was closed keeps when, and by what"


@pytest.mark.parametrize("status", ["consolidating", "consolidated"])
def test_running_consolidation_cannot_be_abandoned(status: str) -> None:
    assert abandon(batch_of(status=status), "ann", "test").is_failure


def test_closing_is_a_claim_that_is_created_with_the_status() -> None:
    full = batch_of(schema_mode="subcollection", status="open", completed_count=19, timed_out_count=1)

    change = close(full, event_id="event-1", claimant="me")

    assert change.fields["status"] == BatchStatus.FAILED.value, "without a policy all must have reported"
    assert change.creates["claims/closed-1"]["event_id"] == "event-1"
    assert change.fields["trigger_claim"] == "me"
    assert change.sets["timeline/closed-1"]["message"] == "failed: 19 of 20 players reported"
