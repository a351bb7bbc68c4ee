"""Held, released, dispatched, abandoned and replayed: each with who and why."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from common.phases.decision import PhaseState
from common.phases.records import Day
from common.result import ErrorType, Result
from tests.support.batch_helpers import GAME_DATE
from tests.support.phase_world import ANALYTICS, PRECOMPUTE, PhaseWorld, predictions_complete
from tests.support.results import error_of

BY: dict[str, Any] = {"who": "ann@example.com", "why": "odds are wrong"}


@pytest.fixture
def world() -> PhaseWorld:
    return PhaseWorld()


def do(world: PhaseWorld, act: str, phase: int = 4, **by: Any) -> Result[Day]:
    operation: Callable[..., Result[Day]] = getattr(world.operations, act)
    return operation(world.boundary(phase), GAME_DATE, **{**BY, **by})


def report_all(world: PhaseWorld, *names: str, phase: int = 4, **fields: Any) -> None:
    for name in names:
        world.report(name, phase=phase, **fields).unwrap()


def test_what_is_held_before_its_first_event_records_and_starts_nothing(world: PhaseWorld) -> None:
    do(world, "hold").unwrap()

    report_all(world, *PRECOMPUTE)
    world.clock.advance(timedelta(hours=3))
    world.sweep().unwrap()

    day = world.day()
    assert (world.started, day.state, len(day.reports)) == ([], PhaseState.HELD, 5)
    assert day.decision is not None
    assert day.decision.reason == "held by ann@example.com: odds are wrong; else: all_complete"


def test_released_phase_starts_at_once_from_what_has_arrived(world: PhaseWorld) -> None:
    report_all(world, *PRECOMPUTE[:2])
    do(world, "hold").unwrap()
    report_all(world, *PRECOMPUTE[2:])

    released = do(world, "release", why="odds are right").unwrap()

    assert released.state is PhaseState.DISPATCHED
    assert world.reasons == ["all_complete"]
    assert [(act["act"], act["who"], act["why"]) for act in world.below("acts").values()] == [
        ("hold", "ann@example.com", "odds are wrong"),
        ("release", "ann@example.com", "odds are right"),
    ]


def test_phase_is_started_by_hand_whatever_is_missing_and_whatever_gates_say(world: PhaseWorld) -> None:
    world.warehouse.is_down = True
    report_all(world, "ml_feature_store")

    do(world, "dispatch").unwrap()
    do(world, "dispatch").unwrap()

    [started] = world.started
    assert (started.trigger_reason, started.dispatch_id) == ("manual", "nba-phase5-2026-01-17-1")
    assert started.decision is not None
    assert started.decision["reason"] == "manual: ann@example.com: odds are wrong"
    assert started.decision["present"] == ["ml_feature_store"]
    assert [row.triggered_by for row in world.logged.rows.values()] == ["manual"]


def test_abandoned_phase_never_starts_and_is_told(world: PhaseWorld) -> None:
    report_all(world, *PRECOMPUTE[:4])

    do(world, "abandon").unwrap()
    world.clock.advance(timedelta(minutes=1))
    report_all(world, PRECOMPUTE[4])

    day = world.day()
    assert (world.started, day.state, day.late) == ([], PhaseState.ABANDONED, (PRECOMPUTE[4],))
    assert world.told.kinds == ["abandoned"]
    assert "ann@example.com: odds are wrong" in world.told.findings[0].summary


def test_held_phase_is_not_started_by_hand(world: PhaseWorld) -> None:
    do(world, "hold").unwrap()

    error = error_of(do(world, "dispatch"))

    assert (error.type, error.exception_class) == (ErrorType.PERMANENT, "WrongState")
    assert "is held" in error.message


@pytest.mark.parametrize("act", ["hold", "abandon"])
def test_what_has_started_can_be_neither_held_nor_given_up(world: PhaseWorld, act: str) -> None:
    report_all(world, *PRECOMPUTE)

    assert error_of(do(world, act)).exception_class == "WrongState"


@pytest.mark.parametrize("act", ["hold", "dispatch", "abandon"])
def test_act_without_who_or_why_is_refused_and_changes_nothing(world: PhaseWorld, act: str) -> None:
    for missing in ("who", "why"):
        assert error_of(do(world, act, 4, **{missing: " "})).exception_class == "Anonymous"

    assert world.day().document is None


def a_day_that_is_done(world: PhaseWorld) -> None:
    report_all(world, *ANALYTICS, phase=3)
    report_all(world, *PRECOMPUTE, phase=4)
    report_all(world, "prediction_consolidation", **predictions_complete())
    world.clock.advance(timedelta(hours=1))


def test_replay_starts_the_phase_again_and_those_behind_wait_for_new_reports(world: PhaseWorld) -> None:
    a_day_that_is_done(world)
    plan = world.operations.plan_replay(GAME_DATE, 5).unwrap()

    replayed = world.operations.replay(plan, **BY).unwrap()
    world.clock.advance(timedelta(minutes=1))
    repeated = world.report("prediction_consolidation", **predictions_complete()).unwrap()
    waiting = world.day(5).state
    again = predictions_complete(execution_id="batch2-1")
    world.report("prediction_consolidation", **again).unwrap()

    assert (plan.starts.name, [each.name for each in plan.reopens]) == (
        "phase4_to_phase5",
        ["phase5_to_phase6"],
    )
    assert (replayed.state, replayed.generation) == (PhaseState.DISPATCHED, 2)
    assert repeated.recorded.value == "duplicate"
    assert waiting is PhaseState.WAITING
    assert [each.dispatch_id for each in world.started[-2:]] == [
        "nba-phase5-2026-01-17-2",
        "nba-phase6-2026-01-17-2",
    ]
    assert world.started[-2].trigger_reason == "manual"
    assert world.day(3).generation == 1


def test_replay_of_the_same_plan_again_changes_nothing(world: PhaseWorld) -> None:
    a_day_that_is_done(world)
    plan = world.operations.plan_replay(GAME_DATE, 5).unwrap()

    for _ in range(2):
        world.operations.replay(plan, **BY).unwrap()

    assert len(world.started) == 4
    assert (world.day(4).generation, world.day(5).generation) == (2, 2)


def test_plan_that_others_have_overtaken_is_refused(world: PhaseWorld) -> None:
    a_day_that_is_done(world)
    plan = world.operations.plan_replay(GAME_DATE, 6).unwrap()
    for _ in range(2):
        newer = world.operations.plan_replay(GAME_DATE, 6).unwrap()
        world.operations.replay(newer, **BY).unwrap()

    error = error_of(world.operations.replay(plan, **BY))

    assert error.exception_class == "PlanOvertaken"


def test_replay_of_a_phase_that_nothing_starts_is_refused(world: PhaseWorld) -> None:
    assert error_of(world.operations.plan_replay(GAME_DATE, 2)).exception_class == "UnknownPhase"
