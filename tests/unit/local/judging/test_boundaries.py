"""A boundary is judged by what Firestore says of it and by what was really published."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from common.phases.shape import Boundary
from local.day.chaos import Victim
from local.day.faults import Faults
from local.day.pipeline import Pipeline, Started
from local.judging.boundaries import BoundaryEvidence, judge_boundaries, reasons_of
from tests.support.phase_world import PRECOMPUTE, PhaseWorld

ALL = frozenset({"all_complete"})


def started(world: PhaseWorld, **fields: Any) -> Started:
    day = world.day()
    known: dict[str, Any] = {
        "topic": "PREDICTIONS_TRIGGER",
        "message_id": day.message_id,
        "dispatch_id": "nba-phase5-2026-01-17-1",
        "reason": "all_complete",
    }
    return Started(**{**known, **fields})


def evidence(world: PhaseWorld, *published: Started, reasons: frozenset[str] = ALL) -> BoundaryEvidence:
    return BoundaryEvidence(boundary=world.boundary(), day=world.day(), published=published, reasons=reasons)


@pytest.fixture
def world() -> PhaseWorld:
    """All processors have reported, five minutes after the first."""
    world = PhaseWorld()
    for name in PRECOMPUTE:
        world.clock.advance(timedelta(minutes=1))
        world.report(name).unwrap()
    return world


def test_boundary_that_started_once_for_the_right_reason_is_kept(world: PhaseWorld) -> None:
    found = evidence(world, started(world))

    assert judge_boundaries([found], None).is_kept
    assert found.waited == timedelta(minutes=4)


def test_each_way_of_being_wrong_is_named(world: PhaseWorld) -> None:
    twice = evidence(world, started(world), started(world, message_id="another"))
    never = evidence(world)
    unknown = evidence(world, started(world, message_id="another"))
    other_id = evidence(world, started(world, dispatch_id="nba-phase5-2026-01-17-2"))
    wrong_reason = evidence(world, started(world), reasons=frozenset({"tier2_timeout"}))

    said = [
        judge_boundaries([found], None).broken for found in (twice, never, unknown, other_id, wrong_reason)
    ]

    assert "published twice" in said[0][0]
    assert "published never" in said[1][0]
    assert "not noted" in said[2][0]
    assert "several ids" in said[3][0]
    assert "started for all_complete, not for tier2_timeout" in said[4][0]


def test_repeat_under_the_same_id_is_excused_where_the_function_was_killed(world: PhaseWorld) -> None:
    twice = evidence(world, started(world), started(world, message_id="another"))

    assert judge_boundaries([twice], Victim.TRANSITIONS).is_kept


def test_boundary_that_has_not_started_says_why() -> None:
    world = PhaseWorld()
    world.report("ml_feature_store").unwrap()

    [problem] = judge_boundaries([evidence(world)], None).broken

    assert "is waiting: waiting for critical player_daily_cache" in problem


REASONS = [
    pytest.param(Faults(), ALL, id="nobody stays away"),
    pytest.param(
        Faults(late="player_shot_zone_analysis"),
        {"tier2_timeout", "tier3_timeout", "max_timeout"},
        id="one is late",
    ),
    pytest.param(
        Faults(late="ml_feature_store"),
        {"all_complete", "tier2_timeout", "tier3_timeout", "max_timeout"},
        id="a critical one is late",
    ),
    pytest.param(Faults(fails="ml_feature_store"), ALL, id="a critical one fails and is repeated"),
    pytest.param(
        Faults(fails="player_shot_zone_analysis"),
        {"tier2_timeout", "tier3_timeout", "max_timeout"},
        id="one fails",
    ),
    pytest.param(Faults(late="upcoming_player_game_context"), ALL, id="one of another phase is late"),
]


@pytest.mark.parametrize(("faults", "reasons"), REASONS)
def test_right_reason_follows_from_who_stays_away(faults: Faults, reasons: set[str]) -> None:
    boundary: Boundary = PhaseWorld().boundary()
    rules = next(iter(boundary.modes.values()))
    pipeline = cast(Pipeline, SimpleNamespace(rules=lambda _: rules, faults=faults))

    assert reasons_of(boundary, pipeline) == reasons
