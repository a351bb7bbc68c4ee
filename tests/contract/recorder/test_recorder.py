"""Recording on the Firestore emulator, in one process."""

import asyncio
from datetime import date

from google.cloud import firestore

from common.batches.batches import Batches
from common.batches.records import BatchStatus, Counts
from common.batches.trigger_outbox import TriggerOutbox
from common.documents.async_store import AsyncFirestoreDocuments
from common.messages import PlayerOutcome
from common.recorder.answers import RecordOutcome
from common.recorder.recorder import Recorder
from common.result import Result
from tests.support.batch_helpers import EVERY_MODE, Published, completion, deliver, names, opened


@EVERY_MODE
async def test_each_completion_is_counted_once_and_the_last_one_completes_the_batch(
    recorder: Recorder, batches: Batches
) -> None:
    opened(batches, 3)

    answers = [(await deliver(recorder, player))[0] for player in names(3)]

    assert [answer.outcome for answer in answers] == [RecordOutcome.RECORDED] * 3
    assert [answer.completed_count for answer in answers] == [1, 2, 3]
    assert [answer.completes_batch for answer in answers] == [False, False, True]
    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.counts, batch.total_predictions) == (
        BatchStatus.COMPLETE,
        Counts(completed=3),
        15,
    )


@EVERY_MODE
async def test_second_delivery_of_the_same_completion_changes_nothing_in_any_instance(
    recorder: Recorder, another_recorder: Recorder, batches: Batches
) -> None:
    opened(batches, 3)
    await deliver(recorder, "player00000")
    before = batches.get("batch1").unwrap()

    again = await deliver(recorder, "player00000")
    elsewhere = await deliver(another_recorder, "player00000")
    by_another_event = await deliver(recorder, "player00000", event="other")
    elsewhere_by_another = await deliver(another_recorder, "player00000", event="other")

    assert [answer.outcome for answer in again + elsewhere] == [RecordOutcome.RECORDED] * 2
    assert [answer.outcome for answer in by_another_event + elsewhere_by_another] == [
        RecordOutcome.DUPLICATE
    ] * 2
    assert batches.get("batch1").unwrap() == before


@EVERY_MODE
async def test_of_many_at_once_exactly_one_completes_the_batch(recorder: Recorder, batches: Batches) -> None:
    opened(batches, 40)

    answers = await deliver(recorder, *names(40))

    assert sum(answer.completes_batch for answer in answers) == 1
    assert batches.get("batch1").unwrap().counts == Counts(completed=40)
    assert len(batches.completions("batch1").unwrap()) == 40


async def test_each_of_many_at_once_gets_a_count_of_its_own(recorder: Recorder, batches: Batches) -> None:
    opened(batches, 40)

    answers = await deliver(recorder, *names(40))

    assert sorted(answer.completed_count for answer in answers) == list(range(1, 41))


@EVERY_MODE
async def test_neither_a_duplicate_nor_a_stranger_disturbs_its_neighbours(
    recorder: Recorder, another_recorder: Recorder, batches: Batches
) -> None:
    opened(batches, 8)
    await deliver(another_recorder, *names(3), event="before")

    answers = await deliver(recorder, *names(8), "stranger")

    assert [answer.outcome for answer in answers] == (
        [RecordOutcome.DUPLICATE] * 3 + [RecordOutcome.RECORDED] * 5 + [RecordOutcome.UNEXPECTED]
    )
    progress = batches.progress("batch1").unwrap()
    assert progress.batch.counts == Counts(completed=8)
    assert (progress.missing, progress.unexpected) == ((), ("stranger",))


@EVERY_MODE
async def test_repeats_in_the_same_moment_count_once(recorder: Recorder, batches: Batches) -> None:
    opened(batches, 2)

    answers = await asyncio.gather(
        *(recorder.record(completion("player00000"), event_id=f"event-{n % 2}") for n in range(6))
    )

    outcomes = [answer.unwrap().outcome for answer in answers]
    assert outcomes.count(RecordOutcome.RECORDED) == 3, "the deliveries of the event that was first"
    assert batches.get("batch1").unwrap().counts == Counts(completed=1)


