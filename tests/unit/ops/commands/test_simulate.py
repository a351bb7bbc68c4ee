"""Dates as the boundaries themselves have left them, through an edited graph."""

from datetime import timedelta
from typing import Any

from common.phases.mode import Mode
from common.phases.shape import Graph, Tier
from ops.commands.simulate import simulate
from tests.support.batch_helpers import GAME_DATE
from tests.support.phase_world import PRECOMPUTE, PhaseWorld


def played(world: PhaseWorld, graph: Graph) -> Any:
    [found] = simulate(world.days, graph, GAME_DATE, GAME_DATE).data["dates"]
    return found


def report_all(world: PhaseWorld, *, late: timedelta = timedelta(0)) -> None:
    """All processors of phase 4, the last of which is not critical and comes `late`."""
    *others, last = sorted(
        PRECOMPUTE, key=lambda name: name not in ("player_daily_cache", "ml_feature_store")
    )
    for name in others:
        world.report(name).unwrap()
    world.clock.advance(late)
    world.report(last).unwrap()


def test_graph_that_was_used_would_have_done_what_was_done() -> None:
    world = PhaseWorld()
    report_all(world, late=timedelta(minutes=20))

    found = played(world, world.graph)

    assert found.was_at is not None
    assert (found.gained, found.would_reason, found.without) == (timedelta(0), "all_complete", ())


def test_tier_that_comes_sooner_would_have_gained_the_time_that_the_last_processor_took() -> None:
    world = PhaseWorld()
    report_all(world, late=timedelta(minutes=20))
    boundary = world.boundary(4)
    tiers = (Tier(reason="sooner", after_minutes=5, at_least=4),)
    rules = boundary.modes[Mode.OVERNIGHT].model_copy(update={"tiers": tiers})
    edited = boundary.model_copy(update={"modes": {**boundary.modes, Mode.OVERNIGHT: rules}})
    others = tuple(each for each in world.graph.boundaries if each.name != boundary.name)

    found = played(world, world.graph.model_copy(update={"boundaries": (*others, edited)}))

    assert (found.gained, found.would_reason) == (timedelta(minutes=15), "sooner")


def test_date_that_stood_before_a_closed_gate_would_have_waited_for_it_too() -> None:
    world = PhaseWorld()
    world.warehouse.rows["player_daily_cache"] = 0
    report_all(world)
    still_blocked = played(world, world.graph)
    world.clock.advance(timedelta(minutes=10))
    world.warehouse.rows.clear()
    world.sweep().unwrap()

    found = played(world, world.graph)

    assert (still_blocked.was_at, still_blocked.would_at) == (None, None)
    assert found.was_at is not None and found.gained == timedelta(0)
