"""Different events of one player in any order, and one trigger however often the closing event comes."""

import asyncio
import itertools
from collections.abc import Callable
from threading import Barrier, Thread

import pytest

from common.batches.batches import Batches
from common.batches.records import BatchStatus, Counts
from common.batches.trigger_outbox import TriggerOutbox
from common.documents.port import AsyncDocuments
from common.maintenance.deadlines import OverdueBatches, time_out_missing
from common.messages import BatchComplete, PlayerOutcome
from common.recorder.answers import Recorded, RecordOutcome
from common.recorder.recorder import Recorder
from common.result import Result
from common.topics import PREDICTION_BATCH_COMPLETE
from functions.completion_recorder.handler import handle
from tests.support.batch_helpers import (
    DEADLINE,
    EVERY_MODE,
    GAME_DATE,
    NotSampled,
    Published,
    as_the_old_system_wrote_it,
    completion,
    deliver,
    let_the_grace_pass,
    names,
    opened,
    timeline,
)

COMPLETED, SKIPPED, FAILED = PlayerOutcome.COMPLETED, PlayerOutcome.SKIPPED, PlayerOutcome.FAILED
ORDERS = pytest.mark.parametrize(
    "order",
    list(itertools.permutations((COMPLETED, SKIPPED, FAILED))),
    ids=lambda order: ", ".join(outcome.value for outcome in order),
)
ANN = "player00000"


async def tell(recorder: Recorder, outcome: PlayerOutcome, *, player: str = ANN) -> Recorded:
    """One event of its own for each outcome of a player."""
    message = completion(player, outcome=outcome)
    return (await recorder.record(message, event_id=f"{player}-{outcome.value}")).unwrap()


@EVERY_MODE
@ORDERS
async def test_any_order_of_outcomes_of_one_player_ends_the_same(
    batches: Batches, recorder: Recorder, another_recorder: Recorder, order: tuple[PlayerOutcome, ...]
) -> None:
    opened(batches, 2)

    for instance, outcome in zip(itertools.cycle((recorder, another_recorder)), order, strict=False):
        await tell(instance, outcome)
    for outcome in order:
        await tell(recorder, outcome)
    [last] = await deliver(another_recorder, "player00001")

    batch = batches.get("batch1").unwrap()
    assert (batch.counts, batch.total_predictions, batch.generation) == (Counts(completed=2), 10, 1)
    assert last.completes_batch and batch.status is BatchStatus.COMPLETE
    [ann, _] = batches.completions("batch1").unwrap()
    assert (ann.outcome, ann.event_id) == (COMPLETED, f"{ANN}-completed")
    story = [entry for name, entry in timeline(batches).items() if name.startswith("contradiction")]
    assert {(entry["outcome"], entry["event_id"]) for entry in story} == {
        ("skipped", f"{ANN}-skipped"),
        ("failed", f"{ANN}-failed"),
    }


@EVERY_MODE
async def test_retry_that_succeeds_after_the_closing_is_late_and_starts_a_new_generation(
    batches: Batches, recorder: Recorder, outbox: TriggerOutbox, published: Published
) -> None:
    opened(batches, 2)
    await deliver(recorder, "player00001")
    closing = await tell(recorder, FAILED)
    assert closing.completes_batch and closing.owed_trigger is not None
    outbox.send(closing.owed_trigger).unwrap()

    retry = await tell(recorder, COMPLETED)
    assert retry.owed_trigger is not None
    outbox.send(retry.owed_trigger).unwrap()
    again = await tell(recorder, COMPLETED)
    lesser = await tell(recorder, SKIPPED)

    assert (retry.outcome, retry.completes_batch) == (RecordOutcome.LATE, True)
    assert (again.outcome, again.owed_trigger) == (RecordOutcome.LATE, None)
    assert (lesser.outcome, lesser.completes_batch) == (RecordOutcome.DUPLICATE, False)
    batch = batches.get("batch1").unwrap()
    assert (batch.counts, batch.generation, batch.total_predictions) == (Counts(completed=2), 2, 10)
    ann = batches.store.completion(batch, ANN).unwrap()
    assert ann is not None and (ann.late, ann.generation) == (True, 2)
    assert published.triggers == [("batch1", 1), ("batch1", 2)]


@EVERY_MODE
async def test_outcomes_of_all_players_at_once_complete_the_batch_once(
    batches: Batches,
    recorder: Recorder,
    another_recorder: Recorder,
    published: Published,
    outbox: TriggerOutbox,
) -> None:
    opened(batches, 8)

    async def event(instance: Recorder, player: str, outcome: PlayerOutcome) -> Result[Recorded]:
        message = completion(player, outcome=outcome)
        return await handle(
            message, f"{player}-{outcome.value}", recorder=instance, outbox=outbox, checks=NotSampled()
        )

    both = [
        event(instance, player, outcome)
        for player in names(8)
        for instance, outcome in ((recorder, FAILED), (another_recorder, COMPLETED))
    ]
    answers = [answer.unwrap() for answer in await asyncio.gather(*both)]

    batch = batches.get("batch1").unwrap()
    assert batch.counts == Counts(completed=8)
    assert sum(answer.completes_batch for answer in answers) == batch.generation, "one event per generation"
    assert max(published.triggers) == ("batch1", batch.generation)
    assert len(set(published.triggers)) == len(published.triggers)