@EVERY_MODE
async def test_skipped_and_failed_players_end_too(recorder: Recorder, batches: Batches) -> None:
    opened(batches, 3)
    ends = zip(names(3), (PlayerOutcome.SKIPPED, PlayerOutcome.FAILED, PlayerOutcome.COMPLETED), strict=True)

    answers = [
        (await recorder.record(completion(player, outcome=outcome), event_id=player)).unwrap()
        for player, outcome in ends
    ]

    assert [answer.ended_count for answer in answers] == [1, 2, 3]
    batch = batches.get("batch1").unwrap()
    assert batch.status is BatchStatus.COMPLETE
    assert batch.counts == Counts(completed=1, skipped=1, failed=1)
    found = {one.player_lookup: one.outcome.value for one in batches.completions("batch1").unwrap()}
    assert list(found.values()) == ["skipped", "failed", "completed"]


async def test_batch_that_does_not_exist_yet_is_worth_a_retry(recorder: Recorder, batches: Batches) -> None:
    early = await recorder.record(completion("player00000"), event_id="e")
    opened(batches, 1)
    later = await recorder.record(completion("player00000"), event_id="e")

    assert early.error is not None and early.error.is_expected and early.is_retryable
    assert later.unwrap().completes_batch


async def test_completion_of_another_date_is_refused_by_name(recorder: Recorder, batches: Batches) -> None:
    opened(batches, 1)

    answer = await recorder.record(completion("player00000", game_date=date(2026, 1, 18)), event_id="e")

    assert answer.error is not None and answer.error.message.startswith("game_date: 2026-01-18")
    assert not answer.is_retryable
    assert batches.get("batch1").unwrap().counts == Counts()


async def test_batch_of_twenty_thousand_players_is_checked_from_memory(
    recorder: Recorder, batches: Batches
) -> None:
    opened(batches, 20_000)

    answers = await deliver(recorder, "player00000", "player19999", "player20000")

    assert [answer.outcome.value for answer in answers] == ["recorded", "recorded", "unexpected"]


async def test_more_batches_than_are_kept_are_all_recorded(
    async_firestore_client: firestore.AsyncClient, batches: Batches
) -> None:
    recorder = Recorder(AsyncFirestoreDocuments(async_firestore_client), batches, max_batches=2)
    ids = [f"batch{number}" for number in range(5)]
    for batch_id in ids:
        opened(batches, 2, batch_id=batch_id)

    for player in names(2):
        for batch_id in ids:
            await recorder.record(completion(player, batch_id=batch_id), event_id=f"{batch_id}-{player}")

    assert [batches.get(batch_id).unwrap().status for batch_id in ids] == [BatchStatus.COMPLETE] * 5


async def test_whoever_completed_the_batch_owes_the_trigger_until_it_is_noted(
    recorder: Recorder, batches: Batches, published: Published, outbox: TriggerOutbox
) -> None:
    opened(batches, 1)

    first = (await deliver(recorder, "player00000"))[0]
    published.is_down = True
    assert first.owed_trigger is not None and outbox.send(first.owed_trigger).is_retryable
    published.is_down = False
    redelivered = (await deliver(recorder, "player00000"))[0]
    another = (await deliver(recorder, "player00000", event="another"))[0]
    assert redelivered.owed_trigger is not None
    message_id: Result[str] = outbox.send(redelivered.owed_trigger)
    after = (await deliver(recorder, "player00000"))[0]

    assert (another.owed_trigger, after.owed_trigger) == (None, None)
    assert redelivered.completes_batch
    assert published.triggers == [("batch1", 1)]
    assert batches.get("batch1").unwrap().trigger_message_id == message_id.unwrap()
