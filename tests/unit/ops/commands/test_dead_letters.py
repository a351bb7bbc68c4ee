"""Which dead letters may be published again, as far as their messages tell."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from common.entrypoint.dead_letter_box import DeadLetter
from ops.commands.dead_letters import fails_again

GOOD = DeadLetter(
    event_id="e1",
    topic="nba-prediction-batch-complete",
    function="consolidation_trigger",
    reason="SchemaDiffers",
    error_class="SchemaDiffers",
    details={},
    data='{"batch_id": "b1", "game_date": "2026-01-17", "generation": 1}',
    is_whole=True,
    attributes={},
    published_at=None,
    dead_lettered_at=datetime(2026, 1, 18, tzinfo=UTC),
    replayed_at=None,
    discarded_at=None,
)


def test_message_that_can_be_read_may_be_published_again() -> None:
    assert fails_again(GOOD) is None
    assert GOOD.batch_id == "b1"


@pytest.mark.parametrize(
    ("letter", "why"),
    [
        pytest.param(replace(GOOD, is_whole=False), "only the beginning", id="cut by its document"),
        pytest.param(replace(GOOD, topic="nba-no-such"), "not in the registry", id="a topic of nobody"),
        pytest.param(replace(GOOD, topic="nba-analytics-ready"), "no function of ours", id="not ours"),
        pytest.param(replace(GOOD, data="{}"), "batch_id", id="a field is missing, which is named"),
        pytest.param(replace(GOOD, data="no JSON"), "Invalid JSON", id="no message at all"),
    ],
)
def test_message_that_would_fail_again_is_left_out_with_the_reason(letter: DeadLetter, why: str) -> None:
    assert why in (fails_again(letter) or "")


def test_letter_that_a_person_handled_waits_no_more() -> None:
    at = datetime(2026, 1, 18, tzinfo=UTC)

    assert GOOD.waits
    assert not replace(GOOD, replayed_at=at).waits
    assert not replace(GOOD, discarded_at=at).waits
