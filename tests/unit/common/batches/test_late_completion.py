import pytest

from common.batches.changes import Change
from common.batches.completion import Completion
from common.batches.late_completion import move, moved, reclosed
from common.batches.records import Batch, BatchStatus
from common.messages import PlayerOutcome
from tests.support.batch_documents import batch_of, ended


def moving(batch: Batch, before: Completion, new: Completion) -> Change:
    return move(batch, before, moved(batch, before, new), claimant="me")


@pytest.mark.parametrize(
    ("status", "completed", "timed_out", "expected"),
    [
        pytest.param("open", 10, 2, None, id="still open: closes as usual"),
        pytest.param("abandoned", 19, 1, None, id="given up: stays so"),
        pytest.param("partial", 19, 1, BatchStatus.COMPLETE, id="the last one missing"),
        pytest.param("partial", 18, 2, BatchStatus.PARTIAL, id="one of two missing"),
        pytest.param("consolidating", 19, 1, BatchStatus.COMPLETE, id="while it is consolidated"),
        pytest.param("consolidated", 19, 1, BatchStatus.COMPLETE, id="after it was consolidated"),
        pytest.param("consolidating", 17, 3, BatchStatus.PARTIAL, id="some were lost meanwhile"),
        pytest.param("consolidated", 17, 3, BatchStatus.PARTIAL, id="some were lost since"),
        pytest.param("failed", 17, 3, None, id="failed, and still too few"),
        pytest.param("failed", 18, 2, BatchStatus.PARTIAL, id="failed, and now enough"),
    ],
)
def test_how_a_late_completion_closes_a_batch_anew(
    status: str, completed: int, timed_out: int, expected: BatchStatus | None
) -> None:
    batch = batch_of(
        schema_mode="subcollection",
        status=status,
        completed_count=completed,
        timed_out_count=timed_out,
        min_completion_pct=95.0,
    )

    assert reclosed(batch, PlayerOutcome.TIMED_OUT, PlayerOutcome.COMPLETED) is expected


def test_new_generation_is_claimed_in_the_commit_that_moves_the_counts() -> None:
    batch = batch_of(
        schema_mode="subcollection", status="partial", completed_count=19, timed_out_count=1, generation=3
    )

    change = moving(batch, ended("ann", PlayerOutcome.TIMED_OUT), ended("ann"))

    assert list(change.creates) == ["claims/closed-4"]
    assert (change.fields["generation"], change.fields["status"]) == (4, "complete")
    assert change.sets["completions/ann"]["late"] is True
    assert change.sets["completions/ann"]["generation"] == 4


def test_player_changes_the_array_only_if_the_outcome_asks_for_it() -> None:
    batch = batch_of(
        status="partial",
        failed_players=["ann"],
        array_entries=[ended("ann", PlayerOutcome.TIMED_OUT).to_document(None)],
    )

    before = batch.in_array["ann"]
    completed = moving(batch, before, ended("ann"))
    failed = moving(batch, before, ended("ann", PlayerOutcome.FAILED))

    assert {"completed_players", "failed_players"} <= completed.fields.keys()
    assert not {"completed_players", "failed_players"} & failed.fields.keys()
