from typing import Any

import pytest

from common.batches.completion import Completion
from common.batches.records import BatchStatus, Counts
from common.messages import PlayerOutcome
from common.schema_mode import SchemaMode
from tests.support.batch_documents import NOW, batch_of, ended


def test_document_of_the_system_before_means_what_it_meant() -> None:
    batch = batch_of(
        completed_players=["lukadoncic", "john-doe"],
        failed_players=["jane.roe", "john-doe"],
        predictions_by_player={"john-doe": 3},
        total_predictions=8,
        is_complete=False,
    )

    assert (batch.schema_mode, batch.status, batch.generation) == (SchemaMode.LEGACY, BatchStatus.OPEN, 1)
    assert batch.counts == Counts(completed=2, failed=1), "who is in both arrays has completed"
    assert batch.total_predictions == 8
    assert batch.in_array["johndoe"].predictions_count == 3
    assert (batch.deadline, batch.manifest_digest) == (None, None)


def test_batch_that_the_system_before_completed_owes_nothing() -> None:
    batch = batch_of(is_complete=True, completed_players=["a"])

    assert (batch.status, batch.owes_trigger, batch.is_due) == (BatchStatus.COMPLETE, False, False)


@pytest.mark.parametrize(
    ("mode", "counts", "predictions"),
    [
        pytest.param("legacy", Counts(completed=2, failed=1), 7, id="legacy counts the array"),
        pytest.param(
            "dual_write",
            Counts(completed=1, skipped=1, failed=1),
            7,
            id="dual_write counts the array; who skipped, only the counter knows",
        ),
        pytest.param(
            "subcollection_reads", Counts(completed=5, skipped=1, failed=2), 9, id="counters from here on"
        ),
        pytest.param("subcollection", Counts(completed=5, skipped=1, failed=2), 9, id="subcollection"),
    ],
)
def test_counts_come_from_where_the_mode_says(mode: str, counts: Counts, predictions: int) -> None:
    batch = batch_of(
        schema_mode=mode,
        completed_players=["a", "b"],
        failed_players=["c"],
        completed_count=5,
        skipped_count=1,
        failed_count=2,
        total_predictions=7,
        total_predictions_subcoll=9,
    )

    assert (batch.counts, batch.total_predictions) == (counts, predictions)


def test_details_in_the_array_come_before_bare_names() -> None:
    late = ended("a", PlayerOutcome.SKIPPED, late=True, generation=2, staging_table="t", staged_rows=3)

    batch = batch_of(completed_players=["a", "b"], array_entries=[late.to_document(NOW)])

    assert batch.in_array["a"] == Completion.from_document(late.to_document(NOW))
    assert batch.counts == Counts(completed=1, skipped=1)


@pytest.mark.parametrize(
    ("fields", "is_due", "owes_trigger"),
    [
        pytest.param({"status": "open", "completed_count": 19}, False, False, id="one is missing"),
        pytest.param({"status": "open", "completed_count": 20}, True, False, id="all ended, not closed"),
        pytest.param({"status": "complete", "generation": 1}, False, True, id="closed, trigger not noted"),
        pytest.param({"status": "partial", "trigger_generation": 1}, False, False, id="trigger noted"),
        pytest.param(
            {"status": "complete", "generation": 2, "trigger_generation": 1},
            False,
            True,
            id="newer generation",
        ),
        pytest.param({"status": "failed"}, False, False, id="failed"),
        pytest.param({"status": "consolidating"}, False, False, id="its consolidation runs"),
        pytest.param({"status": "abandoned", "completed_count": 20}, False, False, id="abandoned"),
    ],
)
def test_what_a_batch_waits_for(fields: dict[str, Any], is_due: bool, owes_trigger: bool) -> None:
    batch = batch_of(schema_mode="subcollection", **fields)

    assert (batch.is_due, batch.owes_trigger) == (is_due, owes_trigger)


@pytest.mark.parametrize(
    "fields", [{"status": "strange"}, {"schema_mode": "strange"}, {"game_date": "today"}]
)
def test_document_that_is_no_batch_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        batch_of(**fields)
