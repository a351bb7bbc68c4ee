"""Closing a batch on what the last commit told of it, and on what the store says where that is not enough."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from common.batches.batch_store import BatchStore
from common.batches.batches import Batches
from common.batches.closing import Closing, Due
from common.batches.records import Batch, BatchStatus
from common.batches.trigger_outbox import TriggerOutbox
from common.recorder.answers import Recorded
from common.recorder.recorder import Recorder
from functions.completion_recorder.handler import handle
from tests.support.batch_helpers import (
    NotSampled,
    Published,
    alter,
    completion,
    deliver,
    names,
    opened,
    timeline,
)

FIRST, LAST = "first-completion-1", "last-completion-1"


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The batches that were read, or whose completions were looked for, by whom."""
    seen: list[str] = []
    for owner, name in ((BatchStore, "get"), (BatchStore, "ends")):
        monkeypatch.setattr(owner, name, _noting(seen, name, getattr(owner, name)))
    return seen


def _noting(seen: list[str], name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **more: Any) -> Any:
        seen.append(name)
        return original(*args, **more)

    return call


def due(batches: Batches) -> Due:
    """The batch as the commit of its last completion would have left it."""
    batch = batches.get("batch1").unwrap()
    counts = replace(batch.counts, completed=batch.expected_players)
    return Due(batch=replace(batch, counts=counts), ends=None)


async def test_instance_that_recorded_all_closes_the_batch_and_sends_its_trigger_without_reading(
    batches: Batches, recorder: Recorder, outbox: TriggerOutbox, published: Published, readings: list[str]
) -> None:
    opened(batches, 4)
    await deliver(recorder, *names(3))
    readings.clear()

    (last,) = await deliver(recorder, "player00003")
    assert last.owed_trigger is not None
    outbox.send(last.owed_trigger).unwrap()

    assert readings == []
    assert last.completes_batch
    assert published.triggers == [("batch1", 1)]
    assert batches.get("batch1").unwrap().status is BatchStatus.COMPLETE


async def test_instance_that_sent_the_trigger_does_not_read_the_batch_again_for_a_repeat(
    batches: Batches, recorder: Recorder, outbox: TriggerOutbox, published: Published, readings: list[str]
) -> None:
    opened(batches, 2)

    async def delivered(player: str) -> Recorded:
        handled = await handle(
            completion(player), f"event-{player}", recorder=recorder, outbox=outbox, checks=NotSampled()
        )
        return handled.unwrap()

    closing = [await delivered(player) for player in names(2)]
    readings.clear()
    repeats = [await delivered(player) for player in names(2)]

    assert [answer.completes_batch for answer in closing] == [False, True]
    assert readings == []
    assert [answer.owed_trigger for answer in repeats] == [None, None]
    assert published.triggers == [("batch1", 1)]


async def test_what_the_closer_believes_of_the_batch_is_what_the_store_says(
    batches: Batches, recorder: Recorder
) -> None:
    opened(batches, 2)
    await deliver(recorder, "player00000")

    (last,) = await deliver(recorder, "player00001")

    believed, stored = last.owed_trigger, batches.get("batch1").unwrap()
    assert believed is not None
    untimed = {"closed_at": None, "trigger_claimed_at": None}
    assert replace(believed, **untimed) == replace(stored, **untimed)  # type: ignore[arg-type]
    assert believed.update_time == stored.update_time
    assert believed.closed_at is not None and stored.closed_at is not None
    assert abs(believed.closed_at - stored.closed_at).total_seconds() < 1


async def test_story_names_the_first_and_the_last_completion_whoever_recorded_them(
    batches: Batches, recorder: Recorder, another_recorder: Recorder
) -> None:
    for batch_id, last_recorder in (("by-one", recorder), ("by-two", another_recorder)):
        opened(batches, 4, batch_id=batch_id)
        await deliver(recorder, "player00002", "player00001", batch_id=batch_id)
        await deliver(recorder, "player00003", batch_id=batch_id)
        await deliver(last_recorder, "player00000", batch_id=batch_id)

    for batch_id in ("by-one", "by-two"):
        story = timeline(batches, batch_id)
        markers = {one.player_lookup: one for one in batches.completions(batch_id).unwrap()}
        assert (story[FIRST]["message"], story[LAST]["message"]) == ("player00001", "player00000")
        assert story[FIRST]["completed_at"] == markers["player00001"].completed_at
        assert story[LAST]["completed_at"] == markers["player00000"].completed_at


async def test_batch_that_was_abandoned_after_its_last_commit_stays_so(batches: Batches) -> None:
    opened(batches, 1)
    stale = due(batches)
    batches.abandon("batch1", who="ann", why="wrong slate").unwrap()

    settled = Closing(batches.store).settle("batch1", "event1", due=stale).unwrap()

    assert not settled.closed_by_caller
    assert not settled.owes_trigger
    assert batches.get("batch1").unwrap().status is BatchStatus.ABANDONED


async def test_batch_that_was_written_after_its_last_commit_is_read_and_closed_all_the_same(
    batches: Batches, recorder: Recorder, readings: list[str]
) -> None:
    opened(batches, 1)
    stale = due(batches)
    await deliver_without_closing(batches, recorder)
    alter(batches, redrives=1)
    readings.clear()

    settled = Closing(batches.store).settle("batch1", "event1", due=stale).unwrap()

    assert settled.closed_by_caller
    assert readings[0] == "ends", "decided on what was believed, and refused"
    assert "get" in readings
    closed: Batch = batches.get("batch1").unwrap()
    assert (closed.status, closed.redrives) == (BatchStatus.COMPLETE, 1)


async def deliver_without_closing(batches: Batches, recorder: Recorder) -> None:
    """As an instance that dies between the commit and the closing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Closing, "settle", _die)
        with pytest.raises(_Died):
            await deliver(recorder, "player00000")


class _Died(BaseException):
    """The instance is gone."""


def _die(*_: object, **__: object) -> None:
    raise _Died
