"""Whether a repair that was asked of others has arrived: a table over batches and completions."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from common.audit.repair_checks import awaited, has_arrived
from common.batches.completion import Completion
from common.batches.records import BatchStatus
from common.findings import FindingClass, Repair, Tracked, rules
from common.messages import PlayerOutcome
from tests.support.batch_documents import batch_of
from tests.support.findings import finding

NOW = datetime(2026, 1, 17, 23, tzinfo=UTC)
HERE, FAILED, STAND_IN = PlayerOutcome.COMPLETED, PlayerOutcome.FAILED, PlayerOutcome.TIMED_OUT
DONE = BatchStatus.CONSOLIDATED


def ended(**outcomes: PlayerOutcome) -> dict[str, Completion]:
    return {
        name: Completion(player_lookup=name, outcome=outcome, predictions_count=0, event_id="e")
        for name, outcome in outcomes.items()
    }


def waiting_for(*players: str) -> Tracked:
    one = finding(FindingClass.MISSING_MARKER, repair=Repair.REDRIVE_MISSING, ids=("ann", "ben"))
    return rules.asked(rules.found(None, one, NOW), players, NOW)


@pytest.mark.parametrize(
    ("players", "status", "completions", "arrived"),
    [
        pytest.param(["ann"], DONE, ended(ann=HERE), True, id="he has come, and his rows are merged"),
        pytest.param(["ann"], DONE, ended(ann=FAILED), True, id="his worker has spoken for him"),
        pytest.param(["ann"], DONE, ended(ann=STAND_IN), False, id="what stands in for him is not he"),
        pytest.param(["ann"], DONE, ended(), False, id="nobody has heard of him"),
        pytest.param(["ann", "ben"], DONE, ended(ann=HERE), False, id="one of two"),
        pytest.param(["ann"], DONE, None, False, id="could not be read"),
        pytest.param(["ann"], BatchStatus.COMPLETE, ended(ann=HERE), False, id="waits for its consolidation"),
        pytest.param(["ann"], BatchStatus.PARTIAL, ended(ann=HERE), False, id="so does a partial one"),
        pytest.param(["ann"], BatchStatus.CONSOLIDATING, ended(ann=HERE), False, id="is being consolidated"),
        pytest.param(["ann"], BatchStatus.OPEN, ended(ann=HERE), True, id="in a batch that is open"),
        pytest.param(["ann"], BatchStatus.OPEN, ended(), False, id="not yet in one that is open"),
        pytest.param(["ann"], BatchStatus.ABANDONED, None, True, id="nobody waits for what is given up"),
        pytest.param([], BatchStatus.CONSOLIDATING, ended(), False, id="a consolidation that goes on"),
        pytest.param([], DONE, ended(), True, id="a consolidation that has ended"),
    ],
)
def test_repair_has_arrived_when_all_have_come_and_their_rows_with_them(
    players: list[str], status: BatchStatus, completions: dict[str, Completion] | None, arrived: bool
) -> None:
    batch = replace(batch_of(), status=status)

    assert has_arrived(waiting_for(*players), batch, completions) is arrived


def test_what_is_waited_for_is_the_finding_with_those_who_have_not_come() -> None:
    tracked = waiting_for("ann", "ben")

    still = awaited(tracked, ended(ann=HERE))

    assert still.finding_id == tracked.finding_id
    assert still.ids == ("ben",)
    assert still.summary == "its repair was asked for at 23:00 UTC, and 1 player has not come yet"
    assert awaited(tracked, None).ids == ("ann", "ben")
