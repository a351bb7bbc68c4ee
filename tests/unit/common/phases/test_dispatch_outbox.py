"""Between the claim and the note. What follows from a fault there is in the crash matrix."""

from collections.abc import Callable
from typing import Any

import pytest

from common.messages import Message
from common.phases.decision import PhaseState
from common.phases.dispatch_outbox import DispatchOutbox
from common.phases.records import Day
from common.phases.rules import CLAIM_GRACE
from common.result import ErrorType, Result
from common.topics import Topic
from tests.support.phase_world import PRECOMPUTE, PhaseWorld
from tests.support.results import error_of


class Publisher:
    """Publishes, but does something else before."""

    def __init__(self, world: PhaseWorld, before: Callable[[], Any]) -> None:
        self._world, self._before = world, before

    def publish(self, topic: Topic, message: Message) -> Result[str]:
        self._before()
        return self._world.published.publish(topic, message)


@pytest.fixture
def world() -> PhaseWorld:
    """Its dispatch is claimed, and was not published."""
    world = PhaseWorld()
    world.published.is_down = True
    for name in PRECOMPUTE:
        world.report(name)
    world.published.is_down = False
    return world


def send(world: PhaseWorld, claimed_by: str) -> Result[Day]:
    outbox = DispatchOutbox(days=world.days, publisher=lambda: world.publisher, now=world.clock)
    return outbox.send(world.boundary(), world.day(), claimed_by)


def claimant(world: PhaseWorld) -> str:
    dispatch = world.day().dispatch
    assert dispatch is not None
    return dispatch.claimed_by


def test_claim_of_another_is_waited_for_and_then_taken_over(world: PhaseWorld) -> None:
    early = error_of(send(world, "another"))
    world.clock.advance(CLAIM_GRACE)
    sent = send(world, "another").unwrap()

    assert early.is_expected
    assert (sent.state, claimant(world)) == (PhaseState.DISPATCHED, "another")
    assert len(world.started) == 1


def test_claim_that_is_half_over_is_renewed_before_it_publishes(world: PhaseWorld) -> None:
    mine = claimant(world)
    world.clock.advance(CLAIM_GRACE * 0.6)
    rivals: list[Result[Day]] = []

    def rival_comes_later() -> None:
        world.clock.advance(CLAIM_GRACE * 0.5)
        rivals.append(send(world, "rival"))

    world.publisher = Publisher(world, rival_comes_later)
    send(world, mine).unwrap()

    assert error_of(rivals[0]).is_expected
    assert len(world.started) == 1


def test_two_that_take_over_at_once_publish_once(world: PhaseWorld) -> None:
    world.clock.advance(CLAIM_GRACE)
    rivals: list[Result[Day]] = []

    def rival_comes() -> None:
        if not rivals:
            rivals.append(Result.success(world.day()))
            rivals[0] = send(world, "rival")

    world.publisher = Publisher(world, rival_comes)
    send(world, "another").unwrap()

    assert error_of(rivals[0]).is_expected
    assert len(world.started) == 1


def test_message_that_is_refused_for_good_is_still_only_delayed(world: PhaseWorld) -> None:
    """The completions are recorded: a dead letter would tell nothing, and the sweep goes on trying."""
    world.published.is_down = True
    world.clock.advance(CLAIM_GRACE)

    error = error_of(send(world, "another"))

    assert (error.type, error.exception_class) == (ErrorType.TRANSIENT, "NotDispatched")
    assert world.day().state is PhaseState.DISPATCHING
