"""Every order of five processors, with repeats, a stranger and a failure: the phase starts once, at the event
that makes it startable, and for the reason that the sets of those present give."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.messages import MessageStatus
from common.phases.decision import PhaseState
from tests.support.phase_world import ANALYTICS, OVERNIGHT, PRECOMPUTE, PhaseWorld

SAME_DAY = datetime.fromisoformat("2026-01-17T10:00:00-05:00")
TOMORROW = datetime.fromisoformat("2026-01-16T10:00:00-05:00")
MODES = [
    pytest.param(OVERNIGHT, id="overnight"),
    pytest.param(SAME_DAY, id="same day"),
    pytest.param(TOMORROW, id="tomorrow"),
]
PROCESSORS = {3: ANALYTICS, 4: PRECOMPUTE}


def reason_when(phase: int, now: datetime, present: set[str]) -> str | None:
    """Told anew, by sets: why the phase may start with these, at once."""
    same_day = now != OVERNIGHT
    if phase == 3 and same_day:
        return "all_complete" if "upcoming_player_game_context" in present else None
    if present == set(PROCESSORS[phase]):
        return "all_complete"
    is_majority = {"player_game_summary", "upcoming_player_game_context"} <= present and len(present) >= 3
    return "critical_plus_majority" if phase == 3 and is_majority else None


def play(phase: int, now: datetime, events: Sequence[tuple[str, str]]) -> None:
    """Deliver the events; after each, the world is where the sets say that it is."""
    world = PhaseWorld(now=now)
    present: set[str] = set()
    started: list[str] = []
    for number, (name, status) in enumerate(events):
        world.clock.advance(timedelta(milliseconds=1))
        run = f"run-{name}-{status}"
        world.report(
            name, phase=phase, execution_id=run, status=MessageStatus(status), event_id=f"{number}"
        ).unwrap()
        if status == "success" and name in PROCESSORS[phase]:
            present.add(name)
        reason = reason_when(phase, now, present)
        if reason and not started:
            started.append(reason)
        assert world.reasons == started
    assert (world.day(phase).state is PhaseState.DISPATCHED) == bool(started)
    assert "stranger" not in world.below("processors", phase)


@pytest.mark.parametrize("phase", [3, 4])
def test_every_order_of_five_processors_starts_the_phase_once(phase: int) -> None:
    """Each with a failure of the last one before, a stranger, and the first one again."""
    for order in permutations(PROCESSORS[phase]):
        events = [(order[-1], "failed"), *((name, "success") for name in order)]
        events[3:3] = [("stranger", "success"), (order[0], "success")]
        play(phase, OVERNIGHT, events)


@st.composite
def storms(draw: st.DrawFn, phase: int) -> list[tuple[str, str]]:
    """Five processors, one of which fails first or last, a stranger, and any of them again, in any order."""
    names = PROCESSORS[phase]
    fails = draw(st.sampled_from(names))
    events = [*((name, "success") for name in names), (fails, "failed"), ("stranger", "success")]
    again = draw(st.lists(st.sampled_from(events), max_size=6))
    return draw(st.permutations([*events, *again]))


@pytest.mark.parametrize("now", MODES)
@settings(max_examples=40, deadline=None)
@given(data=st.data(), phase=st.sampled_from([3, 4]))
def test_duplicates_strangers_and_failures_change_nothing(
    now: datetime, data: st.DataObject, phase: int
) -> None:
    play(phase, now, data.draw(storms(phase)))
