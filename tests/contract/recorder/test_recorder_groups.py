"""A group shares a commit and nothing else: no completion is answered otherwise for its neighbours."""

import asyncio
from collections.abc import Sequence

import pytest

from common.batches.batches import Batches
from common.messages import PlayerCompletion, PlayerOutcome
from common.recorder.answers import Recorded, RecordOutcome
from common.recorder.recorder import Recorder
from tests.support.batch_helpers import EVERY_MODE, completion, names, opened

INT64_MAX = 2**63 - 1
PREDICTIONS = {"player00000": 5, "player00001": INT64_MAX, "player00002": 7}


def unbounded(player: str, batch_id: str, predictions: int) -> PlayerCompletion:
    """As a release of ours with other bounds might let it pass."""
    return completion(player, batch_id=batch_id).model_copy(update={"predictions_generated": predictions})


@EVERY_MODE
@pytest.mark.parametrize("together", [True, False], ids=["grouped", "one after the other"])
async def test_no_value_of_a_neighbour_decides_whatever_the_order(
    batches: Batches, recorder: Recorder, together: bool
) -> None:
    ends = set()
    for number, order in enumerate((list(PREDICTIONS), sorted(PREDICTIONS, reverse=True))):
        batch_id = f"batch{number}"
        opened(batches, list(PREDICTIONS), batch_id=batch_id)
        events = [unbounded(player, batch_id, PREDICTIONS[player]) for player in order]

        answers = await _record(recorder, events, together=together)

        assert [answer.outcome for answer in answers] == [RecordOutcome.RECORDED] * 3
        assert [answer.completes_batch for answer in answers].count(True) == 1
        ends.add(_told(batches, batch_id))
    assert len(ends) == 1


async def test_reasons_that_together_exceed_what_a_commit_takes_are_recorded_all(
    batches: Batches, recorder: Recorder
) -> None:
    """A commit takes 10 MiB in Firestore, and 4 MiB in the emulator."""
    players = names(100)
    opened(batches, players)
    events = [completion(player, outcome=PlayerOutcome.FAILED) for player in players]
    long = [event.model_copy(update={"reason": "x" * 100_000}) for event in events]

    answers = await _record(recorder, long, together=True)

    assert [answer.outcome for answer in answers] == [RecordOutcome.RECORDED] * 100
    assert batches.get("batch1").unwrap().counts.failed == 100


async def _record(
    recorder: Recorder, events: Sequence[PlayerCompletion], *, together: bool
) -> list[Recorded]:
    records = [recorder.record(event, event_id=f"event-{event.player_lookup}") for event in events]
    if together:
        return [answer.unwrap() for answer in await asyncio.gather(*records)]
    return [(await record).unwrap() for record in records]


def _told(batches: Batches, batch_id: str) -> tuple[object, ...]:
    batch = batches.get(batch_id).unwrap()
    ended = batches.completions(batch_id).unwrap()
    of_each = tuple((one.player_lookup, one.outcome, one.predictions_count) for one in ended)
    return batch.status, batch.counts, of_each