async def test_name_without_details_gives_way_to_the_event_that_says_where_the_rows_are(
    batches: Batches, recorder: Recorder
) -> None:
    as_the_old_system_wrote_it(batches, expected=2, completed=[ANN])
    by_name = batches.completions("batch1").unwrap()
    message = completion(ANN).model_copy(update={"staging_table": "t", "staged_rows": 5})

    bare = (await recorder.record(completion(ANN), event_id="bare")).unwrap()
    filled = (await recorder.record(message, event_id="full")).unwrap()
    again = (await recorder.record(message, event_id="full")).unwrap()

    assert [one.is_known_by_name_only for one in by_name] == [True]
    assert bare.outcome is RecordOutcome.DUPLICATE
    assert [filled.outcome, again.outcome] == [RecordOutcome.RECORDED] * 2
    [ann] = batches.completions("batch1").unwrap()
    assert (ann.staging_table, ann.staged_rows, ann.event_id) == ("t", 5, "full")
    batch = batches.get("batch1").unwrap()
    assert (batch.counts, batch.total_predictions) == (Counts(completed=1), 5), (
        "its predictions were in the total"
    )


async def test_batch_that_expects_fewer_than_have_ended_is_due(batches: Batches, recorder: Recorder) -> None:
    as_the_old_system_wrote_it(batches, expected=3, completed=[*names(4)])

    [last] = await deliver(recorder, "player00004")

    assert last.completes_batch
    assert batches.get("batch1").unwrap().status is BatchStatus.COMPLETE


@EVERY_MODE
async def test_closing_event_that_is_delivered_ten_times_at_once_publishes_one_trigger(
    batches: Batches, async_documents: AsyncDocuments, outbox: TriggerOutbox, published: Published
) -> None:
    instances = [Recorder(async_documents, batches) for _ in range(5)]
    opened(batches, 3)
    await deliver(instances[0], *names(2))
    last = completion("player00002")

    def delivery(instance: Recorder) -> "asyncio.Future[Result[Recorded]]":
        return asyncio.ensure_future(
            handle(last, "last", recorder=instance, outbox=outbox, checks=NotSampled())
        )

    answers = await asyncio.gather(*(delivery(instance) for instance in instances * 2))
    redelivered = [await delivery(instance) for instance in instances]

    assert published.triggers == [("batch1", 1)]
    assert all(answer.is_success or answer.is_retryable for answer in answers)
    assert all(answer.error.is_expected for answer in answers if answer.error is not None)
    assert all(answer.unwrap().owed_trigger is None for answer in redelivered), "it is noted"


async def test_publisher_that_dies_is_overtaken_once_when_its_grace_is_over(
    batches: Batches,
    recorder: Recorder,
    another_recorder: Recorder,
    published: Published,
    outbox: TriggerOutbox,
) -> None:
    opened(batches, 1)
    await deliver(recorder, ANN)
    trigger = BatchComplete(batch_id="batch1", game_date=GAME_DATE, generation=1)
    published.publish(PREDICTION_BATCH_COMPLETE, trigger)  # and dies before it is noted
    redelivery = await another_recorder.record(completion(ANN), event_id=f"event-{ANN}")

    let_the_grace_pass(batches)
    answers = await asyncio.gather(
        *(
            handle(completion(ANN), f"event-{ANN}", recorder=instance, outbox=outbox, checks=NotSampled())
            for instance in (recorder, another_recorder) * 4
        )
    )

    assert redelivery.error is not None and redelivery.error.is_expected
    assert sum(answer.is_success for answer in answers) >= 1
    assert published.triggers == [("batch1", 1)] * 2, "one crash, one message more"


def test_sweeps_that_run_at_once_publish_an_owed_trigger_once(
    batches: Batches, outbox: TriggerOutbox, published: Published
) -> None:
    opened(batches, [])
    barrier = Barrier(4)

    def sweep() -> None:
        barrier.wait()
        OverdueBatches(batches, outbox).close_overdue(DEADLINE).unwrap()

    in_threads(sweep, 4)

    assert published.triggers == [("batch1", 1)]


async def test_abandoned_batch_keeps_when_and_by_what_it_was_closed(
    batches: Batches, recorder: Recorder
) -> None:
    opened(batches, 1)
    await deliver(recorder, ANN)
    closed = batches.get("batch1").unwrap()

    abandoned = batches.abandon("batch1", who="ann", why="test").unwrap()

    assert (abandoned.closed_at, abandoned.closed_by_event) == (closed.closed_at, f"event-{ANN}")


async def test_time_outs_give_way_to_a_failure_and_that_to_a_completion(
    batches: Batches, recorder: Recorder
) -> None:
    opened(batches, 2, min_completion_pct=0)
    time_out_missing(batches, "batch1").unwrap()

    first, second = await tell(recorder, FAILED), await tell(recorder, COMPLETED)

    assert (first.outcome, second.outcome) == (RecordOutcome.LATE, RecordOutcome.LATE)
    assert batches.get("batch1").unwrap().counts == Counts(completed=1, timed_out=1)


def in_threads(action: Callable[[], None], number: int) -> None:
    threads = [Thread(target=action) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
