"""Each way in which array, documents and counters can differ has its name, its players and its repair."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from common.batches.completion import Completion
from common.batches.differences import Totals, agree, differences
from common.batches.records import Batch, BatchStatus, Counts
from common.findings import FindingClass, Repair
from common.messages import PlayerOutcome
from common.schema_mode import SchemaMode

NOW = datetime(2026, 1, 17, 23, tzinfo=UTC)
PLAYERS = ("ann", "ben", "cat")


def completion(player: str, outcome: PlayerOutcome = PlayerOutcome.COMPLETED) -> Completion:
    return Completion(player_lookup=player, outcome=outcome, predictions_count=5, event_id=f"event-{player}")


def documents(players: Sequence[str] = PLAYERS, **outcomes: PlayerOutcome) -> dict[str, Completion]:
    return {name: completion(name, outcomes.get(name, PlayerOutcome.COMPLETED)) for name in players}


def batch(mode: SchemaMode = SchemaMode.SUBCOLLECTION, **changes: Any) -> Batch:
    """All three have completed with five predictions each."""
    writes_array = mode.writes_array
    sound = Batch(
        batch_id="batch1",
        game_date=date(2026, 1, 17),
        expected_players=3,
        schema_mode=mode,
        mode_epoch=0,
        status=BatchStatus.COMPLETE,
        counts=Counts(completed=3),
        total_predictions=15,
        generation=1,
        min_completion_pct=95.0,
        deadline=None,
        correlation_id=None,
        dataset_prefix="",
        trigger_claim=None,
        trigger_claimed_at=None,
        trigger_message_id="message-1",
        trigger_generation=1,
        consolidated_generation=0,
        phase_message_id=None,
        phase_generation=0,
        closed_at=NOW,
        closed_by_event="event-cat",
        manifest_digest="digest",
        in_array=documents() if writes_array else {},
        counter=3,
        redrives=0,
        last_redrive=None,
        update_time=NOW,
        read_time=NOW,
    )
    return replace(sound, **changes)


def counted(number: int, **more: Any) -> Batch:
    return batch(counter=number, counts=Counts(completed=number), total_predictions=15, **more)


SUB, DUAL = SchemaMode.SUBCOLLECTION, SchemaMode.DUAL_WRITE


@pytest.mark.parametrize(
    ("found", "there", "expected"),
    [
        pytest.param(batch(), documents(), [], id="nothing differs"),
        pytest.param(batch(DUAL), documents(), [], id="nothing differs, with an array"),
        pytest.param(
            counted(2),
            documents(),
            [("lost_increment", (), "recompute_counters")],
            id="an increment was lost",
        ),
        pytest.param(
            counted(4),
            documents(),
            [("double_increment", (), "recompute_counters")],
            id="a player was counted twice",
        ),
        pytest.param(
            batch(),
            documents(("ann", "cat")),
            [("missing_marker", ("ben",), "redrive_missing")],
            id="a document is gone",
        ),
        pytest.param(
            batch(),
            documents((*PLAYERS, "zoe")),
            [("ghost_marker", ("zoe",), "recompute_counters")],
            id="a document of a player whom nobody expects",
        ),
        pytest.param(
            batch(DUAL),
            documents(("ann", "cat")),
            [("missing_marker", ("ben",), "redrive_missing")],
            id="in the array without a document",
        ),
        pytest.param(
            batch(DUAL, in_array=documents(("ann", "cat")), counter=2, counts=Counts(completed=2)),
            documents(),
            [("ghost_marker", ("ben",), "recompute_counters")],
            id="a document without its array entry",
        ),
        pytest.param(
            batch(DUAL, in_array=documents(ben=PlayerOutcome.FAILED)),
            documents(),
            [("contradicting_outcomes", ("ben",), "recompute_counters")],
            id="failed in the array, completed in its document",
        ),
        pytest.param(
            batch(counts=Counts(completed=2, failed=1)),
            documents(),
            [("contradicting_outcomes", (), "recompute_counters")],
            id="counted as failed, completed in its document",
        ),
        pytest.param(
            batch(total_predictions=10),
            documents(),
            [("lost_increment", (), "recompute_counters")],
            id="predictions that were not added up",
        ),
        pytest.param(
            batch(total_predictions=20),
            documents(),
            [("double_increment", (), "recompute_counters")],
            id="predictions that were added twice",
        ),
        pytest.param(
            batch(status=BatchStatus.OPEN, counter=2, counts=Counts(completed=2), total_predictions=10),
            documents(("ann", "ben")),
            [],
            id="an open batch on its way",
        ),
        pytest.param(
            batch(SchemaMode.LEGACY, counter=0), {}, [], id="an array only: nothing to compare it with"
        ),
    ],
)
def test_what_differs_is_classified_and_its_players_are_named(
    found: Batch, there: dict[str, Completion], expected: list[tuple[str, tuple[str, ...], str]]
) -> None:
    told = differences(found, there, PLAYERS)

    assert [
        (each.finding_class.value, each.ids, each.repair.value if each.repair else "") for each in told
    ] == expected


def test_count_of_documents_tells_whether_they_need_to_be_read() -> None:
    alike = Totals(documents=3, predictions=15, completed=3)

    assert agree(batch(), alike)
    assert agree(batch(DUAL), alike)
    for unlike in (
        replace(alike, documents=2),
        replace(alike, predictions=14),
        replace(alike, completed=2),
    ):
        assert not agree(batch(), unlike)
    assert not agree(batch(DUAL, in_array=documents(("ann",))), alike)
    assert agree(batch(SchemaMode.LEGACY), replace(alike, documents=0))


def test_players_whom_the_system_before_counted_by_name_have_no_predictions_to_add_up() -> None:
    by_name = {name: replace(one, event_id="", predictions_count=0) for name, one in documents().items()}

    assert differences(batch(), by_name, PLAYERS) == ()


def test_difference_is_critical_and_belongs_to_the_batch() -> None:
    [told] = differences(counted(2), documents(), PLAYERS)

    assert told.finding_class is FindingClass.LOST_INCREMENT
    assert (told.scope.name, told.scope.game_date, told.check) == (
        "batch1",
        date(2026, 1, 17),
        "batch_counts",
    )
    assert told.summary == "the counters say 2, 3 players have ended"
    assert told.repair is Repair.RECOMPUTE_COUNTERS
