from typing import Any

import pytest

from common.messages import MessageStatus, Phase, PhaseCompletion, PredictionsSummary
from functions.consolidation_trigger.rules import announcement
from tests.support.receipts import receipt


def _announced(**fields: Any) -> PhaseCompletion:
    return announcement(
        receipt(**fields), dataset="nba_predictions", correlation_id="run-1", event_id="event-1"
    )


def test_the_announcement_says_what_its_reader_decides_on() -> None:
    message = _announced(skipped_players=1, completed_players=2)

    assert (message.phase, message.status) == (Phase.PREDICTIONS, MessageStatus.SUCCESS)
    assert (message.record_count, message.records_failed) == (15, 0)
    assert message.metadata == {
        "batch_id": "batch1",
        "generation": 1,
        "expected_players": 3,
        "completed_players": 2,
        "skipped_players": 1,
        "failed_players": 0,
        "timed_out_players": 0,
        "completed_predictions": 15,
        "completion_pct": 100.0,
    }


def test_the_announcement_of_a_part_says_partial_and_who_failed_and_who_was_not_heard_of() -> None:
    message = _announced(expected_players=9, completed_players=3, failed_players=4, timed_out_players=2)
    summary = PredictionsSummary.model_validate(message.metadata)

    assert (message.status, message.records_failed) == (MessageStatus.PARTIAL, 6)
    assert (summary.completed_players, summary.failed_players, summary.timed_out_players) == (3, 4, 2)


def test_the_announcement_counts_the_predictions_of_the_batch_and_not_of_its_last_generation() -> None:
    message = _announced(generation=2, keys_staged=5, keys_in_main=5, rows_inserted=5, total_predictions=20)

    assert message.record_count == 20
    assert message.metadata is not None
    assert message.metadata["completed_predictions"] == 20


def test_repeats_have_the_same_execution_id_and_generations_have_their_own() -> None:
    assert _announced().execution_id == _announced(fence=9).execution_id == "batch1-1"
    assert _announced(generation=2).execution_id == "batch1-2"


def test_the_announcement_survives_its_journey() -> None:
    message = _announced()

    assert PhaseCompletion.parse(message.to_json()).unwrap() == message


@pytest.mark.parametrize(
    ("fields", "percent"),
    [
        ({}, 100.0),
        ({"completed_players": 1, "skipped_players": 1}, pytest.approx(66.67, abs=0.01)),
        ({"completed_players": 0, "failed_players": 3}, 0.0),
        pytest.param({"expected_players": 0, "completed_players": 0}, 100.0, id="nobody was expected"),
    ],
)
def test_completion_counts_who_is_done_or_had_nothing_to_do(fields: dict[str, int], percent: float) -> None:
    announced = announcement(receipt(**fields), dataset="d", correlation_id=None, event_id="e")

    assert announced.metadata is not None
    assert announced.metadata["completion_pct"] == percent
