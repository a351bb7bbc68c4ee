"""Several things by `--where`, the set first; and a plan that is not as it was shown is refused."""

import pytest

from tests.support.verdict_world import PLAYERS, VerdictWorld


@pytest.fixture(autouse=True)
def surrounded(world: VerdictWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients are made anew in each test."""
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)


def test_batches_are_chosen_shown_and_closed_and_what_stands_against_it_is_named(
    world: VerdictWorld,
) -> None:
    for name in ("bulk1", "bulk2", "bulk3"):
        world.open(name, min_completion_pct=0)
    world.batches.abandon("bulk3", who="ann", why="wrong slate").unwrap()
    chosen = ("--where", "batch_id=bulk*", "--where", "ended=0")

    asked = world.ops("close", *chosen, "--where", f"game_date={world.day('bulk1')}")
    two = world.ops("close", *chosen, "--where", "status=open", "--why", "postponed", "--yes")
    redriven = world.ops("redrive", *chosen[:2], "--where", "status=abandoned", "--why", "x", "--yes")

    assert "1 batch chosen by --where batch_id=bulk* --where ended=0 --where game_date=" in asked.output
    assert two.status == 0 and two.output.startswith("2 batches chosen by --where batch_id=bulk*")
    assert [world.batches.get(each).unwrap().status.value for each in ("bulk1", "bulk2")] == ["partial"] * 2
    assert redriven.status == 1
    assert "left out: bulk3: batch 'bulk3' was abandoned" in redriven.output


def test_boundaries_of_a_day_are_held_and_released_together(world: VerdictWorld) -> None:
    day = world.day("bulk day").isoformat()
    why = ("--why", "odds are late", "--yes")

    held = world.ops("hold", "--where", f"game_date={day}", "--where", "phase<5", *why)
    released = world.ops("release", "--where", f"game_date={day}", "--where", "state=held", *why)

    assert held.output.startswith("3 boundary dates chosen by")
    assert (held.status, released.status) == (0, 0)
    assert released.output.startswith("3 boundary dates chosen by")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("close --where status=opn", "status: 'opn' is none of open, complete"),
        ("redrive", "say which: a batch, or --where"),
        ("redrive b1 --where status=open", "and not both"),
        ("hold 4", "DATE: missing"),
        ("repair --where finding=x", "no field 'finding'; there are finding_id"),
        ("force-release --where expired=perhaps", "expired: 'perhaps' is not a `yes` or a `no`"),
        ("dead-letters discard --where reason<x", "a text is compared by = and !="),
    ],
)
def test_condition_that_makes_no_sense_is_wrong_usage(world: VerdictWorld, words: str, problem: str) -> None:
    said = world.ops(*words.split())

    assert said.status == 2
    assert problem in said.problem


def test_plan_that_is_not_as_it_was_shown_is_refused_with_what_has_changed(world: VerdictWorld) -> None:
    world.open("stale")
    asked = ("redrive", "stale", "--missing", "--why", "worker crash", "--yes")
    shown = world.ops("redrive", "stale", "--missing", "-o", "json").data

    world.end("stale", *PLAYERS[:2])
    refused = world.ops(*asked, "--plan", shown["token"])
    other = world.ops("close", "stale", "--why", "x", "--yes", "--plan", shown["token"])
    anew = world.ops("redrive", "stale", "--missing", "-o", "json").data
    done = world.ops(*asked, "--plan", anew["token"])

    assert (refused.status, other.status, done.status) == (1, 1, 0)
    assert "ended: now 2 of 4; players to ask for: now 2 players (cas, dee)" in refused.problem
    assert "is of another command" in other.problem
    assert world.batches.get("stale").unwrap().redrives == 1
